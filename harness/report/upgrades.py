"""Upgrade paths: from what somebody has to a newer Python and Django, in steps each of which was measured.

A step changes one thing: the Python, the Django, the server, pins, or the library. Where several ways lead there, the
one is taken that changes the chat the least: another library weighs more than another server, and that more than pins.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from string import digits

from harness.cells import numbers
from harness.matrix.releases import apart, place
from harness.report import causes
from harness.report.advice import Advisor
from harness.report.choices import for_development
from harness.report.row import Row
from harness.report.view import View, versions
from harness.results.catches import Severity
from harness.verdict import Verdict

#: What a change costs, in releases of Python or Django.
_LIBRARY, _SERVER, _PINS = 40.0, 10.0, 3.0
#: The same for the next release of a library that has a name of its own here, such as ``channels4`` for ``channels3``.
_RELEASE = 3.0
#: What makes it dearer to end with another library, so that of several the better one is taken: each catch that no cure
#: takes away, by its severity, and that it had no release of late which claims the pair.
_CATCH = {Severity.SEVERE: 4.0, Severity.MODERATE: 1.0}
_STALE = 4.0
#: What each release costs besides that a step leaves out: what was measured is better gone through.
_SKIPPED = 0.5


@dataclass(frozen=True)
class Move:
    """One step of a way: from one cell to another that works, and what changes."""

    before: Row
    after: Row
    #: What changes, such as ``Django 2.2 → 3.2``, or ``uwsgi instead of runserver``.
    change: str

    @property
    def of_chat(self) -> bool:
        """Whether something else changes than a Python or a Django."""
        return (self.before.cell.python, self.before.cell.django) == (self.after.cell.python, self.after.cell.django)


@dataclass(frozen=True)
class Way:
    """The way to a Python and a Django; *moves* is None where no measured step leads there."""

    python: str
    django: str
    moves: list[Move] | None
    #: Where no step leads there: a cell that works on it or near it, to which everything changes at once.
    beyond: Row | None = None
    #: What takes catches away in the cell it ends in, and was not needed before.
    needs: tuple[str, ...] = ()
    #: Where it ends with another library: a cell of the same one that works there all the same.
    own: Row | None = None

    @property
    def asks(self) -> str:
        """What it asks of the chat."""
        if self.moves is None:
            if (there := self.beyond) is None:
                return "no measured step leads there"
            works = f"{there.result.library} under {there.served} works there, and no measured step leads to it"
            return "; ".join([f"everything at once: {works}", *self.needs])
        asked = [*self._changes, *self._unknown, *self.needs]
        if own := self.own:
            here = (own.cell.python, own.cell.django) == (self.python, self.django)
            other = "" if here else f", on Python {own.cell.python} and Django {own.cell.django}"
            works = f"{own.result.library} under {own.served} works in {own.name}{other}"
            return "; ".join([*asked, f"or all at once: {works}"])
        return "; ".join(asked) or "nothing"

    @property
    def _changes(self) -> list[str]:
        """What changes of the chat from the first cell to the last; what it is on the way, the steps say."""
        changes = [move.change for move in self.moves or () if move.of_chat]
        if len(changes) < 2 or not self.moves:
            return changes
        before, after = self.moves[0].before, self.moves[-1].after
        return [_changed(before, after)[1]] if _kind(before) != _kind(after) else []

    @property
    def _unknown(self) -> list[str]:
        """That a server to deploy with has to be left for one that is for development alone."""
        if not self.moves or not for_development(self.moves[-1].after) or for_development(self.moves[0].before):
            return []
        return [f"{self.moves[0].before.served} is not known to work there"]

    @property
    def ends_in(self) -> Row | None:
        """The cell it ends in; None where there is none, or no step is needed."""
        return self.moves[-1].after if self.moves else self.beyond


class Steps:
    """Every step between cells of *view*, about which *advisor* knows, that work, and from those that do not."""

    def __init__(self, view: View, advisor: Advisor) -> None:
        self.advisor = advisor
        working = [row for row in view.rows if row.verdict is Verdict.WORKS]
        #: Those on each Python and Django, either of them or both empty where it may be any.
        self._on: dict[tuple[str, str], list[Row]] = {}
        self._lines: dict[tuple[str, str, str], list[Row]] = {}
        for row in working:
            for pair in product((row.cell.python, ""), (row.cell.django, "")):
                self._on.setdefault(pair, []).append(row)
            self._lines.setdefault(_kind(row), []).append(row)
        #: The versions of all cells, the oldest first.
        self.versions = {what: versions(view.rows, what) for what in ("django", "python")}
        #: Those that work, the newest Django first, of one Django the newest Python.
        self.newest = sorted(working, key=lambda row: (row.cell.django_version, row.cell.python_version), reverse=True)
        self._known: dict[str, list[tuple[float, Move]]] = {}
        self._against: dict[str, float] = {}

    def on(self, python: str, django: str) -> list[Row]:
        """Return the cells that work on *python* and *django*; an empty one may be any."""
        return self._on.get((python, django), [])

    def of(self, row: Row) -> list[tuple[float, Move]]:
        """Return every step from *row*, each behind what it costs."""
        if row.name not in self._known:
            self._known[row.name] = list(self._found(row))
        return self._known[row.name]

    def _found(self, row: Row) -> Iterator[tuple[float, Move]]:
        for other in self.on(row.cell.python, row.cell.django):
            if other is not row:
                cost, change = _changed(row, other)
                yield cost, Move(row, other, change)
        # From what does not work versions alone may lead to where it does.
        for other in self._lines.get(_kind(row), []):
            yield from _raised(row, other)

    def worse(self, start: Row, end: Row) -> float:
        """Return what it costs besides to end with another library than that of *start*: what there is against it."""
        if start.result.library == end.result.library:
            return 0.0
        if end.name not in self._against:
            choice = self.advisor.choice(end)
            caught = sum(each * choice.left(severity) for severity, each in _CATCH.items())
            self._against[end.name] = caught + (0.0 if choice.fresh else _STALE)
        return self._against[end.name]


@dataclass
class Upgrades:
    """All ways from one cell through those that work."""

    steps: Steps
    start: Row
    #: The name of a cell → what the way there costs, and the last step of it; None for the first.
    reached: dict[str, tuple[float, Move | None]] = field(init=False)

    def __post_init__(self) -> None:
        self.reached = {self.start.name: (0.0, None)}
        # Of ways that cost the same the one through cells that come first in the matrix.
        waiting = [(0.0, self.start.cell.order, self.start)]
        while waiting:
            cost, _, row = heapq.heappop(waiting)
            if cost > self.reached[row.name][0]:
                continue
            for more, move in self.steps.of(row):
                name, total = move.after.name, cost + more
                if name not in self.reached or total < self.reached[name][0]:
                    self.reached[name] = (total, move)
                    heapq.heappush(waiting, (total, move.after.cell.order, move.after))

    def to(self, python: str = "", django: str = "") -> Way:
        """Return the cheapest way to *python* and *django*; an empty one may be any."""
        there = [row for row in self.steps.on(python, django) if row.name in self.reached]
        if not there:
            beyond = self._beyond(python, django)
            aim = beyond.cell if beyond else self.start.cell
            return Way(python or aim.python, django or aim.django, None, beyond, self._needs(beyond))
        # Of ways that cost the same none is better than any.
        best = min(
            there,
            key=lambda row: (self.reached[row.name][0] + self.steps.worse(self.start, row), row is not self.start),
        )
        moves, name = [], best.name
        while (move := self.reached[name][1]) is not None:
            moves.append(move)
            name = move.before.name
        own = None
        if best.result.library != self.start.result.library:
            mine = (row for row in self.steps.on(python, django) if row.result.library == self.start.result.library)
            own = self._nearest(mine)
        return Way(best.cell.python, best.cell.django, moves[::-1], needs=self._needs(best), own=own)

    def _needs(self, end: Row | None) -> tuple[str, ...]:
        """Return what takes catches away in *end* and is not needed at the start."""
        if end is None:
            return ()
        needs = [
            (each.cure.change, f"{causes.named(each.cure)}, or {each.trouble.says}")
            for each in self.steps.advisor.beware_of(end)
            if each.cure and each.cure.change not in self._had
        ]
        brings = {each.brought_by: each.what for each in self.steps.advisor.beware_of(end) if each.brought_by}
        return tuple(text + (f" ({brings[change]})" if change in brings else "") for change, text in needs)

    @cached_property
    def _had(self) -> set[str]:
        """What takes catches away at the start."""
        return {each.cure.change for each in self.steps.advisor.beware_of(self.start) if each.cure}

    def _beyond(self, python: str, django: str) -> Row | None:
        """Return the cell that works on *python* and *django* and is nearest to the start; None where none does."""
        return self._nearest(self.steps.on(python, django))

    def _nearest(self, rows: Iterable[Row]) -> Row | None:
        there = [
            row
            for row in rows
            # What is older in anything is no upgrade.
            if row.cell.python_version >= self.start.cell.python_version
            and row.cell.django_version >= self.start.cell.django_version
        ]
        return min(
            there,
            key=lambda row: (apart(self.start.cell, row.cell), self.steps.worse(self.start, row)),
            default=None,
        )

    def onwards(self) -> Iterator[Way]:
        """Yield the way to each newer Django, then that to each newer Python."""
        told: set[tuple[str, str]] = set()
        for what in ("django", "python"):
            mine = numbers(getattr(self.start.cell, what))
            for version in self.steps.versions[what]:
                if numbers(version) > mine:
                    way = self.to(**{what: version})
                    if (way.python, way.django) not in told:
                        told.add((way.python, way.django))
                        yield way

    def newest(self) -> Way:
        """Return the way to the newest Django that can be reached, with the newest Python there."""
        best = next((row for row in self.steps.newest if row.name in self.reached), self.start)
        return self.to(best.cell.python, best.cell.django)


def _kind(row: Row) -> tuple[str, str, str]:
    return row.result.library, row.result.server, row.result.profile


def _changed(row: Row, other: Row) -> tuple[float, str]:
    """Return what another library, server or profile on the same pair costs, and what it is."""
    here, there = _kind(row), _kind(other)
    if here[0] != there[0]:
        name = here[0].rstrip(digits)
        cost = _LIBRARY
        if name == there[0].rstrip(digits):
            before, after = (int(each.removeprefix(name) or 0) for each in (here[0], there[0]))
            cost = _RELEASE * abs(after - before)
        return cost, f"{there[0]} under {other.served} instead of {here[0]}"
    if here[1] != there[1]:
        alone = " (for development alone)" if for_development(other) and not for_development(row) else ""
        return _SERVER, f"{other.served}{alone} instead of {row.served}"
    if there[2] == "today":
        return _PINS, "what is resolved today instead of the best known pins"
    pins = other.result.installation.pins if other.result.installation else []
    return _PINS, f"the pins {', '.join(pin.requirement for pin in pins)}"


def _raised(row: Row, other: Row) -> Iterator[tuple[float, Move]]:
    """Yield the step to *other* where it has a newer Django or a newer Python, and not both."""
    python = other.cell.python_version, row.cell.python_version
    django = other.cell.django_version, row.cell.django_version
    if python[0] == python[1] and django[0] > django[1]:
        yield _far(row, other, "django"), Move(row, other, f"Django {row.cell.django} → {other.cell.django}")
    if django[0] == django[1] and python[0] > python[1]:
        yield _far(row, other, "python"), Move(row, other, f"Python {row.cell.python} → {other.cell.python}")


def _far(row: Row, other: Row, what: str) -> float:
    releases = place(what, getattr(other.cell, what)) - place(what, getattr(row.cell, what))
    return releases + _SKIPPED * (releases - 1)
