"""The result of a cell that could not be tried."""

from __future__ import annotations

from datetime import UTC, datetime

from harness.cells import Cell
from harness.libraries.setup import Setup
from harness.results.result import SCHEMA, Judgement, Measured, Result, Step, Verdicts
from harness.verdict import Reason


def not_tested(cell: Cell, setup: Setup, reason: Reason, text: str, excerpt: str = "") -> Result:
    """Return the result of a cell that could not be tried for *reason*; *excerpt* are the lines that show why."""
    judgement = Judgement.of(reason, text)
    step = [Step(name="environment", outcome="failed", cause=text, excerpt=excerpt)] if excerpt else []
    return Result(
        schema=SCHEMA,
        cell=cell.name,
        library=setup.library.name,
        server=setup.server.name,
        profile=setup.profile,
        broker="",
        verdicts=Verdicts(web_server=judgement, channels=judgement, overall=judgement),
        versions=None,
        installation=None,
        steps=step,
        unit_tests=None,
        warnings=[],
        exchanges=[],
        isolation=[],
        probes=[],
        varying=Measured(started=datetime.now(UTC).isoformat(timespec="seconds"), seconds={}),
        complete=True,
    )
