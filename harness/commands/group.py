"""A group of commands, each in a module of its own; and how a command ends."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from importlib import import_module
from typing import NoReturn

import click

from harness import PACKAGE
from harness.errors import HarnessError, Interrupted, UsageError
from harness.system.processes import interruptible

#: Letters of the longest sentence that says what a command does.
_SENTENCE = 200
#: How writing fails where there is no room, or nothing to write to.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


def commands(modules: Mapping[str, str], lacking: str = "") -> type[click.Group]:
    """Return a group that loads a command when it is asked for: most need little of all that a run needs.

    *modules* are the modules of this package by the names of the commands: ``run`` → ``commands.run``. *lacking* says
    what to do where a package is missing for one of them; where it is empty nobody expects that.
    """

    class Commands(click.Group):
        def list_commands(self, ctx: click.Context) -> list[str]:
            """Return all names."""
            return sorted(modules)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            """Return the command of that name, if there is one."""
            if cmd_name not in modules:
                return None
            try:
                module = import_module(f"{PACKAGE}.{modules[cmd_name]}")
            except ImportError as error:
                if not lacking:
                    raise
                return _without(cmd_name, str(error.name), lacking)
            found = (each for each in vars(module).values() if isinstance(each, click.Command))
            return next(each for each in found if each.name == cmd_name)

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            """Write the names with what each does, in a whole sentence: click would cut it to a line."""
            found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
            with formatter.section("Commands"):
                formatter.write_dl(
                    [(name, each.get_short_help_str(_SENTENCE)) for name, each in found if each and not each.hidden]
                )

    return Commands


def _without(name: str, package: str, lacking: str) -> click.Command:
    """Return the command *name*, which cannot do anything, for there is no *package*."""

    def say(**_: object) -> NoReturn:
        raise HarnessError(f"{package} is not installed", lacking)

    settings = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(name, callback=say, help=f"({lacking})", context_settings=settings)


def ended(group: click.Group) -> NoReturn:
    """Run the command of *group* that the command line names, and exit with its code.

    Raises:
        ImportError: a package is missing.
    """
    # Before anything else is caught: a package that is missing is no fault, and answered where this is called.
    try:
        group.get_command(click.Context(group), next(iter(sys.argv[1:]), ""))
    except KeyboardInterrupt:
        click.echo("error: interrupted; nothing had begun", err=True)
        sys.exit(128 + signal.SIGINT)
    try:
        with interruptible():
            code = group.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else str(error))
        code = 2
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        code = 128 + signal.SIGINT
    except (HarnessError, Interrupted) as error:
        click.echo(f"error: {error}", err=True)
        if isinstance(error, HarnessError) and error.hint:
            click.echo(f"       {error.hint}", err=True)
        code = error.exit_code
    except BrokenPipeError:
        # Whoever read the output has gone; there is nobody left to tell.
        _print_no_more()
        code = 128 + signal.SIGPIPE
    except Exception as error:
        number = error.errno if isinstance(error, OSError) else None
        if number == errno.ENAMETOOLONG:
            click.echo("error: a name is longer than a file may have", err=True)
            code = UsageError.exit_code
        elif number in _NO_ROOM:
            # Whoever writes a file says which; what is printed may go to one as well.
            _print_no_more()
            click.echo(f"error: what is printed cannot be written: {os.strerror(number)}", err=True)
            click.echo("       make room on the disk, and run it again", err=True)
            code = HarnessError.exit_code
        else:
            # Whatever nobody foresaw is the harness's fault, and must not pass for a verdict.
            traceback.print_exc()
            click.echo("error: a fault of the harness; nothing was recorded. Please report it.", err=True)
            code = HarnessError.exit_code
    sys.exit(code if isinstance(code, int) else 0)


def _print_no_more() -> None:
    """Have nothing that is still to be printed go where it cannot."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
