"""``mend``: what makes a cell work, or takes a catch away; proved by a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import click

from harness.causes.bisect import AsExpected, NotTurned
from harness.causes.case import Case, open_case
from harness.causes.ends import End
from harness.causes.mend import Mending, known_cause
from harness.causes.search import NoSearch
from harness.cells import again
from harness.commands import options
from harness.commands.terminal import Trial
from harness.errors import Interrupted
from harness.report import causes
from harness.results import records
from harness.results.explained import Cause, Cure
from harness.results.folder import Reports

#: What is said of a run that is ended before it has found anything.
_KEPT = "nothing was recorded yet; what a search for the cause has tried is kept"
#: What a cure is, as it is shown.
_KINDS = {"pin": "install", "setting": "use", "server": "serve it with", "cell": "works as"}


@click.command()
@click.argument("cell")
@options.question
@click.option(
    "--pin", "pins", multiple=True, metavar="REQUIREMENT", help="Try this pin alone; given again, these together."
)
@options.python
@options.reports
@options.libraries
def mend(
    cell: str,
    question: str | None,
    pins: tuple[str, ...],
    python: Path | None,
    reports: Reports,
    folders: tuple[Path, ...],
) -> int:
    """Find what mends CELL: its verdict, or the answer to a question; each cure is run, and recorded beside the cell.

    At first the smallest pin that keeps the guilty release away; then another layer, consumer or server of the library;
    then the nearest cells that work. Of a cell with the best known pins it says which of these are still needed.
    """
    case = open_case(cell, question, reports, python, folders, click.echo, mending=True)
    if case is not None and case.can_try and case.request.setup.pinned and question is None and not pins:
        return _needed(Mending(case, click.echo, Trial))
    if case is None:
        click.echo(f"{cell} works, and has no catch: there is nothing to mend.")
        return 0
    click.echo(f"{cell}: {case.only.question or 'Does it work?'}")
    if case.answer.good:
        click.echo(f"There is nothing to mend: {case.answer.seen}.")
        return 0
    mending, found = Mending(case, click.echo, Trial), list[Cure]()
    try:
        for cure in _cures(case, mending, pins):
            found.append(cure)
    except AsExpected as mended:
        click.echo(f"There is nothing to mend any more: {mended}.")
        click.echo(f"`{again(cell)}` records it.")
        return 0
    except Interrupted as error:
        kept = "what was tried to its end is recorded" if found or mending.attempts else _KEPT
        raise Interrupted(error.signal_number, kept) from error
    finally:
        # Whatever ends it, what was tried by then is known.
        if found or mending.attempts:
            case.keep([], found, mending.attempts, besides=bool(pins))
    if not found:
        for each in mending.attempts:
            click.echo(f"no cure: {causes.cure(each)}")
        click.echo("No cure is found.")
        return 1
    for cure in found:
        click.echo(f"{_KINDS[cure.kind]} {cure.change}: {cure.text}")
        for change in cure.changes:
            click.echo(f"  {change}")
    click.echo(f"Result: {options.shown(reports.result(cell))}")
    return 0


def _cures(case: Case, mending: Mending, pins: Sequence[str]) -> Iterator[Cure]:
    """Yield what mends *case*: *pins*, if there are any; else what keeps the guilty release away, or what is no pin.

    Raises:
        AsExpected: today's versions mend it.
    """
    if case.can_try:
        cause = known_cause(case)
        if (pins or (cause and cause.turned) or mending.shown.race) and (today := mending.today()).good:
            raise AsExpected(f"with today's versions the answer is as expected: {today.seen}")
        found = list(filter(None, [mending.pinned(pins)])) if pins else _by_pins(case, mending, cause)
        yield from found
        if found or pins:
            return
    else:
        click.echo(f"Nothing is resolved for Python {case.request.cell.python} any more: what is recorded is all.")
    others = list(records.of_library(case.recorded, case.request.reports))
    found = mending.shown.cures(others)
    yield from found
    if not found and case.can_try:
        for cure in mending.other_servers(others):
            found.append(cure)
            yield cure
    if not found:
        yield from mending.shown.neighbours(others)


def _by_pins(case: Case, mending: Mending, cause: Cause | None) -> list[Cure]:
    """Return the cure by a pin, whose *cause* is looked for if it is None."""
    if cause is None:
        try:
            cause = case.bisection(click.echo, Trial).find(None, End("today's versions", day=date.today()))
        except NotTurned as always:
            cause = always.cause
        except NoSearch as nothing:
            # Of a race that today's versions have lost it only says how rare that is.
            if isinstance(nothing, AsExpected) and not mending.shown.race:
                raise
            click.echo(f"No cause is found: {nothing}.")
            return []
        case.keep([cause], [])
        click.echo(cause.text)
    return mending.pins(cause.turned)


def _needed(mending: Mending) -> int:
    """Say of each of the best known pins whether it is still needed; return the exit code."""
    code = 0
    for pin, worse in mending.needless():
        click.echo(f"{pin.requirement}: {'still needed' if worse else 'no longer needed'} ({pin.reason})")
        for each in worse:
            click.echo(f"  {each}")
        code = code or int(not worse)
    return code
