"""``run``: measure one cell."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from harness.cells import Cell
from harness.chat.rounds import SEEDS
from harness.commands import measuring, options
from harness.commands.terminal import Progress
from harness.errors import CellFailure, UsageError
from harness.libraries import registry
from harness.probes import registry as probes
from harness.results.document import read_result
from harness.results.folder import Reports
from harness.results.loads import LADDER
from harness.results.result import Judgement
from harness.run import cell as running
from harness.run import record
from harness.run.candidates import Asked
from harness.run.request import Request


@click.command()
@click.argument("cell")
@click.option(
    "--python",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The interpreter of the cell's environment; tox names it.",
)
@click.option(
    "--probe",
    "asked",
    multiple=True,
    metavar="NAME",
    envvar="HARNESS_PROBE",
    help=f"A further question: {', '.join(probes.PROBES)}, or all (except load and stress).",
)
@click.option(
    "--freeze",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="RESULT",
    help="Install the versions of this result of the cell, and go in its order; nothing is recorded.",
)
@click.option(
    "--sockets",
    type=click.IntRange(min=LADDER[0]),
    default=LADDER[-1],
    show_default=True,
    metavar="NUMBER",
    help="The most sockets that --probe load opens.",
)
@click.option(
    "--runs",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    metavar="NUMBER",
    help="How often --probe load holds the two crowds that matter for 20 s, each time on a server of its own.",
)
@click.option(
    "--deployment",
    metavar="NAME",
    help='Try --probe load or --probe stress with this deployment of the server alone, such as "2 workers".',
)
@click.option(
    "--seed",
    type=click.IntRange(0, SEEDS - 1),
    metavar="NUMBER",
    help="Seed of the second round's order, as recorded in a result; random unless given.",
)
@click.option(
    "--hold",
    is_flag=True,
    help="Keep the server running with its broker and members until Ctrl-C; nothing is asked or recorded.",
)
@click.option(
    "--with",
    "requirements",
    multiple=True,
    metavar="REQUIREMENT",
    help="Measure this instead: a folder, a file, NAME==VERSION or NAME @ ADDRESS; may be given again.",
)
@click.option(
    "--django", metavar="VERSION", default="", help="Measure this Django: a version, main, or a folder or file."
)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Install what would have been resolved on that day, but for Django.",
)
@click.option(
    "--repeat",
    type=click.IntRange(2, 100),
    metavar="NUMBER",
    help="Run it so many times, and record how often each verdict and each answer came.",
)
@click.option(
    "--any", "any_cell", is_flag=True, help="The cell need not be in the matrix; it is recorded apart from it."
)
@click.option("--redis-url", metavar="URL", help="Use this Redis instead of starting one for the cell.")
@click.option(
    "--expect",
    type=click.Choice(["recorded"]),
    envvar="HARNESS_EXPECT",
    help="Exit 0 if the verdict is the recorded one, 1 if it is another, better or worse.",
)
@options.reports
@options.libraries
def run(
    cell: str,
    python: Path,
    asked: tuple[str, ...],
    freeze: Path | None,
    sockets: int,
    runs: int,
    deployment: str | None,
    seed: int | None,
    hold: bool,
    requirements: tuple[str, ...],
    django: str,
    as_of: datetime | None,
    any_cell: bool,
    repeat: int | None,
    redis_url: str | None,
    expect: str | None,
    reports: Reports,
    folders: tuple[Path, ...],
) -> int:
    """Measure CELL in the environment of --python, and record its result."""
    parsed = Cell.parse(cell)
    setup = registry.setup_for(parsed, registry.discover(folders))
    past = read_result(freeze, any_name=True) if freeze else None
    asked_for = Asked(requirements, django, as_of.date() if as_of else None, any_cell)
    if asked_for and (freeze or expect):
        raise UsageError("a candidate is neither what was, nor what is recorded", "leave out --freeze and --expect")
    chosen = probes.chosen(asked)
    if repeat and (once := [name for name in chosen if not probes.PROBES[name].usual]):
        raise UsageError(f"{once[0]} asks twice by itself where it has to", "leave out --repeat, or --probe")
    request = Request(
        cell=parsed,
        setup=setup,
        # A path through the environment's own bin folder, not the interpreter it links to.
        python=python.absolute(),
        reports=Reports(reports.folder.absolute()),
        probes=chosen,
        redis_url=redis_url,
        frozen=record.frozen(past, cell) if past else None,
        sockets=sockets,
        runs=runs,
        deployment=deployment,
        seed=past.varying.seed if seed is None and past else seed,
    )
    known = [each.name for each in setup.library.deployments(parsed, setup.server)]
    if deployment is not None and deployment not in known:
        raise UsageError(f"{cell} has no deployment called {deployment!r}", f"known: {', '.join(known)}")
    with record.locked(reports, cell):
        if asked_for:
            return measuring.run_candidate(request, asked_for, repeat or 1, _hold if hold else None)
        if hold:
            return _hold(request)
        before = record.recorded(reports, cell)
        if expect and before is None:
            raise UsageError(f"--expect recorded: there is no recorded result of {cell}", f"run `tox -e {cell}` first")
        result, ended = measuring.run_times(request, repeat or 1)
        measuring.say(result)
        if past is not None:
            return _show_since(record.since(past, result))
        conclusion = record.conclude(reports, result, before, expected=bool(expect), deployment=deployment)
        code = measuring.show(conclusion, cell, reports)
        return ended or code


def _hold(request: Request) -> int:
    """Hold the cell up; return the exit code."""
    try:
        with Progress(request.cell.name) as progress:
            running.hold(request, progress, click.echo)
    except CellFailure as failure:
        click.echo(f"{request.cell.name}  {Judgement.of(failure.reason, failure.text).label}: {failure}")
        return failure.reason.verdict.exit_code
    return 0


def _show_since(changes: list[str]) -> int:
    """Show what came of the versions of the past; it is no news of today, so nothing is recorded."""
    for change in changes or ["The same as then."]:
        click.echo(f"  {change}")
    return 1 if changes else 0
