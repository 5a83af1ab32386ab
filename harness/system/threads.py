"""Threads that are started whole: a signal must not come between."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def whole() -> Iterator[None]:
    """Hold signals back while threads are started in the block.

    One whose handler raises while a thread is being started leaves it half made, and that is printed as a traceback.
    """
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def start(thread: threading.Thread) -> None:
    """Start *thread*; see :func:`whole`."""
    with whole():
        thread.start()
