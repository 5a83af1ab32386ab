"""Joining the results of many machines: what is taken, and how what is wrong is called."""

from __future__ import annotations

import msgspec
import pytest
import samples
from made import alike

from harness.cells import Cell
from harness.errors import DamagedResult, ForeignSchema
from harness.results import history
from harness.results.folder import Reports
from harness.results.history import Entry
from harness.results.merge import Kind, bring_evidence, bring_history, bring_profiles, merge
from harness.results.records import Records
from harness.results.result import Candidate, Judgement, Result
from harness.verdict import Reason

CELL = "py27-django18"
RESULT = samples.of(CELL)


def said(reason: Reason, started: str = "2026-11-01T00:00:00+00:00") -> Records:
    """Return what a machine brings that came to *reason*."""
    judgement = Judgement.of(reason, "because")
    verdicts = alike(judgement)
    varying = msgspec.structs.replace(RESULT.varying, started=started)
    return Records({CELL: msgspec.structs.replace(RESULT, verdicts=verdicts, varying=varying)})


def test_newest():
    """Of results that agree the newest is taken, also when the clock of a machine is wrong; there is no problem."""
    machines = {
        "one": said(Reason.WORKS, "2026-11-02T00:00:00+00:00"),
        "two": said(Reason.WORKS, "2031-01-01T00:00:00+00:00"),
        "three": said(Reason.WORKS),
    }
    merged = merge(machines)
    assert merged.results[CELL][0] == "two"
    assert not merged.problems


def test_disagreement():
    """Two machines with different verdicts, or reasons, are named with what each says; neither is taken."""
    for other in (Reason.EXCHANGE_WRONG, Reason.PAGE_FAILED):
        merged = merge({"one": said(Reason.HANDSHAKE_REFUSED), "two": said(other)})
        assert not merged.results
        assert str(merged.unresolved[CELL]) == (
            f"disagrees: {CELL}: one says ✗ No (handshake refused); two says ✗ No ({other})"
        )


def test_not_tested_is_no_disagreement():
    """A machine that could not try a cell does not contradict one that did, whichever comes later."""
    merged = merge({"one": said(Reason.WORKS), "two": said(Reason.INTERPRETER_MISSING, "2031-01-01T00:00:00+00:00")})
    assert merged.results[CELL][0] == "one"
    assert not merged.problems
    untried = merge({"one": said(Reason.NO_NETWORK), "two": said(Reason.INTERPRETER_MISSING)})
    assert not untried.problems


def test_missing():
    """An expected cell that nobody brings is named; one that nobody expects is taken all the same."""
    merged = merge({"one": said(Reason.WORKS)}, [Cell.parse("py39-django22")])
    assert [(each.kind, each.cell) for each in merged.problems] == [(Kind.MISSING, "py39-django22")]
    assert list(merged.results) == [CELL]


@pytest.mark.parametrize(
    ("error", "kind"), [(DamagedResult("cut off"), Kind.DAMAGED), (ForeignSchema("schema 0"), Kind.FOREIGN_SCHEMA)]
)
def test_unreadable(error, kind):
    """What cannot be read is named for what it is, and leaves the cell to another machine that has it."""
    alone = merge({"one": Records(damaged={CELL: error})}, [Cell.parse(CELL)])
    assert [(each.kind, each.cell) for each in alone.problems] == [(kind, CELL)]
    assert alone.unresolved[CELL].kind.reason is Reason.RESULT_UNREADABLE
    other = merge({"one": Records(damaged={CELL: error}), "two": said(Reason.WORKS)})
    assert other.results[CELL][0] == "two"
    assert [each.kind for each in other.problems] == [kind]
    assert not other.unresolved


def entries(*dates: str) -> list[Entry]:
    results: list[Result] = [said(Reason.WORKS, date).results[CELL] for date in dates]
    return [Entry.of(result, None) for result in results]


def test_bring(tmp_path):
    """Evidence comes from the machine whose result is taken, history from all of them."""
    one, two, into = (tmp_path / name for name in ("one", "two", "into"))
    (one / "evidence" / CELL).mkdir(parents=True)
    (one / "evidence" / CELL / "server.log").write_text("hello")
    history.write(Reports(one).history(CELL), entries("2026-01", "2026-03"))
    history.write(Reports(two).history(CELL), entries("2026-01", "2026-02"))
    bring_evidence(CELL, Reports(one), Reports(into))
    bring_evidence(CELL, Reports(two), Reports(into))
    assert [each.name for each in (into / "evidence" / CELL).iterdir()] == ["server.log"]
    result = said(Reason.WORKS, "2026-03").results[CELL]
    assert not bring_history(CELL, result, {"one": Reports(one), "two": Reports(two)}, Reports(into))
    assert [each.date for each in history.read(Reports(into).history(CELL))] == ["2026-01", "2026-02", "2026-03"]


