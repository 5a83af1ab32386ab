"""Waiting: one deadline for the whole, by a clock that a test turns."""

from __future__ import annotations

import threading

import pytest

from harness.system import waiting
from harness.system.waiting import Deadline, patiently, wait_until


class Clock:
    """A clock that moves only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


@pytest.fixture
def clock(monkeypatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(waiting, "time", made)
    return made


def deadline(clock: Clock, seconds: float) -> Deadline:
    return Deadline(seconds, clock.monotonic)


def test_deadline(clock):
    """A deadline has less left as time passes, and none once it is over."""
    made = deadline(clock, 2.0)
    assert (made.left, made.over, made.seconds) == (2.0, False, 2.0)
    clock.now += 1.5
    assert (made.left, made.over) == (0.5, False)
    clock.now += 0.5
    assert (made.left, made.over) == (0.0, True)
    clock.now += 9.0
    assert (made.left, made.over, made.seconds) == (0.0, True, 2.0)


def test_no_time_at_all(clock):
    """A deadline of no time is over at once."""
    assert deadline(clock, 0.0).over


def test_done_at_once(clock):
    """What is done when it is asked first is not waited for, and its answer is told."""
    assert wait_until(lambda: "yes", deadline(clock, 5.0)) == "yes"
    assert clock.slept == []


def test_done_later(clock):
    """What is not done yet is asked again, so many seconds later each time."""
    answers = iter((None, 0, "", "yes"))
    assert wait_until(lambda: next(answers), deadline(clock, 5.0), every=0.5) == "yes"
    assert clock.slept == [0.5] * 3


def test_in_vain(clock):
    """What is not done in time is asked once more when the time is up, and its last answer is told."""
    asked = []

    def done() -> int:
        asked.append(clock.now - 100)
        return 0

    assert wait_until(done, deadline(clock, 1.0), every=0.4) == 0
    assert asked == pytest.approx([0.0, 0.4, 0.8, 1.0])
    assert clock.slept == [0.4, 0.4, 0.2]


def test_done_in_the_last_moment(clock):
    """What is done just as the time is up is done."""
    assert wait_until(lambda: clock.now >= 101.0, deadline(clock, 1.0), every=0.4)


def test_asked_at_least_once(clock):
    """Also where no time is left it is asked, and nobody sleeps."""
    over = deadline(clock, 1.0)
    clock.now += 5
    assert wait_until(lambda: "yes", over) == "yes"
    assert wait_until(lambda: None, over) is None
    assert clock.slept == []


def test_one_deadline_for_several(clock):
    """Who waits for several things in a row has no more time than for one."""
    both = deadline(clock, 1.0)
    wait_until(lambda: clock.now >= 100.7, both, every=0.1)
    wait_until(lambda: False, both, every=0.1)
    assert clock.now == pytest.approx(101.0)


def test_seconds():
    """Seconds are a deadline from now on."""
    assert wait_until(lambda: False, 0.0) is False
    assert wait_until(lambda: False, 0.005, every=0.001) is False


def test_an_error_is_not_waited_for(clock):
    """What cannot be asked is not asked again."""
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: 1 / 0, deadline(clock, 5.0))


class Waiter:
    """Somebody whose waits take and bring what was said before, one after the other."""

    def __init__(self, clock: Clock, *waits: tuple[float, bool]) -> None:
        self.clock, self.waits, self.asked = clock, iter(waits), []

    def wait(self, seconds: float) -> bool:
        took, brought = next(self.waits)
        self.asked.append(seconds)
        self.clock.now += took
        return brought


@pytest.mark.parametrize("took", [0.0, 2.0, 60.0])
def test_what_comes_is_not_waited_for_again(clock, took):
    """What has come has come, however long that took."""
    waiter = Waiter(clock, (took, True))
    assert patiently(waiter.wait, 2.0) is True
    assert waiter.asked == [2.0]


@pytest.mark.parametrize("took", [2.0, 2.5, 3.0])
def test_a_wait_that_took_what_it_may(clock, took):
    """A wait in vain is over when it took about as long as it was to, and is not made again."""
    waiter = Waiter(clock, (took, False))
    assert patiently(waiter.wait, 2.0) is False
    assert waiter.asked == [2.0]


@pytest.mark.parametrize("brought", [True, False])
def test_a_jump_of_the_clock(clock, brought):
    """A wait in vain that took far too long is made once more, in full, and not a third time."""
    waiter = Waiter(clock, (3.1, False), (60.0, brought))
    assert patiently(waiter.wait, 2.0) is brought
    assert waiter.asked == [2.0, 2.0]


def test_told_to_stop():
    """What waits in a thread that is told to stop is over, and so is what begins to wait there; others go on."""
    stop = threading.Event()
    stop.set()
    with waiting.stopped_by(stop):
        assert waiting.stopped()
        assert Deadline(60.0).over
        assert Deadline(60.0).left == 0.0
        assert wait_until(lambda: "", 60.0) == ""
        assert not patiently(lambda left: False, 60.0)
        assert patiently(lambda left: True, 60.0)
    assert not waiting.stopped()
    assert not Deadline(60.0).over


def test_told_to_stop_while_waiting():
    """A wait that began before looks again and again whether it was told to stop."""
    stop, lengths = threading.Event(), []

    def wait(seconds: float) -> bool:
        lengths.append(seconds)
        if len(lengths) == 3:
            stop.set()
        return False

    with waiting.stopped_by(stop):
        assert not patiently(wait, 60.0)
    assert lengths == [waiting._LOOK] * 3
