"""``site``: build the static site."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands import options
from harness.commands.results import name_damaged, read_some
from harness.report.row import Row
from harness.results.folder import Reports
from harness.site.build import build, missing

if TYPE_CHECKING:
    from harness.libraries.base import Library


@click.command()
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="The folder; reports/html.")
@options.reports
@options.libraries
def site(output: Path | None, reports: Reports, folders: tuple[Path, ...]) -> int:
    """Build the site from the results at hand; it needs no server and no network to be read."""
    view = read_some(reports, folders)
    target = output or reports.site
    number = build(view, reports, partial(_script, folders), target)
    click.echo(f"{number} pages from {len(view.rows)} results.")
    if absent := missing(view, reports):
        click.echo(f"The evidence of {len(absent)} cells is not on this machine; their pages say so.")
    click.echo(f"Site: {options.shown(target / 'index.html')}")
    return name_damaged(view.damaged)


def _script(folders: tuple[Path, ...], row: Row) -> list[str]:
    from harness.matrix.reproduction import script_of

    return script_of(row.result, _libraries(folders))


@cache
def _libraries(folders: tuple[Path, ...]) -> dict[str, Library]:
    # Where the pages of cells are made, and not before: to import all libraries takes as long as to read all results.
    from harness.libraries import registry

    return registry.discover(folders)
