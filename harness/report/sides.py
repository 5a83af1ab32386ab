"""On which side of the releases that turn answers a cell is: it answers only for those that are on the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from harness.report.row import Row
from harness.results.result import Result

#: Tells of what is installed, names → versions, whether an answer is bad with it.
Turns = Callable[[Mapping[str, str]], bool]


class Sides:
    """What turns the answers of each library, by the causes and cures that are recorded of its cells."""

    def __init__(self, results: Iterable[Result]) -> None:
        #: Libraries → what turns answers of theirs, by its name, and questions → the names of what turns these.
        self._turns: dict[str, dict[str, Turns]] = {}
        self._questions: dict[tuple[str, str], set[str]] = {}
        self._sides: dict[str, dict[str, bool]] = {}
        for result in results:
            for question, name, turns in _turning(result):
                self._turns.setdefault(result.library, {}).setdefault(name, turns)
                self._questions.setdefault((result.library, question), set()).add(name)

    def alike(self, one: Row, other: Row, question: str) -> bool:
        """Tell whether nothing lies between two cells of a library that is known to turn the answer to *question*."""
        mine, theirs = self._of(one), self._of(other)
        return all(mine[name] == theirs[name] for name in self._turning(one, question))

    def turned(self, row: Row, question: str) -> bool:
        """Tell whether something is known to turn the answer to *question*, and *row* is on its bad side."""
        return any(self._of(row)[name] for name in self._turning(row, question))

    def between(self, one: Row, other: Row) -> int:
        """Return how much lies between two cells of a library that turns any answer of it."""
        theirs = self._of(other)
        return sum(side != theirs[name] for name, side in self._of(one).items())

    def _turning(self, row: Row, question: str) -> set[str]:
        return self._questions.get((row.result.library, question), set())

    def _of(self, row: Row) -> dict[str, bool]:
        if row.name not in self._sides:
            installed = row.result.versions.installed if row.result.versions else {}
            known = self._turns.get(row.result.library, {})
            self._sides[row.name] = {name: turns(installed) for name, turns in known.items()}
        return self._sides[row.name]


def _turning(result: Result) -> Iterator[tuple[str, str, Turns]]:
    """Yield the questions of *result* whose answers are known to be turned: each with what turns it, and its name."""
    for cause in result.causes:
        for turned in cause.turned:
            yield cause.question, turned.pin or f"{turned.package} {turned.bad}", turned.met
    for cure in result.cures:
        for brought in cure.brings if cure.kind == "pin" else ():
            yield brought.question, f"within {cure.change}", _within(cure.pins)


def _within(pins: Iterable[str]) -> Turns:
    """Return what tells whether all of *pins* are met: what they bring is there with them alone."""
    wanted = [Requirement(each) for each in pins]

    def met(installed: Mapping[str, str]) -> bool:
        have = {canonicalize_name(name): version for name, version in installed.items()}
        versions = ((each, have.get(canonicalize_name(each.name))) for each in wanted)
        return all(version and each.specifier.contains(version, prereleases=True) for each, version in versions)

    return met
