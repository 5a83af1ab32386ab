"""``show``: one result for people."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from harness.cells import Cell
from harness.commands import options
from harness.commands.progress import step_line, verdict_style
from harness.commands.run import EXIT
from harness.errors import UsageError
from harness.result import Finding, Judgement, Result, load


@click.command()
@click.argument("cell")
@options.reports
def show(cell: str, reports: Path) -> int:
    """Show what is recorded of CELL; the exit code is that of its verdict."""
    path = options.result_path(reports, Cell.parse(cell).name)
    if not path.exists():
        raise UsageError(f"there is no result of {cell}", f"run `tox -e {cell}`")
    result = load(path)
    console = Console(highlight=False, soft_wrap=True)
    _verdicts(console, result)
    _steps(console, result)
    _exchanges(console, result)
    _findings(console, "Isolation", result.isolation, result)
    _variants(console, result)
    for probe in [*result.sets, *result.probes]:
        _findings(console, probe.name.capitalize(), probe.findings, result)
    evidence = reports / "evidence" / cell
    if evidence.is_dir():
        console.print(Text(f"\nEvidence: {options.shown(evidence)}"))
    return EXIT[result.verdicts.overall.verdict]


def _verdicts(console: Console, result: Result) -> None:
    console.print(Text(f"{result.cell}: {result.library} with {result.server}" + _profile(result), style="bold"))
    if result.versions is not None:
        versions = result.versions
        said = [f"Python {versions.python}", f"Django {versions.django}", versions.broker]
        console.print(Text(", ".join(each for each in said if each) + f"; {result.varying.started}"))
    django = result.verdicts.django_server
    for question, judgement in (
        *([("Django server?", django)] if django else []),
        ("Web server works?", result.verdicts.web_server),
        ("Channels work?", result.verdicts.channels),
        ("Does it work?", result.verdicts.overall),
    ):
        console.print(_judgement(question, judgement))


def _profile(result: Result) -> str:
    return ", with the best known pins" if result.profile == "pins" else ""


def _variants(console: Console, result: Result) -> None:
    if not result.variants:
        return
    console.print(Text("\nOther ways to carry the same chat", style="bold"))
    for variant in result.variants:
        line = Text("  ").append(variant.judgement.verdict.sign[:1], style=verdict_style(variant.judgement.verdict))
        console.print(line.append(f" {variant.name}: {variant.judgement.text}"))


def _judgement(question: str, judgement: Judgement) -> Text:
    line = Text(f"  {question:<18}")
    line.append(judgement.label, style=verdict_style(judgement.verdict))
    return line.append(f": {judgement.text}" if judgement.text else "")


def _steps(console: Console, result: Result) -> None:
    console.print(Text("\nSteps", style="bold"))
    for step in result.steps:
        console.print(step_line(step, result.varying.seconds.get(step.name)))
        if step.excerpt and step.outcome != "ok":
            for line in step.excerpt.splitlines():
                console.print(Text(f"      {line}", style="dim"))


def _exchanges(console: Console, result: Result) -> None:
    if not result.exchanges:
        return
    console.print(Text("\nExchanges", style="bold"))
    for exchange in result.exchanges:
        times = result.varying.latency_ms.get(str(exchange.number), {})
        line = Text("  ").append("✓" if exchange.good else "✗", style="green" if exchange.good else "red")
        line.append(f" {exchange.number:>2} {exchange.channel:<9} {exchange.sender:<5} to {exchange.audience:<9}")
        line.append(f"{max(times.values()):7.1f} ms" if times else " " * 10, style="dim")
        line.append(" came late" if exchange.number in result.varying.late else "")
        console.print(line)
        for fault in exchange.faults:
            detail = f": {fault.text}" if fault.text else ""
            console.print(Text(f"       {fault.kind} on {fault.member}'s {fault.connection} connection{detail}"))


def _findings(console: Console, title: str, findings: list[Finding], result: Result) -> None:
    if not findings:
        return
    console.print(Text(f"\n{title}", style="bold"))
    signs = {True: ("✓", "green"), False: ("✗", "red"), None: ("─", "dim")}
    for finding in findings:
        sign, style = signs[finding.good]
        counted = result.varying.counted.get(finding.question, "")
        line = Text("  ").append(sign, style=style).append(f" {finding.question} {finding.seen}")
        console.print(line.append(f" ({counted})" if counted else "", style="dim"))
