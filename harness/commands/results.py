"""What several sub-commands do with the results: read them all, and name those that cannot be read."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import click

from harness.cells import first_command
from harness.errors import DamagedResult, HarnessError
from harness.libraries import _others
from harness.report.view import View, read_view
from harness.results.folder import Reports


def read_some(reports: Reports, libraries: tuple[Path, ...]) -> View:
    """Return the view of the results in the folder *reports*; *libraries* are folders of further ones, or scenarios.

    Raises:
        HarnessError: there is not one.
        UsageError: a further library cannot be imported.
    """
    view = read_view(reports, _with_prose(libraries))
    if not view.rows and not view.damaged:
        raise HarnessError(
            f"there are no results in {reports.name}", f"measure something first, such as by `{first_command()}`"
        )
    return view


def _with_prose(libraries: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return where the prose of further libraries lies; where there are none, none of ours is imported for that."""
    if not _others.are_there(libraries):
        return ()
    # A module of a library brings all that speaks to its server, which takes as long as to read all results.
    from harness.libraries import registry

    return registry.module_folders(registry.discover(libraries))


def name_damaged(damaged: Collection[DamagedResult]) -> int:
    """Say what is *damaged* and could not be read, and what to do about it; return the exit code for that."""
    for error in damaged:
        click.echo(f"error: left out: {error}", err=True)
        if error.hint:
            click.echo(f"       {error.hint}", err=True)
    return HarnessError.exit_code if damaged else 0
