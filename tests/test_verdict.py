"""Verdicts and reasons: closed sets, each with its sign, its words and its exit code."""

from __future__ import annotations

import pytest

from harness.verdict import FAULT, Reason, Verdict, answer, sign


@pytest.mark.parametrize(("good", "shown"), [(True, "✓"), (False, "✗"), (None, "─")])
def test_signs(good, shown):
    """What is good, bad or neither has a sign of its own, which stands before its word."""
    assert sign(good) == shown
    assert answer(good).startswith(shown)


@pytest.mark.parametrize(
    ("verdict", "good", "label", "code"),
    [
        (Verdict.WORKS, True, "✓ Yes", 0),
        (Verdict.DOES_NOT_WORK, False, "✗ No", 1),
        (Verdict.NOT_TESTED, None, "─ Not tested", 4),
    ],
)
def test_verdicts(verdict, good, label, code):
    """A verdict is good, bad or neither, has a label for tables and an exit code for commands."""
    assert (verdict.good, verdict.label, verdict.exit_code) == (good, label, code)


def test_exit_codes():
    """No verdict has the exit code of a fault, of a usage error, or of another verdict."""
    codes = [verdict.exit_code for verdict in Verdict]
    assert len({*codes, FAULT, 2}) == len(codes) + 2


WORKS = {Reason.WORKS}
NOT_TESTED = {
    Reason.INTERPRETER_MISSING,
    Reason.ENVIRONMENT_FAILED,
    Reason.NO_NETWORK,
    Reason.NOT_APPLICABLE,
    Reason.EARLIER_STEP_FAILED,
    Reason.NO_RESULT,
    Reason.RESULT_UNREADABLE,
    Reason.RESULTS_DISAGREE,
}


@pytest.mark.parametrize("reason", Reason)
def test_reasons(reason):
    """What only says something of the machine or of the records is "not tested", and everything else a failure."""
    expected = (
        Verdict.WORKS if reason in WORKS else Verdict.NOT_TESTED if reason in NOT_TESTED else Verdict.DOES_NOT_WORK
    )
    assert reason.verdict is expected


def test_as_they_stand_in_results():
    """Verdicts and reasons are the words that results have: to rename one is to change the schema."""
    assert [str(verdict) for verdict in Verdict] == ["works", "does not work", "not tested"]
    assert [str(reason) for reason in Reason] == [
        "works",
        "installation failed",
        "migration failed",
        "server did not start",
        "page failed",
        "handshake refused",
        "exchange wrong",
        "not every time",
        "too slow",
        "interpreter missing",
        "environment failed",
        "no network",
        "not applicable",
        "an earlier step failed",
        "no result came",
        "result unreadable",
        "results disagree",
    ]
