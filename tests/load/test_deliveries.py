"""Counting: what each socket has had of each text."""

from __future__ import annotations

import pytest

from harness.load.deliveries import Tally


def tally(size: int = 3) -> Tally:
    """Return a tally whose sockets all stand: each has had a fence."""
    made = Tally(size)
    made.begin("fence", 0.0)
    for socket in range(size):
        made.arrive(0, socket, 0.1)
    return made


def judged(made: Tally, number: int = 1):
    return made.judged(number, bytearray([1] * made.size))


def test_delivered():
    """What every socket has once is delivered, and took until the last had it."""
    made = tally()
    made.begin("message", 10.0)
    for socket in range(3):
        assert not made.reached(1)
        made.arrive(1, socket, 10.5 + socket)
    assert made.reached(1)
    message = judged(made)
    assert (message.delivered, message.lost, message.unproved, message.last_ms) == (3, 0, 0, 2500.0)
    assert list(made.latencies(1)) == [0.5, 1.5, 2.5]


def test_duplicated():
    """Each copy more is counted, and the first one is what is timed."""
    made = tally(1)
    made.begin("message", 0.0)
    for at in (1.0, 2.0, 3.0):
        made.arrive(1, 0, at)
    message = judged(made)
    assert (message.delivered, message.duplicated, message.last_ms) == (1, 2, 1000.0)


def test_lost_is_proved():
    """Only what is behind it proves a message lost; without that, nothing is said of it."""
    made = tally()
    made.begin("message", 0.0)
    made.arrive(1, 0, 1.0)
    assert (judged(made).lost, judged(made).unproved) == (0, 2)
    made.begin("fence 2", 2.0)
    made.arrive(2, 1, 3.0)
    assert (judged(made).lost, judged(made).unproved) == (1, 1)


def test_late():
    """What came after the wait had been given up is delivered, and late."""
    made = tally(2)
    made.begin("message", 0.0)
    made.arrive(1, 0, 1.0)
    made.sent[1].given_up = 2.0
    made.arrive(1, 1, 3.0)
    assert (judged(made).delivered, judged(made).late) == (2, 1)


def test_closed():
    """A socket that was closed is waited for no longer, and what it did not have is not lost."""
    made = tally()
    made.begin("message", 0.0)
    made.arrive(1, 0, 1.0)
    made.close(0)
    made.arrive(1, 1, 1.0)
    assert not made.reached(1)  # two have it, but the third still waits
    made.close(2)
    made.close(2)
    assert made.reached(1)
    message = judged(made)
    assert (message.delivered, message.closed, message.lost) == (2, 1, 0)
    assert made.reachable == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_standing(order):
    """A subscription stands from the first thing that arrives on it, also if that is seen after its end."""
    made = Tally(2)
    made.begin("fence", 0.0)
    assert (made.reachable, sum(made.standing)) == (0, 0)
    for socket in order:
        made.arrive(0, socket, 1.0)
    assert (made.reachable, sum(made.standing)) == (2, 2)
    assert made.having(0) == 2
