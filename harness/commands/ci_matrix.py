"""``ci-matrix``: the matrix as an engine for continuous integration wants it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harness.commands import options
from harness.errors import UsageError
from harness.libraries import registry
from harness.matrix import ci, listing


@click.command(name="ci-matrix")
@click.option("--format", "form", type=click.Choice(["github", "gitlab", "json"]), default="json", show_default=True)
@options.labels
@click.option("--part", metavar="N/M", default="1/1", help="Only this part of them, such as 1/2.")
@options.libraries
def ci_matrix(form: str, labels: tuple[str, ...], part: str, folders: tuple[Path, ...]) -> int:
    """Print the cells of the matrix for an engine that runs one job for each; tox itself is asked for them.

    github: the matrix of a job, on one line. gitlab: a child pipeline. json: all there is to know of each cell.
    """
    number, slash, parts = part.partition("/")
    if not (slash and number.isdecimal() and parts.isdecimal()):
        raise UsageError(f"{part!r} is no part", "write --part 1/2")
    chosen = ci.part(listing.cells(labels), int(number), int(parts))
    found = ci.jobs(chosen, registry.discover(folders))
    if form == "github":
        click.echo(json.dumps(ci.github(found)))
    else:
        click.echo(json.dumps(ci.gitlab(found) if form == "gitlab" else found, indent=2))
    return 0
