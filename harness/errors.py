"""The errors of the harness.

.. code-block:: text

    HarnessError            a fault of the harness or of the machine: never a verdict
    ├── UsageError          what was asked for does not exist or does not fit
    ├── DamagedResult       a result file that cannot be read
    │   └── ForeignSchema   a result of another version of the schema
    └── AlreadyRunning      another run of the same cell is under way
    CellFailure             the cell did not do what it has to: becomes a verdict
    Interrupted             Ctrl-C, or a signal that ends the run
"""

from __future__ import annotations

from harness.verdict import FAULT, Reason


class HarnessError(Exception):
    """A fault that is not the cell's. *hint* says what to do about it."""

    exit_code = FAULT

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(HarnessError):
    """An unknown cell, library or probe, or options that do not go together."""

    exit_code = 2


class DamagedResult(HarnessError):
    """A result file that is truncated, unfinished, or no result at all; *cell* is whose it was to be."""

    def __init__(self, message: str, hint: str = "", cell: str = "") -> None:
        super().__init__(message, hint)
        self.cell = cell


class ForeignSchema(DamagedResult):
    """A result of an older or a newer version of the schema."""


class AlreadyRunning(HarnessError):
    """The same cell is being run by another process."""


class Interrupted(BaseException):
    """The run was ended from outside; *kept* says what is recorded all the same, which is nothing else.

    It is no ``Exception``, for that is what a library catches which takes whatever happens for a fault of its input.
    """

    def __init__(
        self, signal_number: int, kept: str = "nothing was recorded, earlier results are as they were"
    ) -> None:
        super().__init__(f"interrupted; {kept}")
        self.signal_number = signal_number
        self.exit_code = 128 + signal_number


class CellFailure(Exception):
    """The cell failed in a way that decides its verdict.

    *reason* is one of the closed set, *text* says what happened in one sentence.
    """

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text
