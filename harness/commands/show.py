"""``show``: one result for people."""

from __future__ import annotations

import difflib
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from harness.cells import Cell, again
from harness.commands import options
from harness.commands.terminal import console, signed, step_line, verdict_style
from harness.errors import UsageError
from harness.report import prose
from harness.report.advice import Advisor
from harness.report.view import read_view
from harness.results import catches
from harness.results.document import read_result
from harness.results.folder import Reports
from harness.results.result import Finding, Judgement, Result
from harness.verdict import sign


@click.command()
@click.argument("cell")
@options.reports
@options.libraries
def show(cell: str, reports: Reports, folders: tuple[Path, ...]) -> int:
    """Show what is recorded of CELL; the exit code is that of its verdict."""
    result = read_result(_recorded(cell, reports))
    terminal = console()
    advisor = Advisor(read_view(reports, folders))
    # A library that has no prose is in no report, and has a result all the same.
    row = next((each for each in advisor.view.rows if each.name == result.cell), None)
    label = advisor.label(row) if row else catches.label(result)
    _verdicts(terminal, result, prose.carries(prose.is_own(result.library, folders)), label)
    for beware in advisor.beware_of(row) if row else ():
        terminal.print(Text(f"  {beware.told}"))
    _steps(terminal, result)
    _exchanges(terminal, result)
    _findings(terminal, "Isolation", result.isolation, result)
    _variants(terminal, result)
    for probe in [*result.sets, *result.probes]:
        _findings(terminal, probe.name.capitalize(), probe.findings, result)
    if evidence := reports.recorded_evidence(cell):
        terminal.print(Text(f"\nEvidence: {options.shown(evidence)}"))
    elif (later := reports.unexpected(cell)).exists():
        terminal.print(Text(f"\nA later run is not recorded; its evidence: {options.shown(later.parent)}"))
    return result.verdicts.overall.verdict.exit_code


def _recorded(cell: str, reports: Reports) -> Path:
    """Return the file of what is recorded of *cell*.

    Raises:
        UsageError: nothing is; of what is no cell it names those that are nearly called so.
    """
    there = sorted(each.stem for each in reports.results.glob("*.json"))
    try:
        path = reports.result(Cell.parse(cell).name)
    except UsageError as error:
        near = difflib.get_close_matches(cell, there, n=3, cutoff=0.3)
        raise UsageError(str(error), f"recorded are {', '.join(near)}" if near else error.hint) from error
    if not path.exists():
        near = difflib.get_close_matches(cell, there, n=3, cutoff=0.9)
        recorded = f"; recorded are {', '.join(near)}" if near else ""
        raise UsageError(f"there is no result of {cell}", f"run `{again(cell)}`{recorded}")
    return path


def _verdicts(terminal: Console, result: Result, carries: str, label: str) -> None:
    """Print the verdicts; *carries* is what is asked of the messages, *label* how the last one is shown."""
    terminal.print(Text(f"{result.cell}: {result.library} with {result.server}" + _profile(result), style="bold"))
    if result.versions is not None:
        versions = result.versions
        said = [f"Python {versions.python}", f"Django {versions.django}", versions.broker]
        terminal.print(Text(", ".join(each for each in said if each) + f"; {result.varying.started}"))
    django = result.verdicts.django_server
    for question, judgement in (
        *([("Django server?", django)] if django else []),
        ("Web server works?", result.verdicts.web_server),
        (carries, result.verdicts.channels),
    ):
        terminal.print(_judgement(question, judgement, judgement.label))
    terminal.print(_judgement("Does it work?", result.verdicts.overall, label))


def _profile(result: Result) -> str:
    return ", with the best known pins" if result.profile == "pins" else ""


def _variants(terminal: Console, result: Result) -> None:
    if not result.variants:
        return
    terminal.print(Text("\nOther ways to carry the same chat", style="bold"))
    for variant in result.variants:
        line = Text("  ").append(sign(variant.judgement.verdict.good), style=verdict_style(variant.judgement.verdict))
        terminal.print(line.append(f" {variant.name}: {variant.judgement.text}"))


def _judgement(question: str, judgement: Judgement, label: str) -> Text:
    line = Text(f"  {question:<18}")
    line.append(label, style=verdict_style(judgement.verdict))
    return line.append(f": {judgement.text}" if judgement.text else "")


def _steps(terminal: Console, result: Result) -> None:
    terminal.print(Text("\nSteps", style="bold"))
    for step in result.steps:
        terminal.print(step_line(step, result.varying.step_seconds(step.name)))
        if step.excerpt and step.outcome != "ok":
            for line in step.excerpt.splitlines():
                terminal.print(Text(f"      {line}", style="dim"))


def _exchanges(terminal: Console, result: Result) -> None:
    if not result.exchanges:
        return
    terminal.print(Text("\nExchanges", style="bold"))
    for exchange in result.exchanges:
        times = result.varying.latency_ms.get(str(exchange.number), {})
        line = Text("  ").append(signed(exchange.good))
        line.append(f" {exchange.number:>2} {exchange.channel:<9} {exchange.sender:<5} to {exchange.audience:<9}")
        line.append(f"{max(times.values()):7.1f} ms" if times else " " * 10, style="dim")
        line.append(" came late" if exchange.number in result.varying.late else "")
        terminal.print(line)
        for fault in exchange.faults:
            detail = f": {fault.text}" if fault.text else ""
            terminal.print(Text(f"       {fault.where}{detail}"))


def _findings(terminal: Console, title: str, findings: list[Finding], result: Result) -> None:
    if not findings:
        return
    terminal.print(Text(f"\n{title}", style="bold"))
    for finding in findings:
        counted = result.varying.counted.get(finding.question, "")
        line = Text("  ").append(signed(finding.good)).append(f" {finding.question} {finding.seen}")
        terminal.print(line.append(f" ({counted})" if counted else "", style="dim"))
