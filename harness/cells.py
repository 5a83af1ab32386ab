"""Cells: the environments of the matrix, by name."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import PurePath

from harness.errors import UsageError

_NAME = re.compile(
    r"py(?P<py>[23])(?P<py_minor>[0-9]+)-django(?P<django>[1-9])(?P<django_minor>[0-9]+)(?P<suffixes>(?:-[a-z0-9]+)*)"
)


@dataclass(frozen=True)
class Cell:
    """One environment: Python × Django × library (× server), named as tox names it."""

    python: str
    django: str
    suffixes: tuple[str, ...] = ()

    @classmethod
    def parse(cls, name: str) -> Cell:
        """Return the cell called *name*, such as ``py310-django42``.

        Raises:
            UsageError: *name* is not the name of a cell.
        """
        match = _NAME.fullmatch(name)
        if match is None or cls._of(match).name != name:
            raise UsageError(f"{name!r} is not the name of a cell", "a cell is called like py311-django52")
        return cls._of(match)

    @classmethod
    def _of(cls, match: re.Match[str]) -> Cell:
        return cls(
            python=f"{match['py']}.{match['py_minor']}",
            django=f"{match['django']}.{match['django_minor']}",
            suffixes=tuple(match["suffixes"].split("-")[1:]),
        )

    @property
    def name(self) -> str:
        """The name of the tox environment."""
        pair = f"py{self.python.replace('.', '')}-django{self.django.replace('.', '')}"
        return "-".join((pair, *self.suffixes))

    @cached_property
    def python_version(self) -> tuple[int, ...]:
        """The Python version as numbers, to compare with."""
        return numbers(self.python)

    @cached_property
    def django_version(self) -> tuple[int, ...]:
        """The Django version as numbers, to compare with."""
        return numbers(self.django)

    @cached_property
    def order(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[str, ...]]:
        """Sorts cells by Python, then Django, then library."""
        return self.python_version, self.django_version, self.suffixes


def again(cell: str, *arguments: str, anew: bool = False) -> str:
    """Return the command that measures *cell* again, with further *arguments*, or in an environment made *anew*.

    It is one of tox, or of ``dtws`` where the environments are kept in a project's own folder.
    """
    rest = " ".join(arguments)
    folder = os.environ.get("HARNESS_ENVIRONMENTS")
    if not folder:
        return f"tox {'-r ' if anew else ''}-e {cell}" + (f" -- {rest}" if rest else "")
    parsed = Cell._of(match) if (match := _NAME.fullmatch(cell)) else None
    pair = f"--python {parsed.python} --django {parsed.django}" if parsed else ""
    server = f"--server {parsed.suffixes[1]}" if parsed and len(parsed.suffixes) > 1 else ""
    project = str(PurePath(folder).parent)
    words = ("dtws run", "" if project == "." else project, pair, server, rest)
    return (f"rm -r {folder}/{cell}; " if anew else "") + " ".join(each for each in words if each)


def first_command() -> str:
    """Return the command that measures something, for one who has measured nothing yet."""
    return "dtws run" if os.environ.get("HARNESS_ENVIRONMENTS") else "tox -m quick"


@cache
def numbers(version: str) -> tuple[int, ...]:
    """Return a version such as ``3.10`` as numbers, to compare with."""
    return tuple(int(part) for part in version.split("."))
