"""``ci-matrix``: the matrix as an engine for continuous integration wants it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harness.causes.news import News
from harness.causes.releases import Releases
from harness.cell.variables import environment
from harness.cells import Cell
from harness.commands import options
from harness.errors import UsageError
from harness.libraries import registry
from harness.matrix import ci, listing
from harness.results import records
from harness.results.folder import Reports
from harness.verdict import Verdict


@click.command(name="ci-matrix")
@click.option("--format", "form", type=click.Choice(["github", "gitlab", "json"]), default="json", show_default=True)
@options.labels
@click.option("--released", is_flag=True, help="Only those for which something was released since they were recorded.")
@click.option("--part", metavar="N/M", default="1/1", help="Only this part of them, such as 1/2.")
@options.reports
@options.libraries
def ci_matrix(
    form: str, labels: tuple[str, ...], released: bool, part: str, reports: Reports, folders: tuple[Path, ...]
) -> int:
    """Print the cells of the matrix for an engine that runs one job for each; tox itself is asked for them.

    github: the matrix of a job, on one line. gitlab: a child pipeline. json: all there is to know of each cell. Cells
    whose Python is to be had nowhere are left out of the first two, and named.
    """
    number, slash, parts = part.partition("/")
    if not (slash and number.isdecimal() and parts.isdecimal()):
        raise UsageError(f"{part!r} is no part", "write --part 1/2")
    cells = listing.cells(labels)
    if form != "json":
        nowhere = [cell.name for cell in cells if cell.python in ci.NOWHERE]
        cells = [cell for cell in cells if cell.python not in ci.NOWHERE]
        if nowhere:
            click.echo(f"No job, for their Pythons are to be had nowhere: {', '.join(nowhere)}", err=True)
    if released:
        cells = _with_news(cells, reports)
        # What is over is as new the next time.
        cells = cells[: ci.GITHUB_LIMIT] if form == "github" else cells
    chosen = ci.part(cells, int(number), int(parts))
    found = ci.jobs(chosen, registry.discover(folders))
    if form == "github":
        click.echo(json.dumps(ci.github(found)))
    else:
        click.echo(json.dumps(ci.gitlab(found) if form == "gitlab" else found, indent=2))
    return 0


def _with_news(cells: list[Cell], reports: Reports) -> list[Cell]:
    """Return those of *cells* of which nothing is known, or for which something was released since; say what."""
    recorded = records.in_folder(reports.results).results
    wanted = {cell.name: recorded[cell.name] for cell in cells if cell.name in recorded}
    new = News(Releases("", environment(installer=True))).since(wanted)
    for name, what in new.items():
        click.echo(f"{name}: {', '.join(what)}", err=True)
    known = {name for name, each in recorded.items() if each.verdicts.overall.verdict is not Verdict.NOT_TESTED}
    return [cell for cell in cells if cell.name in new or cell.name not in known]
