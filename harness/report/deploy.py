"""What to deploy a library with: its servers by rank, its layers and its consumers."""

from __future__ import annotations

from dataclasses import dataclass

from harness.report import loads
from harness.report.advice import Advisor
from harness.report.choices import Choice, for_development
from harness.report.remedies import Remedies
from harness.report.row import Row
from harness.report.view import LibraryView
from harness.results import catches
from harness.results.catches import Severity, Trouble
from harness.verdict import Verdict

#: What is said of the way that a library takes unless told otherwise.
USUAL = "as it comes"
#: So many ways there have to be to choose from.
_SEVERAL = 2


@dataclass(frozen=True)
class Served:
    """A server of a library, on the pair on which most of them were measured."""

    #: Its rank among those to deploy with: 1, and where two share it 1 and 1 and 3; None for a server for development.
    rank: int | None
    choice: Choice
    #: How many sockets its deployments held at most, and in which cell that was; empty where no load was tried.
    held: str
    held_in: str

    @property
    def stays(self) -> list[Trouble]:
        """What no cure takes away, but for what is mild."""
        return self.choice.stays(Severity.SEVERE, Severity.MODERATE)


@dataclass(frozen=True)
class Carried:
    """A way to carry the chat: another layer, another consumer."""

    way: str
    #: What there is to beware of, of all that it was asked; and of other ways, of what it was not asked.
    troubles: list[Trouble]
    not_asked: list[Trouble]
    #: How many answers were not as expected, of what all ways were asked.
    unexpected: int
    #: In how many cells it was tried, and those in which it does not work, each with why.
    tried: int
    fails: list[tuple[str, str]]
    #: What it is ranked by: what works everywhere comes first, then what has least trouble of what all were asked.
    key: tuple[int, ...]

    def of(self, severity: str) -> list[str]:
        """Return what there is to beware of that is as bad as that; of what was not asked it is said."""
        asked = [each.says for each in self.troubles if each.severity == severity]
        return asked + [f"not asked: {each.says}" for each in self.not_asked if each.severity == severity]


def servers(library: LibraryView, advisor: Advisor) -> list[Served]:
    """Return the servers of *library* by their ranks, on the newest pair of those on which most of them work.

    Django's development server comes last, without a rank.
    """
    pairs: dict[tuple[tuple[int, ...], tuple[int, ...]], set[str]] = {}
    for row in library.works:
        pairs.setdefault((row.cell.python_version, row.cell.django_version), set()).add(row.result.server)
    if not pairs:
        return []
    python, django = max(pairs, key=lambda pair: (len(pairs[pair]), pair))
    found = advisor.answer(_version(python), _version(django))
    mine = [(rank, choice) for rank, choice in found.choices if choice.library is library]
    ranks = [rank for rank, choice in mine if not for_development(choice.row)]
    served = [
        Served(
            None if for_development(choice.row) else 1 + sum(other < rank for other in ranks),
            choice,
            *_held(library, choice.row, advisor.remedies),
        )
        for rank, choice in mine
    ]
    return sorted(served, key=lambda each: each.rank is None)


def _version(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))


def _held(library: LibraryView, like: Row, remedies: Remedies) -> tuple[str, str]:
    """Return how many sockets the server of *like* held at most, and in which cell; empty where nobody tried.

    Of cells between which and *like* least lies of what turns answers.
    """
    runs = [(row, run) for row in library.rows if row.result.server == like.result.server for run in row.under_load]
    if not runs:
        return "", ""
    row, run = max(
        runs, key=lambda each: (-remedies.between(each[0], like), each[1].held.sockets if each[1].held else 0)
    )
    return f"{loads.held(run)} ({run.deployment})", row.name


def ways(library: LibraryView, advisor: Advisor) -> tuple[str, list[Carried]]:
    """Return the cell that was asked most ways to carry the chat, and these: what works, with least trouble, first.

    They are ranked by what all of them were asked; what there is to beware of in the library, and a way was not asked,
    is said of it.

    There are none where a library has but one.
    """
    asked = {row.name: _asked(row) for row in library.works}
    name = max(asked, key=lambda each: sum(map(len, asked[each].values())), default="")
    mine = asked.get(name, {})
    if len(mine) < _SEVERAL:
        return "", []
    shared = set.intersection(*(set(each) for each in mine.values()))
    (row,) = [each for each in library.works if each.name == name]
    everywhere = {trouble for each in mine.values() for trouble, good in each.values() if trouble and good is False}
    everywhere |= {each.trouble for each in advisor.notes(library)}
    carried = []
    for way, answers in mine.items():
        told = [*answers.values(), *(_of_usual(row) if way == USUAL else ())]
        wrong = {trouble for trouble, good in told if good is False}
        known = {trouble for trouble, _ in told}
        of_shared = [answers[each] for each in shared if answers[each][1] is False]
        unknown = [each for each in catches.TROUBLES if each in everywhere - known]
        tried, fails = _tried(library, way)
        counted = [
            len({trouble for trouble, _ in of_shared if trouble and trouble.severity is each}) for each in Severity
        ]
        carried.append(
            Carried(
                way,
                [each for each in catches.TROUBLES if each in wrong],
                unknown,
                len(of_shared),
                tried,
                fails,
                (len(fails), *counted, len(of_shared), len(unknown)),
            )
        )
    return name, sorted(carried, key=lambda each: each.key)


def brokers(library: LibraryView) -> list[str]:
    """Return what stood for Redis where *library* was measured and is none, such as ``Valkey 9.1.2``."""
    found = {row.result.versions.broker for row in library.tested if row.result.versions}
    return sorted(each for each in found if each and not each.startswith("Redis"))


def _tried(library: LibraryView, way: str) -> tuple[int, list[tuple[str, str]]]:
    """Return in how many cells of *library* a way was tried, and those in which it does not work, each with why."""
    usual = [(row, row.result.verdicts.overall) for row in library.tested]
    tried = usual if way == USUAL else library.tried(way)
    return len(tried), [(row.name, each.text) for row, each in tried if each.verdict is Verdict.DOES_NOT_WORK]


def _of_usual(row: Row) -> list[tuple[Trouble | None, bool | None]]:
    """Return what the usual way of *row* was asked, also where no other was: what it is about, and whether good."""
    usual = catches.by_way(each for each in row.answers if each.asked).get("", {})
    return [(catches.trouble_of(each.id), each.good) for each in usual.values()]


def _asked(row: Row) -> dict[str, dict[str, tuple[Trouble | None, bool | None]]]:
    """Return the ways of *row* with what each was asked: questions → what they are about, and whether good.

    What was asked of one way alone is left out, and so is what could not be answered.
    """
    put = catches.by_way(each for each in row.answers if each.asked)
    usual = put.get("", {})
    found: dict[str, dict[str, tuple[Trouble | None, bool | None]]] = {}
    for variant in row.result.variants:
        for question, finding in put.get(variant.name, {}).items():
            if question in usual:
                trouble = catches.trouble_of(usual[question].id)
                found.setdefault(variant.name, {})[question] = trouble, finding.good
                found.setdefault(USUAL, {})[question] = trouble, usual[question].good
    return found
