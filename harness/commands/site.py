"""``site``: build the static site."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands import options
from harness.commands.results import name_damaged, read_some
from harness.libraries import registry
from harness.matrix.reproduction import script_of
from harness.results.folder import Reports
from harness.site.build import build, missing


@click.command()
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="The folder; reports/html.")
@options.reports
@options.libraries
def site(output: Path | None, reports: Reports, folders: tuple[Path, ...]) -> int:
    """Build the site from the results at hand; it needs no server and no network to be read."""
    known = registry.discover(folders)
    view = read_some(reports, registry.module_folders(known))
    target = output or reports.site
    number = build(view, reports, lambda row: script_of(row.result, known), target)
    click.echo(f"{number} pages from {len(view.rows)} results.")
    if absent := missing(view, reports):
        click.echo(f"The evidence of {len(absent)} cells is not on this machine; their pages say so.")
    click.echo(f"Site: {options.shown(target / 'index.html')}")
    return name_damaged(view)
