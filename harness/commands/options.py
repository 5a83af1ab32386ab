"""Options that several sub-commands have, and where results lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from harness import ROOT

_Command = TypeVar("_Command", bound=Callable[..., Any])


def reports(command: _Command) -> _Command:
    """Add ``--reports``: the folder of the results, the evidence and the rendered reports."""
    return click.option(
        "--reports",
        type=click.Path(file_okay=False, path_type=Path),
        default=ROOT / "reports",
        show_default="reports",
        envvar="HARNESS_REPORTS",
        help="Folder of results, evidence and reports.",
    )(command)


def libraries(command: _Command) -> _Command:
    """Add ``--libraries``: further folders of library modules."""
    return click.option(
        "--libraries",
        "folders",
        type=click.Path(file_okay=False, path_type=Path),
        multiple=True,
        envvar="HARNESS_LIBRARIES",
        help="A folder of further library modules; may be given again.",
    )(command)


def labels(command: _Command) -> _Command:
    """Add ``-m``: labels of tox, to choose cells by."""
    return click.option(
        "-m", "--label", "labels", multiple=True, help="The cells with this label, or all; may be given again."
    )(command)


def result_path(folder: Path, cell: str) -> Path:
    """Return where the result of *cell* lies."""
    return folder / "results" / f"{cell}.json"


def shown(path: Path) -> str:
    """Return *path* as a person in the checkout would type it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
