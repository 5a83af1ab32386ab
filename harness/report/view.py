"""One view of the results: what every report, table and badge is made of."""

from __future__ import annotations

import calendar
import re
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from harness.cells import Cell, numbers
from harness.errors import DamagedResult, HarnessError
from harness.matrix.releases import released, supported
from harness.report import prose
from harness.report.row import Row, dates
from harness.results import deep, figures, history, loads, records
from harness.results.figures import Figure
from harness.results.folder import Reports
from harness.results.installed import Claims
from harness.results.result import Finding, Judgement
from harness.verdict import Verdict

#: Months within which a library has to have had a release to be a current one.
_FRESH = 24
_MONTHS = {name: number for number, name in enumerate(calendar.month_name) if name}
_RELEASED = re.compile(r"(?P<month>[A-Z][a-z]+) (?P<year>\d{4})")


class Grid(NamedTuple):
    """Django by Python: a row of cells for each Django, None where there is no cell."""

    pythons: list[str]
    rows: list[tuple[str, list[Row | None]]]


def versions(rows: Iterable[Row], what: str) -> list[str]:
    """Return the versions of ``python`` or ``django`` that *rows* have, the oldest first."""
    found = {(getattr(row.cell, f"{what}_version"), getattr(row.cell, what)) for row in rows}
    return [name for _, name in sorted(found)]


@dataclass
class Rows:
    """Cells that have something in common, and what can be said of them together."""

    name: str
    rows: list[Row] = field(default_factory=list)

    def of(self, verdict: Verdict) -> list[Row]:
        """Return the rows of one verdict."""
        return [row for row in self.rows if row.verdict is verdict]

    @property
    def works(self) -> list[Row]:
        """The cells that work."""
        return self.of(Verdict.WORKS)

    @property
    def tested(self) -> list[Row]:
        """The cells of which something is known."""
        return [row for row in self.rows if row.verdict is not Verdict.NOT_TESTED]

    @property
    def pinned(self) -> bool:
        """Whether these are cells in which the best known pins hold."""
        return all(row.result.profile == "pins" for row in self.rows)

    def beyond(self, other: Rows) -> bool:
        """Tell whether a cell works here with an older or newer Python or Django than any of *other*."""
        here = [(row.cell.python_version, row.cell.django_version) for row in self.works]
        there = [(row.cell.python_version, row.cell.django_version) for row in other.works]
        if not here or not there:
            return bool(here)
        return any(
            pair[part] < min(each[part] for each in there) or pair[part] > max(each[part] for each in there)
            for pair in here
            for part in (0, 1)
        )

    def installed(self) -> list[Row]:
        """Return the cells into which the library could be installed."""
        return [row for row in self.rows if row.result.installation is not None]

    def figure(self, name: str) -> Figure | None:
        """Return a figure that varies, of :mod:`harness.results.figures`, over the cells that work."""
        return figures.over([row.result for row in self.works], name)

    def median(self, what: str) -> float | None:
        """Return the median over the cells that work of ``packages`` or ``bytes``; None where none does."""
        there = [each for row in self.works if (each := row.result.installation) is not None]
        if what == "packages":
            return statistics.median(len(each.added) for each in there) if there else None
        return statistics.median(each.added_bytes for each in there) if there else None

    def range_of(self, what: str) -> str:
        """Return from which to which ``python`` or ``django`` a cell works, or ``none``.

        One that was tried and never works parts a range in two, and so does one between two that was not tried.
        """
        works = set(versions(self.works, what))
        there = sorted({*versions(self.rows, what), *released(what)}, key=numbers)
        runs = [list(run) for good, run in groupby(there, works.__contains__) if good]
        return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs) or "none"

    def grid(self) -> Grid:
        """Return the cells as a table."""
        cells = {(row.cell.django, row.cell.python): row for row in self.rows}
        pythons = versions(self.rows, "python")
        djangos = versions(self.rows, "django")
        return Grid(pythons, [(django, [cells.get((django, python)) for python in pythons]) for django in djangos])

    def variants(self) -> dict[str, list[Judgement]]:
        """Return how each variant went, by its name."""
        found: dict[str, list[Judgement]] = {}
        for row in self.rows:
            for variant in row.result.variants:
                found.setdefault(variant.name, []).append(variant.judgement)
        return found

    def tried(self, way: str) -> list[tuple[Row, Judgement]]:
        """Return the cells in which the variant called *way* was tried, each with what came of it."""
        return [
            (row, variant.judgement)
            for row in self.tested
            for variant in row.result.variants
            if variant.name == way and variant.judgement.verdict is not Verdict.NOT_TESTED
        ]

    def findings(self, name: str, rows: Sequence[Row] | None = None) -> dict[str, list[Finding]]:
        """Return what the cells, or *rows*, answered to the questions of ``isolation``, of a set or of a probe."""
        answers: dict[str, list[Finding]] = {}
        for row in self.rows if rows is None else rows:
            asked = [*row.result.sets, *row.result.probes]
            sets = {"isolation": row.result.isolation, **{each.name: each.findings for each in asked}}
            for finding in sets.get(name, []):
                answers.setdefault(finding.question, []).append(finding)
        return answers

    @property
    def loaded(self) -> bool:
        """Whether a cell was put under load."""
        return any(row.under_load for row in self.rows)


