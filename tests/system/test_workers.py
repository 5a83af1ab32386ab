"""Many things are done side by side in processes that have all that this one has; tried in a program of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from shared import ROOT

from harness.system import workers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere everything is done in one process")


def program(body: str) -> subprocess.CompletedProcess[str]:
    """Run *body*, with :mod:`harness.system.workers` imported, in a process without threads of pytest."""
    code = "import os, signal, time\nfrom harness.system import workers\n" + textwrap.dedent(body)
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_in_order():
    """What the jobs return comes in their order, from other processes, and a job can be what no pickle can hold."""
    done = program("""
        here = os.getpid()
        jobs = [lambda number=number: (number, os.getpid() != here) for number in range(30)]
        with workers.side_by_side(jobs) as made:
            print(list(made) == [(number, True) for number in range(30)])
    """)
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_inline():
    """Done inline, a job is called in this process, and when its result is asked for."""
    called: list[int] = []
    with workers.side_by_side([lambda: called.append(1), lambda: called.append(2)], inline=True) as made:
        assert not called
        next(made)
        assert called == [1]


def test_error():
    """What a job raises is raised where its result is asked for, with all it says, also where signals are handled."""
    done = program("""
        from harness.errors import HarnessError
        from harness.system.processes import interruptible
        def fail():
            raise HarnessError("no room", "make some")
        with interruptible(), workers.side_by_side([lambda: 1, fail]) as made:
            print(next(made))
            try:
                next(made)
            except HarnessError as error:
                print(error, error.hint)
    """)
    assert (done.stdout, done.stderr) == ("1\nno room make some\n", "")


def test_left_early(tmp_path):
    """What has not begun when the block is left is not done any more."""
    done = program(f"""
        import pathlib
        def slow(number):
            pathlib.Path({str(tmp_path)!r}, str(number)).touch()
            time.sleep(0.05)
        try:
            with workers.side_by_side([lambda number=number: slow(number) for number in range(400)]) as made:
                next(made)
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass
    """)
    assert (done.returncode, done.stderr) == (0, "")
    assert 0 < len(list(tmp_path.iterdir())) < 400


def test_signals():
    """Ctrl-C, which a terminal sends to all, is left to the parent; other signals end a worker, by no handler of it."""
    done = program("""
        def handler(number, frame):
            print("the parent's handler")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, handler)
        def state():
            os.kill(os.getpid(), signal.SIGINT)
            return [signal.getsignal(number).name for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
        with workers.side_by_side([state]) as made:
            print(next(made), signal.pthread_sigmask(signal.SIG_BLOCK, []))
    """)
    assert done.stdout == "['SIG_IGN', 'SIG_DFL', 'SIG_DFL'] set()\n", done.stderr


@pytest.mark.parametrize(("number", "sizes"), [(0, []), (3, [3]), (4, [4]), (9, [4, 4, 1])])
def test_parts(number, sizes):
    """Things come in parts of one size, of which the last can be smaller."""
    found = workers.parts(list(range(number)), 4)
    assert [len(part) for part in found] == sizes
    assert [each for part in found for each in part] == list(range(number))
