"""Do the same to many things on all processors, in processes of their own."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from harness.system.threads import HELD, whole

#: The most processes that are started: each takes a while to start, and some memory.
_MOST = 8

T = TypeVar("T")


@contextmanager
def mapped(do: Callable[..., T], *arguments: Iterable[Any], inline: bool = False) -> Iterator[Iterator[T]]:
    """Call *do* as :func:`map` does, with one of each of *arguments*, in other processes; yield an iterator of results.

    The work begins at once, and the results come in the order of the arguments. Calls that have not begun when the
    block is left are not made. What takes less time than other processes take to start is done *inline*: here, and
    not before its result is asked for.
    """
    if inline:
        yield map(do, *arguments)
        return
    # Spawned, for what libraries do at a fork swallows the exception of a signal.
    spawn = multiprocessing.get_context("spawn")
    number = min(os.cpu_count() or 1, _MOST)
    executor = ProcessPoolExecutor(number, mp_context=spawn, initializer=_begin)
    try:
        with whole():  # one that is half started would print a traceback
            results = executor.map(do, *arguments)
        yield results
    finally:
        executor.shutdown(cancel_futures=True)


def _begin() -> None:
    """Let the new process be ended by signals again, except by Ctrl-C: a terminal sends it to the parent as well."""
    gc.set_threshold(50_000, 20, 100)  # looking for garbage took a quarter of the time that docutils needs
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD - {signal.SIGINT})
