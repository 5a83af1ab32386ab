"""Run a cell, or a candidate in it, and say what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import click

from harness.commands import options
from harness.commands.terminal import Progress, catch_lines, verdict_line
from harness.errors import HarnessError, Interrupted
from harness.results import deep, records
from harness.results.compare import compare
from harness.results.folder import Reports
from harness.results.repeats import together
from harness.results.result import Result
from harness.run import cell as running
from harness.run import record
from harness.run.candidates import Asked, prepare
from harness.run.record import Conclusion
from harness.run.request import Request
from harness.verdict import Verdict


def run_candidate(request: Request, asked: Asked, times: int, hold: Callable[[Request], int] | None = None) -> int:
    """Run a candidate, whose environment is beside that of its cell; keep it apart, and say how it differs.

    *hold* is what is done in the place of that, if anything. Return the exit code.
    """
    released, cell = request.reports, request.cell.name
    prepared = prepare(request.cell, request.setup, request.python, asked)
    request = replace(
        request,
        setup=prepared.setup,
        python=prepared.python,
        candidate=prepared.candidate,
        options=prepared.options,
        reports=released.of_profile(prepared.candidate.profile),
    )
    with record.locked(request.reports, cell):
        if hold is not None:
            return hold(request)
        # What was answered before was answered by something else of the same name, perhaps.
        deep.forget_unfinished(request.reports, cell)
        result, ended = run_times(request, times)
        say(result)
        # Of what was tried before under the same name nothing stands, but where it could not be tried now.
        untested = result.verdicts.overall.verdict is Verdict.NOT_TESTED
        before = record.recorded(request.reports, cell) if untested else None
        code = show(record.conclude(request.reports, result, before, expected=False), cell, request.reports)
    show_beside(result, record.recorded(released, cell), records.of_library(result, released))
    return ended or code


def run_times(request: Request, times: int) -> tuple[Result, int]:
    """Run the cell so many times, and return what all runs say together; each of several installs the library.

    Returns:
        The result, and the exit code of what ended it before all were made; 0 where nothing did.
    """
    results: list[Result] = []
    ended = 0
    request = replace(request, anew=times > 1)
    for number in range(1, times + 1):
        try:
            with Progress(request.cell.name) as progress:
                results.append(running.run(request, progress))
        except (HarnessError, Interrupted) as error:
            if not results:
                raise
            why = "interrupted" if isinstance(error, Interrupted) else error
            click.echo(f"{number} of {times}: {why}; what was seen until then is recorded", err=True)
            ended = error.exit_code
            break
        if times > 1:
            click.echo(f"{number} of {times}: {verdict_line(results[-1])}")
    return (together(results) if len(results) > 1 else results[0]), ended


def say(result: Result) -> None:
    """Say the verdict, and what a user of the cell meets although it works."""
    for line in (verdict_line(result), *catch_lines(result)):
        click.echo(line)


def show_beside(candidate: Result, released: Result | None, others: Iterable[Result]) -> None:
    """Say how a candidate differs from what is recorded of its cell, and what *others* of its library do by chance."""
    if released is None:
        click.echo(f"Nothing is recorded of {candidate.cell} to compare it with.")
        return
    cells = ({candidate.cell: released}, {candidate.cell: candidate})
    (cell,) = compare(*cells, ("released", "candidate"), [], others).cells
    click.echo(f"Beside what is recorded of {released.varying.started[:10]}: {cell.change}")
    for line in (cell.headline, *cell.details):
        click.echo(f"  {line}")
    for name, (old, new) in sorted(cell.moved.items()):
        click.echo(f"  {name}: {old or 'not installed'} → {new or 'not installed'}")


def show(conclusion: Conclusion, cell: str, reports: Reports) -> int:
    if conclusion.changes:
        click.echo(f"{cell} does not do what is recorded:")
        for change in conclusion.changes:
            click.echo(f"  {change}")
        unexpected = options.shown(reports.unexpected(cell))
        click.echo(f"The new result is in {unexpected}; without --expect it is recorded.")
    if conclusion.saved:
        click.echo(f"Result: {options.shown(reports.result(cell))}")
    if conclusion.said:
        click.echo(conclusion.said)
    return conclusion.exit_code
