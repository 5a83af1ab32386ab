"""Libraries side by side, line by line: what works, what it costs, and what each question was answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from harness.report import headline, loads, tables
from harness.report.advice import Advisor
from harness.report.view import LibraryView, View
from harness.results import figures
from harness.results.deep import TITLES
from harness.results.result import Finding

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


@dataclass
class Line:
    """One line: a figure or a question, and what each library has there by its name."""

    name: str
    of: dict[str, Told] = field(default_factory=dict)
    #: What addresses call it; empty where it has none.
    id: str = ""


@dataclass(frozen=True)
class Section:
    """Lines that belong together, and what the first column is called."""

    id: str
    title: str
    what: str
    lines: list[Line]


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
    return [
        Section("verdicts", "Where it works", "What", list(_lines(view, verdicts))),
        Section("costs", "What it costs, and under load", "Median", list(_lines(view, costs))),
        *questions(view),
    ]


def security(everything: list[Section]) -> list[Section]:
    """Return those of *everything* that say who can listen in."""
    return [each for each in everything if each.id in _SECURITY]


def questions(view: View) -> list[Section]:
    """Return each set with its questions, but for those of other ways of a library."""
    found: dict[str, dict[str, dict[str, list[Finding]]]] = {}
    for library in view.libraries:
        for name, finding in _asked(library):
            of_set = found.setdefault(name, {})
            of_set.setdefault(finding.question, {}).setdefault(library.name, []).append(finding)
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
            # What is in parentheses is another way of the library.
            yield from ((name, finding) for finding in findings if not finding.question.endswith(")"))


def _line(name: str, question: str, of: dict[str, list[Finding]]) -> Line:
    told = {library: _told(findings) for library, findings in of.items()}
    return Line(question, told, f"{name}-{next(iter(of.values()))[0].id}")


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
