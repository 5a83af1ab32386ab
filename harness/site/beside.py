"""Libraries and their ways side by side, line by line: what works, what it costs, and what was answered."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from harness.report import headline, loads, tables
from harness.report.advice import Advisor
from harness.report.row import Row
from harness.report.view import LibraryView, Rows, View
from harness.results import figures, losses
from harness.results.catches import TROUBLES, Severity, trouble_of
from harness.results.deep import TITLES
from harness.results.losses import Losses
from harness.results.questions import apart, deciders, identifier
from harness.results.result import Finding
from harness.verdict import Verdict

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
#: So many different answers to a question are shown, and so much of each.
_DIFFERENT = 3
_SHOWN = 90


@dataclass(frozen=True)
class Told:
    """What a column has in a line; *good* is None where neither is better."""

    text: str
    good: bool | None = None
    #: Whose default or code decides it; empty where that is not said.
    decided: str = ""
    #: Whether anybody could be asked.
    asked: bool = True


@dataclass(frozen=True)
class Column:
    """What can stand beside others: a library as it comes, or another of its ways to carry the chat."""

    #: What addresses call it.
    id: str
    title: str
    #: Whether it is another way.
    way: bool
    #: How the library is made, in a sentence: what it is for several processes as well.
    says: str = ""


@dataclass
class Line:
    """One line: a figure or a question, and what each column has there by its id."""

    name: str
    of: dict[str, Told] = field(default_factory=dict)
    #: What addresses call it, and the short name of its question; that is empty where it is none.
    id: str = ""
    question: str = ""


@dataclass(frozen=True)
class Section:
    """Lines that belong together, and what the first column is called."""

    id: str
    title: str
    what: str
    lines: list[Line]


def columns(view: View, shown: Iterable[Section]) -> list[Column]:
    """Return what stands in the sections that are *shown*: the libraries, current ones first, and then their ways."""
    there = {column for section in shown for line in section.lines for column in line.of}
    usual = [
        Column(library.name, library.title, way=False, says=library.short("architecture")) for library in view.libraries
    ]
    others = [
        Column(short, f"{library.title}: {way}", way=True, says=library.short("architecture"))
        for library in view.libraries
        for way, short in _ways(library).items()
    ]
    return usual + [each for each in others if each.id in there]


def _ways(library: LibraryView) -> dict[str, str]:
    """Return the other ways of *library*, each with what addresses call it and nothing else."""
    found: dict[str, str] = {}
    for way in sorted(library.variants()):
        short = f"{library.name}~{_slug(way)}"
        found[way] = short if short not in found.values() else f"{short}-{len(found)}"
    return found


def sections(view: View, advisor: Advisor) -> list[Section]:
    """Return everything that can be compared."""
    costs: dict[str, Callable[[LibraryView], str]] = {
        "Packages it adds": lambda library: tables.known(library.median("packages"), "{:.0f}"),
        "Size": lambda library: tables.known(library.median("bytes"), "{:.1f} MB", 1e6),
        **{title: _varying(name) for name, (title, _) in figures.NAMES.items()},
        "Sockets held at most": _held,
    }
    asked = questions(view)
    return [
        Section("verdicts", "Where it works", "What", list(_where(view, advisor, asked))),
        Section("costs", "What it costs, and under load", "Median", list(_lines(view, "costs", costs))),
        *asked,
    ]


def _where(view: View, advisor: Advisor, asked: list[Section]) -> Iterator[Line]:
    """Yield where each library works, and each of its ways, which share what stands in the library's documentation."""
    told = {library.name: headline.told(library, advisor) for library in view.libraries}
    ways = [(library, way, short) for library in view.libraries for way, short in _ways(library).items()]
    for library, way, short in ways:
        told[short] = told[library.name] | _of_way(library, way, short, advisor, asked)
    for name in headline.HEADER:
        shown = {column: Told(values[name]) for column, values in told.items()}
        yield Line(name[0].upper() + name[1:], shown, _address("verdicts", name))
    for line in _lines(view, "verdicts", {title: _short(name) for name, title in _SHORT.items()}):
        line.of.update({short: line.of[library.name] for library, _, short in ways})
        yield line


