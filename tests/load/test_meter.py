"""What a server and its broker take while a step runs, with processes that a test makes up."""

from __future__ import annotations

from types import SimpleNamespace

import psutil
import pytest
import redis

from harness.load import meter
from harness.load.meter import Meter
from harness.results.loads import Usage


class Process:
    """A process of the server."""

    def __init__(self, cpu: float = 0.0, memory: int = 0, files: int = 0) -> None:
        self.cpu, self.memory, self.files, self.gone = cpu, memory, files, False

    def cpu_times(self):
        self.look()
        return (self.cpu, self.cpu / 2, 99.0, 99.0)

    def memory_info(self):
        self.look()
        return SimpleNamespace(rss=self.memory)

    def num_fds(self):
        self.look()
        return self.files

    def look(self):
        if self.gone:
            raise psutil.NoSuchProcess(1)


class Broker:
    """A broker that tells what it takes; each time the next."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)
        self.client = self

    def info(self, section):
        if section == "cpu":
            self.now = self.answers.pop(0) if self.answers else {}
        if isinstance(self.now, Exception):
            raise self.now
        return self.now


def told(user: float, system: float, memory: int) -> dict[str, object]:
    return {"used_cpu_user": user, "used_cpu_sys": system, "used_memory_rss": memory}


def metered(*processes: Process, broker: Broker | None = None) -> Meter:
    half = len(processes) // 2
    children = [
        SimpleNamespace(family=lambda: [*processes[:half]]),
        SimpleNamespace(family=lambda: [*processes[half:]]),
    ]
    return Meter(children, broker or Broker())


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    monkeypatch.setattr(meter, "_EACH", 0.001)


def test_usage():
    """What all processes of all children take is added up: CPU since the beginning, and the most memory at once."""
    first, second = Process(1.0, 10_000_000, 5), Process(2.0, 40_000_000, 6)
    found = metered(first, second)
    with found.running():
        assert found.server is None
        first.cpu, second.cpu = 1.5, 3.0
    assert found.server == Usage(cpu_seconds=2.25, memory_mb=50.0)
    assert found.files == 11


def test_the_most_memory(monkeypatch):
    """Memory that was given back before the end counts as what was the most."""
    process = Process(0.0, 80_000_000)
    found = metered(process)
    looked = meter.threading.Event()
    original = process.memory_info

    def memory_info():
        most = original()
        looked.set()
        return most

    process.memory_info = memory_info
    with found.running():
        assert looked.wait(5)
        process.memory_info = original
        process.memory = 10_000_000
    assert found.server.memory_mb == 80.0


def test_a_process_that_has_ended():
    """A process that has ended does not count any more, and breaks nothing."""
    first, second = Process(1.0, 10_000_000), Process(2.0, 10_000_000)
    first.gone = True
    found = metered(first, second)
    with found.running():
        second.cpu = 3.0
    assert found.server == Usage(cpu_seconds=1.5, memory_mb=10.0)


def test_measured_also_when_it_breaks():
    """What was taken until a step broke off is told."""
    process = Process(1.0, 1_000_000)
    found = metered(process)

    def breaks():
        with found.running():
            process.cpu = 2.0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        breaks()
    assert found.server.cpu_seconds == 1.5


def test_the_broker():
    """The broker says itself what it took; of its memory the larger of both times counts."""
    found = metered(broker=Broker(told(1.0, 0.5, 9_000_000), told(2.0, 0.75, 7_000_000)))
    with found.running():
        pass
    assert found.broker_usage == Usage(cpu_seconds=1.25, memory_mb=9.0)


@pytest.mark.parametrize(
    "answers",
    [
        (redis.ConnectionError(), told(1.0, 0.5, 9)),
        (told(1.0, 0.5, 9), redis.ConnectionError()),
        ({}, {}),
        (told(1.0, 0.5, 9), {"used_cpu_user": "?", "used_cpu_sys": 1, "used_memory_rss": 1}),
    ],
)
def test_a_broker_that_does_not_say(answers):
    """Of a broker that does not tell it both times nothing is known."""
    found = metered(broker=Broker(*answers))
    with found.running():
        pass
    assert found.broker_usage is None


# Settling


class Settling:
    """Time that passes only while somebody sleeps; a server does something at some moments of it."""

    def __init__(self, monkeypatch, **moments) -> None:
        self.now, self.moments, self.sleeps = 0.0, moments, 0
        monkeypatch.setattr(meter, "_EACH", 0.2)
        monkeypatch.setattr(meter, "time", self)
        monkeypatch.setattr(meter, "Deadline", lambda seconds: self)

    over = False

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.sleeps += 1
        self.moments.get(f"at{self.sleeps}", lambda: None)()
        self.over = self.now > 5


def settle(monkeypatch, process: Process, files: int, **moments) -> Settling:
    found = metered(process)
    with found.running():
        pass
    time = Settling(monkeypatch, **moments)
    process.files = files
    found.settle(5.0)
    return time


def test_settled_at_once(monkeypatch):
    """A server with no more files than before, and nothing to do, has let go of the crowd."""
    assert settle(monkeypatch, Process(files=10), files=30).sleeps == 1


def test_files_are_waited_for(monkeypatch):
    """As long as it has the crowd's files it has not let go of it."""
    process = Process(files=10)

    def close():
        process.files = 30

    assert settle(monkeypatch, process, files=31, at3=close).sleeps == 3


def test_a_busy_server_is_waited_for(monkeypatch):
    """As long as it works it has something to do with the crowd that has left."""
    process = Process(files=10)

    def work():
        process.cpu += 0.04

    assert settle(monkeypatch, process, files=10, at1=work, at2=work).sleeps == 3


def test_not_for_ever(monkeypatch):
    """A server that never lets go is waited for no longer than was said."""
    time = settle(monkeypatch, Process(files=10), files=500)
    assert 5 < time.now < 5.5


def test_machine(monkeypatch):
    """The machine is told by its system, its processors, its memory and how many files a process may have."""
    monkeypatch.setattr(meter.platform, "system", lambda: "Linux")
    monkeypatch.setattr(meter.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(meter, "processors", lambda: 1)
    monkeypatch.setattr(meter.psutil, "virtual_memory", lambda: SimpleNamespace(total=24_123_456_789))
    monkeypatch.setattr(meter, "room_for_sockets", lambda: 20_000)
    found = meter.machine()
    assert (found.system, found.cpus, found.memory_mb, found.file_descriptors) == ("Linux x86_64", 1, 24_123, 20_000)
