"""Threads that are started whole: a signal must not come between."""

from __future__ import annotations

import signal
import threading


def start(thread: threading.Thread) -> None:
    """Start *thread* with signals held back until it runs.

    One whose handler raises while a thread is being started leaves it half made, and that is printed as a traceback.
    """
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        thread.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
