"""``advise``: what to install for a Python and a Django, or what an upgrade asks, from what is recorded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from harness.cells import Cell, numbers
from harness.commands import options
from harness.commands.results import name_damaged, read_some
from harness.commands.terminal import console
from harness.errors import UsageError
from harness.report.advice import Advisor
from harness.report.choices import RULE, Answer, Choice
from harness.report.row import Row
from harness.report.upgrades import Steps, Upgrades, Way
from harness.report.view import View
from harness.results.folder import Reports
from harness.verdict import Verdict

#: The first two numbers of a Python or a Django, as cells have them.
_VERSION = re.compile(r"(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})")


@click.command()
@click.option("--python", metavar="VERSION", help="The Python, such as 3.14.")
@click.option("--django", metavar="VERSION", help="The Django, such as 6.0.")
@click.option("--from", "start", metavar="CELL", help="What somebody has, such as py36-django22: what upgrades ask.")
@options.reports
@options.libraries
def advise(
    python: str | None, django: str | None, start: str | None, reports: Reports, folders: tuple[Path, ...]
) -> int:
    """Say what to install for a Python and a Django, and what to beware of; with --from what an upgrade asks.

    The exit code is 0 where something works on the pair, or a way leads there, and 1 where nothing does.
    """
    for what, version in (("Python", python), ("Django", django)):
        if version is not None and not _VERSION.fullmatch(version):
            raise UsageError(f"{version!r} is no {what}", "name its first two numbers, such as 3.14 or 6.0")
    view = read_some(reports, folders)
    name_damaged(view.damaged)
    if start is not None:
        return _upgrades(view, start, python or "", django or "")
    if python is None or django is None:
        raise UsageError("a Python and a Django are wanted", "for example --python 3.14 --django 6.0, or --from CELL")
    answer = Advisor(view).answer(python, django)
    _show(console(), answer)
    return 0 if answer.ranks else 1


def _show(terminal: Console, answer: Answer) -> None:
    terminal.print(Text(f"Python {answer.python}, Django {answer.django}", style="bold"))
    if answer.unsupported:
        terminal.print(Text(answer.unsupported))
    for rank, choice in answer.choices:
        _choice(terminal, rank, choice)
    if not answer.ranks:
        terminal.print(Text(answer.nothing))
        near = ", ".join(row.name for row in answer.nearest)
        terminal.print(Text(f"  The nearest that works: {near or 'nothing'}"))
        terminal.print(Text(f"  That claim it: {', '.join(answer.claimed) or 'no library'}"))
    for failing in answer.failing:
        line = f"\n✗ {failing.library.title} under {failing.row.served} ({failing.row.name})"
        terminal.print(Text(line + (f": {failing.cause}" if failing.cause else "")))
        if failing.instead:
            terminal.print(Text(f"    works instead: {failing.instead[0]}"))
    for library, row in answer.untried:
        terminal.print(Text(f"\n─ {library.title} was not tested on this pair; the nearest that works: {row.name}"))
    if answer.ranks:
        terminal.print(Text(f"\nRanked by: {'; '.join(RULE)}.", style="dim"))


def _choice(terminal: Console, rank: int, choice: Choice) -> None:
    row = choice.row
    terminal.print(Text(f"\n{rank}. {choice.library.title} under {row.served}  {choice.label}  ({row.name})"))
    terminal.print(Text(f"    {choice.install}"))
    for way in choice.uses:
        terminal.print(Text(f"    and use the {way}"))
    if choice.development:
        terminal.print(Text(f"    {choice.development}"))
    terminal.print(Text(f"    {choice.about}"))
    for each in choice.beware:
        terminal.print(Text(f"    {each.told}"))
    terminal.print(Text(f"    why: {'; '.join(choice.why)}", style="dim"))


def _upgrades(view: View, name: str, python: str, django: str) -> int:
    cell = Cell.parse(name)
    row = next((each for each in view.rows if each.name == cell.name), None)
    if row is None:
        near = sorted(view.rows, key=lambda each: abs(numbers(each.cell.django)[0] - numbers(cell.django)[0]))[:3]
        hint = f"measured are {', '.join(each.name for each in near)} and others" if near else f"run `tox -e {name}`"
        raise UsageError(f"nothing is recorded of {name}", hint)
    terminal, advisor = console(), Advisor(view)
    upgrades = Upgrades(Steps(view, advisor), row)
    ways = [upgrades.to(python, django)] if python or django else list(upgrades.onwards())
    terminal.print(
        Text(f"From {row.name} ({row.result.library} under {row.served}, {advisor.label(row)})", style="bold")
    )
    _ways(terminal, ways, advisor)
    if not ways:
        terminal.print("  Nothing newer was measured.")
    newest = ways[0] if python or django else upgrades.newest()
    if newest.moves:
        terminal.print(Text(f"\nTo Python {newest.python} and Django {newest.django}, each step measured:"))
        for number, move in enumerate(newest.moves, 1):
            terminal.print(Text(f"  {number:>2}. {move.change}: {move.after.name}, {_labelled(move.after, advisor)}"))
    return 0 if any(way.moves is not None for way in ways) or not ways else 1


def _ways(terminal: Console, ways: Iterable[Way], advisor: Advisor) -> None:
    for way in ways:
        last = f" ({way.ends_in.name}, {_labelled(way.ends_in, advisor)})" if way.ends_in else ""
        terminal.print(Text(f"  Python {way.python}, Django {way.django}: asks {way.asks}{last}"))


def _labelled(row: Row, advisor: Advisor) -> str:
    """Return the label of a cell, with what is severe and stays; of one that does not work that alone."""
    severe = advisor.choice(row).severe if row.verdict is Verdict.WORKS else ""
    return advisor.label(row) + (f": {severe}" if severe else "")
