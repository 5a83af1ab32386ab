"""Work for all processors."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

#: Each takes a while to start, and some memory.
_MOST = 8
_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}

T = TypeVar("T")


@contextmanager
def mapped(do: Callable[..., T], *arguments: Iterable[Any], chunk: int = 1) -> Iterator[Iterator[T]]:
    """Begin to call *do* with one of each of *arguments* after the other, in other processes; yield what it returns.

    They are handed over *chunk* at a time. What is not done yet when the block is left is not begun any more.
    """
    # Spawned, for what libraries do at a fork swallows the exception of a signal.
    spawn = multiprocessing.get_context("spawn")
    number = min(os.cpu_count() or 1, _MOST)
    executor = ProcessPoolExecutor(number, mp_context=spawn, initializer=_begin)
    try:
        with _sparing_children():
            results = executor.map(do, *arguments, chunksize=chunk)
        yield results
    finally:
        executor.shutdown(cancel_futures=True)


@contextmanager
def _sparing_children() -> Iterator[None]:
    """Keep signals waiting while processes are started: a half-started one would complain of its parent's end."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """Let a process that was started so be ended; Ctrl-C, which a terminal sends to all, is the parent's to answer."""
    gc.set_threshold(50_000, 20, 100)  # looking for garbage took a quarter of the time that docutils needs
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS - {signal.SIGINT})
