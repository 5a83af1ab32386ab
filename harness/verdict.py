"""Verdicts and their reasons: the closed sets of what can be known about a cell, and how they are shown."""

from __future__ import annotations

import enum

#: The exit code of a command that came to no verdict because of a fault of the harness or of the machine.
FAULT = 3


def sign(good: bool | None) -> str:
    """Return the sign of an answer: ✓ where it is *good*, ✗ where it is not, ─ where it is neither (None)."""
    return {True: "✓", False: "✗", None: "─"}[good]


def answer(good: bool | None) -> str:
    """Return the answer that tables show: the sign with Yes or No behind it; the sign alone for None."""
    return {True: "✓ Yes", False: "✗ No", None: "─"}[good]


def with_catch(label: str, caught: bool) -> str:
    """Return the *label* of a verdict as it is shown: one that has a catch is no plain yes."""
    return f"{label}, but" if caught else label


class Verdict(enum.StrEnum):
    """What is known about a cell. There is no fourth: a fault of the harness is no verdict."""

    WORKS = "works"
    DOES_NOT_WORK = "does not work"
    NOT_TESTED = "not tested"

    @property
    def good(self) -> bool | None:
        """Whether the cell works; None where nothing is known."""
        return {Verdict.WORKS: True, Verdict.DOES_NOT_WORK: False}.get(self)

    @property
    def label(self) -> str:
        """The verdict as tables show it."""
        return answer(self.good) if self.good is not None else f"{sign(None)} Not tested"

    @property
    def exit_code(self) -> int:
        """The code with which a command ends that came to this verdict."""
        return {Verdict.WORKS: 0, Verdict.DOES_NOT_WORK: 1, Verdict.NOT_TESTED: 4}[self]


class Reason(enum.StrEnum):
    """Why a verdict is what it is: a closed set."""

    WORKS = "works"
    INSTALLATION_FAILED = "installation failed"
    MIGRATION_FAILED = "migration failed"
    SERVER_DID_NOT_START = "server did not start"
    PAGE_FAILED = "page failed"
    HANDSHAKE_REFUSED = "handshake refused"
    EXCHANGE_WRONG = "exchange wrong"
    NOT_EVERY_TIME = "not every time"
    TOO_SLOW = "too slow"
    INTERPRETER_MISSING = "interpreter missing"
    ENVIRONMENT_FAILED = "environment failed"
    NO_NETWORK = "no network"
    NOT_APPLICABLE = "not applicable"
    EARLIER_STEP_FAILED = "an earlier step failed"
    NO_RESULT = "no result came"
    RESULT_UNREADABLE = "result unreadable"
    RESULTS_DISAGREE = "results disagree"

    @property
    def verdict(self) -> Verdict:
        """The verdict that this reason stands for."""
        if self is Reason.WORKS:
            return Verdict.WORKS
        return Verdict.NOT_TESTED if self in _NOT_TESTED else Verdict.DOES_NOT_WORK


_NOT_TESTED = {
    Reason.INTERPRETER_MISSING,
    Reason.ENVIRONMENT_FAILED,
    Reason.NO_NETWORK,
    Reason.NOT_APPLICABLE,
    Reason.EARLIER_STEP_FAILED,
    Reason.NO_RESULT,
    Reason.RESULT_UNREADABLE,
    Reason.RESULTS_DISAGREE,
}
