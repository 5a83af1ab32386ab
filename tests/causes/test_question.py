"""The question that is to be explained: found by its short name, or as the worst of a cell; and its answers."""

from __future__ import annotations

import made
import msgspec
import pytest
import samples
from made import alike

from harness.causes import question
from harness.causes.question import Answer
from harness.cell.only import Only
from harness.errors import UsageError
from harness.results.deep import DeepSet
from harness.results.result import Finding, Judgement, Probe
from harness.verdict import Reason

CELL = "py313-django61-channels4"
EARLY = "A message sent right after somebody's handshake"


def deep_set(*findings: Finding) -> DeepSet:
    return made.deep_set(CELL, "amounts", findings)


def finding(asked: str, seen: str, good: bool | None, chance: bool = False) -> Finding:
    return Finding(question=asked, expected="all", seen=seen, good=good, chance=chance)


def judged(reason: Reason, text: str = ""):
    judgement = Judgement.of(reason, text)
    verdicts = alike(judgement)
    return msgspec.structs.replace(samples.of(CELL), verdicts=verdicts)


def test_by_name():
    """A question is found in whatever set it is in, also in one of the deep sets, and in what others were asked."""
    result, most = samples.of(CELL), finding("A member of 1000 groups", "all", True)
    assert question.find("early", result, []) == Only("delivery", EARLY)
    assert question.find("verdict", result, []) == Only()
    assert question.find("member-1000-groups", result, [deep_set(most)]) == Only("amounts", most.question)
    other = msgspec.structs.replace(result, probes=[Probe(name="load", findings=[finding("A broadcast", "", True)])])
    assert question.find("broadcast", result, [], [other]) == Only("load", "A broadcast")


def test_no_such_question():
    """A question that nobody was asked is refused, with those whose names are near."""
    with pytest.raises(UsageError, match="py313-django61-channels4 has no question called 'earlly'") as told:
        question.find("earlly", samples.of(CELL), [])
    assert "early" in told.value.hint


def test_the_worst():
    """The verdict comes first, then the worst catch; of a cell that was not tested there is nothing to explain."""
    assert question.worst(judged(Reason.EXCHANGE_WRONG, "wrong")) == Only()
    assert question.worst(samples.of(CELL)) == Only("payloads", "200 kB by POST")
    clean = msgspec.structs.replace(samples.of(CELL), probes=[], sets=[], isolation=[])
    assert question.worst(clean) is None


def test_answers_of_the_verdict():
    """A verdict answers with what its failure says; one that was not tested is no answer."""
    works = question.answer(Only(), samples.of(CELL))
    assert (works.good, works.seen) == (True, samples.of(CELL).verdicts.overall.text or "✓ Yes")
    failed = question.answer(Only(), judged(Reason.SERVER_DID_NOT_START, "No module named 'django.utils.six'"))
    assert failed == Answer(False, "django.utils.six cannot be imported")
    assert question.answer(Only(), judged(Reason.NO_NETWORK, "away")).good is None


def test_answers_of_a_question():
    """The answer of a deep set is taken from the set: a result may have nothing of it. What was not asked is none."""
    only = Only("amounts", "A member of 1000 groups")
    result = samples.of(CELL)
    assert question.answer(only, result).good is None
    sets = [deep_set(finding(only.question, "some are lost (1 of 2)", False, True))]
    assert question.answer(only, result, sets) == Answer(False, "some are lost (1 of 2)", True)
    not_asked = [deep_set(finding(only.question, "not asked: no server", None))]
    assert question.answer(only, result, not_asked) == Answer(None, "not asked: no server")
