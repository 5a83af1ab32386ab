"""Do many things side by side on all processors, in processes of their own."""

from __future__ import annotations

import gc
import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from harness.system.processors import processors
from harness.system.threads import HELD, whole

#: The most processes that are started.
_MOST = 8

T = TypeVar("T")

#: What there is to do, in a process that does a part of it.
_jobs: Sequence[Callable[[], Any]] = ()


def parts(things: Sequence[T], size: int) -> list[Sequence[T]]:
    """Return *things* in parts of *size*, of which the last can be smaller."""
    return [things[first : first + size] for first in range(0, len(things), size)]


@contextmanager
def side_by_side(jobs: Sequence[Callable[[], T]], inline: bool = False) -> Iterator[Iterator[T]]:
    """Call each of *jobs* in one of several processes; yield an iterator of what they return, in their order.

    The processes have all that this one has by now, and the work begins at once. Calls that have not begun when the
    block is left are not made. What takes less time than it takes to start processes is done *inline*: here, and not
    before its result is asked for. So is everything where a process cannot be forked safely: only Linux is known to.
    """
    if inline or sys.platform != "linux":
        yield (job() for job in jobs)
        return
    number = min(processors(), _MOST, len(jobs))
    fork = multiprocessing.get_context("fork")
    executor = ProcessPoolExecutor(number, mp_context=fork, initializer=_begin, initargs=(jobs,))
    try:
        # All processes start with the first call. What libraries do at a fork would swallow the exception of a signal.
        with whole():
            results = executor.map(_do, range(len(jobs)))
        yield results
    finally:
        executor.shutdown(cancel_futures=True)


def _begin(jobs: Sequence[Callable[[], Any]]) -> None:
    """Let the new process be ended by signals, except by Ctrl-C: a terminal sends it to the parent as well."""
    global _jobs
    _jobs = jobs
    gc.set_threshold(50_000, 20, 100)  # looking for garbage took a quarter of the time that docutils needs
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in HELD - {signal.SIGINT}:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)


def _do(place: int) -> Any:
    return _jobs[place]()
