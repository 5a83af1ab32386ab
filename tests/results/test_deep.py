"""Deep sets of answers: they are kept whole, and a run that was broken off goes on where it was."""

from __future__ import annotations

import os
import time

import msgspec
import pytest
from made import deep_set

from harness.errors import DamagedResult
from harness.results import deep
from harness.results.deep import DeepSet, Progress
from harness.results.folder import Reports
from harness.results.result import Finding

CELL = "py311-django52-asgi"
VERSIONS = {"Python": "3.11.9", "Django": "5.2.19"}


def finding(number: int, good: bool | None = True) -> Finding:
    return Finding(question=f"question {number}?", expected="yes", seen="yes" if good else "no", good=good)


def answered(name: str = "endings", *findings: Finding) -> DeepSet:
    return deep_set(CELL, name, findings, library="plain-asgi", server="uvicorn", seconds=42.5, versions=VERSIONS)


@pytest.fixture
def reports(tmp_path) -> Reports:
    return Reports(tmp_path / "reports")


def test_kept(reports):
    """What is saved is read as it was, below the name of its cell."""
    whole = answered("endings", finding(1), finding(2, good=False))
    deep.save(reports, whole)
    path = reports.folder / "deep" / CELL / "endings.json"
    assert deep.read(path) == whole
    assert path.read_bytes().endswith(b'"complete": true\n}\n')


def test_summary():
    """A result has the counts, and the first of the answers that were not expected."""
    findings = [finding(number, good=number % 2 == 0) for number in range(20)]
    summary = answered("endings", *findings, finding(20, good=None)).summary
    assert (summary.name, summary.counts) == ("endings", (10, 20))
    assert [each.question for each in summary.findings] == [f"question {number}?" for number in (1, 3, 5, 7, 9)]


@pytest.mark.parametrize("text", [b"", b"{}", b"no JSON", b'{"cell": "\xff"}'])
def test_damaged(reports, text):
    """What is no set of answers is named, with what to do about it."""
    path = reports.deep(CELL) / "endings.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(text)
    with pytest.raises(DamagedResult, match=rf"^{CELL}/endings.json is no finished set of answers") as raised:
        deep.read(path)
    assert raised.value.hint == f"move it away, then `tox -e {CELL} -- --probe endings` asks again"


def test_of_another_schema(reports):
    """A set of another schema is called that, and not damaged."""
    path = reports.deep(CELL) / "endings.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"schema": "2"}')
    with pytest.raises(DamagedResult, match=rf"^{CELL}/endings.json is of schema 2; this harness reads schema 1"):
        deep.read(path)


def test_of_another_cell(reports):
    """What lies under the name of another cell, or of another set, is not taken for its answers."""
    deep.save(reports, deep_set(CELL, "endings", []))
    path = reports.deep(CELL) / "endings.json"
    path.rename(path.with_name("faults.json"))
    with pytest.raises(DamagedResult, match=rf"^{CELL}/faults.json holds what {CELL} answered to endings"):
        deep.read(path.with_name("faults.json"))


def test_broken_off(reports):
    """What a run had answered before it was broken off the next one has; what it had not come to it asks."""
    first = Progress(reports, CELL, VERSIONS)
    assert first.answered("endings") is None
    first.add(answered("endings", finding(1)))
    second = Progress(reports, CELL, VERSIONS)
    assert second.answered("endings") == answered("endings", finding(1))
    assert second.answered("amounts") is None
    second.add(answered("amounts", finding(2)))
    second.end()
    assert Progress(reports, CELL, VERSIONS).answered("endings") is None
    assert sorted(path.name for path in reports.deep(CELL).iterdir()) == ["amounts.json", "endings.json"]


def test_other_versions(reports):
    """What was answered with other versions is asked again, and so is what cannot be read any more."""
    Progress(reports, CELL, VERSIONS).add(answered())
    assert Progress(reports, CELL, {**VERSIONS, "Django": "6.0"}).answered("endings") is None
    (reports.deep(CELL) / "endings.json").write_text("{")
    assert Progress(reports, CELL, VERSIONS).answered("endings") is None


def test_long_ago(reports):
    """A run that was broken off more than a day ago is begun anew."""
    Progress(reports, CELL, VERSIONS).add(answered())
    file = reports.deep(CELL) / ".under-way"
    os.utime(file, (time.time() - 90_000,) * 2)
    assert Progress(reports, CELL, VERSIONS).answered("endings") is None


def test_nothing_under_way(reports):
    """Who ends a run that had nothing to keep leaves nothing behind."""
    Progress(reports, CELL, VERSIONS).end()
    assert not reports.folder.exists()


def test_of_a_cell(reports):
    """All sets of a cell are read; one that is damaged is named with what to do."""
    assert deep.of_cell(reports, CELL) == []
    sets = [answered("amounts"), answered("endings")]
    for each in reversed(sets):
        deep.save(reports, each)
    assert deep.of_cell(reports, CELL) == sets
    (reports.deep(CELL) / "faults.json").write_text("{")
    with pytest.raises(DamagedResult, match=r"faults\.json is no finished set"):
        deep.of_cell(reports, CELL)


def test_joined():
    """Of several answers to one set the newest are taken."""
    old, other = answered("endings"), answered("amounts")
    new = msgspec.structs.replace(old, started="2026-11-27T06:00:00+00:00")
    assert deep.joined([new, other, old]) == [other, new]


def test_every_set_has_a_title():
    """Each deep set of the harness is told of in the reports."""
    from harness.probes.registry import PROBES

    assert set(deep.TITLES) == {name for name, kind in PROBES.items() if kind.deep}
