"""What the figures are measured on: cells, their interpreters, programs and files; a test gives them others."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.size import FULL, Size
from harness import ROOT

#: Where the recorded rows of the load clients lie.
ROWS = ROOT / "benchmarks" / "peers" / "rows.jsonl"


def tox_variables(reports: str) -> dict[str, str]:
    """Return the environment for a tox of its own, which records to the folder *reports*."""
    foreign = ("TOX_", "_TOX", "VIRTUAL_ENV")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**env, "HARNESS_REPORTS": reports}


def python_in(environment: str) -> Path:
    """Return where the interpreter of an environment of tox is, made or not."""
    return ROOT / ".tox" / environment / "bin" / "python"


def warm_python(environment: str) -> Path:
    """Return the interpreter of an environment that tox has made, or end with how to have it made."""
    python = python_in(environment)
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

    def environments(self, figure: str) -> list[str]:
        """Return the environments of tox in which *figure* is measured; the others take none."""
        return {
            "exchanges": [self.cell],
            "libraries": [*self.others[: self.size.libraries]],
            "overhead": [self.cell],
            "control": ["tests"],
            "memory": [self.cell, "tests"],
            "parallel": [*self.abreast[: self.size.cells]],
        }.get(figure, [])

    def make_warm(self, figures: Iterable[str]) -> None:
        """Have tox make what *figures* take and what is not there yet, before any of them is measured.

        A figure whose cell cannot be made ends the program when it is its turn.
        """
        wanted = dict.fromkeys(name for each in figures for name in self.environments(each))
        cold = [name for name in wanted if not python_in(name).exists()]
        cells = [name for name in cold if name != "tests"]
        asked = [["-e", "tests", "--notest"]] if "tests" in cold else []
        asked += [["-e", ",".join(cells)]] if cells else []
        with tempfile.TemporaryDirectory() as folder:
            for each in asked:
                subprocess.run([*self.tox, "-q", *each], cwd=ROOT, env=tox_variables(folder), check=False)
