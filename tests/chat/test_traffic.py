"""Traffic while something goes wrong: what is lost, with a word or without, and when all is well again."""

from __future__ import annotations

import time

import pytest
from talkers import Switchboard

from harness.chat.members import MEMBERS
from harness.chat.traffic import Traffic
from harness.system.waiting import wait_until

WHY = "closed by the server with 1011"


pytestmark = pytest.mark.usefixtures("quick_traffic")


@pytest.fixture
def board() -> Switchboard:
    """One whose clock is the real one: what happens between threads takes its time."""
    return Switchboard()


def goes_on(talking: Traffic, turns: int = 12) -> None:
    """Wait until so many turns more have been taken."""
    wanted = len(talking.turns) + turns
    assert wait_until(lambda: len(talking.turns) >= wanted, 10.0)


def test_nothing_happens(board):
    """Where nothing goes wrong everything is received once by all, and all is well at once."""
    with Traffic(board.talk(), returns=False) as talking:
        goes_on(talking)
    found = talking.account(time.monotonic() - 0.1)
    assert {turn.member for turn in talking.turns} == set(MEMBERS)
    assert (found.sent, found.received) == (3 * len(talking.turns),) * 2
    assert (found.lost, found.silently, found.twice, found.closed, found.well_after) == (0, 0, 0, 0, 0.0)


def test_lost_without_a_word(board):
    """What an open connection does not receive of an open one is lost without a word, and counted for each."""
    with Traffic(board.talk(), returns=False) as talking:
        goes_on(talking)
        board.drops = lambda text, line: text.startswith("staying") and line.member == "Mary"
        goes_on(talking)
        board.drops = lambda text, line: False
        over = time.monotonic()
        goes_on(talking)
    found = talking.account(over)
    assert found.silently == found.sent - found.received > 0
    assert (found.lost, found.closed) == (0, 0)
    assert found.well_after is not None
    assert found.well_after < 1.0
    assert str(found).endswith(f"0 lost with an error or a close, {found.silently} silently")


def test_closed(board):
    """What is lost around the end of a connection is lost with a word; who stays away receives nothing again."""
    with Traffic(board.talk(), returns=False) as talking:
        goes_on(talking)
        board.drops = lambda text, line: line.member == "Mary"
        goes_on(talking, 4)
        for line in [line for line in board.lines if line.member == "Mary"]:
            line.end(WHY)
        over = time.monotonic()
        goes_on(talking)
    found = talking.account(over)
    assert found.lost > 0
    assert (found.silently, found.closed, found.why, found.well_after) == (0, 1, WHY, None)


def test_coming_back(board):
    """Whoever comes back receives again, and only what was said meanwhile is missing, with a word."""
    refusing = [True]
    with Traffic(board.talk(), returns=True) as talking:
        goes_on(talking)
        board.refuses = lambda endpoint, path, member, origin: "status 503" if refusing[0] else ""
        for line in list(board.lines):
            line.end(WHY)
        goes_on(talking, 6)
        refusing[0] = False
        over = time.monotonic()
        goes_on(talking, 30)
    found = talking.account(over)
    assert any("does not come back: status 503" in turn.error for turn in talking.turns)
    assert (found.silently, found.closed) == (0, 3)
    assert found.well_after is not None


def test_copies(board):
    """What comes twice is counted."""
    board.doubles = lambda text, line: text.startswith("staying 0 of John") and line.member == "Mary"
    with Traffic(board.talk(), returns=False) as talking:
        goes_on(talking)
    assert talking.account(time.monotonic()).twice == 1


def test_an_error(board):
    """What its sender could not send is not sent, and shows that not all is well."""
    board.fails = lambda member, text: "broken pipe" if member == "John" and text.startswith("staying") else ""
    with Traffic(board.talk(), returns=False) as talking:
        goes_on(talking)
    found = talking.account(0.0)
    assert found.sent == 3 * sum(turn.member != "John" for turn in talking.turns)
    assert found.well_after is None


def test_one_at_a_time(board):
    """Two traffics in one place do not count what the other says."""
    chat = board.talk()
    with Traffic(chat, returns=False) as staying, Traffic(chat, returns=True) as returning:
        goes_on(staying)
        goes_on(returning)
    assert staying.account(0.0).sent == 3 * len(staying.turns)
    assert returning.account(0.0).received == 3 * len(returning.turns)
