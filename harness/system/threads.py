"""Threads that are started whole: a signal must not come between."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: The signals that end a run.
HELD = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


@contextmanager
def whole() -> Iterator[None]:
    """Hold signals back while threads or processes are started in the block.

    One whose handler raises meanwhile leaves them half made, and that is printed as a traceback.
    """
    held = signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def start(thread: threading.Thread) -> None:
    """Start *thread*; see :func:`whole`. Signals stay held back in it: they are for the main thread."""
    with whole():
        thread.start()


@contextmanager
def handing_down() -> Iterator[None]:
    """Let signals through while a program is started in the block: it has what this thread has."""
    held = signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
