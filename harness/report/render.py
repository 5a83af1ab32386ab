"""Render the reports: ``index.rst``, one for each library, one for each cell, and README's table."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import jinja2

from harness.errors import HarnessError
from harness.interpreters import VERSIONS
from harness.report import rst
from harness.report.rst import Rst
from harness.report.view import LibraryView, Row, View, excerpt_of_code
from harness.result import Finding, Verdict, as_expected, write_atomically

_BEGIN, _END = ".. begin: headline table", ".. end: headline table"
_SIGN = {Verdict.WORKS: "✓", Verdict.DOES_NOT_WORK: "✗", Verdict.NOT_TESTED: "─"}


def render(view: View) -> dict[str, str]:
    """Return every report by its path below the reports folder, all of them checked by docutils.

    Raises:
        HarnessError: docutils finds something wrong with one.
    """
    environment = _environment()
    pages = {"index.rst": environment.get_template("index.rst.j2").render(view=view)}
    for library in view.libraries:
        template = environment.get_template("library.rst.j2")
        pages[f"{library.name}.rst"] = template.render(library=library, prose=library.prose)
        for row in library.rows:
            if row.verdict is Verdict.NOT_TESTED:
                continue
            template = environment.get_template("cell.rst.j2")
            pages[f"{library.name}/{row.name}.rst"] = template.render(row=row, library=library)
    tidy = {path: re.sub(r"\n{3,}", "\n\n", text).strip() + "\n" for path, text in pages.items()}
    for path, text in tidy.items():
        wrong = rst.problems(text, path)
        if wrong:
            raise HarnessError(f"docutils does not accept {path}: {wrong.strip().splitlines()[0]}")
    return tidy


def headline(view: View) -> str:
    """Return README's table: for each library its Djangos by Pythons, a sign each."""
    parts = []
    for library in view.libraries:
        pythons = [version for version in VERSIONS if any(row.cell.python == version for row in library.rows)]
        djangos = sorted({row.cell.django_version for row in library.rows})
        signs = {(row.cell.django_version, row.cell.python): _SIGN[row.verdict] for row in library.rows}
        rows = [
            [".".join(map(str, django)), *(signs.get((django, python), "") for python in pythons)] for django in djangos
        ]
        table = rst.table(["Django", *pythons], [[Rst(cell) for cell in row] for row in rows])
        report = rst.link(library.name, f"reports/{library.name}.rst")
        parts.append(f"{report}, Django by Python:\n\n{table}")
    return "\n\n".join(parts)


def with_headline(readme: str, view: View) -> str:
    """Return the text of *readme* with the table between its markers brought up to date.

    Raises:
        HarnessError: the markers are missing.
    """
    before, begin, rest = readme.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise HarnessError("README.rst has lost the markers of its headline table", f"put back {_BEGIN!r} and {_END!r}")
    return f"{before}{begin}\n\n{headline(view)}\n\n{end}{after}"


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(  # noqa: S701 -- this is no HTML; finalize escapes every value
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        finalize=rst.escape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        literal=rst.literal,
        rst=Rst,
        mb=lambda count: f"{count / 1e6:.1f} MB",
        sec=lambda seconds: f"{seconds:.1f} s",
        ms=lambda milliseconds: f"{milliseconds:.1f} ms",
        indent=lambda text, width: Rst("\n".join(" " * width + line if line else "" for line in text.splitlines())),
    )
    helpers: dict[str, Any] = {
        "title": rst.title,
        "link": rst.link,
        "table": rst.table,
        "summary_table": _summary_table,
        "library_table": _library_table,
        "exchange_table": _exchange_table,
        "fault_list": _fault_list,
        "findings_table": _findings_table,
        "steps_table": _steps_table,
        "findings_line": as_expected,
        "common_findings_table": _common_findings_table,
        "code": excerpt_of_code,
        "Verdict": Verdict,
    }
    environment.globals.update(helpers)
    return environment


def _summary_table(library: LibraryView) -> Rst:
    header = ["Python", "Django", "More details", "Web server works?", "Channels work?", "Does it work?"]
    rows = [
        [
            row.cell.python,
            row.cell.django,
            Rst(f"`{row.name}`_"),
            row.result.verdicts.web_server.verdict.sign,
            row.result.verdicts.channels.verdict.sign,
            row.result.verdicts.overall.label,
        ]
        for row in library.rows
    ]
    return rst.table(header, [[Rst(cell) for cell in row] for row in rows])


