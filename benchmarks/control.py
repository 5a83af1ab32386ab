"""The control: a chat that behaves well works every time, also on a machine that is busy."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from benchmarks import commandline
from benchmarks.cells import FAKES, pair
from benchmarks.given import Given
from benchmarks.shown import row

#: The fake libraries that behave well, one for each wire format: plain texts, and JSON.
_WELL = ("behaves", "behaves-in-json")
#: How many processes eat the processors beside the cells, and how many cells are run side by side.
_EATERS = 2
_ABREAST = 4
# They end by themselves where the benchmark was killed, and could not end them.
_EAT = "import os, sys\nwhile os.getppid() == int(sys.argv[1]): pass"


def measure_control(given: Given) -> None:
    """How often a well-behaved library works, in each of two wire formats, beside processes that eat the processors."""
    python, times = given.python_of("tests"), given.size.control_rounds
    for fake in _WELL:
        cell = f"{pair(python)}-fake-{fake}"

        def works(_: int, cell: str = cell) -> bool:
            with tempfile.TemporaryDirectory() as folder:
                asked = ("run", cell, "--python", python, "--reports", folder)
                return commandline.exit_code(*asked, libraries=(FAKES,)) == 0

        with _eating(), ThreadPoolExecutor(_ABREAST) as pool:
            good = sum(pool.map(works, range(times)))
        row(f"{cell} works, {times} times beside {_EATERS} busy processes", str(good), str(times), good == times)


@contextmanager
def _eating() -> Iterator[None]:
    """Have processes eat the processors until the block is left."""
    eaters = [subprocess.Popen([sys.executable, "-c", _EAT, str(os.getpid())]) for _ in range(_EATERS)]
    try:
        yield
    finally:
        for each in eaters:
            each.kill()
            each.wait()
