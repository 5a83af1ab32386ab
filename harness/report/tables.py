"""The tables of the reports, each made from the view."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Sequence

from harness.report import rst
from harness.report.advice import Advisor
from harness.report.cell_page import CellPage, QuestionSet
from harness.report.row import Row
from harness.report.rst import Rst
from harness.report.view import LibraryView, Rows, View, versions
from harness.results import figures
from harness.results.result import Cost, Finding
from harness.verdict import Verdict, answer, sign

#: The sets that are not deep, by their names: what each is about.
SETS = {
    "isolation": "Isolation: do messages reach the wrong people?",
    "members": "Members alone: who gets in where a project says who may?",
    "rooms": "Rooms: do messages stay in their room?",
    "stopping": "Stopping: does the server end when it is told to?",
    "payloads": "Payloads: which texts get through?",
    "delivery": "Delivery: too early, all at once, after a pause",
    "transports": "Transports: polling, long polling, WebSocket",
    "browser": "Browser: what people see",
    "stress": "Stress: many subscribers at once, as a documentation tries it",
}


def linked_grid(library: LibraryView, group: Rows, advisor: Advisor) -> Rst:
    """Return the grid of *group*, newest Django first, with each sign a link to the page of its cell.

    Behind a sign are the numbers of what there is to beware of in the cell, be it seen in another one.
    """
    shown = group.grid()
    rows = [[Rst(django), *(_linked(row, advisor) for row in cells)] for django, cells in reversed(shown.rows)]
    cells = [row for _, cells in reversed(shown.rows) for row in cells if row is not None]
    return _with_targets(rst.table(["Django", *shown.pythons], rows), library, cells)


def singles(library: LibraryView) -> list[Row]:
    """Return the cells of *library* that are alone in their group."""
    return [group.rows[0] for group in library.groups if len(group.rows) == 1]


def linked_singles(library: LibraryView, advisor: Advisor) -> Rst:
    """Return :func:`singles` in one table, with the same signs."""
    cells = singles(library)
    rows = [[row.served, row.cell.python, row.cell.django, _linked(row, advisor)] for row in cells]
    return _with_targets(rst.table(["Server", "Python", "Django", "Works"], rows), library, cells)


def _linked(row: Row | None, advisor: Advisor) -> Rst:
    """Return the sign of *row*, as a link where it has a page, with the numbers of what there is to beware of."""
    if row is None:
        return Rst("")
    text = f"{sign(row.verdict.good)} {','.join(advisor.numbers(row))}".strip()
    return Rst(f"`{text}`__" if _has_page(row) else text)


def _with_targets(table: Rst, library: LibraryView, rows: Sequence[Row]) -> Rst:
    """Return *table* with the targets of its links, which are in the order of *rows*."""
    targets = [f"__ {library.name}/{row.name}.rst" for row in rows if _has_page(row)]
    return Rst(table + "\n" + "\n".join(targets) + "\n")


def _has_page(row: Row) -> bool:
    return row.verdict is not Verdict.NOT_TESTED


def where_it_works(view: View) -> Rst:
    """Return Django by Python, newest Django first, with the letters of what works there as it is resolved today."""
    everything = Rows("", [row for row in view.rows if row.result.profile == "today"])
    pythons, djangos = versions(everything.rows, "python"), versions(everything.rows, "django")
    there: dict[tuple[str, str], list[Row]] = {}
    for row in everything.rows:
        there.setdefault((row.cell.django, row.cell.python), []).append(row)
    letters = {library.name: library.letter for library in view.libraries}

    def shown(rows: list[Row]) -> str:
        working = {row.result.library for row in rows if row.verdict is Verdict.WORKS}
        tested = any(row.verdict is not Verdict.NOT_TESTED for row in rows)
        found = "".join(letter for name, letter in letters.items() if name in working)
        return found or (sign(False) if tested else sign(None) if rows else "")

    rows = [
        [Rst(django), *(Rst(shown(there.get((django, python), []))) for python in pythons)]
        for django in reversed(djangos)
    ]
    return rst.table(["Django", *pythons], rows)


def costs(view: View) -> Rst:
    """Return what each library adds to an environment, and how fast it is."""
    header = ["Library", "Packages", "Size", "Time to install", "Server ready", "Latency of a message"]
    rows: list[list[object]] = [
        [
            library.title,
            known(library.median("packages"), "{:.0f}"),
            known(library.median("bytes"), "{:.1f} MB", 1e6),
            varies(library, figures.INSTALL),
            varies(library, figures.START),
            varies(library, figures.LATENCY),
        ]
        for library in view.libraries
    ]
    return rst.csv_table(header, rows, "25 15 15 15 15 15")


def varies(rows: Rows, name: str) -> str:
    """Return a figure that varies over *rows*, with its range; a dash where it is not known."""
    found = rows.figure(name)
    return found.told_of_each if found else "─"


def known(value: float | None, shown: str, scale: float = 1.0) -> str:
    return shown.format(value / scale) if value is not None else "─"


#: The sets whose answers are summed up for each library.
_SUMMED = ("isolation", "payloads", "delivery", "browser")


def questions(view: View) -> Rst:
    """Return how many of the further questions each library answers as expected in every cell that works."""
    header = [
        "Library",
        "Isolation",
        "Payloads",
        "Delivery",
        "In browsers",
        "Other ways that work",
        "Driven by events?",
    ]
    rows: list[list[object]] = []
    for library in view.libraries:
        rows.append(
            [
                library.title,
                *(in_every_cell(library.findings(name, library.works or None)) for name in _SUMMED),
                _ways(library),
                # The report of the library says more of it.
                re.split("[,:;]", library.prose["short"]["events"])[0],
            ]
        )
    return rst.csv_table(header, rows, "16 10 10 10 10 30 18")


def _ways(library: LibraryView) -> str:
    """Return how many of the other ways work in every cell, and which do not."""
    found = library.variants()
    bad = {name: judged for name, judged in found.items() if any(each.verdict is not Verdict.WORKS for each in judged)}
    if not found:
        return "none"
    text = f"{len(found) - len(bad)} of {len(found)} in every cell"
    for name, judged in bad.items():
        text += f"; {name}: {sum(each.verdict is Verdict.WORKS for each in judged)} of {len(judged)} cells"
    return text


def in_every_cell(answers: dict[str, list[Finding]]) -> str:
    """Return how many questions are answered as expected in every cell, of those that anywhere can be; else a dash.

    A cell that could not be asked says nothing.
    """
    asked = [[each for each in found if each.asked] for found in answers.values()]
    judged = [found for found in asked if any(each.good is not None for each in found)]
    if not judged:
        return "─"
    good = sum(all(each.good is True for each in found) for found in judged)
    return f"{good} of {len(judged)}"


def papers(view: View) -> Rst:
    """Return what can be read of each library, and what it tests."""
    rows: list[list[object]] = [
        [
            library.title,
            library.prose["short"]["documentation"],
            library.prose["short"]["tests"],
            library.chat_tests or "─",
        ]
        for library in view.libraries
    ]
    return rst.csv_table(
        ["Library", "Documentation", "Unit tests", "Tests of the chat, in each cell"], rows, "22 32 26 20"
    )


def transports(view: View) -> Rst:
    """Return what a message costs by each transport: medians over the cells where that was measured."""
    found: dict[str, list[Cost]] = {}
    for row in view.rows:
        for name, cost in row.result.varying.costs.items():
            found.setdefault(name, []).append(cost)
    header = ["Transport", "Requests for a message", "Bytes for a message", "Latency", "Cells"]
    rows: list[list[object]] = [
        [
            name,
            f"{statistics.median(each.requests for each in costs):.1f}",
            f"{statistics.median(each.bytes for each in costs):.0f}",
            f"{statistics.median(each.latency_ms for each in costs):.1f} ms",
            str(len(costs)),
        ]
        for name, costs in found.items()
    ]
    return rst.csv_table(header, rows, "30 20 20 20 10")


def servers(view: View) -> Rst:
    """Return every library under every server."""
    header = ["Library", "Server", "Cells that work", "with Django", "Ready after", "Stops in", "How it stops"]
    rows: list[list[object]] = []
    for library in view.libraries:
        for group in library.groups:
            if group.tested:
                stops = Counter(_stop(row) for row in group.works)
                rows.append(
                    [
                        library.title,
                        group.name,
                        f"{len(group.works)} of {len(group.tested)}",
                        group.range_of("django"),
                        varies(group, figures.START),
                        varies(group, figures.STOP),
                        "; ".join(f"{how} ({count})" for how, count in sorted(stops.items())) or "─",
                    ]
                )
    return rst.csv_table(header, rows, "20 18 12 14 10 10 16")


def _stop(row: Row) -> str:
    return row.result.varying.stopped.get(row.result.server, "unknown").partition(",")[0]


def profiles(view: View, advisor: Advisor) -> Rst:
    """Return the cells in which the best known pins hold, beside the same with what is resolved today."""
    known = {row.name: row for row in view.rows}
    header = ["Cell", "As resolved today", "With the best known pins", "Pins", "What differs besides"]
    rows: list[list[object]] = []
    for row in view.rows:
        if row.result.profile == "today" or row.verdict is Verdict.NOT_TESTED:
            continue
        today = known.get(row.name.removesuffix("-pins"))
        pins = row.result.installation.pins if row.result.installation else []
        rows.append(
            [
                row.name,
                advisor.label(today) if today else "─",
                advisor.label(row),
                "; ".join(f"{pin.requirement}: {pin.reason}" for pin in pins),
                _differences(today, row) if today else "",
            ]
        )
    return rst.csv_table(header, rows, "22 16 16 26 20")


def _differences(today: Row, pinned: Row) -> str:
    """Say what is better or worse with the pins; what comes by chance in either is neither."""

    def seen(row: Row) -> dict[str, bool | None]:
        asked = [row.result.isolation, *(each.findings for each in [*row.result.sets, *row.result.probes])]
        answers = {each.question: None if each.chance else each.good for findings in asked for each in findings}
        ways = {each.name: each.judgement for each in row.result.variants}
        works = {name: None if each.chance else each.verdict is Verdict.WORKS for name, each in ways.items()}
        return {**answers, **works}

    before, after = seen(today), seen(pinned)
    alone = {probe.name for probe in today.result.probes} ^ {probe.name for probe in pinned.result.probes}
    better = [name for name, good in after.items() if good and before.get(name) is False]
    worse = [name for name, good in after.items() if good is False and before.get(name)]
    parts = [f"{title}: {'; '.join(names)}" for title, names in (("better", better), ("worse", worse)) if names]
    if alone:
        parts.append(f"asked of one of them alone: {', '.join(sorted(alone))}")
    if not today.result.probes and not pinned.result.probes:
        parts.append("no probe was asked of either")
    return ". ".join(parts) or "nothing"


def summary(library: LibraryView, shown: Sequence[Row], advisor: Advisor) -> Rst:
    """Return one line for each cell of a library that is *shown*; those shown in full lead to their sections."""
    apart, server = library.apart, len({row.served for row in shown}) > 1
    header = ["Python", "Django", *(["Server"] if server else []), "More details"]
    header += ["Django server works?", "Websockets server works?"] if apart else ["Web server works?"]
    header += [library.carries, "Does it work?"]
    rows = []
    for row in shown:
        verdicts = row.result.verdicts
        page = f"{library.name}/{row.name}.rst"
        details = f"`{row.name}`_" if row in library.in_full else rst.link(row.name, page)
        django = (
            [verdicts.django_server.verdict.label if verdicts.django_server else Verdict.NOT_TESTED.label]
            if apart
            else []
        )
        rows.append(
            [
                *(row.cell.python, row.cell.django, *([row.served] if server else []), details, *django),
                *(verdicts.web_server.verdict.label, verdicts.channels.verdict.label, advisor.label(row)),
            ]
        )
    return rst.table(header, [[Rst(cell) for cell in row] for row in rows])


def variants(library: LibraryView) -> Rst:
    """Return how the other ways of a library to carry the chat went, over all cells."""
    rows: list[list[object]] = []
    for name, found in library.variants().items():
        good = sum(each.verdict is Verdict.WORKS for each in found)
        causes = Counter(each.text for each in found if each.verdict is not Verdict.WORKS)
        rows.append(
            [name, f"{good} of {len(found)} cells", "; ".join(f"{text} ({n})" for text, n in causes.most_common(2))]
        )
    return rst.csv_table(["Way", "Fifteen of fifteen right", "What was wrong where it was not"], rows, "35 20 45")


def seen(answers: Sequence[Finding]) -> str:
    """Return what cells saw, the most frequent first, with how many of them did where they differ."""
    counted = Counter(each.summary for each in answers)
    return "; ".join(f"{text} (in {count})" if len(counted) > 1 else text for text, count in counted.most_common())


def common_findings(library: LibraryView, name: str) -> Rst:
    """Return what all cells of a library say to the questions of one set."""
    rows: list[list[object]] = []
    for question, answers in library.findings(name).items():
        bad = [each for each in answers if each.good is False]
        good = sum(each.good is True for each in answers)
        always = "✗ Not always" if bad and good else answer(False if bad else True if good else None)
        # Where either answer is fine there is nothing to count.
        asked = sum(each.asked for each in answers)
        counted = f"{always} ({good} of {asked})" if bad or good else always
        rows.append([question, answers[0].expected, seen(bad or answers), Rst(counted)])
    return rst.csv_table(["Question", "Expected", "Seen", "As expected? (cells)"], rows, "35 25 25 15")


def stress(library: LibraryView) -> Rst:
    """Return what came of the stress test in each cell that was put to it."""
    rows: list[list[object]] = []
    for row in library.rows:
        for probe in row.result.probes:
            for finding in probe.findings if probe.name == "stress" else ():
                seen = row.result.varying.counted.get(finding.question, finding.seen)
                rows.append([row.name, finding.question, seen, Rst(answer(finding.good))])
    return rst.csv_table(["Cell", "What was tried", "What came of it", "All received it?"], rows, "20 35 33 12")


def steps(page: CellPage) -> Rst:
    """Return the steps of a cell."""
    rows = [[step.name, step.outcome, step.exit_status, step.time, step.said] for step in page.steps]
    return rst.csv_table(["Step", "Outcome", "Exit status", "Time", "What it said"], rows, "15 10 10 10 55")


def exchanges(page: CellPage) -> Rst:
    """Return the fifteen rows of a cell."""
    rows = [
        [
            *(row.channel, row.sender, row.audience, row.recipients, row.transport, row.latency),
            answer(row.good) + (" (late)" if row.late else ""),
        ]
        for row in page.exchanges
    ]
    header = ["Channel", "From", "To", "Recipients", "Sent by", "Latency", "Good behavior?"]
    return rst.table(header, rows)


def faults(page: CellPage) -> Rst:
    """Return each thing that was wrong in the fifteen, a line each."""
    lines = []
    for row in page.exchanges:
        for fault in row.faults:
            what = f"{row.channel} from {row.sender} to {row.audience}"
            where = fault.where + (f" ({fault.text})" if fault.text else "")
            lines.append(f"* {rst.escape(f'Exchange {row.number}, {what}, is {where}.')}")
    return Rst("\n".join(lines))


def findings(asked: QuestionSet) -> Rst:
    """Return what a cell answered to the questions of one set."""
    rows = [[row.question, row.expected, row.seen, Rst(answer(row.good))] for row in asked.rows]
    return rst.csv_table(["Question", "Expected", "Seen", "Good?"], rows, "35 25 30 10")


def cell_variants(page: CellPage) -> Rst:
    """Return how the other ways to carry the chat went in one cell."""
    rows = [[name, Rst(judgement.label), judgement.text] for name, judgement in page.variants]
    return rst.csv_table(["Way", page.library.carries, "What was seen"], rows, "35 20 45")
