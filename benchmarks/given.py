"""What the figures are measured on: cells, their interpreters, programs and files; a test gives them others."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.size import FULL, Size
from harness import ROOT

#: Where the recorded rows of the load clients lie.
ROWS = ROOT / "benchmarks" / "peers" / "rows.jsonl"


def warm_python(environment: str) -> Path:
    """Return the interpreter of an environment that tox has made, or end with how to have it made."""
    python = ROOT / ".tox" / environment / "bin" / "python"
    if not python.exists():
        sys.exit(f"{environment} is not warm: run `tox -e {environment}` first")
    return python


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the figures are measured on, and how much of it; unless something else is given, the real thing in full."""

    size: Size = FULL
    #: The cell of ``exchanges``, ``overhead`` and ``memory``.
    cell: str = "py27-django18"
    #: The cells of ``libraries``, one of each other library.
    #: Channels 1 keeps order only where it is told to, and takes longer.
    others: tuple[str, ...] = (
        *("py36-django111-channels1", "py38-django30-channels2", "py310-django32-channels3"),
        *("py311-django52-channels4", "py311-django52-pysocketio", "py311-django52-asgi"),
    )
    #: The cells of ``parallel``.
    abreast: tuple[str, ...] = (
        *("py27-django18", "py27-django19", "py36-django20", "py37-django21"),
        *("py39-django22", "py311-django22"),
    )
    #: The fake library of ``memory``, whose server prints 100 MB.
    noisy: str = "floods"
    #: Returns the interpreter of a cell, or of another environment of tox; that of ``tests`` runs the fake libraries.
    python_of: Callable[[str], Path] = warm_python
    #: Folders of library modules beside the harness's own, for cells of such libraries.
    libraries: tuple[Path, ...] = ()
    #: The command that runs tox; its arguments follow.
    tox: tuple[str, ...] = (sys.executable, "-m", "tox")
    #: The file that ``peers`` writes its rows to; None writes them nowhere.
    rows: Path | None = ROWS
