"""Join the results of many machines into one folder, and name all that is wrong with them."""

from __future__ import annotations

import enum
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from harness.cells import Cell
from harness.errors import DamagedResult, ForeignSchema, HarnessError
from harness.results import deep, history, loads
from harness.results.folder import Reports
from harness.results.records import Records
from harness.results.result import Result
from harness.system.files import MAKE_ROOM
from harness.verdict import Reason, Verdict

T = TypeVar("T")
#: A result, with the name of the source that it comes from.
_Offer = tuple[str, Result]

#: Why a cell is not tested where that should not have been: that a machine lacks an interpreter is no fault.
_FAULTS = (Reason.ENVIRONMENT_FAILED, Reason.NO_NETWORK)
#: So many folders are named where a cell is in none of them.
_NAMED = 3


class Kind(enum.StrEnum):
    """What can be wrong with the result of a cell."""

    DAMAGED = "damaged"
    FOREIGN_SCHEMA = "foreign schema"
    DISAGREES = "disagrees"
    MISSING = "missing"
    UNTRIED = "untried"
    CANDIDATE = "candidate"

    @property
    def reason(self) -> Reason:
        """Why a cell with nothing but this is not tested."""
        return {Kind.DISAGREES: Reason.RESULTS_DISAGREE, Kind.MISSING: Reason.NO_RESULT}.get(
            self, Reason.RESULT_UNREADABLE
        )


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the result of *cell*."""

    kind: Kind
    cell: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.cell}: {self.text}"


@dataclass
class Merged:
    """The result of each cell, with the name of the source it was taken from, and all that was wrong.

    *unresolved* are the cells of which nothing is known for what is wrong with them.
    """

    results: dict[str, tuple[str, Result]]
    problems: list[Problem]

    @property
    def unresolved(self) -> dict[str, Problem]:
        """The first problem of each cell that has no result for it."""
        found: dict[str, Problem] = {}
        for problem in self.problems:
            # What is not released says nothing of what is.
            if problem.cell not in self.results and problem.kind is not Kind.CANDIDATE:
                found.setdefault(problem.cell, problem)
        return found


def merge(
    sources: Mapping[str, Records], expected: Sequence[Cell] = (), over: Mapping[str, Result] | None = None
) -> Merged:
    """Return one result a cell out of *sources*, by their names; of *expected* each that is nowhere is a problem.

    Of results that agree the newest is taken, of two that say the same time the first one's. A verdict goes before
    "not tested". Results with different verdicts or reasons are none: the cell is unresolved. What is in *over*
    stands where no source has a verdict, unless there is a problem; its source is the empty name.
    """
    problems = [damage(name, cell, error) for name, each in sources.items() for cell, error in each.damaged.items()]
    offered: dict[str, list[_Offer]] = {}
    for name, records in sources.items():
        for cell, result in records.results.items():
            if result.candidate is None:
                offered.setdefault(cell, []).append((name, result))
                continue
            text = f"{name} measured {result.candidate.profile}, which is not released: it is never recorded over that"
            problems.append(Problem(Kind.CANDIDATE, cell, text))
    results = {}
    for cell, offers in offered.items():
        chosen = _choose(cell, offers)
        if isinstance(chosen, Problem):
            problems.append(chosen)
        else:
            results[cell] = chosen
    known = {*offered, *(problem.cell for problem in problems if problem.kind is not Kind.CANDIDATE)}
    folders = ", ".join(sources) if len(sources) <= _NAMED else f"{len(sources)} folders"
    nowhere = f"none of {folders} has a result of it"
    problems += [Problem(Kind.MISSING, cell.name, nowhere) for cell in expected if cell.name not in known]
    return _lay_over(Merged(results, problems), over or {})


def _choose(cell: str, offers: Sequence[_Offer]) -> _Offer | Problem:
    """Return the offer that is taken of those for *cell*, or that they disagree."""
    tested = [offer for offer in offers if not _untested(offer[1])] or offers
    verdicts = {(result.verdicts.overall.verdict, result.verdicts.overall.reason) for _, result in tested}
    if len(verdicts) > 1 and not _untested(tested[0][1]):
        said = "; ".join(f"{name} says {result.verdicts.overall.label}" for name, result in tested)
        return Problem(Kind.DISAGREES, cell, said)
    return max(tested, key=lambda offer: offer[1].varying.started)


def _lay_over(merged: Merged, recorded: Mapping[str, Result]) -> Merged:
    """Return *merged* with what is *recorded* where it has no verdict, and no problem either."""
    unresolved = set(merged.unresolved)
    for cell, result in recorded.items():
        source, taken = merged.results.get(cell, ("", None))
        if cell in unresolved or (taken is not None and not _untested(taken)):
            continue
        if taken is not None and taken.verdicts.overall.reason in _FAULTS and not _untested(result):
            text = f"{source} says {taken.verdicts.overall.label}; the recorded verdict stands: "
            merged.problems.append(Problem(Kind.UNTRIED, cell, text + result.verdicts.overall.label))
        merged.results[cell] = ("", result)
    return merged


def _untested(result: Result) -> bool:
    return result.verdicts.overall.verdict is Verdict.NOT_TESTED


def damage(source: str, cell: str, error: DamagedResult) -> Problem:
    """Return the problem that *source* has an unreadable result of *cell*."""
    kind = Kind.FOREIGN_SCHEMA if isinstance(error, ForeignSchema) else Kind.DAMAGED
    return Problem(kind, cell, f"in {source}: {error}")


def bring_evidence(cell: str, source: Reports, target: Reports) -> None:
    """Copy the evidence of *cell* from *source* to *target*.

    Raises:
        HarnessError: it cannot be copied.
    """
    evidence = source.evidence(cell)
    if evidence.is_symlink() or not evidence.is_dir():
        return
    try:
        # A link stays one: what it leads to is not evidence.
        shutil.copytree(evidence, target.evidence(cell), symlinks=True)
    except (OSError, shutil.Error) as error:
        raise HarnessError(f"the evidence of {cell} cannot be copied: {error}", MAKE_ROOM) from error


def bring_profiles(source: Reports, target: Reports) -> None:
    """Copy what *source* has of candidates and of days of the past to *target*, without links that lead elsewhere.

    Raises:
        HarnessError: it cannot be copied.
    """
    if not source.profiles.is_dir() or source.profiles.is_symlink():
        return
    try:
        shutil.copytree(source.profiles, target.profiles, symlinks=True, dirs_exist_ok=True)
    except (OSError, shutil.Error) as error:
        raise HarnessError(f"the profiles of {source.name} cannot be copied: {error}", MAKE_ROOM) from error


def bring_history(
    cell: str,
    result: Result | None,
    sources: Mapping[str, Reports],
    target: Reports,
    before: Result | None = None,
) -> list[Problem]:
    """Join what *sources* know of the history of *cell*, and the line of its *result* where none of them has it.

    Where *result* takes the place of *before*, its line says what has moved since: the machine that measured it had
    nothing recorded to hold it against.

    Returns:
        What was wrong with a history; it is left out.
    """
    known, problems = _known(cell, sources, lambda reports: history.read(reports.history(cell)))
    own = [history.Entry.of(result, before)] if result is not None else []
    if before is not None:
        known = [line for line in known if line.date != own[0].date]
    missing = [line for line in own if (line.date, line.verdict) not in {(each.date, each.verdict) for each in known}]
    if known or missing:
        history.write(target.history(cell), history.joined([known, missing]))
    return problems


def bring_loads(cell: str, sources: Mapping[str, Reports], target: Reports) -> list[Problem]:
    """Join the load runs of *cell* that *sources* have, each once.

    Returns:
        What was wrong with some of them; those are left out.
    """
    known, problems = _known(cell, sources, lambda reports: loads.read(reports.loads(cell)))
    if known:
        loads.write(target.loads(cell), loads.joined(known))
    return problems


def bring_deep(cell: str, sources: Mapping[str, Reports], target: Reports) -> list[Problem]:
    """Bring of each deep set that *sources* have of *cell* the newest answers.

    Returns:
        What was wrong with some of them; those are left out.
    """
    known, problems = _known(cell, sources, lambda reports: deep.of_cell(reports, cell))
    for each in deep.joined(known):
        deep.save(target, each)
    return problems


def _known(
    cell: str, sources: Mapping[str, Reports], read: Callable[[Reports], list[T]]
) -> tuple[list[T], list[Problem]]:
    """Return what can be *read* of *cell* in all of *sources*, and what was wrong where it cannot."""
    known: list[T] = []
    problems = []
    for name, folder in sources.items():
        try:
            known += read(folder)
        except DamagedResult as error:
            problems.append(Problem(Kind.DAMAGED, cell, f"in {name or 'the recorded one'}: {error}"))
    return known, problems
