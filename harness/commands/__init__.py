"""The command line: one sub-command a module."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from importlib import import_module
from typing import NoReturn

import click

from harness import __version__
from harness.errors import HarnessError
from harness.system.processes import interruptible

#: The module of each sub-command, where it is called something else.
_MODULES = {
    **dict.fromkeys(
        (
            "advise",
            "bisect",
            "causes",
            "compare",
            "doctor",
            "export",
            "mend",
            "merge",
            "report",
            "reproduce",
            "run",
            "schema",
            "show",
            "site",
        )
    ),
    "ci-matrix": "ci_matrix",
    "list": "listing",
    "not-tested": "not_tested",
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


class _Commands(click.Group):
    """Loads a sub-command when it is asked for: most need little of all that a run needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names."""
        return sorted(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, if there is one."""
        return _load(cmd_name)


def _load(name: str) -> click.Command | None:
    if name not in _MODULES:
        return None
    module = import_module(f"harness.commands.{_MODULES[name] or name}")
    return next(each for each in vars(module).values() if isinstance(each, click.Command) and each.name == name)


@click.group(
    cls=_Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
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
    # Before anything is caught: a package that is missing is no fault, and answered where this is called.
    _load(next(iter(sys.argv[1:]), ""))
    try:
        with interruptible():
            code = cli.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else str(error))
        code = 2
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        code = 128 + signal.SIGINT
    except HarnessError as error:
        click.echo(f"error: {error}", err=True)
        if error.hint:
            click.echo(f"       {error.hint}", err=True)
        code = error.exit_code
    except BrokenPipeError:
        # Whoever read the output has gone; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 128 + signal.SIGPIPE
    except Exception:
        # Whatever nobody foresaw is the harness's fault, and must not pass for a verdict.
        traceback.print_exc()
        click.echo("error: a fault of the harness; nothing was recorded. Please report it.", err=True)
        code = HarnessError.exit_code
    sys.exit(code if isinstance(code, int) else 0)
