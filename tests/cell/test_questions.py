"""A set of questions is one step; what was found before it broke off is kept, and that it did is a finding."""

from __future__ import annotations

import threading

import pytest
from cellservers import finding, recorder_in
from talkers import Clock, Switchboard

from harness.cell import questions
from harness.clients.connection import HandshakeRefused, SendFailed
from harness.clients.transcript import Endpoint, Transcript
from harness.errors import CellFailure, HarnessError
from harness.results.result import Step
from harness.system.waiting import pause
from harness.verdict import Reason


@pytest.fixture(autouse=True)
def clock(monkeypatch) -> Clock:
    return Clock.reigning(monkeypatch)


class Asked:
    """What came of a set of questions."""

    def __init__(self, folder, asking, board=None):
        self.recorder, self.findings = recorder_in(folder), []
        questions.ask("isolation", asking, self.findings, (board or Switchboard()).chat(), self.recorder)
        (self.step,) = self.recorder.steps


def broken(error):
    yield finding("first?")
    raise error


def test_answered(tmp_path):
    """All findings are kept, and the step says how many are as expected, of those that can be judged."""
    findings = [finding("a"), finding("b", good=False), finding("c", good=None)]
    asked = Asked(tmp_path, iter(findings))
    assert asked.findings == findings
    assert asked.step == Step(name="isolation", outcome="ok", text="1 of 2 as expected")


def test_none(tmp_path):
    """Without a question the step says so."""
    assert Asked(tmp_path, iter(())).step.text == "0 of 0 as expected"


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (SendFailed("John's connection is gone"), "John's connection is gone"),
        (HandshakeRefused("status 500"), "status 500"),
        (CellFailure(Reason.PAGE_FAILED, "GET / brought no answer"), "GET / brought no answer"),
    ],
)
def test_broken_off(tmp_path, error, seen):
    """What breaks the questions off fails the step and is a finding; what came before it is kept."""
    asked = Asked(tmp_path, broken(error))
    assert [(each.question, each.expected, each.seen, each.good) for each in asked.findings] == [
        ("first?", "yes", "yes", True),
        ("Could all of this be asked?", "yes", seen, False),
    ]
    assert (asked.step.outcome, asked.step.text, asked.step.cause) == (
        *("failed", "1 of 2 as expected", f"broken off: {seen}"),
    )


@pytest.mark.parametrize("asking", [broken(SendFailed("gone")), iter([finding("first?")])], ids=["broken", "whole"])
def test_a_server_that_ended(tmp_path, asking):
    """A server that did not outlast the questions has that against it, whether or not they were broken off."""
    asked = Asked(tmp_path, asking, Switchboard(exit_status=-11))
    assert [(each.question, each.seen, each.good) for each in asked.findings[1:]] == [
        ("Does the server outlast the questions?", "the server had ended with exit status -11", False)
    ]
    assert asked.step.cause == "broken off: the server had ended with exit status -11"


def test_a_server_that_is_just_ending(tmp_path, clock):
    """A server that ends a moment after it has dropped its connections is what broke the questions off."""
    board = Switchboard()

    def end():
        board.exit_status = 1

    clock.later(0.4, end)
    asked = Asked(tmp_path, broken(SendFailed("gone")), board)
    assert asked.findings[1].seen == "the server had ended with exit status 1"


def test_nobody_waits_for_the_end_of_a_server_that_answers(tmp_path, clock):
    """Where all was answered nobody waits for a server to end."""
    before = clock.now
    Asked(tmp_path, iter([finding("first?")]))
    assert clock.now == before


def test_a_fault_of_the_harness(tmp_path):
    """What is no fault of the cell is not taken for one."""
    with pytest.raises(HarnessError):
        Asked(tmp_path, broken(HarnessError("no")))


def answers(*goods):
    """Return a way to ask the same question again and again, which is answered so."""
    left = list(goods)
    return lambda: [finding("q", left.pop(0))]


@pytest.mark.parametrize(
    ("goods", "seen", "good", "chance"),
    [
        ((True,), "yes", True, False),
        ((None,), "no", None, False),
        ((False, False), "no (2 of 2)", False, False),
        ((False, True), "no (1 of 2)", False, True),
        ((False, None), "no", False, False),
    ],
)
def test_twice(goods, seen, good, chance):
    """An answer that is not as expected is asked for once more, and says how often of two it came."""
    (found,) = questions.twice(answers(*goods))
    assert (found.seen, found.good, found.chance) == (seen, good, chance)


def test_twice_of_several():
    """Of several answers those that were expected stay as they were, and one that does not come again as well."""
    rounds = [[finding("a"), finding("b", False), finding("c", False)], [finding("a", False), finding("b", False)]]
    found = list(questions.twice(lambda: rounds.pop(0)))
    assert [(each.question, each.seen) for each in found] == [("a", "yes"), ("b", "no (2 of 2)"), ("c", "no")]


def test_twice_and_broken_off(tmp_path):
    """What was found before the first time breaks off is kept; what the second time breaks off changes nothing."""

    def first():
        yield finding("a", False)
        raise SendFailed("gone")

    found = []
    with pytest.raises(SendFailed):
        found.extend(questions.twice(first))
    rounds = [iter([finding("a", False)]), broken(SendFailed("gone"))]
    assert [each.seen for each in questions.twice(lambda: rounds.pop(0))] == ["no"]


@pytest.mark.parametrize("error", [SendFailed("gone"), ConnectionResetError("gone"), TimeoutError("gone")])
def test_guarded(error):
    """What cannot be asked says so, for one question, and nothing else is kept from being asked."""
    *_, found = questions.guarded("Is it?", lambda: broken(error))
    assert (found.question, found.seen, found.good) == ("Is it?", "not asked: gone", None)
    (found,) = questions.guarded("Is it?", lambda: iter([finding("a")]))
    assert found.question == "a"


def test_connections_that_break(tmp_path, clock):
    """A connection that breaks while something is asked is no fault of the harness."""
    asked = Asked(tmp_path, broken(ConnectionResetError("reset")))
    assert asked.findings[-1].seen == "reset"


# Side by side


def test_side_by_side():
    """What is asked side by side is answered in the order in which it is asked, whoever answers first."""
    first_may_answer = threading.Event()

    def first():
        first_may_answer.wait(5)
        yield finding("first?")

    def second():
        first_may_answer.set()
        yield finding("second?")

    assert [each.question for each in questions.side_by_side([first, second], 2)] == ["first?", "second?"]


def breaks(began: threading.Event, text: str):
    """Break off what is asked as soon as something else has begun."""
    began.wait(5)
    raise HarnessError(text)
    yield


def test_side_by_side_broken_off():
    """When one breaks it off the others are told, and waited for."""
    began, ended = threading.Event(), threading.Event()

    def goes_on():
        began.set()
        pause(600.0)
        ended.set()
        return []

    with pytest.raises(HarnessError, match="no room"):
        list(questions.side_by_side([lambda: breaks(began, "no room"), goes_on], 2))
    assert ended.is_set()


def test_side_by_side_broken_off_while_another_waits():
    """When it is broken off nobody waits any longer for a server that says nothing, and nothing is asked once more."""
    began = threading.Event()
    asked = []

    def waits():
        began.set()
        asked.append(Transcript(lambda text: []).wait([Endpoint("John", "user")], ["hello"], 600.0))
        yield finding("heard?", good=asked[-1])

    with pytest.raises(HarnessError, match="interrupted"):
        list(questions.side_by_side([lambda: breaks(began, "interrupted"), lambda: questions.twice(waits)], 2))
    assert asked == [False]
