"""Libraries and their ways side by side, line by line: what works, what it costs, and what was answered."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from harness.report import headline, loads, tables
from harness.report.advice import Advisor
from harness.report.view import LibraryView, View
from harness.results import figures
from harness.results.catches import TROUBLES, Severity, trouble_of
from harness.results.deep import TITLES
from harness.results.questions import apart
from harness.results.result import Finding, Judgement
from harness.verdict import Verdict

#: The sets that are asked of every cell, or of those that a probe is asked of: their names → their titles.
SETS = {
    "isolation": "Isolation: do messages reach the wrong people?",
    "payloads": "Payloads: which texts get through?",
    "delivery": "Delivery: too early, all at once, after a pause",
    "browser": "Browser: what people see",
    "stopping": "Stopping: does the server end when it is told to?",
}
#: The sets that say who can listen in.
_SECURITY = ("isolation", "sessions")
#: What prose says of each library in a sentence or two.
_SHORT = {
    "integration": "Integration into a project",
    "architecture": "Architecture",
    "events": "Driven by events?",
    "documentation": "Documentation",
    "tests": "Unit tests",
}
#: How much of an answer is shown.
_SHOWN = 90


@dataclass(frozen=True)
class Told:
    """What a library has in a line; *good* is None where neither is better."""

    text: str
    good: bool | None = None
    #: Whose default or code decides it; empty where that is not said.
    decided: str = ""


@dataclass(frozen=True)
class Column:
    """What can stand beside others: a library as it comes, or with another of its ways to carry the chat."""

    #: What addresses call it, and that of the library as it comes.
    id: str
    usual: str
    title: str

    @property
    def way(self) -> bool:
        """Whether it is another way than that of the library as it comes."""
        return self.id != self.usual


@dataclass
class Line:
    """One line: a figure or a question, and what each column has there by its id."""

    name: str
    of: dict[str, Told] = field(default_factory=dict)
    #: What addresses call it, and the short name of its question; both are empty where it has none.
    id: str = ""
    question: str = ""


@dataclass(frozen=True)
class Section:
    """Lines that belong together, and what the first column is called."""

    id: str
    title: str
    what: str
    lines: list[Line]

    def among(self, columns: Iterable[Column]) -> list[Column]:
        """Return those of *columns* that stand in it; where a way does not, all is as with the library as it comes."""
        there = {column for line in self.lines for column in line.of}
        return [each for each in columns if not each.way or each.id in there]


def columns(view: View, shown: Iterable[Section]) -> list[Column]:
    """Return what stands in the sections that are *shown*: the libraries, current ones first, and then their ways."""
    usual = [Column(library.name, library.name, library.title) for library in view.current_first]
    others = [
        Column(_way_id(library, way), library.name, f"{library.title}: {way}")
        for library in view.current_first
        for way in sorted(library.variants())
    ]
    there = {each for section in shown for each in section.among(others)}
    return usual + [each for each in others if each in there]


def _way_id(library: LibraryView, way: str) -> str:
    return "-".join([library.name, *re.findall("[a-z0-9]+", way.lower())])


def sections(view: View, advisor: Advisor) -> list[Section]:
    """Return everything that can be compared."""
    verdicts: dict[str, Callable[[LibraryView], str]] = {
        "Works on Python": lambda library: library.groups[0].range_of("python"),
        "With Django": lambda library: library.groups[0].range_of("django"),
        "Servers under which it works": lambda library: ", ".join(each.name for each in library.groups if each.works),
        "Cells that work": lambda library: headline.worked([library], advisor),
        "Beware": lambda library: headline.beware(advisor.notes(library)),
        "Newest release": lambda library: str(library.prose["release"]),
        **{title: _short(name) for name, title in _SHORT.items()},
    }
    costs: dict[str, Callable[[LibraryView], str]] = {
        "Packages it adds": lambda library: tables.known(library.median("packages"), "{:.0f}"),
        "Size": lambda library: tables.known(library.median("bytes"), "{:.1f} MB", 1e6),
        **{title: _varying(name) for name, (title, _) in figures.NAMES.items()},
        "Sockets held": _held,
    }
    asked = questions(view)
    where = list(_lines(view, verdicts))
    for library in view.libraries:
        for way, judgements in library.variants().items():
            _tell_way(where, library, _way_id(library, way), judgements, asked)
    return [
        Section("verdicts", "Where it works", "What", where),
        Section("costs", "What it costs, and under load", "Median", list(_lines(view, costs))),
        *asked,
    ]


def _tell_way(
    where: list[Line], library: LibraryView, way: str, judgements: Sequence[Judgement], asked: list[Section]
) -> None:
    """Add to the lines of *where* what another way of *library* has there; most of it is decided by the library."""
    works = sum(each.verdict is Verdict.WORKS for each in judgements)
    bad = {
        line.question for section in asked for line in section.lines if way in line.of and line.of[way].good is False
    }
    troubles = [
        each.says
        for each in TROUBLES
        if each.severity is not Severity.MILD and any(trouble_of(question) is each for question in bad)
    ]
    own = {
        "Cells that work": f"{works} of {len(judgements)} in which this way was tried",
        "Beware": "; ".join(troubles) or "nothing known, of what this way was asked",
    }
    for line in where:
        line.of[way] = Told(own[line.name]) if line.name in own else line.of[library.name]


def security(everything: list[Section]) -> list[Section]:
    """Return those of *everything* that say who can listen in."""
    return [each for each in everything if each.id in _SECURITY]


def questions(view: View) -> list[Section]:
    """Return each set with its questions; what was asked of a way alone is left out."""
    found: dict[str, dict[str, dict[str, list[Finding]]]] = {}
    of_ways: list[tuple[str, str, str, Finding]] = []
    for library in view.libraries:
        ways = library.variants()
        for name, finding in _asked(library):
            question, way = apart(finding.question)
            if not way:
                of_set = found.setdefault(name, {})
                of_set.setdefault(question, {}).setdefault(library.name, []).append(finding)
            elif way in ways:
                of_ways.append((name, question, _way_id(library, way), finding))
    for name, question, column, finding in of_ways:
        if question in found.get(name, {}):
            found[name][question].setdefault(column, []).append(finding)
    return [
        Section(name, title, "Question", [_line(name, question, of) for question, of in found[name].items()])
        for name, title in {**SETS, **TITLES}.items()
        if name in found
    ]


def _asked(library: LibraryView) -> Iterator[tuple[str, Finding]]:
    """Yield the name of each set, with each answer of a cell; of the deep sets all, and not the worst alone."""
    for row in library.rows:
        asked = [(each.name, each.findings) for each in row.result.asked if each.name not in TITLES]
        for name, findings in [*asked, *((each.name, each.findings) for each in row.deep)]:
            yield from ((name, finding) for finding in findings)


def _line(name: str, question: str, of: dict[str, list[Finding]]) -> Line:
    told = {library: _told(findings) for library, findings in of.items()}
    short = next(iter(of.values()))[0].id
    return Line(question, told, f"{name}-{short}", short)


def whose(decided_by: str) -> str:
    """Say whose default or code decides an answer."""
    return "this project" if decided_by == "project" else f"the {decided_by}"


def _told(findings: Sequence[Finding]) -> Told:
    bad = [each for each in findings if each.good is False]
    good = sum(each.good is True for each in findings)
    seen, _ = Counter(each.summary for each in bad or findings).most_common(1)[0]
    counted = f" ({len(bad)} of {good + len(bad)} cells)" if bad else ""
    decided = " and ".join(whose(each) for each in sorted({each.decided_by for each in findings} - {""}))
    return Told(_cut(seen) + counted, False if bad else True if good else None, decided)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …"


def _lines(view: View, figures: dict[str, Callable[[LibraryView], str]]) -> Iterable[Line]:
    for name, figure in figures.items():
        yield Line(name, {library.name: Told(figure(library) or "─") for library in view.libraries})


def _varying(name: str) -> Callable[[LibraryView], str]:
    return lambda library: tables.varies(library, name)


def _short(name: str) -> Callable[[LibraryView], str]:
    return lambda library: str(library.prose["short"][name]).replace("``", "")


def _held(library: LibraryView) -> str:
    """Return the most sockets that a deployment of *library* held, and which one that was."""
    runs = [run for row in library.rows for run in row.under_load if run.held]
    if not runs:
        return "not measured"
    best = max(runs, key=lambda run: run.held.sockets if run.held else 0)
    return f"{loads.held(best)} ({best.server}, {best.deployment})"