@dataclass
class LibraryView(Rows):
    """All cells of one library."""

    #: Further folders that may hold its prose.
    folders: tuple[Path, ...] = ()

    @property
    def title(self) -> str:
        """The library's name as a heading has it."""
        return str(self.prose["title"])

    def short(self, what: str) -> str:
        """Return in a sentence, without markup, what its prose says of *what*, such as its ``architecture``."""
        return str(self.prose["short"][what]).replace("``", "")

    @cached_property
    def released(self) -> date | None:
        """The first of the month of its newest release; None where it comes with Django."""
        said = _RELEASED.search(str(self.prose["release"]))
        return date(int(said["year"]), _MONTHS[said["month"]], 1) if said and said["month"] in _MONTHS else None

    @cached_property
    def claims(self) -> Claims | None:
        """What the newest release claims that any cell has installed; None where no metadata was recorded."""
        installed = [each for row in self.rows if (each := row.result.installation) is not None]
        found = [each.claims for each in installed if each.claims is not None]
        return max(found, key=lambda claims: claims.release, default=None)

    def only_claimed(self, what: str) -> str:
        """Say which versions of ``python`` or ``django`` the newest release claims and no cell was tested with."""
        newest = self.claims
        named = (newest.pythons if what == "python" else newest.djangos) if newest else []
        tested = set(versions(self.tested, what))
        untested = [each for each in named if "." in each and each not in tested]
        return f" (claims {', '.join(untested)}, not tested)" if untested else ""

    def current(self, day: date) -> bool:
        """Tell whether it had a release within the 24 months before *day*, or comes with Django."""
        made = self.released
        return made is None or (day.year - made.year) * 12 + day.month - made.month <= _FRESH

    @property
    def letter(self) -> str:
        """What stands for the library where there is no room for more."""
        return self.prose["letter"] or self.title[:1].upper()

    @property
    def own(self) -> bool:
        """Whether it is no library, but somebody's own chat."""
        return prose.is_own(self.name, self.folders)

    @property
    def carries(self) -> str:
        """What is asked of the messages, as a heading."""
        return prose.carries(self.own)

    def pins(self) -> list[tuple[str, str, list[str]]]:
        """Return each pin with its reason and the cells that it holds in."""
        found: dict[tuple[str, str], list[str]] = {}
        for row in self.installed():
            assert row.result.installation is not None
            for pin in row.result.installation.pins:
                found.setdefault((pin.requirement, pin.reason), []).append(row.name)
        return [(requirement, reason, names) for (requirement, reason), names in found.items()]

    @property
    def groups(self) -> list[Rows]:
        """The cells by server and profile; the usual server, which has the most of them, first."""
        found: dict[str, Rows] = {}
        for row in self.rows:
            found.setdefault(row.served, Rows(row.served)).rows.append(row)
        return sorted(found.values(), key=lambda group: -len(group.rows))

    @cached_property
    def in_full(self) -> list[Row]:
        """The cells that the report shows in full: those the prose names, or the oldest and newest of each server."""
        wanted = list(self.prose["pairs"])
        for group in self.groups if not wanted else ():
            tested = group.tested or group.rows
            wanted += [tested[0].name, tested[-1].name]
        return [row for row in self.rows if row.name in wanted]

    @property
    def example(self) -> Row:
        """The cell that shows how it is installed and run: the newest that works, or whose server starts at least."""
        usual = self.groups[0]
        started = [row for row in usual.rows if row.result.varying.startup_output]
        found = usual.works or self.works or started or self.tested or self.rows
        return max(found, key=lambda row: (row.cell.django_version, row.cell.python_version))

    def newest(self, view: View) -> list[Row]:
        """Return of each server the newest cell of a pair that Django supports, where that is not shown in full."""
        found = []
        for group in self.groups:
            there = [row for row in group.tested if view.supported(row)]
            if there and there[-1] not in self.in_full:
                found.append(there[-1])
        return found

    def same_rows(self, row: Row) -> str:
        """Return the name of the cell before *row* that has the same fifteen rows, but for how long they took."""

        def seen(cell: Row) -> list[tuple[Any, ...]]:
            late = cell.result.varying.late
            return [
                (each.number, each.transport, each.good, each.faults, each.number in late)
                for each in cell.result.exchanges
            ]

        before = [each for each in self.in_full[: self.in_full.index(row)] if each.result.exchanges]
        return next((each.name for each in before if seen(each) == seen(row)), "")

    @property
    def apart(self) -> bool:
        """Whether Django's own server and that of the sockets are two."""
        return any(row.result.verdicts.django_server for row in self.rows)

    @property
    def chat_tests(self) -> str:
        """How the Django tests of the chat went, over all cells; empty where they were not run."""
        counted = [row.result.unit_tests for row in self.rows if row.result.unit_tests]
        if not counted:
            return ""
        fewest, most = (of(each.ran for each in counted) for of in (min, max))
        ran = f"{most}" if fewest == most else f"{fewest} to {most}"
        return f"{ran}, green in {sum(not each.failed for each in counted)} of {len(counted)} cells"

    @cached_property
    def prose(self) -> dict[str, Any]:
        """What is said of the library that no measurement can say.

        Raises:
            HarnessError: the file is missing or is no TOML.
        """
        return prose.read(self.name, self.folders)