def _of_way(library: LibraryView, way: str, short: str, advisor: Advisor, asked: list[Section]) -> dict[str, str]:
    """Return what another way of *library*, which addresses call *short*, has of its own under the first header."""
    tried = library.tried(way)
    there = Rows(way, [row for row, judgement in tried if judgement.verdict is Verdict.WORKS])
    lines = [line for section in asked for line in section.lines if short in line.of and line.of[short].asked]
    put = {trouble_of(line.question) for line in lines}
    bad = {trouble_of(line.question) for line in lines if line.of[short].good is False}
    known = {note.trouble for note in advisor.notes(library)}
    grave = [each for each in TROUBLES if each.severity is not Severity.MILD]
    found = "; ".join(each.says for each in grave if each in bad) or "nothing known"
    unknown = "; ".join(each.says for each in grave if each in known - put)
    return {
        "Works on Python": there.range_of("python"),
        "with Django": there.range_of("django"),
        "Servers": ", ".join(dict.fromkeys(row.result.server for row in there.rows)) or "none",
        "Cells that work": f"{len(there.rows)} of {len(tried)} in which this way was tried",
        "Beware": found + (f". Not asked of this way alone: {unknown}" if unknown else "")
        if there.rows
        else "works nowhere",
    }


def security(everything: list[Section]) -> list[Section]:
    """Return those of *everything* that say who can listen in."""
    return [each for each in everything if each.id in _SECURITY]


def questions(view: View) -> list[Section]:
    """Return each set with its questions; what was asked of a way alone is left out.

    A question is known by its short name: it may name how many clients a server could be asked with.
    """
    found: dict[str, dict[str, dict[str, list[Finding]]]] = {}
    of_ways: list[tuple[str, str, str, Finding]] = []
    for library in view.libraries:
        ways = _ways(library)
        for name, finding in _asked(library):
            question, way = apart(finding.question)
            if not way:
                of_set = found.setdefault(name, {})
                of_set.setdefault(identifier(question), {}).setdefault(library.name, []).append(finding)
            elif way in ways:
                of_ways.append((name, identifier(question), ways[way], finding))
    for name, short, column, finding in of_ways:
        # A way may be asked in a set of its own what the library as it comes is asked in another.
        asked_in = next((each for each in dict.fromkeys([name, *found]) if short in found.get(each, {})), None)
        if asked_in is not None:
            found[asked_in][short].setdefault(column, []).append(finding)
    lost = _lost(view)
    return [
        Section(name, title, "Question", list(_of_set(name, found[name], lost)))
        for name, title in {**tables.SETS, **TITLES}.items()
        if name in found
    ]


def _of_set(
    name: str, asked: dict[str, dict[str, list[Finding]]], lost: dict[tuple[str, str], dict[str, list[Losses]]]
) -> Iterator[Line]:
    """Yield a line for each question of a set, and below one about what is lost silently what is lost in sight."""
    for short, of in asked.items():
        line = _line(name, of)
        yield line
        if seen := lost.get((name, short)):
            title = line.name.replace("lost silently", "lost with an error or a close")
            told = {column: Told(losses.told(found)) for column, found in seen.items()}
            yield Line(title, told, f"{line.id}-in-sight")


def _lost(view: View) -> dict[tuple[str, str], dict[str, list[Losses]]]:
    """Return what the libraries as they come, and their ways, lost in sight, by set and question, and by column."""
    found: dict[tuple[str, str], dict[str, list[Losses]]] = {}
    for library in view.libraries:
        ways = {"": library.name, **_ways(library)}
        for row in _usual(library):
            for each in row.deep:
                for question, counted in each.counted.items():
                    asked, way = apart(question)
                    if way in ways and (lost := losses.of(counted)):
                        of_question = found.setdefault((each.name, identifier(asked)), {})
                        of_question.setdefault(ways[way], []).append(lost)
    return found


