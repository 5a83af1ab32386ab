"""Results of as many cells as one likes, each as rich as a recorded one."""

from __future__ import annotations

from pathlib import Path

import msgspec

from harness.cells import Cell
from harness.results import deep
from harness.results.deep import TITLES, DeepSet
from harness.results.document import encode_result
from harness.results.explained import Cause, Cure, Turned
from harness.results.folder import Reports
from harness.results.result import Finding, Result
from harness.verdict import Verdict

# The benchmarks have this as well, and know the folder of the tests by its name alone.
from tests import samples
from tests.made import deep_set

#: Samples of every kind of verdict, each with its suffix.
_KINDS = (
    "py311-django52-channels4",
    "py27-django18",
    "py39-django30",
    "py313-django60-asgi",
    "py27-django18-socketio",
    "py33-django18",
    "py38-django30-channels2",
    "py311-django52-pysocketio",
)


#: One of so many cells has a cause and a cure, and one of so many was asked the deep sets, with so many questions each.
_EXPLAINED, _DEEP, _QUESTIONS = 5, 16, 60
_TURNED = Turned(package="redis", good="7.4.1", bad="8.0.0", uploaded="2026-05-28")
_CAUSE = Cause(question="early", turned=[_TURNED], text="redis 8.0.0", good=[], bad=[], found_on="2026-11-26")
_CURE = Cure(
    question="early", kind="pin", change="redis<8", verdict=Verdict.WORKS, text="is received", tried_on="2026-11-26"
)


def _deep(cell: str, result: Result, name: str) -> DeepSet:
    """Return the answers of a cell to a deep set: every third is not as expected."""
    findings = [
        Finding(question=f"The {name} number {number}: messages lost silently", expected="none", seen="some", good=good)
        for number in range(_QUESTIONS)
        for good in [number % 3 > 0]
    ]
    return deep_set(cell, name, findings, result.library, result.server)


def write(folder: Path, number: int) -> list[str]:
    """Write *number* results into the reports folder *folder*; return the names of their cells."""
    reports = Reports(folder)
    reports.results.mkdir(parents=True, exist_ok=True)
    names = []
    for place in range(number):
        kind = _KINDS[place % len(_KINDS)]
        pair = place // len(_KINDS)
        cell = Cell(f"3.{6 + pair % 10}", f"{1 + place % len(_KINDS)}.{pair // 10}", Cell.parse(kind).suffixes)
        names.append(cell.name)
        result = msgspec.structs.replace(samples.of(kind), cell=cell.name)
        if place % _EXPLAINED == 0:
            result = msgspec.structs.replace(result, causes=[_CAUSE], cures=[_CURE])
        reports.result(cell.name).write_bytes(encode_result(result))
        if place % _DEEP == 0 and result.verdicts.overall.verdict is Verdict.WORKS:
            for name in TITLES:
                deep.save(reports, _deep(cell.name, result, name))
    assert len(set(names)) == number
    return names
