"""The matrix for continuous integration: every cell, as the engine wants it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from harness.cells import Cell
from harness.commands.ci_matrix import ci_matrix
from harness.errors import UsageError
from harness.libraries import registry
from harness.matrix import ci
from harness.matrix import listing as matrix

CELLS = [
    Cell.parse(name) for name in ("py27-django18", "py311-django52-channels4-uvicorn", "py310-django41-channels3-pins")
]


def test_jobs():
    """A job knows its cell, and what that measures."""
    found = ci.jobs(CELLS, registry.discover())
    assert [job["cell"] for job in found] == [cell.name for cell in CELLS]
    assert found[1] == {
        "cell": "py311-django52-channels4-uvicorn",
        "python": "3.11",
        "django": "5.2",
        "library": "channels4",
        "server": "uvicorn",
        "profile": "today",
        "image": "",
    }
    assert found[2]["profile"] == "pins"


def test_github():
    """GitHub's matrix is what its syntax wants, and never longer than GitHub allows."""
    found = ci.jobs(CELLS, registry.discover())
    assert ci.github(found)["include"][0] == {
        "cell": "py27-django18",
        "python": "2.7",
        "image": "python:2.7-buster",
    }
    with pytest.raises(UsageError, match="300 cells are more than the 256 jobs"):
        ci.github(found * 100)


def test_gitlab():
    """GitLab's child pipeline has a job for each cell, which knows its Python."""
    pipeline = ci.gitlab(ci.jobs(CELLS, registry.discover()))
    variables = {"CELL": "py27-django18", "PYTHON": "2.7"}
    assert pipeline["py27-django18"] == {"extends": ".cell", "variables": variables, "image": "python:2.7-buster"}
    assert len(pipeline) == 1 + len(CELLS)


@pytest.mark.parametrize("parts", [1, 2, 3, 5])
def test_parts(parts):
    """The parts are all of the cells together, and each cell is in one of them."""
    found = [cell for number in range(1, parts + 1) for cell in ci.part(CELLS, number, parts)]
    assert sorted(cell.name for cell in found) == sorted(cell.name for cell in CELLS)


@pytest.mark.parametrize("part", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2"])
def test_no_such_part(part, monkeypatch):
    """A part that does not exist is refused."""
    monkeypatch.setattr(matrix, "cells", lambda labels: CELLS)
    done = CliRunner().invoke(ci_matrix, ["--part", part], standalone_mode=False)
    assert isinstance(done.exception, UsageError)


@pytest.mark.tox
def test_derived_from_tox():
    """The cells are those that tox lists, no more and no less."""
    done = CliRunner().invoke(ci_matrix, ["-m", "channels"], standalone_mode=False)
    assert [job["cell"] for job in json.loads(done.stdout)] == [cell.name for cell in matrix.cells(["channels"])]
