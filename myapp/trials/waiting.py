"""A coroutine that takes its time, well or badly; for Python 3 alone."""

import asyncio
import time


async def busy(asked):
    """Take as long as *asked* says: awaiting, or keeping the event loop from everything else."""
    if asked["how"] == "await":
        await asyncio.sleep(asked["seconds"])
    else:
        time.sleep(asked["seconds"])
