"""``bisect``: which release turned an answer."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from harness.causes.bisect import AsExpected, NotTurned
from harness.causes.case import open_case
from harness.causes.ends import End, read_end
from harness.causes.search import NoSearch
from harness.commands import options
from harness.commands.terminal import Trial
from harness.errors import Interrupted
from harness.results.folder import Reports

#: What is said of a cell that works without a catch.
NOTHING = "{} works, and has no catch: there is nothing to explain."


@click.command()
@click.argument("cell")
@options.question
@click.option(
    "--good",
    metavar="END",
    help="A day, a result, or a file of name==version with which the answer is good; looked for unless given.",
)
@click.option("--bad", metavar="END", help="The same, with which it is not; today unless given.")
@click.option("--changed", is_flag=True, help="Find what changed the words of the answer, though it is as expected.")
@click.option("--anew", is_flag=True, help="Forget what an earlier search of the same question has tried.")
@options.python
@options.reports
@options.libraries
def bisect(
    cell: str,
    question: str | None,
    good: str | None,
    bad: str | None,
    changed: bool,
    anew: bool,
    python: Path | None,
    reports: Reports,
    folders: tuple[Path, ...],
) -> int:
    """Find the release that turned an answer of CELL: its verdict, or one of the questions that it was asked.

    It goes back until the answer was another one, finds the neighbouring days between which it turned, then the
    packages that differ, then their releases. What it has tried is kept: broken off, it goes on from there.
    """
    today = End("today's versions", day=date.today())
    ends = (read_end(good, cell, folders) if good else None, read_end(bad, cell, folders) if bad else today)
    case = open_case(cell, question, reports, python, folders, click.echo)
    if case is None:
        click.echo(NOTHING.format(cell))
        return 0
    click.echo(f"{cell}: {case.only.question or 'Does it work?'}")
    bisection = case.bisection(click.echo, Trial, anew, changed)
    try:
        cause = bisection.find(*ends)
    except Interrupted as error:
        raise Interrupted(
            error.signal_number, "what was tried is kept, and the same command goes on from there"
        ) from error
    except NotTurned as always:
        case.keep([always.cause], [])
        click.echo(f"{always.cause.text}.")
        return 1
    except AsExpected as good_now:
        click.echo(f"No cause is found: {good_now}; --changed finds what changed its words.")
        return 1
    except NoSearch as nothing:
        click.echo(f"No cause is found: {nothing}.")
        return 1
    case.keep([cause], [])
    click.echo(cause.text)
    for name, freeze in (("good", cause.good), ("bad", cause.bad)):
        click.echo(f"  {name}: {' '.join(freeze)}")
    click.echo(f"Result: {options.shown(reports.result(cell))}")
    return 0