@dataclass
class View:
    """All results, and the files that were none."""

    #: Those with a release within the last 24 months come first, then the others, each by their names.
    libraries: list[LibraryView]
    damaged: list[DamagedResult]
    #: The names of the files that could not be read, which are cells of which nothing is known now.
    unread: frozenset[str] = frozenset()

    @cached_property
    def rows(self) -> list[Row]:
        """The rows of every library."""
        return [row for library in self.libraries for row in library.rows]

    def of(self, verdict: Verdict) -> list[Row]:
        """Return the rows of one verdict."""
        return [row for row in self.rows if row.verdict is verdict]

    @property
    def loaded(self) -> bool:
        """Whether a cell was put under load."""
        return any(library.loaded for library in self.libraries)

    @cached_property
    def own(self) -> bool:
        """Whether all of it is about somebody's own chat, and nothing about libraries."""
        return bool(self.libraries) and all(library.own for library in self.libraries)

    @property
    def subject(self) -> str:
        """What it is about, as a title."""
        what = ", ".join(library.title for library in self.libraries) if self.own else "WebSocket libraries"
        return f"{what} on Python and Django"

    @property
    def question(self) -> str:
        """What it answers, as a title."""
        own = f"{self.subject}: what works?"
        return own if self.own else "Which WebSocket library works on your Python and your Django?"

    @property
    def messages(self) -> str:
        """What has to reach its recipients, in words."""
        return "all messages" if self.own else "all fifteen messages"

    @cached_property
    def day(self) -> date:
        """The day on which the newest of the results was measured: what "today" means in all that is rendered."""
        return max(dates(self.rows), default=date.min)

    @cached_property
    def oldest(self) -> date:
        """The day on which the oldest of the results was measured; that a cell could not be is no measurement."""
        return min(dates(self.rows), default=date.min)

    def supported(self, row: Row) -> bool:
        """Tell whether Django supports the pair of *row* today."""
        return supported(row.cell, self.day)


def read_view(reports: Reports, libraries: tuple[Path, ...] = ()) -> View:
    """Return the view of the results in *reports*; what cannot be read is named, not left out silently.

    *libraries* are folders of further libraries, with their prose.
    """
    found = records.in_folder(reports.results)
    damaged = list(found.damaged.values())
    rows = []
    for name, result in found.results.items():
        row = Row(Cell.parse(name), result)
        damaged += _fill(row, reports)
        rows.append(row)
    known = []
    for library in _by_library(rows, libraries):
        try:
            library.prose  # noqa: B018 -- one without cannot be shown
        except HarnessError as error:
            damaged.append(DamagedResult(f"{len(library.rows)} results of {library.name}: {error}", error.hint))
        else:
            known.append(library)
    newest = max(dates(rows), default=date.min)
    known.sort(key=lambda library: not library.current(newest))
    return View(known, damaged, frozenset(found.damaged))


def _fill(row: Row, reports: Reports) -> Iterator[DamagedResult]:
    """Have *row* know all else that is recorded of its cell; yield what of that cannot be read."""
    parts: list[tuple[list[Any], Callable[[], list[Any]]]] = [
        (row.history, partial(history.read, reports.history(row.name))),
        (row.loads, partial(loads.read, reports.loads(row.name))),
    ]
    for part, read in parts:
        try:
            part.extend(read())
        except DamagedResult as error:
            yield error
    for path in deep.files(reports, row.name):
        try:
            row.deep.append(deep.read(path))
        except DamagedResult as error:
            yield error


def _by_library(rows: Sequence[Row], folders: tuple[Path, ...]) -> list[LibraryView]:
    libraries: dict[str, LibraryView] = {}
    for row in sorted(rows, key=lambda row: row.cell.order):
        libraries.setdefault(row.result.library, LibraryView(row.result.library, folders=folders)).rows.append(row)
    return [libraries[name] for name in sorted(libraries)]
