"""Threads that are started whole, and what they hand down to the programs that they start."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

from harness.system import threads

HELD = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
#: Prints the signals that are held back in a program.
PRINTS = "import signal; print(*sorted(int(each) for each in signal.pthread_sigmask(signal.SIG_BLOCK, [])))"


def test_whole():
    """Signals are held back in the block, and are as they were behind it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with threads.whole():
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) >= HELD
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before


def test_programs_of_a_thread():
    """A thread gets no signals itself, and a program that is started in it gets those that are sent to it."""
    printed, held = [], []

    def start() -> None:
        held.append(signal.pthread_sigmask(signal.SIG_BLOCK, []))
        with threads.handing_down():
            printed.append(subprocess.check_output([sys.executable, "-S", "-c", PRINTS], text=True))
        held.append(signal.pthread_sigmask(signal.SIG_BLOCK, []))

    thread = threading.Thread(target=start)
    threads.start(thread)
    thread.join()
    assert (held[0] >= HELD, held[1] == held[0], printed) == (True, True, ["\n"])
