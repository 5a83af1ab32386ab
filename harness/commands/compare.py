"""``compare``: what was added, removed and changed between two runs, what got better, and what got worse."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.text import Text

from harness.commands import options
from harness.commands.results import name_damaged
from harness.commands.terminal import console
from harness.errors import HarnessError
from harness.report import markdown
from harness.results import records
from harness.results.compare import CellChange, Change, Comparison
from harness.results.compare import compare as compare_records
from harness.results.folder import Reports

#: What is shown a cell a line; of the others the number is enough.
_PRESSING = (Change.WORSE, Change.BETTER, Change.CHANGED, Change.ADDED, Change.REMOVED)
_STYLES = {Change.WORSE: "red", Change.BETTER: "green"}
#: How many details of a cell the Markdown shows.
_MOST = 5
#: Letters of the Markdown at most: GitHub takes 65,536 as the text of a pull request.
_LONGEST = 60_000


@click.command()
@click.argument("old", default="HEAD")
@click.argument("new", required=False)
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option("--partial", is_flag=True, help="NEW is a part of the matrix: what it lacks has not been removed.")
@options.reports
def compare(old: str, new: str | None, form: str, partial: bool, reports: Reports) -> int:
    """Compare the results of OLD with those of NEW; exit 1 if anything got worse.

    Each is a folder of reports or results, or a commit. By default the last commit is compared with the reports
    folder.
    """
    before = records.find(old, whole=True, reports=reports)
    after = records.find(new, whole=True, reports=reports) if new else records.in_folder(reports.results, whole=True)
    for name, found in ((old, before), (new or reports.name, after)):
        # A commit can be older than the first result; a folder without any is the wrong one.
        if not found.results and not found.damaged and (found is after or Path(name).is_dir()):
            raise HarnessError(f"there are no results in {name}", "name a reports folder, or a commit")
    if partial:
        before.results = {cell: result for cell, result in before.results.items() if cell in after.results}
    damaged = [*before.damaged.values(), *after.damaged.values()]
    names = (old, new or options.shown(reports.results))
    compared = compare_records(before.results, after.results, names, damaged)
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(compared)).decode())
    elif form == "markdown":
        click.echo(as_markdown(compared), nl=False)
    else:
        _show(compared)
    name_damaged(damaged)
    return 1 if compared.worse else HarnessError.exit_code if damaged else 0


def as_markdown(compared: Comparison) -> str:
    """Return the summary of a comparison, as services show it beside a job: of many cells the first of each section."""
    values = {"pressing": _PRESSING, "counts": _counts(compared), "most": _MOST}
    shown = len(compared.cells)
    while True:
        text = markdown.render("compare.md.j2", comparison=compared, shown=shown, **values)
        if len(text) <= _LONGEST or shown <= 1:
            return text
        shown //= 2


def _show(compared: Comparison) -> None:
    terminal = console()
    for change in _PRESSING:
        for cell in compared.of(change):
            _show_cell(terminal, cell)
    for name, old, new, number in compared.versions:
        click.echo(f"{Change.MOVED}  {name}: {old or 'not installed'} → {new or 'not installed'} in {number} cells")
    click.echo(_counts(compared))


def _show_cell(terminal: Console, cell: CellChange) -> None:
    line = Text(f"{cell.change:<8}", style=_STYLES.get(cell.change, ""))
    terminal.print(line.append(f" {cell.cell}  {cell.headline}", style="default"))
    for detail in cell.details:
        terminal.print(Text(f"           {detail}"))


def _counts(compared: Comparison) -> str:
    counts = ", ".join(f"{number} {change}" for change, number in compared.counted.items())
    return f"{len(compared.cells)} cells" + (f": {counts}." if counts else ".")
