"""What a library claims, beside what was measured."""

from __future__ import annotations

import msgspec
import pytest
import samples

from harness.cells import Cell
from harness.report.claims import claimed, contradictions, of, said
from harness.report.row import Row
from harness.report.view import LibraryView
from harness.results.installed import Claims


def claims(requires: str = "", pythons: str = "", djangos: str = "", version: str = "1.0") -> Claims:
    return Claims(version=version, requires_python=requires, pythons=pythons.split(), djangos=djangos.split())


@pytest.mark.parametrize(
    ("given", "cell", "expected"),
    [
        (claims(), "py311-django52", None),
        (claims(pythons="3"), "py311-django52", None),
        (claims(">=3.8"), "py311-django52", None),
        (claims(">=3.8"), "py36-django22", False),
        (claims(">=3.8.5,<3.11.2"), "py38-django22", None),
        (claims("not a specifier"), "py36-django22", None),
        (claims(pythons="3"), "py27-django18", False),
        (claims(pythons="3 3.10 3.11"), "py311-django52", None),
        (claims(pythons="3 3.10 3.11"), "py312-django52", False),
        (claims(djangos="4.2 5.2"), "py311-django52", None),
        (claims(pythons="3.11", djangos="5.2"), "py311-django52", True),
        (claims(djangos="4.2 5.2"), "py311-django60", False),
        (claims(pythons="3.11", djangos="4.2"), "py311-django52", False),
        (claims(">=3.12", pythons="3.11"), "py311-django52", False),
    ],
)
def test_claimed(given, cell, expected):
    """Only classifiers for both claim; what Requires-Python leaves out is not claimed, and silence is no claim."""
    assert claimed(given, Cell.parse(cell)) is expected


def row(cell: str, given: Claims | None) -> Row:
    result = samples.of(cell)
    installation = msgspec.structs.replace(result.installation, claims=given)
    return Row(Cell.parse(cell), msgspec.structs.replace(result, installation=installation))


def test_whose():
    """A cell is held against the release that it installed; one without against the newest of the library."""
    old, new = claims(version="1.9"), claims(version="1.10")
    library = LibraryView("channels4", [row("py310-django52-channels4", old), row("py311-django52-channels4", new)])
    assert library.claims is new
    assert of(library.rows[0], library) is old
    failed = row("py312-django52-channels4", None)
    assert of(failed, library) is new
    assert said(failed, library) == "1.10 says nothing of Python 3.12 and says nothing of Django 5.2"
    assert said(failed, LibraryView("channels4", [failed])) is None


def test_contradictions():
    """Each tested cell stands under what was claimed and what was measured."""
    good = claims(pythons="3.10 3.11", djangos="5.2")
    library = LibraryView("channels4", [row("py310-django52-channels4", good), row("py312-django52-channels4", good)])
    found = {title: [each.name for each in rows] for title, rows in contradictions(library)}
    assert found == {
        "Claimed, and works": ["py310-django52-channels4"],
        "Claimed, and does not work": [],
        "Not claimed, and works": ["py312-django52-channels4"],
        "Not claimed, and does not work": [],
    }
