"""Join the results of many machines into one folder, and name all that is wrong with them."""

from __future__ import annotations

import enum
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import history
from harness.cells import Cell
from harness.errors import DamagedResult, ForeignSchema, HarnessError
from harness.records import Records
from harness.result import Reason, Result, Verdict

#: So many folders are named where a cell is in none of them.
_NAMED = 3


class Kind(enum.StrEnum):
    """What can be wrong with the result of a cell."""

    DAMAGED = "damaged"
    FOREIGN_SCHEMA = "foreign schema"
    DISAGREES = "disagrees"
    MISSING = "missing"

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
            if problem.cell not in self.results:
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
    problems = [_damage(name, cell, error) for name, each in sources.items() for cell, error in each.damaged.items()]
    offered: dict[str, list[tuple[str, Result]]] = {}
    for name, records in sources.items():
        for cell, result in records.results.items():
            offered.setdefault(cell, []).append((name, result))
    results = {}
    for cell, offers in offered.items():
        tested = [offer for offer in offers if offer[1].verdicts.overall.verdict is not Verdict.NOT_TESTED] or offers
        verdicts = {(result.verdicts.overall.verdict, result.verdicts.overall.reason) for _, result in tested}
        if len(verdicts) > 1 and tested[0][1].verdicts.overall.verdict is not Verdict.NOT_TESTED:
            said = "; ".join(f"{name} says {result.verdicts.overall.label}" for name, result in tested)
            problems.append(Problem(Kind.DISAGREES, cell, said))
        else:
            results[cell] = max(tested, key=lambda offer: offer[1].varying.started)
    known = {*offered, *(problem.cell for problem in problems)}
    nowhere = (
        f"none of {', '.join(sources) if len(sources) <= _NAMED else f'{len(sources)} folders'} has a result of it"
    )
    problems += [Problem(Kind.MISSING, cell.name, nowhere) for cell in expected if cell.name not in known]
    unresolved = {problem.cell for problem in problems if problem.cell not in results}
    for cell, result in (over or {}).items():
        taken = results.get(cell)
        untried = taken is None or taken[1].verdicts.overall.verdict is Verdict.NOT_TESTED
        if untried and cell not in unresolved:
            results[cell] = ("", result)
    return Merged(results, problems)


def _damage(source: str, cell: str, error: DamagedResult) -> Problem:
    kind = Kind.FOREIGN_SCHEMA if isinstance(error, ForeignSchema) else Kind.DAMAGED
    return Problem(kind, cell, f"in {source}: {error}")


def bring(result: Result, source: Path, others: Sequence[Path], target: Path) -> list[Problem]:
    """Copy the evidence of *result* from *source* to *target*, and join what *others* know of the cell's history.

    Returns:
        What was wrong with a history; it is left out.

    Raises:
        HarnessError: something cannot be copied.
    """
    lines, problems = [[history.Entry.of(result, None)]], []
    for each in others:
        try:
            lines.append(history.read(history.path_of(each, result.cell)))
        except DamagedResult as error:
            problems.append(Problem(Kind.DAMAGED, result.cell, str(error)))
    # The line of a run says more where that run knew the one before.
    of_runs = {entry.date: entry for entries in lines for entry in entries}
    history.write(history.path_of(target, result.cell), history.joined([list(of_runs.values())]))
    evidence = source / "evidence" / result.cell
    if evidence.is_dir():
        try:
            # A link stays one: what it leads to is not evidence.
            shutil.copytree(evidence, target / "evidence" / result.cell, symlinks=True)
        except (OSError, shutil.Error) as error:
            text = f"the evidence of {result.cell} cannot be copied: {error}"
            raise HarnessError(text, "make room on the disk") from error
    return problems
