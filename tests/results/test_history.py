"""The history of a cell: a line for each recorded run, and since when a verdict stands."""

from __future__ import annotations

import msgspec
import pytest
import samples
from made import alike

from harness.cells import Cell
from harness.errors import DamagedResult
from harness.report.row import Row
from harness.results import history
from harness.results.folder import Reports
from harness.results.history import Entry
from harness.results.result import Finding, Judgement, Probe, Result
from harness.verdict import Reason

WORKS, REFUSED = Reason.WORKS, Reason.HANDSHAKE_REFUSED


@pytest.fixture
def result() -> Result:
    return samples.of("py27-django18")


def later(result: Result, date: str, reason: Reason = WORKS, **installed: str) -> Result:
    """Return *result* as it might have been on another day."""
    judgement = Judgement.of(reason, "because")
    return msgspec.structs.replace(
        result,
        verdicts=alike(judgement),
        versions=msgspec.structs.replace(result.versions, installed={**result.versions.installed, **installed}),
        varying=msgspec.structs.replace(result.varying, started=date),
    )


def test_each_run_leaves_a_line(tmp_path, result):
    """A recorded run adds a line with what moved; the first also takes along what was recorded before there was one."""
    second = later(result, "2027-01-01T00:00:00+00:00", REFUSED, redis="9.0", new="1.0")
    history.append(Reports(tmp_path), second, result)
    history.append(Reports(tmp_path), later(second, "2027-02-01T00:00:00+00:00", REFUSED), second)
    first, broken, still = history.read(Reports(tmp_path).history(result.cell))
    assert (first.date, first.verdict) == (result.varying.started, result.verdicts.overall.verdict)
    assert broken.moved == {"redis": (result.versions.installed["redis"], "9.0"), "new": ("", "1.0")}
    assert (still.reason, still.moved) == (REFUSED, {})


def test_catches_that_came_and_went(result):
    """What is a catch now and was as expected the time before came; chance, and what was not asked, is no news."""

    def asked(**seen: bool | None) -> Result:
        findings = [
            Finding(question=question, expected="fine", seen="fine" if good else "not so", good=good, chance=chance)
            for question, good, chance in (
                ("A connection that is idle for 12 s", seen["idle"], False),
                ("A burst of 50 messages", seen["burst"], False),
                ("A message sent right after somebody's handshake", seen["early"], True),
            )
            if good is not None
        ]
        probes = [Probe(name="delivery", findings=findings)]
        return msgspec.structs.replace(later(result, "2027-01"), probes=probes, sets=[], isolation=[])

    entry = Entry.of(asked(idle=False, burst=True, early=False), asked(idle=True, burst=False, early=True))
    assert (entry.came, entry.went) == (
        ["A connection that is idle for 12 s: not so"],
        ["A burst of 50 messages: not so"],
    )
    assert Entry.of(asked(idle=False, burst=None, early=None), asked(idle=None, burst=False, early=None)).came == []
    cell = result.cell
    row = Row(Cell.parse(cell), result, history=[Entry.of(result, None), entry])
    assert row.changes == [(row.history[0], entry)]


def test_a_crowd_that_fell_each_time(result):
    """What can be chance is news where it came each of several times."""

    def asked(good, seen):
        finding = Finding(question="A broadcast to 100 sockets", expected="all", seen=seen, good=good, chance=True)
        return msgspec.structs.replace(result, probes=[Probe(name="load", findings=[finding])], sets=[], isolation=[])

    for seen, came in (("not all (6 of 6 runs)", 1), ("not all (5 of 6 runs)", 0)):
        entry = Entry.of(asked(False, seen), asked(True, "all"))
        assert (len(entry.came), len(Entry.of(asked(True, "all"), asked(False, seen)).went)) == (came, came)


def test_since(result):
    """A verdict stands since the first of the last lines that agree on it and on its reason."""
    dates = {"2027-01": WORKS, "2027-02": REFUSED, "2027-03": WORKS, "2027-04": WORKS}
    entries = [Entry.of(later(result, date, reason), None) for date, reason in dates.items()]
    assert history.since(entries, Judgement.of(WORKS)).date == "2027-03"
    assert history.since([], Judgement.of(WORKS)) is None
    assert history.since(entries, Judgement.of(REFUSED)) is None


def test_since_beside_not_tested(result):
    """That somebody could not try a cell says nothing against its verdict; for one that nobody could it counts."""
    missing = Reason.INTERPRETER_MISSING
    dates = {"2027-01": WORKS, "2027-02": missing, "2027-03": WORKS, "2027-04": missing}
    entries = [Entry.of(later(result, date, reason), None) for date, reason in dates.items()]
    assert history.since(entries, Judgement.of(WORKS)).date == "2027-01"
    assert history.since(entries, Judgement.of(missing)).date == "2027-04"


def test_joined(result):
    """The histories of two machines are one, by date, and a line that both have stands in it once."""
    one, two, three = (Entry.of(later(result, f"2027-0{month}"), None) for month in (1, 2, 3))
    assert history.joined([[one, three], [one, two]]) == [one, two, three]


@pytest.mark.parametrize("damage", [b"{", b'{"date": 1}\n', b"\xff\n", b'{"surprise": 1}\n'])
def test_damaged(tmp_path, damage):
    """A damaged history is named, and says what to do."""
    path = tmp_path / "py27-django18.jsonl"
    path.write_bytes(damage)
    with pytest.raises(DamagedResult, match=r"history/py27-django18\.jsonl is damaged"):
        history.read(path)