def _library_table(view: View) -> Rst:
    header = ["What was measured", *(library.name for library in view.libraries)]

    def line(question: str, answer: Any) -> list[object]:
        return [Rst(question), *(answer(library) for library in view.libraries)]

    def known(value: float | None, shown: str, scale: float = 1.0) -> str:
        return shown.format(value / scale) if value is not None else "not known"

    rows = [
        line("Report", lambda library: rst.link("read", f"{library.name}.rst")),
        line("Newest Python that works", lambda library: Rst(library.newest("python"))),
        line("Newest Django that works", lambda library: Rst(library.newest("django"))),
        *(
            line(f"Cells: {verdict.sign}", lambda library, verdict=verdict: Rst(len(library.of(verdict))))
            for verdict in Verdict
        ),
        line("Packages it adds (median)", lambda library: Rst(known(library.median("packages"), "{:.0f}"))),
        line("Size it adds (median)", lambda library: Rst(known(library.median("bytes"), "{:.1f} MB", 1e6))),
        line("Time to install (median)", lambda library: Rst(known(library.median("seconds"), "{:.1f} s"))),
        line("Latency of a message (median)", lambda library: Rst(known(library.latency(), "{:.1f} ms"))),
        line("Newest release", lambda library: library.prose["release"]),
        line("Driven by events?", lambda library: library.prose["short"]["events"]),
    ]
    return rst.list_table(header, rows, " ".join(["30", *("40" for _ in view.libraries)]))


def _exchange_table(row: Row) -> Rst:
    rows = []
    for exchange in row.result.exchanges:
        times = row.result.varying.latency_ms.get(str(exchange.number), {})
        latency = f"{max(times.values()):.1f} ms" if times else "─"
        good = "✓ Yes" if exchange.good else "✗ No"
        if exchange.number in row.result.varying.late:
            good += " (late)"
        recipients = ", ".join(exchange.recipients)
        cells = [exchange.channel, exchange.sender, exchange.audience, recipients, exchange.transport, latency, good]
        rows.append(cells)
    header = ["Channel", "From", "To", "Recipients", "Sent by", "Latency", "Good behavior?"]
    return rst.table(header, rows)


def _fault_list(row: Row) -> Rst:
    lines = []
    for exchange in row.result.exchanges:
        for fault in exchange.faults:
            what = f"{exchange.channel} from {exchange.sender} to {exchange.audience}"
            detail = f" ({fault.text})" if fault.text else ""
            where = f"{fault.kind} on {fault.member}'s {fault.connection} connection{detail}"
            lines.append(f"* {rst.escape(f'Exchange {exchange.number}, {what}, is {where}.')}")
    return Rst("\n".join(lines))


def _findings_table(findings: list[Finding], counted: dict[str, str]) -> Rst:
    sign = {True: "✓ Yes", False: "✗ No", None: "─"}
    rows = [
        [
            each.question,
            each.expected,
            f"{each.seen} ({counted[each.question]})" if each.question in counted else each.seen,
            Rst(sign[each.good]),
        ]
        for each in findings
    ]
    return rst.list_table(["Question", "Expected", "Seen", "Good?"], rows, "35 25 30 10")


def _common_findings_table(library: LibraryView, name: str) -> Rst:
    """Return what all cells of a library say to the questions of one set."""
    rows: list[list[object]] = []
    for question, answers in library.findings(name).items():
        bad = [each for each in answers if each.good is False]
        good = sum(each.good is True for each in answers)
        seen = Counter(each.seen for each in bad or answers)
        shown = "; ".join(f"{text} (in {count})" if len(seen) > 1 else text for text, count in seen.most_common())
        sign = "✗ No" if bad and not good else "✓ Yes" if good and not bad else "─" if not bad else "✗ Not always"
        rows.append([question, answers[0].expected, shown, Rst(f"{sign} ({good} of {len(answers)})")])
    return rst.list_table(["Question", "Expected", "Seen", "As expected? (cells)"], rows, "35 25 25 15")


def _steps_table(row: Row) -> Rst:
    rows = []
    for step in row.result.steps:
        seconds = row.result.varying.seconds.get(step.name)
        status = "" if step.exit_status is None else str(step.exit_status)
        said = step.cause or step.text
        rows.append([step.name, step.outcome, status, f"{seconds:.2f} s" if seconds is not None else "", said])
    return rst.list_table(["Step", "Outcome", "Exit status", "Time", "What it said"], rows, "15 10 10 10 55")


def write(pages: dict[str, str], folder: Path) -> list[str]:
    """Write *pages* below *folder*, and remove reports of cells that have none any more.

    Returns:
        The paths that changed.

    Raises:
        HarnessError: the folder cannot be written to.
    """
    changed = []
    for path, text in pages.items():
        target = folder / path
        if not target.exists() or target.read_bytes() != text.encode():
            write_atomically(target, text.encode())
            changed.append(path)
    for path in stale(pages, folder):
        (folder / path).unlink()
        changed.append(path)
    return changed


def stale(pages: dict[str, str], folder: Path) -> list[str]:
    """Return the reports in *folder* that are no longer rendered."""
    present = [*folder.glob("*.rst"), *folder.glob("*/*.rst")]
    paths = {str(path.relative_to(folder)) for path in present if path.parent.name not in ("results", "evidence")}
    return sorted(path for path in paths if path not in pages)
