"""Advisors of cells that are made up: each works, and answers what a test says."""

from __future__ import annotations

import msgspec
import samples
from made import alike, deep_set

from harness.cells import Cell
from harness.report.advice import Advisor
from harness.report.row import Row
from harness.report.view import LibraryView, View
from harness.results.explained import Cure
from harness.results.result import Finding, Judgement, Probe, Result
from harness.verdict import Reason, Verdict

ASGI, CHANNELS, SOCKETIO, WEBSOCKET_REDIS = "-asgi", "-channels4", "-pysocketio", ""
IDLE = "A connection that is idle for 12 s"
LOST = "300 messages by one handler: its sender"
TEXT = "emoji by WebSocket"


def pin(question: str = "idle-12", change: str = "redis<8", kind: str = "pin") -> Cure:
    return Cure(question=question, kind=kind, change=change, verdict=Verdict.WORKS, text="stays", tried_on="2026-11-26")


def works(cell: str, *wrong: str, cures=()) -> Result:
    """Return a cell that works, and answers the questions *wrong* otherwise than expected."""
    found = [Finding(question=each, expected="fine", seen="not fine", good=False) for each in wrong]
    judgement = Judgement.of(Reason.WORKS)
    return msgspec.structs.replace(
        samples.of(cell),
        verdicts=alike(judgement),
        isolation=[],
        sets=[],
        probes=[Probe(name="delivery", findings=found)],
        cures=list(cures),
    )


def advisor(*results: Result, deep: tuple[str, ...] = ()) -> Advisor:
    """Return an advisor of *results*, of which the cells *deep* were asked the deep sets."""
    asked = deep_set("", "leaks", [])
    rows: dict[str, list[Row]] = {}
    for result in sorted(results, key=lambda each: Cell.parse(each.cell).order):
        row = Row(Cell.parse(result.cell), result, deep=[asked] if result.cell in deep else [])
        rows.setdefault(result.library, []).append(row)
    return Advisor(View([LibraryView(name, of_it) for name, of_it in sorted(rows.items())], []))
