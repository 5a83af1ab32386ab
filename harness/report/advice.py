"""Advice: what to install for a Python and a Django, in which order, and what to beware of.

The rule is told by :data:`RULE`, on the site and on the command line, and can be argued with. It ranks what works on
the pair by what is measured alone; what nothing sets apart has one rank.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import groupby

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from harness.cells import numbers
from harness.matrix.releases import released, releases
from harness.report import causes, claims
from harness.report.row import Row
from harness.report.view import LibraryView, View
from harness.results import catches
from harness.results.catches import Severity, Trouble
from harness.results.explained import Catch, Cure
from harness.results.result import Finding
from harness.results.roots import Root
from harness.verdict import Verdict

#: How choices are ranked, the first that differs decides.
RULE = (
    "it works on the pair, and was asked in depth there or in another cell of the library",
    "the fewest severe catches that no cure takes away",
    "a release within the last 24 months that claims the pair",
    "the fewest moderate catches that no cure takes away",
    "the fewest packages that installing it adds",
)
#: Months within which a library has to have had a release.
_FRESH = 24
_MONTHS = {name: number for number, name in enumerate(calendar.month_name) if name}
_RELEASED = re.compile(r"(?P<month>[A-Z][a-z]+) (?P<year>\d{4})")
#: How many cells are named where a pair was not measured.
_NEAREST = 4


@dataclass(frozen=True)
class Beware:
    """A trouble of a choice, with what takes it away."""

    trouble: Trouble
    catches: list[Catch]
    #: The cell in which it was seen, where that is another one of the library; empty for the cell itself.
    seen_in: str
    #: What takes all of it away; None where nothing is known to.
    cure: Cure | None
    #: The cell in which that was tried.
    tried_in: str = ""
    #: Whose default or code decides the answers, where that is said: ``library``, ``project`` or ``server``.
    decided_by: tuple[str, ...] = ()

    @property
    def remedy(self) -> str:
        """What takes it away, where it was tried; empty where nothing is known to."""
        return f"{causes.named(self.cure)}, tried in {self.tried_in} on {self.cure.tried_on}" if self.cure else ""


@dataclass(frozen=True)
class Choice:
    """A library under a server that works on a pair."""

    row: Row
    library: LibraryView
    beware: list[Beware]
    #: Whether it had a release within 24 months that claims the pair, and what is said of that.
    fresh: bool
    age: str
    #: Whether it, or another cell of the library, was asked the deep sets: without that little is known to beware of.
    in_depth: bool = True

    @property
    def label(self) -> str:
        """The verdict as it is shown: what there is to beware of was perhaps seen in another cell."""
        return f"{self.row.verdict.label}, but" if self.beware else self.row.verdict.label

    def left(self, severity: Severity) -> int:
        """Return how many troubles of *severity* no cure takes away."""
        return sum(each.trouble.severity is severity and each.cure is None for each in self.beware)

    @property
    def packages(self) -> int:
        """How many packages installing it adds."""
        installation = self.row.result.installation
        return len(installation.added) if installation else 0

    @property
    def key(self) -> tuple[bool, int, bool, int, int]:
        """What it is ranked by, as :data:`RULE` says."""
        return (
            not self.in_depth,
            self.left(Severity.SEVERE),
            not self.fresh,
            self.left(Severity.MODERATE),
            self.packages,
        )

    @property
    def why(self) -> list[str]:
        """Why it has its rank, a part for each part of the rule."""
        severe, moderate = (self.left(each) for each in (Severity.SEVERE, Severity.MODERATE))
        return [
            *([] if self.in_depth else ["not asked in depth, so that little is known"]),
            _counted(severe, "severe catch that no cure takes away", "severe catches that no cure takes away"),
            self.age,
            _counted(moderate, "moderate catch", "moderate catches"),
            f"adds {_counted(self.packages, 'package', 'packages')}",
        ]

    @property
    def install(self) -> str:
        """The command that installs what was measured, with the pins that take catches away."""
        versions, installation = self.row.result.versions, self.row.result.installation
        if versions is None:
            return ""
        pins: dict[str, str] = {canonicalize_name(Requirement(each).name): each for each in self.pins}
        asked = dict.fromkeys(installation.requirements if installation else [])
        installed = {canonicalize_name(name): version for name, version in versions.installed.items()}
        wanted = {"django": f"Django=={versions.django}"}
        for text in asked:
            try:
                requirement = Requirement(text)
            except InvalidRequirement:  # what is at an address
                wanted[text] = text
                continue
            name = canonicalize_name(requirement.name)
            extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
            exact = f"=={installed[name]}" if name in installed else str(requirement.specifier)
            wanted[name] = pins.pop(name, f"{requirement.name}{extras}{exact}")
        wanted |= pins
        return " ".join(["pip install", *map(_quoted, wanted.values())])

    @property
    def pins(self) -> list[str]:
        """The requirements that take catches away."""
        found = [each.cure.change for each in self.beware if each.cure is not None and each.cure.kind == "pin"]
        return list(dict.fromkeys(pin for change in found for pin in change.split(", ")))

    @property
    def ways(self) -> list[str]:
        """The settings that take catches away."""
        found = [each.cure.change for each in self.beware if each.cure is not None and each.cure.kind == "setting"]
        return list(dict.fromkeys(found))


@dataclass(frozen=True)
class Failing:
    """A library under a server that was tried on a pair and does not work there."""

    row: Row
    library: LibraryView
    #: What it comes from; empty where that is not known.
    cause: str
    #: What works instead, each with the cell in which that was tried.
    instead: list[str]


@dataclass
class Answer:
    """What there is to say to a Python and a Django."""

    python: str
    django: str
    #: The choices by their rank; those of one rank are equal.
    ranks: list[list[Choice]] = field(default_factory=list)
    failing: list[Failing] = field(default_factory=list)
    #: Where nothing works here: the nearest cells that do, and those whose libraries claim the pair.
    nearest: list[Row] = field(default_factory=list)
    claimed: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """What addresses call it, such as ``py314-django60``."""
        return f"py{self.python.replace('.', '')}-django{self.django.replace('.', '')}"

    @property
    def choices(self) -> Iterator[tuple[int, Choice]]:
        """The choices, each with its rank: 1, and where two share it 1 and 1 and 3."""
        rank = 1
        for equals in self.ranks:
            yield from ((rank, choice) for choice in equals)
            rank += len(equals)


class Advisor:
    """Answers from the results at hand."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.roots = causes.found(view)
        self._library_of = {row.name: row.result.library for row in view.rows}
        self._roots_of: dict[str, list[Root]] = {}
        for root in self.roots:
            for name in root.results:
                self._roots_of.setdefault(name, []).append(root)

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Every pair of which something is measured, or that Django supports; the newest first."""
        there = {(row.cell.python, row.cell.django) for row in self.view.rows}
        there |= {
            (python, django)
            for django, release in releases().items()
            for python in release.pythons
            if self.view.day < release.until
        }
        return sorted(there, key=lambda pair: (numbers(pair[0]), numbers(pair[1])), reverse=True)

    def answer(self, python: str, django: str) -> Answer:
        """Return the choices for a pair, ranked, with what fails there; where nothing works, the nearest that does."""
        found = Answer(python, django)
        here = [row for row in self.view.rows if (row.cell.python, row.cell.django) == (python, django)]
        libraries = {library.name: library for library in self.view.libraries}
        known: dict[tuple[str, str], Choice] = {}
        for row in here:
            library = libraries[row.result.library]
            if row.verdict is Verdict.WORKS:
                choice, place = self.choice(row, library), (library.name, row.result.server)
                if place not in known or choice.key < known[place].key:
                    known[place] = choice
        for row in here:
            if row.verdict is Verdict.DOES_NOT_WORK and (row.result.library, row.result.server) not in known:
                found.failing.append(self.failing(row, libraries[row.result.library]))
        ranked = sorted(known.values(), key=lambda choice: (choice.key, choice.row.cell.order))
        found.ranks = [list(equals) for _, equals in groupby(ranked, key=lambda choice: choice.key)]
        if not ranked:
            found.nearest = self._nearest(python, django)
            found.claimed = list(self._claiming(python, django))
        return found

    def choice(self, row: Row, library: LibraryView) -> Choice:
        """Return a cell that works as a choice."""
        fresh, age = self._age(row, library)
        deep = bool(row.deep) or self._asked_in_depth(row, library) is not None
        return Choice(row, library, list(self._beware(row, library)), fresh, age, deep)

    def failing(self, row: Row, library: LibraryView) -> Failing:
        """Return a cell that does not work, with what it comes from and what works instead."""
        roots = [root for root in self._roots_of.get(row.name, []) if root.kind == "does not work"]
        instead = [causes.cure(cure) for cure in row.result.cures if not cure.question]
        instead = instead or [f"{causes.named(cure)}, tried in {name}" for root in roots for name, cure in root.cures]
        explained = [root.explained if root.explained != "what it says" else root.what for root in roots]
        return Failing(row, library, explained[0] if explained else "", list(dict.fromkeys(instead)))

    def _beware(self, row: Row, library: LibraryView) -> Iterator[Beware]:
        """Yield the troubles of *row*, and those seen in a cell of the library that was asked more, the worst first."""
        seen = [(catch, "") for catch in row.catches]
        other = self._asked_in_depth(row, library)
        if other is not None:
            asked = {finding.id for finding in _answers(row)}
            seen += [(catch, other.name) for catch in other.catches if catch.question not in asked]
        for trouble in catches.TROUBLES:
            of_it = [(catch, where) for catch, where in seen if catches.trouble_of(catch.question) is trouble]
            if of_it:
                cure, tried_in = self._cure(row, of_it)
                where = "" if any(not place for _, place in of_it) else of_it[0][1]
                told = {catch.question for catch, _ in of_it}
                findings = [*_answers(row), *(_answers(other) if other else ())]
                decided = {each.decided_by for each in findings if each.id in told and each.decided_by}
                yield Beware(trouble, [catch for catch, _ in of_it], where, cure, tried_in, tuple(sorted(decided)))

    def _asked_in_depth(self, row: Row, library: LibraryView) -> Row | None:
        """Return the nearest cell of *library* that was asked the deep sets, one of the same server first."""
        if row.deep:
            return None
        asked = [each for each in library.rows if each.deep and each.verdict is Verdict.WORKS]
        return min(asked, key=lambda each: (each.result.server != row.result.server, _far(each, row)), default=None)

    def _cure(self, row: Row, seen: Sequence[tuple[Catch, str]]) -> tuple[Cure | None, str]:
        """Return the pin or the setting that takes all of *seen* away, and the cell in which it was tried."""
        known = [list(self._cures(where or row.name, catch.question)) for catch, where in seen]
        for name, cure in known[0]:
            if all(cure.change in {each.change for _, each in others} for others in known):
                return cure, name
        return None, ""

    def _cures(self, cell: str, question: str) -> Iterator[tuple[str, Cure]]:
        """Yield what takes a catch of *cell* away: what was tried in it first, then in others of the same cause."""
        roots = [root for root in self._roots_of.get(cell, []) if question in root.questions]
        tried = [each for root in roots for each in root.cures if each[1].question == question]
        tried = tried or [each for root in roots for each in root.cures]
        usable = [each for each in tried if each[1].kind in ("pin", "setting")]
        mine = self._library_of.get(cell)
        yield from sorted(usable, key=lambda each: (each[0] != cell, self._library_of.get(each[0]) != mine))

    def _age(self, row: Row, library: LibraryView) -> tuple[bool, str]:
        """Tell whether the library had a release within 24 months that claims the pair of *row*, and say so."""
        said = str(library.prose["release"])
        found = _RELEASED.search(said)
        own = claims.of(row, library)
        claimed = own is not None and claims.claimed(own, row.cell) is True
        if found is None or found["month"] not in _MONTHS:  # it comes with Django itself
            supported = self.view.supported(row)
            return supported, "part of a Django that is supported" if supported else "part of a Django of the past"
        made = date(int(found["year"]), _MONTHS[found["month"]], 1)
        months = (self.view.day.year - made.year) * 12 + self.view.day.month - made.month
        fresh = months <= _FRESH
        claims_it = "claims the pair" if claimed else "does not claim the pair"
        return fresh and claimed, f"released {found[0]}, {'and' if fresh == claimed else 'but'} {claims_it}"

    def _nearest(self, python: str, django: str) -> list[Row]:
        """Return the cells nearest to a pair that work, of each library and server one."""
        place = (_place("python", python), _place("django", django))
        working = sorted(
            (row for row in self.view.rows if row.verdict is Verdict.WORKS),
            key=lambda row: (_distance(place, _position(row)), row.cell.order),
        )
        found: dict[tuple[str, str], Row] = {}
        for row in working:
            found.setdefault((row.result.library, row.result.server), row)
        return list(found.values())[:_NEAREST]

    def _claiming(self, python: str, django: str) -> Iterator[str]:
        """Yield the libraries whose newest release claims a pair."""
        for library in self.view.libraries:
            newest = claims.newest(library)
            if newest is not None and python in newest.pythons and django in newest.djangos:
                yield f"{library.title} {newest.version}"


def _answers(row: Row) -> Iterator[Finding]:
    """Yield every answer of a cell, those of the deep sets whole."""
    yield from catches.answers(row.result)
    yield from (finding for each in row.deep for finding in each.findings)


def _place(what: str, version: str) -> int:
    """Return how many known releases there are before *version*."""
    return sum(numbers(each) < numbers(version) for each in released(what))


def _position(row: Row) -> tuple[int, int]:
    return _place("python", row.cell.python), _place("django", row.cell.django)


def _distance(one: tuple[int, int], other: tuple[int, int]) -> int:
    return sum(abs(here - there) for here, there in zip(one, other, strict=True))


def _far(one: Row, other: Row) -> int:
    return _distance(_position(one), _position(other))


def _counted(number: int, one: str, more: str) -> str:
    return f"{number or 'no'} {one if number == 1 else more}"


def _quoted(requirement: str) -> str:
    """Return *requirement* as a shell takes it for one word."""
    return requirement if re.fullmatch(r"[\w.=-]+", requirement) else f'"{requirement}"'


def notes(rows: Iterable[Row]) -> list[Trouble]:
    """Return the troubles of *rows*, the worst first: a note is called by its place among them."""
    there = {trouble.id for row in rows for trouble in row.troubles}
    return [each for each in catches.TROUBLES if each.id in there]
