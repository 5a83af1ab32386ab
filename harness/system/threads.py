"""Threads that are started whole: a signal must not come between."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_HELD = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


@contextmanager
def whole() -> Iterator[None]:
    """Hold signals back while threads are started in the block.

    One whose handler raises while a thread is being started leaves it half made, and that is printed as a traceback.
    """
    held = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def start(thread: threading.Thread) -> None:
    """Start *thread*; see :func:`whole`. Signals stay held back in it: it must not start programs."""
    with whole():
        thread.start()


def run(do: Callable[[], object], name: str) -> threading.Thread:
    """Start a thread that does *do*, and may start programs: what holds signals back would hand that down to them."""

    def freely() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
        do()

    thread = threading.Thread(target=freely, name=name, daemon=True)
    start(thread)
    return thread
