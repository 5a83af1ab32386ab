"""Waiting for something that can only be asked for: one deadline for the whole, whatever is asked on the way.

What waits in a thread that was told to stop waits no longer: see :func:`stopped_by`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")
#: Seconds that a wait may take longer than it was to before that is a jump of the clock, or a pause of the machine.
_JUMP = 1.0
#: Seconds after which a wait looks whether it was told to stop.
_LOOK = 0.2
#: What tells this thread to stop waiting; None where nothing does.
_STOP: ContextVar[threading.Event | None] = ContextVar("stop", default=None)


@contextmanager
def stopped_by(stop: threading.Event) -> Iterator[None]:
    """Within the block, let every wait of this thread be over once *stop* is set: its answers are wanted no more."""
    token = _STOP.set(stop)
    try:
        yield
    finally:
        _STOP.reset(token)


def stopped() -> bool:
    """Tell whether this thread was told to stop waiting."""
    stop = _STOP.get()
    return stop is not None and stop.is_set()


def pause(seconds: float) -> None:
    """Let *seconds* pass, or fewer if this thread is told to stop."""
    stop = _STOP.get()
    if stop is None:
        time.sleep(seconds)
    else:
        stop.wait(seconds)


class Deadline:
    """A moment that is so many seconds away. Who waits for several things in a row has one for all of them."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """*clock* returns the seconds that have passed since some moment."""
        self.seconds = seconds
        self._clock = clock
        self._at = clock() + seconds

    @property
    def left(self) -> float:
        """The seconds that are left, 0 once it is over."""
        return 0.0 if stopped() else max(0.0, self._at - self._clock())

    @property
    def over(self) -> bool:
        """Whether no time is left."""
        return stopped() or self._clock() >= self._at


def patiently(wait: Callable[[float], bool], seconds: float) -> bool:
    """Return what *wait* says, which waits so many *seconds* at most.

    It is asked once more if this process was stopped meanwhile, or the machine slept: nobody had time to answer then.
    """
    began = time.monotonic()
    if _wait(wait, seconds):
        return True
    return time.monotonic() - began > seconds + _JUMP and _wait(wait, seconds)


def _wait(wait: Callable[[float], bool], seconds: float) -> bool:
    """Return what *wait* says; where the thread may be told to stop it is asked again and again."""
    if _STOP.get() is None:
        return wait(seconds)
    deadline = Deadline(seconds)
    while not (done := wait(min(_LOOK, deadline.left))) and not deadline.over:
        pass
    return done


def wait_until(done: Callable[[], T], limit: float | Deadline, every: float = 0.01) -> T:
    """Ask *done* each *every* seconds until what it returns is true, or the time is up; return its last answer.

    *limit* is a deadline, or the seconds until one. *done* is asked at least once, and once more when the time is up.
    """
    deadline = limit if isinstance(limit, Deadline) else Deadline(limit)
    while True:
        last = deadline.over
        answer = done()
        if answer or last:
            return answer
        time.sleep(min(every, deadline.left))
