"""How long a load client waits, and how it tells that it was itself what was slow; with clocks that a test turns."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from harness.load import timing
from harness.load.timing import TICK, LagMonitor, Stopwatch, deadline_for


class Clock:
    """Two clocks: one of the time that passes, and one of the time that this process has worked."""

    def __init__(self) -> None:
        self.now, self.worked = 100.0, 7.0

    def perf_counter(self) -> float:
        return self.now

    def process_time(self) -> float:
        return self.worked

    def passes(self, seconds: float, worked: float = 0.0) -> None:
        self.now += seconds
        self.worked += worked


@pytest.fixture
def clock(monkeypatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(timing, "time", made)
    monkeypatch.setattr(timing, "resource", SimpleNamespace(RUSAGE_SELF=0, getrusage=lambda who: Usage))
    return made


class Usage:
    ru_maxrss = 70_000


@pytest.mark.parametrize(("sockets", "seconds"), [(0, 60.0), (100, 64.0), (10_000, 460.0)])
def test_deadline(sockets, seconds):
    """A step has a minute, and a second more for each 25 sockets."""
    assert deadline_for(sockets) == seconds


def test_stopwatch(clock):
    """A phase is measured in both, and once more from the beginning where it is gone through again."""
    watch = Stopwatch()
    with watch.running():
        clock.passes(1.23456, 0.111119)
    assert (watch.seconds, watch.cpu) == (1.235, 0.1111)
    with watch.running():
        clock.passes(2.0)
    assert (watch.seconds, watch.cpu) == (2.0, 0.0)


def test_a_phase_that_breaks(clock):
    """A phase that breaks off has taken what it took."""
    watch = Stopwatch()

    def breaks():
        with watch.running():
            clock.passes(3.0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        breaks()
    assert watch.seconds == 3.0


def test_looks(clock):
    """A look is late by what it comes after the time at which it was due, and never early."""
    monitor = LagMonitor()
    monitor.begin()
    monitor.look()
    for seconds in (TICK, TICK + 0.005, TICK / 2, TICK * 2):
        clock.passes(seconds)
        monitor.look()
    assert monitor.late == pytest.approx([0.0, 0.0, 5.0, 0.0, 10.0])


def test_nobody_looks_between_messages(clock):
    """The time between two messages is none in which the client was late or busy."""
    monitor = LagMonitor()
    for _ in range(2):
        monitor.begin()
        clock.passes(1.0, 0.25)
        monitor.end()
        clock.passes(50.0, 40.0)
    assert (monitor.busy, monitor.under_way) == (0.5, 2.0)
    monitor.begin()
    monitor.look()
    assert monitor.late == [0.0]


def usage(late: list[float], busy: float = 0.0, under_way: float = 1.0, p99: float = 10.0):
    monitor = LagMonitor()
    monitor.late, monitor.busy, monitor.under_way = late, busy, under_way
    connecting, speaking = Stopwatch(cpu=0.5), Stopwatch(cpu=0.25)
    return monitor.usage(1.23456, connecting, speaking, p99)


def test_usage(clock):
    """What the client took is told in seconds, in MB, as a share of a core, and in how late it was."""
    found = usage([float(number) for number in range(100)], busy=0.3, under_way=1.2)
    assert (found.cpu_seconds, found.connect_cpu_seconds, found.message_cpu_seconds) == (1.235, 0.5, 0.25)
    assert (found.share, found.lag_p99, found.lag_max) == (0.25, 99.0, 99.0)


@pytest.mark.parametrize(("platform", "memory"), [("linux", 71.7), ("darwin", 0.1)])
def test_memory(clock, monkeypatch, platform, memory):
    """The most memory is what the system says, in the unit of that system."""
    monkeypatch.setattr(sys, "platform", platform)
    assert usage([]).memory_mb == memory


def test_a_single_late_look(clock):
    """Of a thousand looks ten may be late before the 99 of 100 are."""
    late = [0.0] * 990 + [200.0] * 10
    assert usage(late).lag_p99 == 200.0
    assert usage([0.0, *late]).lag_p99 == 0.0
    assert usage([0.0, *late]).lag_max == 200.0


def test_nothing_was_under_way(clock):
    """A client that never sent a message was neither busy nor late."""
    found = usage([], under_way=0.0)
    assert (found.share, found.lag_p99, found.lag_max, found.bottleneck) == (0.0, 0.0, 0.0, False)


@pytest.mark.parametrize(
    ("late", "busy", "p99", "bottleneck"),
    [
        (0.0, 0.85, 10.0, False),
        (0.0, 0.86, 10.0, True),
        (51.0, 0.0, 10.0, True),
        (50.0, 0.0, 10.0, False),
        (51.0, 0.0, 102.0, False),
        (51.0, 0.0, 101.0, True),
    ],
)
def test_bottleneck(clock, late, busy, p99, bottleneck):
    """A client is what is slow where it is nearly always busy, or late by much of what deliveries took."""
    assert usage([late], busy=busy, p99=p99).bottleneck is bottleneck
