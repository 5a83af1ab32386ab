"""Options that several sub-commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from harness.results.folder import Reports


class _ReportsFolder(click.ParamType[Reports]):
    """A reports folder on the command line; the command gets what knows where everything lies in it."""

    name = "directory"
    _path = click.Path(file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Reports:
        return value if isinstance(value, Reports) else Reports(Path(str(self._path.convert(value, param, ctx))))


_Command = TypeVar("_Command", bound=Callable[..., Any])


def reports(command: _Command) -> _Command:
    """Add ``--reports``: the folder of the results, the evidence and the rendered reports."""
    return click.option(
        "--reports",
        type=_ReportsFolder(),
        default=Reports.of_checkout(),
        show_default="reports",
        envvar="HARNESS_REPORTS",
        help="Folder of results, evidence and reports.",
    )(command)


def libraries(command: _Command) -> _Command:
    """Add ``--libraries``: further folders of library modules, and scenarios."""
    return click.option(
        "--libraries",
        "folders",
        type=click.Path(path_type=Path),
        multiple=True,
        envvar="HARNESS_LIBRARIES",
        help="A folder of further library modules, or a scenario; may be given again.",
    )(command)


def question(command: _Command) -> _Command:
    """Add ``--question``: the short name of the question that is to be explained."""
    return click.option(
        "--question",
        metavar="NAME",
        help="The short name of a question, or `verdict`; the worst of the cell unless given.",
    )(command)


def python(command: _Command) -> _Command:
    """Add ``--python``: the interpreter of a cell's environment."""
    return click.option(
        "--python",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="The interpreter of the cell's environment; that of tox unless given, which makes it where it is missing.",
    )(command)


def labels(command: _Command) -> _Command:
    """Add ``-m``: labels of tox, to choose cells by."""
    return click.option(
        "-m", "--label", "labels", multiple=True, help="The cells with this label, or all; may be given again."
    )(command)


def shown(path: Path) -> str:
    """Return *path* as a person in the checkout would type it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
