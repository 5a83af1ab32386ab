"""Waiting for something that can only be asked for: one deadline for the whole, whatever is asked on the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
#: Seconds that a wait may take longer than it was to before that is a jump of the clock, or a pause of the machine.
_JUMP = 1.0


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
        return max(0.0, self._at - self._clock())

    @property
    def over(self) -> bool:
        """Whether no time is left."""
        return self._clock() >= self._at


def patiently(wait: Callable[[float], bool], seconds: float) -> bool:
    """Return what *wait* says, which waits so many *seconds* at most.

    It is asked once more if this process was stopped meanwhile, or the machine slept: nobody had time to answer then.
    """
    began = time.monotonic()
    if wait(seconds):
        return True
    return time.monotonic() - began > seconds + _JUMP and wait(seconds)


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
