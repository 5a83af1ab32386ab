"""What to deploy a library with: its servers by rank, its layers and its consumers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.report import loads
from harness.report.advice import Advisor
from harness.report.choices import Choice
from harness.report.row import Row
from harness.report.view import LibraryView
from harness.results import catches
from harness.results.catches import Severity, Trouble
from harness.verdict import Verdict

#: What a question ends with that was asked of another way of the library.
_WAY = re.compile(r" \((?P<way>[^()]+)\)$")
#: What is said of the way that a library takes unless told otherwise.
USUAL = "as it comes"


@dataclass(frozen=True)
class Served:
    """A server of a library, on the pair on which most of them were measured."""

    #: Its rank: 1, and where two share it 1 and 1 and 3.
    rank: int
    choice: Choice
    #: How many sockets its deployments held at most, and in which cell that was; empty where no load was tried.
    held: str
    held_in: str

    @property
    def stays(self) -> list[Trouble]:
        """What no cure takes away, but for what is mild."""
        found = [each.trouble for each in self.choice.beware if each.cure is None]
        return [each for each in found if each.severity is not Severity.MILD]


@dataclass(frozen=True)
class Carried:
    """A way to carry the chat: another layer, another consumer."""

    way: str
    troubles: list[Trouble]
    #: How many answers were not as expected, of all that was asked of several ways.
    unexpected: int
    #: In how many cells it was tried, and those in which it does not work, each with why.
    tried: int
    fails: list[tuple[str, str]]

    @property
    def key(self) -> tuple[int, ...]:
        """What it is ranked by: what works everywhere comes first, then what has the least trouble."""
        return (len(self.fails), *(len(self.of(severity)) for severity in Severity), self.unexpected)

    def of(self, severity: str) -> list[str]:
        """Return what there is to beware of that is as bad as that."""
        return [each.says for each in self.troubles if each.severity == severity]


def servers(library: LibraryView, advisor: Advisor) -> list[Served]:
    """Return the servers of *library* by their ranks, on the newest pair of those on which most of them work."""
    pairs: dict[tuple[tuple[int, ...], tuple[int, ...]], set[str]] = {}
    for row in library.works:
        pairs.setdefault((row.cell.python_version, row.cell.django_version), set()).add(row.result.server)
    if not pairs:
        return []
    python, django = max(pairs, key=lambda pair: (len(pairs[pair]), pair))
    found = advisor.answer(_version(python), _version(django))
    mine = [(rank, choice) for rank, choice in found.choices if choice.library is library]
    return [
        Served(1 + sum(other < rank for other, _ in mine), choice, *_held(library, choice.row)) for rank, choice in mine
    ]


def _version(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))


def _held(library: LibraryView, like: Row) -> tuple[str, str]:
    """Return how many sockets the server of *like* held at most, and in which cell; empty where nobody tried."""
    runs = [(row, run) for row in library.rows if row.result.server == like.result.server for run in row.under_load]
    if not runs:
        return "", ""
    row, run = max(runs, key=lambda each: each[1].held.sockets if each[1].held else 0)
    return f"{loads.held(run)} ({run.deployment})", row.name


def ways(library: LibraryView) -> tuple[str, list[Carried]]:
    """Return the cell that was asked most ways to carry the chat, and these: what works, with least trouble, first.

    There are none where a library has but one.
    """
    rows = [row for row in library.works if any(_WAY.search(each.question) for each in row.answers)]
    if not rows:
        return "", []
    row = max(rows, key=lambda row: (sum(bool(_WAY.search(each.question)) for each in row.answers), row.cell.order))
    found: dict[str, list[Trouble | None]] = {USUAL: []}
    for way, trouble, good in _asked(row):
        found.setdefault(way, []).extend([trouble] if good is False else [])
    carried = [
        Carried(way, [each for each in catches.TROUBLES if each in wrong], len(wrong), *_tried(library, way))
        for way, wrong in found.items()
    ]
    return row.name, sorted(carried, key=lambda each: each.key)


def brokers(library: LibraryView) -> list[str]:
    """Return what stood for Redis where *library* was measured and is none, such as ``Valkey 9.1.2``."""
    found = {row.result.versions.broker for row in library.tested if row.result.versions}
    return sorted(each for each in found if each and not each.startswith("Redis"))


def _tried(library: LibraryView, way: str) -> tuple[int, list[tuple[str, str]]]:
    """Return in how many cells of *library* a way was tried, and those in which it does not work, each with why."""
    tried = [
        (row.name, judgement)
        for row in library.tested
        for name, judgement in (
            (USUAL, row.result.verdicts.overall),
            *((each.name, each.judgement) for each in row.result.variants),
        )
        if name == way
    ]
    return len(tried), [(name, each.text) for name, each in tried if each.verdict is Verdict.DOES_NOT_WORK]


def _asked(row: Row) -> Iterator[tuple[str, Trouble | None, bool | None]]:
    """Yield the way, the trouble that it is about, if any, and the answer, of what several ways were asked."""
    known = {each.question: each for each in row.answers}
    several = {question[: found.start()] for question in known if (found := _WAY.search(question))}
    for question, finding in known.items():
        way = _WAY.search(question)
        base = question[: way.start()] if way else question
        if base in several and base in known:
            yield way["way"] if way else USUAL, catches.trouble_of(known[base].id), finding.good