def _asked(library: LibraryView) -> Iterator[tuple[str, Finding]]:
    """Yield the name of each set, with each answer of a cell; of the deep sets all, and not the worst alone.

    What the best known pins change is not how the library comes, and what a cell answers in which it does not work says
    nothing of how it does.
    """
    for row in _usual(library):
        asked = [(each.name, each.findings) for each in row.result.asked if each.name not in TITLES]
        for name, findings in [*asked, *((each.name, each.findings) for each in row.deep)]:
            yield from ((name, finding) for finding in findings)


def _usual(library: LibraryView) -> list[Row]:
    """Return the cells of *library* as it comes in which it works; all of them where it works in none."""
    usual = [row for row in library.rows if row.result.profile == "today"]
    return [row for row in usual if row.verdict is Verdict.WORKS] or usual


def _line(name: str, of: dict[str, list[Finding]]) -> Line:
    told = {library: _told(findings) for library, findings in of.items()}
    asked = Counter(apart(each.question)[0] for findings in of.values() for each in findings)
    question, short = asked.most_common(1)[0][0], next(iter(of.values()))[0].id
    return Line(question, told, _address(name, short or question), short)


def _told(findings: Sequence[Finding]) -> Told:
    bad = [each for each in findings if each.good is False]
    good = [each for each in findings if each.good]
    asked = [each for each in findings if each.asked]
    decided = " and ".join(deciders(each.decided_by for each in findings))
    if bad:
        seen, number = Counter(each.summary for each in bad).most_common(1)[0]
        more = f"; wrong in another way in {len(bad) - number}" if number < len(bad) else ""
        return Told(f"{_cut(seen)} ({number} of {len(good) + len(bad)} cells{more})", False, decided)
    return Told(_each_answer(good or asked or findings, len(asked)), True if good else None, decided, bool(asked))


def _each_answer(findings: Sequence[Finding], asked: int) -> str:
    """Return the different answers, the most frequent first, and of how many cells that were *asked* each is."""
    seen = Counter(each.summary for each in findings).most_common()
    if len(seen) == 1:
        return _cut(seen[0][0]) + (f" ({len(findings)} of {asked} cells)" if len(findings) < asked else "")
    shown = [f"{_cut(text)} ({number})" for text, number in seen[:_DIFFERENT]]
    if more := sum(number for _, number in seen[_DIFFERENT:]):
        shown.append(f"something else ({more})")
    return "; ".join(shown) + f" of {asked or len(findings)} cells"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …"


def _lines(view: View, section: str, figures: dict[str, Callable[[LibraryView], str]]) -> Iterable[Line]:
    for name, figure in figures.items():
        shown = {library.name: Told(figure(library) or "─") for library in view.libraries}
        yield Line(name, shown, _address(section, name))


def _address(section: str, name: str) -> str:
    """Return what addresses call the line *name* of a section."""
    return f"{section}-{_slug(name)}"


def _slug(text: str) -> str:
    return "-".join(re.findall("[a-z0-9]+", text.lower()))


def _varying(name: str) -> Callable[[LibraryView], str]:
    return lambda library: tables.varies(library, name)


def _short(name: str) -> Callable[[LibraryView], str]:
    return lambda library: library.short(name)


def _held(library: LibraryView) -> str:
    """Return the most sockets that a deployment of *library* held, and which one that was."""
    runs = [run for row in library.rows for run in row.under_load if run.held]
    if not runs:
        return "not measured"
    best = max(runs, key=lambda run: run.held.sockets if run.held else 0)
    return f"{loads.holding(best)} ({best.server}, {best.deployment})"
