"""Threads that are started whole, and what they hand down to the programs that they start."""

from __future__ import annotations

import signal
import subprocess
import sys

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
    """A program that is started in a thread gets the signals that are sent to it."""
    printed = []
    thread = threads.run(
        lambda: printed.append(subprocess.check_output([sys.executable, "-S", "-c", PRINTS], text=True)), "a thread"
    )
    thread.join()
    assert (thread.name, thread.daemon, printed) == ("a thread", True, ["\n"])
