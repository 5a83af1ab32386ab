"""What advice is made of: choices with their rank and what to beware of, and the answer to a pair.

The rule of the rank is told by :data:`RULE`, on the site and on the command line, and can be argued with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from harness.report import causes, prose
from harness.report.row import Row
from harness.report.view import LibraryView
from harness.results.catches import Severity, Trouble
from harness.results.explained import Catch, Cure
from harness.results.questions import deciders
from harness.verdict import with_catch

#: How choices are ranked, the first that differs decides.
RULE = (
    "it works on the pair, and was asked in depth there or in another cell of the library",
    "the fewest severe catches that no cure takes away",
    "a release within the last 24 months that claims the pair",
    "the fewest moderate catches that no cure takes away",
    "the fewest packages that installing it adds",
)


#: How many questions are named by which a trouble is seen.
_SEEN = 2
#: How the servers are called that Django's documentation has for development alone.
#: Source: https://docs.djangoproject.com/en/stable/ref/django-admin/#runserver
_FOR_DEVELOPMENT = "runserver"


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
    #: The pin or the way that takes another trouble away and brings this one; empty for what is there without any.
    brought_by: str = ""
    #: The way that is advised for another trouble, and needs no cure of this one; empty where there is none.
    spared_by: str = ""

    @property
    def says(self) -> str:
        """What it is, how bad, and what takes it away or brings it."""
        more = f" (mended: {self.remedy})" if self.cure else ""
        return f"{self.trouble.severity}: {self.what}{more}"

    @property
    def what(self) -> str:
        """What a user meets; of what a cure brings its first answer: the trouble may be there without it, in others."""
        if not self.brought_by:
            return self.trouble.says
        more = f", and {len(self.catches) - 1} like it" if len(self.catches) > 1 else ""
        return f"with {self.brought_by}: {self.catches[0].text}{more}"

    @property
    def told(self) -> str:
        """The same, with the cell in which it was seen if that is another one."""
        decided = f", decided by {' and '.join(deciders(self.decided_by))}" if self.decided_by else ""
        return self.says + (f", seen in {self.seen_in}" if self.seen_in else "") + decided

    @property
    def remedy(self) -> str:
        """What takes it away, where it was tried; empty where nothing is known to."""
        if self.cure is None:
            return ""
        spared = f"; not needed with the {self.spared_by}" if self.spared_by else ""
        return f"{causes.named(self.cure)}, tried in {self.tried_in} on {self.cure.tried_on}{spared}"


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
    #: The nearest cell of the library that works under a server which can be deployed; None where this one can be.
    deployed: Row | None = None

    @property
    def label(self) -> str:
        """The verdict as it is shown: what there is to beware of was perhaps seen in another cell."""
        return with_catch(self.row.verdict.label, bool(self.beware))

    @property
    def about(self) -> str:
        """How the library is made, in a sentence: what it is for several processes as well."""
        return self.library.short("architecture")

    @property
    def development(self) -> str:
        """That the server is for development alone, and which one is not; empty for one that can be deployed."""
        if not for_development(self.row):
            return ""
        if self.deployed is None:
            return "for development alone: no server that can be deployed works with this library in any cell"
        return f"for development alone: to deploy take {self.deployed.served}, which works in {self.deployed.name}"

    def stays(self, *severities: str) -> list[Trouble]:
        """Return the troubles of *severities* that no cure takes away."""
        left = (each.trouble for each in self.beware if each.cure is None and each.trouble.severity in severities)
        return list(dict.fromkeys(left))

    @cached_property
    def severe(self) -> str:
        """The severe troubles that no cure takes away, in words; empty where there is none."""
        return "; ".join(each.says for each in self.stays(Severity.SEVERE))

    def left(self, severity: Severity) -> int:
        """Return how many troubles of *severity* no cure takes away."""
        return len(self.stays(severity))

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
            counted(severe, "severe catch that no cure takes away", "severe catches that no cure takes away"),
            self.age,
            counted(moderate, "moderate catch", "moderate catches"),
            f"adds {counted(self.packages, 'package', 'packages')}",
        ]

    @cached_property
    def install(self) -> str:
        """The command that installs what was measured, with the pins that take catches away."""
        versions, installation = self.row.result.versions, self.row.result.installation
        if versions is None:
            return ""
        pins: dict[str, list[Requirement]] = {}
        for each in map(Requirement, self.pins):
            pins.setdefault(canonicalize_name(each.name), []).append(each)
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
            wanted[name] = f"{requirement.name}{extras}{_held(pins.pop(name, [])) or exact}"
        wanted |= {name: f"{held[0].name}{_held(held)}" for name, held in pins.items()}
        return " ".join(["pip install", *map(quoted, wanted.values())])

    @property
    def pins(self) -> list[str]:
        """The requirements that take catches away."""
        return list(dict.fromkeys(pin for each in self.beware if each.cure is not None for pin in each.cure.pins))

    @property
    def ways(self) -> list[str]:
        """The settings that take catches away."""
        found = [each.cure.change for each in self.beware if each.cure is not None and each.cure.kind == "setting"]
        return list(dict.fromkeys(found))

    @property
    def uses(self) -> list[str]:
        """The same, each with what chooses it where that is known."""
        return [prose.chosen_by(self.library.prose, way) for way in self.ways]


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
    #: Why Django does not support the pair, in sentences; empty if it does.
    unsupported: str = ""
    #: The choices by their rank; those of one rank are equal.
    ranks: list[list[Choice]] = field(default_factory=list)
    failing: list[Failing] = field(default_factory=list)
    #: Where nothing works here: the nearest cells that do, and those whose libraries claim the pair.
    nearest: list[Row] = field(default_factory=list)
    claimed: list[str] = field(default_factory=list)
    #: The libraries of today that were not tried here though others were, each with its nearest cell that works.
    untried: list[tuple[LibraryView, Row]] = field(default_factory=list)

    @property
    def nothing(self) -> str:
        """Where nothing works here, whether anything was tried."""
        return "Nothing that was measured works on this pair." if self.failing else "Nothing was measured on this pair."

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


@dataclass(frozen=True)
class Note:
    """A trouble of a library, by whose number its grids refer to it."""

    number: int
    trouble: Trouble
    #: The cells that have it, how many were asked, and how many of those that have it a cure takes it away from. Cells
    #: with the best known pins are left out: these are there to take it away.
    rows: list[Row]
    asked: int
    mended: int
    #: One of those, with the cure that most of them have; None where nothing is known to take it away.
    example: Beware | None
    #: The troubles that this cure brings.
    brings: list[Trouble] = field(default_factory=list)
    #: The questions by which it is seen, each with the number of cells; the most frequent first.
    seen: list[tuple[str, int]] = field(default_factory=list)
    #: Whose default or code decides it, where that is the same in all cells; empty where it is not, or not said.
    decided_by: str = ""

    @property
    def remedy(self) -> str:
        """What takes it away; empty where nothing is known to."""
        return self.example.remedy if self.example else ""

    @property
    def short(self) -> str:
        """The same in a few words, with where it does not help, and what it brings."""
        if self.example is None or self.example.cure is None:
            return ""
        verb = "" if self.example.cure.kind == "pin" else "use "
        return f"{verb}{causes.named(self.example.cure)}{self._some}{self.but}"

    @property
    def but(self) -> str:
        """What the cure brings; empty where that is nothing."""
        return f", but then {' and '.join(each.says for each in self.brings)}" if self.brings else ""

    @property
    def whose(self) -> str:
        """That the chat of this project decides it; empty where it does not."""
        return "decided by this project's chat and not by the library" if self.decided_by == "project" else ""

    @property
    def by(self) -> str:
        """The questions by which it is seen, in a sentence; empty where there is but one."""
        if len(self.seen) < 2:
            return ""
        told = [f"“{question}” ({number})" for question, number in self.seen[:_SEEN]]
        more = f" and {len(self.seen) - _SEEN} more" if len(self.seen) > _SEEN else ""
        return f"by {', '.join(told)}{more}"

    @property
    def _some(self) -> str:
        """In how many of the cells that is, where it is not in all of them."""
        return f" (in {self.mended} of them)" if self.mended < len(self.rows) else ""

    @property
    def says(self) -> str:
        """The note in one sentence."""
        cells = f"{len(self.rows)} of {self.asked} cells that were asked"
        cure = f"{self.remedy}{self._some}{self.but}" if self.remedy else ""
        return "; ".join(
            filter(None, (f"{self.trouble.severity}: {self.trouble.says}, in {cells}", self.by, self.whose, cure))
        )


def best_way(cures: Mapping[Trouble, Sequence[tuple[str, Cure]]], brings: Mapping[str, Iterable[Trouble]]) -> str:
    """Return the one other way that leaves the fewest troubles, the worst first; empty for the usual one.

    A chat goes one way at a time, so that two that mend a trouble each do not mend both. What each way *brings* counts
    as what it leaves.
    """

    def left(way: str) -> list[int]:
        stays = [
            trouble.severity
            for trouble, found in cures.items()
            if not any(each.kind == "pin" or each.change == way for _, each in found)
        ]
        stays += [trouble.severity for trouble in brings.get(way, ())]
        return [stays.count(severity) for severity in Severity]

    return min(["", *brings], key=left)


def for_development(row: Row) -> bool:
    """Tell whether the server of *row* is there for development alone."""
    return row.result.server.startswith(_FOR_DEVELOPMENT)


def _held(pins: list[Requirement]) -> str:
    """Return what all of *pins*, which are of one package, leave of it."""
    return ",".join(dict.fromkeys(str(each.specifier) for each in pins))


def counted(number: int, one: str, more: str) -> str:
    """Return *number* with what it counts: *one* of it, or *more*."""
    return f"{number or 'no'} {one if number == 1 else more}"


def quoted(requirement: str) -> str:
    """Return *requirement* as a shell takes it for one word."""
    return requirement if re.fullmatch(r"[\w.=-]+", requirement) else f'"{requirement}"'
