"""What several sub-commands do with the results: read them all, and name those that cannot be read."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cells import first_command
from harness.errors import HarnessError
from harness.report.view import View, read_view
from harness.results.folder import Reports


def read_some(reports: Reports, places: tuple[Path, ...]) -> View:
    """Return the view of the results in the folder *reports*.

    Raises:
        HarnessError: there is not one.
    """
    view = read_view(reports, places)
    if not view.rows and not view.damaged:
        raise HarnessError(
            f"there are no results in {reports.name}", f"measure something first, such as by `{first_command()}`"
        )
    return view


def name_damaged(view: View) -> int:
    """Say which results could not be read; return the exit code for that."""
    for error in view.damaged:
        click.echo(f"error: left out: {error}", err=True)
        if error.hint:
            click.echo(f"       {error.hint}", err=True)
    return HarnessError.exit_code if view.damaged else 0
