"""Candidates: what is not released, or what an installer would have resolved on a day of the past, in a cell.

Each has an environment of its own beside that of the cell, and a place of its own in the reports: it never takes the
place of what is recorded of the cell.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from harness.cell import base
from harness.cell.variables import environment
from harness.cells import Cell
from harness.environments import direct, legacy, own, past
from harness.environments.direct import Direct
from harness.errors import UsageError
from harness.libraries.setup import Setup
from harness.results.installed import Candidate

#: Where the development of Django is.
_DJANGO_MAIN = "Django @ https://github.com/django/django/archive/refs/heads/main.tar.gz"
#: The profile of cells that are not in the matrix.
_ANY = "any"
_UNSAFE = re.compile(r"[^a-z0-9.]+")
_EXACT = re.compile(r"[\w.-]+==[\w.]+|[\w.]+")
#: What ``tox.ini`` may name under ``deps`` of a cell; the rest comes with it.
_TOX_ASKS_FOR = {"django", "coverage", "redis"}


@dataclass(frozen=True)
class Asked:
    """What is to be measured in the place of what is released."""

    #: Requirements, and the Django: a version, ``main``, or a path; empty for the cell's own.
    requirements: tuple[str, ...] = ()
    django: str = ""
    #: The day as of which everything but Django is resolved; None for today.
    as_of: date | None = None
    #: Whether the cell may be one that is not in the matrix.
    any_cell: bool = False

    def __bool__(self) -> bool:
        return self.changes or self.any_cell

    @property
    def changes(self) -> bool:
        """Whether something else is installed than is released today."""
        return bool(self.requirements or self.django or self.as_of)

    @property
    def options(self) -> str:
        """The options of the command line that ask for it."""
        told = [f"--with {each}" for each in self.requirements]
        told += [f"--django {self.django}"] if self.django else []
        told += [f"--as-of {self.as_of}"] if self.as_of else []
        return " ".join([*told, *(["--any"] if self.any_cell else [])])


@dataclass(frozen=True)
class Prepared:
    """A candidate that can be run: what is installed and served, with which interpreter, and what is told of it."""

    setup: Setup
    python: Path
    candidate: Candidate
    #: Further options of the installer.
    options: tuple[str, ...]


def prepare(cell: Cell, setup: Setup, python: Path, asked: Asked, anew: bool = False) -> Prepared:
    """Make the environment of a candidate beside that of *cell*, whose interpreter is *python*.

    What an earlier run has resolved there is used again, unless it is to be made *anew*.

    Raises:
        UsageError: something of it cannot be measured on this cell.
        HarnessError: its environment cannot be made.
    """
    if not asked.changes:
        return Prepared(setup, python, Candidate(profile=_ANY, any_cell=True), ())
    check_resolved(cell)
    if asked.as_of and asked.as_of > date.today():
        raise UsageError(f"{asked.as_of} is in the future", "name a day of the past")
    instead = tuple(map(direct.read, asked.requirements))
    _check(instead, cell)
    django = _django(asked.django) if asked.django else None
    everything = (*instead, *([django] if django else []))
    candidate = Candidate(
        profile=_profile(asked, instead, django),
        requirements=[each.shown for each in instead],
        origins={each.shown: each.origin for each in everything},
        django=django.shown if django else "",
        as_of=str(asked.as_of or ""),
        any_cell=asked.any_cell,
    )
    prefix = python.parent.parent
    held = asked_of_tox(prefix)
    wanted = [text for name, text in held.items() if not (django and name == "django")]
    wanted += [str(django.requirement)] if django else []
    options = _days(asked, held)
    folder = prefix / "candidates" / candidate.profile
    anew = anew or any(each.moving for each in everything)
    made = own.make(python, folder, wanted, environment(installer=True), options, anew)
    return Prepared(replace(setup, instead=instead), made, candidate, tuple(options))


def _check(instead: Sequence[Direct], cell: Cell) -> None:
    """Make sure that what is asked for *instead* can be measured on *cell*, all of it.

    Raises:
        UsageError: it is Django, is not for the cell's Python, or is in two places at once.
    """
    named = Counter(each.project for each in instead)
    for each in instead:
        if each.project == "django":
            raise UsageError("Django is part of the cell's name", "name another one with --django")
        if named[each.project] > 1 and each.requirement.url:
            raise UsageError(f"{each.project} is asked for several times, and is to be had in one place alone")
        python = {"python_version": cell.python, "python_full_version": f"{cell.python}.0"}
        if (marker := each.requirement.marker) and not marker.evaluate(python):
            raise UsageError(f"{each.shown!r} asks for nothing on Python {cell.python}", "leave out what follows the ;")


def check_resolved(cell: Cell) -> None:
    """Make sure that an installer still resolves something for the Python of *cell*.

    Raises:
        UsageError: it does not.
    """
    if cell.python in legacy.VERSIONS:
        raise UsageError(
            f"nothing is resolved for Python {cell.python} any more: its versions are those of {legacy.LOCKS_SHOWN}",
            "choose a cell of Python 3.6 or newer",
        )


def _django(text: str) -> Direct:
    """Return the Django that *text* stands for: a version, ``main``, or what can be installed."""
    if text == "main":
        return replace(direct.read(_DJANGO_MAIN), shown="main")
    try:
        return replace(direct.read(f"Django=={Version(text)}"), shown=text)
    except InvalidVersion:
        found = direct.read(text)
    if found.project != "django":
        raise UsageError(
            f"{text!r} is no Django", "name a version such as 6.2a1, main, or a folder or a file of Django"
        )
    return found


def _days(asked: Asked, held: Mapping[str, str]) -> list[str]:
    """Return the options of the day that is asked for, if one is; what tox asks for is held anyway."""
    return past.options(asked.as_of, held) if asked.as_of else []


def _profile(asked: Asked, instead: Sequence[Direct], django: Direct | None) -> str:
    """Return the name of the folder in which the candidate is kept."""
    parts = [f"with-{_named(each)}" for each in instead]
    main = asked.django == "main"
    parts += ["django-main" if main else f"django-{_named(django)}"] if django else []
    parts += [f"as-of-{asked.as_of}"] if asked.as_of else []
    return _UNSAFE.sub("-", "-".join(parts).lower().replace("==", "-")).strip("-.")


def _named(each: Direct) -> str:
    """Return what tells a requirement from others in the name of a folder: what is not plain in it is in a digest."""
    if not each.moving and _EXACT.fullmatch(each.shown):
        return each.shown.removeprefix("Django==")
    return f"{each.requirement.name}-{hashlib.sha256(str(each.requirement).encode()).hexdigest()[:6]}"


def asked_of_tox(prefix: Path) -> dict[str, str]:
    """Return what tox was asked to put into the environment *prefix*: normalised names → exact requirements."""
    noted = sorted(base.of(prefix).items())
    asked = {str(canonicalize_name(name)): f"{name}=={version}" for name, version in noted}
    return {name: text for name, text in asked.items() if name in _TOX_ASKS_FOR}
