"""The commands of ``dtws``."""

from __future__ import annotations

from typing import NoReturn

import click

from harness import __version__
from harness.commands.group import commands, ended
from harness.dtws import places

#: Those of its own, and those of the matrix, which work in the folder of the project.
_OWN = ("check", "ci", "new", "run", "schema")
_SHARED = ("bisect", "causes", "compare", "export", "mend", "report", "show", "site")
_MODULES = {**{name: f"dtws.{name}" for name in _OWN}, **{name: f"commands.{name}" for name in _SHARED}}
_EPILOG = """\b
Exit codes:
  0   the chat works, or did what was expected
  1   it does not work, or is worse than what is recorded
  2   usage: no such file, option or value, or a scenario that makes no sense
  3   a fault of dtws or of the machine; nothing is known
  4   not tested
  130 interrupted with Ctrl-C (128 + the signal's number)
"""


@click.group(
    cls=commands(_MODULES, "install all that it needs: pip install 'dtws[run]'"),
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="dtws")
def dtws() -> None:
    """Does your chat deliver to everybody it has to, and to nobody else? Run it and see."""


def main() -> NoReturn:
    """Run the command line, and exit with a code of the table in ``--help``."""
    places.begin()
    ended(dtws)
