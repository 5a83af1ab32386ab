"""What Django supports: pairs, and until when."""

from __future__ import annotations

import datetime

import pytest

from harness.cells import Cell
from harness.matrix.releases import released, supported, unsupported


@pytest.mark.parametrize(
    ("cell", "day", "expected"),
    [
        ("py311-django42", "2026-04-06", True),
        ("py311-django42", "2026-04-07", False),
        ("py313-django42", "2024-01-01", False),
        ("py312-django99", "2024-01-01", False),
        ("py313-django61-channels4-uvicorn", "2026-11-21", True),
    ],
)
def test_supported(cell, day, expected):
    """A pair is supported until the day its release ends, and only on a Python that the release supports."""
    assert supported(Cell.parse(cell), datetime.date.fromisoformat(day)) is expected


def test_released():
    """The known versions are those of the releases, and of every Python that one of them supports."""
    assert {"1.8", "3.2", "6.1"} <= released("django")
    assert {"2.7", "3.3", "3.15"} <= released("python")


@pytest.mark.parametrize(
    ("python", "django", "said"),
    [
        ("3.14", "6.0", ""),
        ("3.13", "5.0", "Django 5.0 supports Python 3.10 to 3.12. Django 5.0 gets no security fixes any more, since"),
        ("3.12", "5.0", "Django 5.0 gets no security fixes any more, since 2025-04-02."),
        ("2.7", "6.0", "Django 6.0 supports Python 3.12 to 3.14."),
        ("3.14", "9.9", "Django 9.9 is no release that is known here."),
    ],
)
def test_unsupported(python, django, said):
    """Why Django does not support a pair is said: its Pythons, and that its fixes have ended."""
    told = unsupported(python, django, datetime.date(2026, 11, 29))
    assert told.startswith(said)
    assert bool(told) is bool(said)
