"""The same step on Locust, by a master and two workers: it counts what the client on one machine counts."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial

import msgspec
import psutil
import pytest
from crowds import serving, step_of
from shared import ROOT

from harness.results.loads import Step
from harness.system.ports import free_port

pytestmark = [
    pytest.mark.cell,
    pytest.mark.usefixtures("no_survivors"),
    # It is only looked for: whoever imports it has gevent in place of threads.
    pytest.mark.skipif(importlib.util.find_spec("locust") is None, reason="Locust is not installed"),
]
LOCUST = [sys.executable, "-m", "locust", "-f", "harness/load/locust/locustfile.py"]


@pytest.fixture(autouse=True)
def not_ignored():
    """Whatever a shell starts in the background ignores Ctrl-C, and so does all that is started there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Run:
    """A master and two workers, with their results; where they are *forked*, the master has started the workers."""

    def __init__(self, folder, port, sockets, *options, forked=False):
        folder.mkdir()
        self.result = folder / "step.json"
        self.log = (folder / "log").open("w+")
        place = str(free_port())
        what = ["--cell", "py311-django22", "--host", f"http://127.0.0.1:{port}", "-u", str(sockets), "-r", "100"]
        what += ["--headless", "--result", str(self.result), *options]
        what += ["--master-bind-host", "127.0.0.1", "--master-bind-port", place]
        if forked:
            self.workers = []
            self.master = self.start(*what, "--processes", "2", "--master-port", place)
        else:
            self.workers = [self.start("--worker", "--master-port", place) for _ in range(2)]
            self.master = self.start(*what, "--master", "--expect-workers", "2")

    def start(self, *options):
        command = [*LOCUST, *options]
        return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def wait(self, sockets):
        """Wait until there are so many sockets, and some messages are through; nobody waits for ever."""
        until = time.monotonic() + 30
        while time.monotonic() < until and self.master.poll() is None:
            with suppress(psutil.NoSuchProcess):  # one may end while it is looked at
                processes = [psutil.Process(self.master.pid), *psutil.Process(self.master.pid).children()]
                processes += [psutil.Process(worker.pid) for worker in self.workers]
                if sum(len(process.net_connections("tcp")) for process in processes) > sockets:
                    break
            time.sleep(0.05)
        time.sleep(0.5)

    @property
    def step(self):
        self.log.seek(0)
        assert self.result.exists(), self.log.read()
        return msgspec.json.decode(self.result.read_bytes(), type=Step)


@contextmanager
def running(folder, port, sockets, *options, forked=False):
    run = Run(folder, port, sockets, *options, forked=forked)
    try:
        yield run
    finally:
        forked = psutil.Process(run.master.pid).children() if run.master.poll() is None else []
        for process in (run.master, *run.workers, *forked):
            process.kill()
            process.wait()
        run.log.close()


def distributed(way, sockets, folder, messages):
    """Return the exit status of a master whose workers meet a server that goes a certain *way*, and what it says."""
    forked = way != "well"  # which is quicker
    with serving(way) as port, running(folder, port, sockets, "--messages", str(messages), forked=forked) as run:
        status = run.master.wait(timeout=120)
        for worker in run.workers:
            worker.wait(timeout=30)
        return status, run.step


def counted(step):
    messages = [(each.delivered, each.lost, each.duplicated, each.late, each.closed) for each in step.messages]
    return step.sockets, step.connected, step.stood, messages, step.foreign, step.refused, step.closed, step.ended


def at_once(*works):
    """Return what comes of each; Locust waits most of the time, so they need not wait for each other."""
    with ThreadPoolExecutor(len(works)) as pool:
        return [each.result() for each in [pool.submit(work) for work in works]]


def compared(folder, way, messages, delivered, lost, duplicated):
    """Have both count the same step, and hold one against the other."""
    (folder / way).mkdir()
    (status, together), alone = at_once(
        partial(distributed, way, 60, folder / way / "locust", messages),
        partial(step_of, way, 60, folder / way, messages=messages),
    )
    assert counted(together) == counted(alone)
    each = [(message.delivered, message.lost, message.duplicated) for message in together.messages]
    assert each == [(delivered, lost, duplicated)] * messages
    assert status == (0 if way == "well" else 1)
    assert together.whole == (way == "well")
    # All workers are on one machine here, and so each delivery is timed.
    assert together.latency.count == alone.latency.count == delivered * messages


def test_same_counts(tmp_path):
    """Whoever counts, and however many: it is the same, and only a step without fault ends with 0."""
    at_once(
        partial(compared, tmp_path, "well", 5, 60, 0, 0),
        partial(compared, tmp_path, "withholds", 1, 54, 6, 0),
        partial(compared, tmp_path, "doubles", 5, 60, 0, 60),
    )


def ended_early(folder, how, ended, connected):
    """Have a step that would take hours end early."""
    forked = how == "interrupted"
    options = ["--messages", "1000000", "--patience", "5"]
    with serving("well") as port, running(folder / how, port, 60, *options, forked=forked) as run:
        run.wait(60)
        if forked:
            run.master.send_signal(signal.SIGINT)
        else:
            run.workers[1].kill()
        assert run.master.wait(timeout=30) == 1
        assert [worker.wait(timeout=30) for worker in run.workers] == ([] if forked else [0, -signal.SIGKILL])
        assert run.step.ended == ended
        assert (run.step.connected, run.step.stood, run.step.messages[0].delivered) == (connected,) * 3


def test_early_end(tmp_path):
    """A master that is interrupted, or whose worker has died, writes what there is, and nothing is left behind."""
    at_once(
        partial(ended_early, tmp_path, "interrupted", "interrupted", 60),
        partial(ended_early, tmp_path, "killed", "1 of 2 workers gone, with 30 sockets", 30),
    )


def test_usage():
    """What cannot be done is refused at once, as by the other commands."""
    what = ["--headless", "--cell", "py311-django22-nosuch", "--host", "http://127.0.0.1:1"]
    done = subprocess.run([*LOCUST, *what], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "there is no library with the suffix -nosuch" in done.stderr
