"""Texts that were said before and are said again: they are waited for, timed and judged as others are."""

from __future__ import annotations

import pytest
from played import SETTLING, faults
from talkers import any_of, fences

from harness.chat import exchanges
from harness.chat.fencing import FENCE_INTERVAL
from harness.chat.rounds import Planned, Round, first_round, second_round
from harness.clients.connection import Endpoint


@pytest.mark.parametrize("seed", range(5))
def test_the_second_round(board, seed):
    """A chat that carries everything is right in the second round as well, in its order, repeats and all."""
    chat = board.talk()
    planned, already = second_round(chat.token, seed), len(board.said)
    exchanged = exchanges.run(chat, planned)
    assert (str(exchanged), faults(exchanged), exchanged.late) == ("15 of 15", set(), [])
    assert [each[3] for each in board.said[already::2]] == [each.text for each in planned.exchanges]
    assert [row.number for row in exchanged.exchanges] == list(range(1, 16))
    assert [each.number for each in exchanged.sent] == planned.order
    assert (exchanged.round, len(exchanged.latency_ms)) == (planned, 15)


@pytest.mark.parametrize("seed", range(5))
def test_a_chat_that_drops_repeats(board, seed):
    """A chat that carries each text only once is wrong in exactly the exchanges that repeat one."""
    planned = second_round("abc", seed)
    repeats = {each.row.number for each in planned.exchanges if each.text != each.row.message("abc")}
    board.drops = lambda text, line: [each[3] for each in board.said].count(text) > 1
    exchanged = exchanges.run(board.talk(), planned)
    assert {row.number for row in exchanged.wrong} == repeats
    assert {each[1] for each in faults(exchanged)} == {"missing"}


def repeating(*numbers: int) -> Round:
    """Return a round in which the exchanges with these *numbers* all say the same."""
    own = first_round("abc").exchanges
    return Round(2, tuple(Planned(each.row, "the same") if each.row.number in numbers else each for each in own))


def test_a_repeat_is_waited_for_and_timed(board):
    """A text that was said before is waited for once more, and what it takes is counted from when it was said again."""
    chat = board.talk()
    board.delay = 0.25
    board.delays = any_of(fences, lambda text, line: text == "the same")
    exchanged = exchanges.run(chat, repeating(5, 8, 11))
    assert faults(exchanged) == set()
    assert [exchanged.latency_ms[number] for number in ("5", "6", "8", "11")] == [
        *({"John": 250.0}, {"Mary": 0.0}, {"John": 250.0}, {"John": 250.0})
    ]
    # Three messages and fifteen fences.
    assert exchanged.seconds == (3 + 15) * 0.25


def test_repeats_that_never_come(board):
    """A repeat that never comes is missed as if it had not been said before, and hurries what comes behind."""
    board.drops = lambda text, line: [each[3] for each in board.said].count("the same") > 1 and text == "the same"
    exchanged = exchanges.run(board.talk(), repeating(4, 5, 7, 8, 10))
    assert {each[:2] for each in faults(exchanged)} == {(number, "missing") for number in (5, 7, 8, 10)}
    assert exchanged.seconds == 3 * exchanges.PATIENCE + FENCE_INTERVAL + SETTLING


def test_a_repeat_to_the_wrong_people(board):
    """A text that is said again, to others, and comes also to those who heard it first is a leak of the repeat."""
    board.leaks = lambda text, line: text == "the same" and line.endpoint == Endpoint("John", "user")
    exchanged = exchanges.run(board.talk(), repeating(5, 6))
    assert faults(exchanged) == {(6, "extra", "John", "user")}
