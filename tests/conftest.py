"""What every test can ask for."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import uuid
from contextlib import suppress

import psutil
import pytest
from filelock import FileLock
from hypothesis import settings
from shared import FAKES, ROOT
from talkers import Clock, Switchboard

from harness.chat import conversation, exchanges, isolation, traffic
from harness.commands import main
from harness.scenario import further, talk
from harness.system import workers
from harness.system.waiting import wait_until

# How long an example takes says something of the machine, and of nothing that is tested.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
# Thousands of tests that are kept are gone through again and again, and none of them is garbage.
gc.set_threshold(100_000, 50, 100)


def pytest_collection_finish():
    gc.freeze()


#: Rooms and modules whose tests wait for chats, as members would, and leave the processors to others.
WAITING = {"dtws", "plugin", "scenario", "test_blocking", "test_deployment", "test_endings", "test_faults"}


def pytest_collection_modifyitems(items):
    """Have each worker begin with its share of what runs tox or whole cells, for whichever long test begins last is
    waited for by all others.

    Of the rest two workers of three begin with what waits, and the others with what computes.
    """
    long, waits, works = [], [], []
    for item in items:
        whole = item.get_closest_marker("tox") or item.get_closest_marker("cell")
        (long if whole else waits if WAITING & {item.path.parent.name, item.path.stem} else works).append(item)
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long.sort(key=lambda item: not item.get_closest_marker("tox"))
    # Each worker gets as many as the next, in the order of what they are given here; the last rooms wait longest.
    waiting, share = max(1, workers * 2 // 3), -(-len(items) // workers)
    items.clear()
    for number in range(workers):
        mine = long[number::workers] + (waits[::-1][number::waiting] if number < waiting else [])
        room = max(0, share - len(mine))
        items += [*mine, *works[:room]]
        del works[:room]
    items += works


@pytest.fixture
def no_survivors(monkeypatch):
    """Fail a test that leaves a process behind: all that it starts inherits its mark."""
    mark = uuid.uuid4().hex
    monkeypatch.setenv("STARTED_BY_TEST", mark)
    yield

    def left() -> list[list[str]]:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.pid != os.getpid() and process.environ().get("STARTED_BY_TEST") == mark:
                    found.append(process.cmdline())
        return found

    # A browser's helpers end by themselves, a moment after it.
    wait_until(lambda: not left(), 2.0, every=0.05)
    assert not left(), f"left behind: {left()}"


@pytest.fixture
def quick_traffic(monkeypatch):
    """Have members talk a hundred times a second, and nobody wait longer than that takes."""
    for name, seconds in (("EACH", 0.01), ("_AGAIN", 0.02), ("_LAST", 0.2), ("_SURE", 0.05)):
        monkeypatch.setattr(traffic, name, seconds)


@pytest.fixture
def impatient(monkeypatch):
    """Wait at somebody's own chat no longer than it takes to see that something comes late, or never."""
    monkeypatch.setattr(talk, "HORIZON", 0.3)
    monkeypatch.setattr(exchanges, "PATIENCE", 0.2)
    monkeypatch.setattr(exchanges, "FENCE_DEADLINE", 0.5)
    monkeypatch.setattr(conversation, "SUBSCRIBE_DEADLINE", 0.5)
    monkeypatch.setattr(isolation, "_QUIET", 0.2)
    monkeypatch.setattr(further, "FENCE_DEADLINE", 0.5)
    monkeypatch.setattr(further, "_PATIENCE", 0.2)
    monkeypatch.setattr(further, "_LATER", 0.1)
    monkeypatch.setattr(further, "_PAUSE", 0.2)


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """Make a folder for all workers of pytest together, when the first of them asks for it; nobody may change it."""
    base = tmp_path_factory.getbasetemp()
    top = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def made(name, fill):
        """Return the folder called *name*, which *fill* has filled."""
        folder, done = top / name, top / f"{name}.done"
        with FileLock(top / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    """What is made in several processes is made in this one, which has threads of pytest and is not to be forked."""
    forking = workers.side_by_side
    monkeypatch.setattr(workers, "side_by_side", lambda jobs, inline=True: forking(jobs, inline=True))


@pytest.fixture
def commandline(monkeypatch, capsys):
    """Return what runs the command line as ``shared.harness`` does, but without the start of a new process."""

    def run(*arguments, reports):
        command = ["harness", *(str(each) for each in arguments)]
        monkeypatch.chdir(ROOT)
        monkeypatch.setattr(sys, "argv", command)
        monkeypatch.setenv("HARNESS_REPORTS", str(reports))
        monkeypatch.setenv("HARNESS_LIBRARIES", str(FAKES))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return subprocess.CompletedProcess(command, ended.value.code, said.out, said.err)

    return run


@pytest.fixture
def clock(monkeypatch):
    """A clock that rules what the harness waits for, so that no test waits."""
    return Clock.reigning(monkeypatch)


@pytest.fixture
def board(clock):
    """A switchboard that stands for a server, on that clock; a test file may have one of another kind."""
    return Switchboard(clock)
