"""The releases of Django: which Pythons each supports, and until when."""

from __future__ import annotations

import datetime
from functools import cache
from pathlib import Path

import msgspec

from harness.cells import Cell, numbers

_FILE = Path(__file__).with_suffix(".toml")


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A release of Django; *until* is the day on which its security fixes end."""

    until: datetime.date
    pythons: list[str]


@cache
def releases() -> dict[str, Release]:
    """Return every release by its number, such as ``5.2``."""
    return msgspec.toml.decode(_FILE.read_bytes(), type=dict[str, Release])


def supported(cell: Cell, day: datetime.date) -> bool:
    """Tell whether on *day* Django supported the cell's release, and that release the cell's Python."""
    return not unsupported(cell.python, cell.django, day)


def unsupported(python: str, django: str, day: datetime.date) -> str:
    """Return why Django did not support a pair on *day*, in sentences; empty if it did."""
    release = releases().get(django)
    if release is None:
        return f"Django {django} is no release that is known here."
    said = []
    if python not in release.pythons:
        known = pythons(django)
        said.append(f"Django {django} supports Python {known[0]} to {known[-1]}.")
    if day >= release.until:
        said.append(f"Django {django} gets no security fixes any more, since {release.until}.")
    return " ".join(said)


@cache
def place(what: str, version: str) -> int:
    """Return how many releases of ``python`` or ``django`` there are before *version*."""
    return sum(numbers(each) < numbers(version) for each in released(what))


def apart(one: Cell, other: Cell) -> int:
    """Return how many releases of Python and Django lie between two cells."""
    return abs(place("python", one.python) - place("python", other.python)) + abs(
        place("django", one.django) - place("django", other.django)
    )


def current(day: datetime.date) -> list[str]:
    """Return the Djangos that get security fixes on *day*, the oldest first."""
    return sorted((name for name, release in releases().items() if day < release.until), key=numbers)


def pythons(django: str) -> list[str]:
    """Return the Pythons that a Django supports, the oldest first; none where it is not known."""
    release = releases().get(django)
    return sorted(release.pythons, key=numbers) if release else []


def newest_for(python: str) -> str:
    """Return the newest Django that supports *python*, or the newest of all where none is known to.

    ``newest_for("3.10")`` is ``5.2``.
    """
    known = releases()
    for_it = [name for name, release in known.items() if python in release.pythons]
    return max(for_it or known, key=numbers)


def released(what: str) -> set[str]:
    """Return the known versions of ``django``, or of the ``python`` that any of them supports."""
    return (
        set(releases()) if what == "django" else {each for release in releases().values() for each in release.pythons}
    )
