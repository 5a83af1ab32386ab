"""The command line: one sub-command a module."""

from __future__ import annotations

from typing import NoReturn

import click

from harness import __version__
from harness.commands.group import commands, ended

#: The module of each sub-command.
_MODULES = {
    **{
        name: f"commands.{name}"
        for name in (
            *("advise", "bisect", "causes", "compare", "doctor", "export", "mend", "merge", "report", "reproduce"),
            *("run", "schema", "show", "site"),
        )
    },
    "ci-matrix": "commands.ci_matrix",
    "list": "commands.listing",
    "not-tested": "commands.not_tested",
}
_EPILOG = """\b
Exit codes:
  0   the cell works, or did what was expected
  1   it does not work, or did not do what was expected
  2   usage: no such cell, option or probe
  3   a fault of the harness or of the machine; nothing was recorded
  4   not tested
  130 interrupted with Ctrl-C (128 + the signal's number)
"""


@click.group(
    cls=commands(_MODULES),
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="harness")
def cli() -> None:
    """Which WebSocket library works on your Python and your Django? Run it and see.

    tox makes the environments and calls this; `tox -e py311-django22` is the usual way in.
    """


def main() -> NoReturn:
    """Run the command line and exit with a code of the table in ``--help``.

    Raises:
        ImportError: a package is missing.
    """
    ended(cli)
