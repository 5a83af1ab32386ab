"""The asyncio client of websockets, a task for each socket; on asyncio's own loop or, with ``--uvloop``, on that.

Without compression, pings and a look for proxies: the task needs none of them, and the other clients do none of it.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

import uvloop
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.peers.task import CONNECTING, REACHING, Counts, Task, Usage, room, show

_UVLOOP = "--uvloop"


async def perform(name: str, usage: Usage, task: Task) -> None:
    """Do the task, and print the row."""
    texts = task.texts
    reached = [asyncio.Event() for _ in texts]
    counts = Counts(task, lambda number: reached[number].set())

    def opening() -> connect:
        return connect(task.url, compression=None, ping_interval=None, proxy=None, open_timeout=CONNECTING)

    async def listen(subscriber: int, socket: ClientConnection) -> None:
        async for text in socket:
            assert isinstance(text, str)
            counts.arrive(subscriber, text)
            if text == texts[-1]:
                break

    publisher = await opening()
    sockets = await asyncio.gather(*(opening() for _ in range(task.subscribers)))
    usage.mark()
    tasks = [asyncio.create_task(listen(*each)) for each in enumerate(sockets)]
    for number in range(len(texts)):
        if number == task.messages:
            usage.mark()
        await publisher.send(counts.send(number))
        with suppress(TimeoutError):
            await asyncio.wait_for(reached[number].wait(), REACHING)
    for each in tasks:
        each.cancel()
    show(name, len(sockets), usage.result(), counts.result())


def main() -> None:
    """Run on the loop that the command line asks for."""
    usage, arguments = Usage(), sys.argv[1:]
    room()
    if _UVLOOP in arguments:
        arguments.remove(_UVLOOP)
        uvloop.run(perform("websockets on uvloop", usage, Task.read(arguments)))
    else:
        asyncio.run(perform("websockets", usage, Task.read(arguments)))


if __name__ == "__main__":
    main()