def test_no_foreign_evidence(tmp_path):
    """Evidence that is a link is not followed."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "one" / "evidence").mkdir(parents=True)
    (tmp_path / "one" / "evidence" / CELL).symlink_to(tmp_path / "secret")
    bring_evidence(CELL, Reports(tmp_path / "one"), Reports(tmp_path / "into"))
    assert not (tmp_path / "into").exists()


def test_bring_without_history(tmp_path):
    """A machine without history brings at least the line of its result, also beside another's of the same second."""
    result = said(Reason.WORKS, "2026-03").results[CELL]
    bring_history(CELL, result, {"one": Reports(tmp_path / "one")}, Reports(tmp_path / "into"))
    assert [each.date for each in history.read(Reports(tmp_path / "into").history(CELL))] == ["2026-03"]
    missing = said(Reason.INTERPRETER_MISSING, "2026-03").results[CELL]
    history.write(Reports(tmp_path / "two").history(CELL), [Entry.of(missing, None)])
    bring_history(CELL, result, {"two": Reports(tmp_path / "two")}, Reports(tmp_path / "both"))
    assert len(history.read(Reports(tmp_path / "both").history(CELL))) == 2


def test_bring_damaged_history(tmp_path):
    """A damaged history is a problem of its own, and takes neither the result nor the other histories with it."""
    one, two, into = (tmp_path / name for name in ("one", "two", "into"))
    history.write(Reports(two).history(CELL), entries("2026-02"))
    (one / "history").mkdir(parents=True)
    Reports(one).history(CELL).write_text("<<<<<<< HEAD")
    result = said(Reason.WORKS, "2026-03").results[CELL]
    (problem,) = bring_history(CELL, result, {"one": Reports(one), "two": Reports(two)}, Reports(into))
    assert problem.kind is Kind.DAMAGED
    assert problem.text.startswith("in one: ")
    assert [each.date for each in history.read(Reports(into).history(CELL))] == ["2026-02", "2026-03"]


def test_over():
    """What is recorded stands where no machine has a verdict, but never hides that something is wrong."""
    other = "py39-django22"
    recorded = {CELL: said(Reason.WORKS, "2020").results[CELL], other: RESULT}
    fresh = merge({"one": said(Reason.HANDSHAKE_REFUSED)}, [], recorded)
    assert {cell: source for cell, (source, _) in fresh.results.items()} == {CELL: "one", other: ""}
    elsewhere = merge({"one": said(Reason.INTERPRETER_MISSING)}, [], recorded)
    assert elsewhere.results[CELL][1].verdicts.overall.reason is Reason.WORKS
    assert not elsewhere.problems
    untried = merge({"one": said(Reason.NO_NETWORK)}, [], recorded)
    assert untried.results[CELL][1].verdicts.overall.reason is Reason.WORKS
    assert str(untried.problems[0]) == (
        f"untried: {CELL}: one says ─ Not tested (no network); the recorded verdict stands: ✓ Yes"
    )
    missing = merge({"one": Records()}, [Cell.parse(CELL)], recorded)
    assert list(missing.results) == [other]
    assert missing.unresolved[CELL].kind is Kind.MISSING


def test_candidates():
    """What somebody measured that is not released is named, and never takes the place of what is."""
    released = samples.of("py311-django52-channels4")
    measured = msgspec.structs.replace(released, candidate=Candidate(profile="uvicorn-main", requirements=["uvicorn"]))
    merged = merge({"one": Records({released.cell: measured}, {})}, over={released.cell: released})
    assert merged.results == {released.cell: ("", released)}
    (problem,) = merged.problems
    assert (problem.kind, problem.cell) == (Kind.CANDIDATE, released.cell)
    assert "one measured uvicorn-main, which is not released" in problem.text


def test_bring_profiles(tmp_path):
    """What is kept apart, of candidates and of days of the past, comes along, and a link stays one."""
    source, target = Reports(tmp_path / "one"), Reports(tmp_path / "all")
    bring_profiles(source, target)
    (source.profiles / "as-of-2024").mkdir(parents=True)
    (source.profiles / "as-of-2024" / "x.json").write_text("{}")
    (source.profiles / "secret").symlink_to(tmp_path)
    bring_profiles(source, target)
    assert (target.profiles / "as-of-2024" / "x.json").read_text() == "{}"
    assert (target.profiles / "secret").is_symlink()


def test_many_sources():
    """Where a cell is in none of many folders they are counted, not listed."""
    merged = merge({str(number): Records() for number in range(250)}, [Cell.parse(CELL)])
    assert merged.problems[0].text == "none of 250 folders has a result of it"
