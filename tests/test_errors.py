"""The errors: what each says, what is to be done about it, and with which code a command ends."""

from __future__ import annotations

import signal

import pytest

from harness.errors import (
    AlreadyRunning,
    CellFailure,
    DamagedResult,
    ForeignSchema,
    HarnessError,
    Interrupted,
    UsageError,
)
from harness.verdict import Reason


@pytest.mark.parametrize(
    ("kind", "code"), [(HarnessError, 3), (AlreadyRunning, 3), (DamagedResult, 3), (ForeignSchema, 3), (UsageError, 2)]
)
def test_exit_codes(kind, code):
    """Each is a fault with what it says, what to do, and its code."""
    error = kind("it broke", "mend it")
    assert isinstance(error, HarnessError)
    assert (str(error), error.hint, error.exit_code) == ("it broke", "mend it", code)
    assert kind("it broke").hint == ""


def test_of_which_cell():
    """A damaged result knows whose it was to be, where that is known."""
    assert DamagedResult("broken", "move it away", "py27-django18").cell == "py27-django18"
    assert DamagedResult("broken").cell == ""


def test_a_foreign_result_is_damaged():
    """Whoever leaves out what is damaged leaves out what is of another schema as well."""
    assert issubclass(ForeignSchema, DamagedResult)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_interrupted(number, code):
    """Who is interrupted ends as a shell expects it, and says that nothing was recorded."""
    error = Interrupted(number)
    assert error.exit_code == code
    assert str(error) == "interrupted; nothing was recorded, earlier results are as they were"
    assert not isinstance(error, Exception)


def test_failure_of_a_cell():
    """A failure of a cell is no fault: nobody who catches those catches it, and it has a reason."""
    failure = CellFailure(Reason.PAGE_FAILED, "/ answers with status 500")
    assert not isinstance(failure, HarnessError)
    assert (failure.reason, failure.text, str(failure)) == (Reason.PAGE_FAILED, *["/ answers with status 500"] * 2)
