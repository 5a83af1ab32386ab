"""The matrix for an engine that runs one job for each cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.cells import Cell
from harness.errors import UsageError
from harness.libraries.base import Library
from harness.libraries.registry import setup_for

#: How many jobs GitHub makes of one matrix: https://docs.github.com/en/actions/reference/limits
GITHUB_LIMIT = 256
#: What a job of GitLab begins with, and where it stands; it defines ``.cell``.
GITLAB_INCLUDE = ".gitlab/cell.yml"
#: The images with Pythons that no installer of today brings: https://hub.docker.com/_/python. Each has a C library that
#: the engines' own programs run on.
IMAGES = {
    "2.7": "python:2.7-buster",
    "3.5": "python:3.5-buster",
    "3.6": "python:3.6-bullseye",
    "3.7": "python:3.7-bookworm",
}
#: Pythons that are to be had nowhere: cells with them are no jobs.
NOWHERE = ("3.3", "3.4")


def jobs(cells: Sequence[Cell], libraries: Mapping[str, Library]) -> list[dict[str, str]]:
    """Return what there is to know of each cell's job."""
    found = []
    for cell in cells:
        setup = setup_for(cell, dict(libraries))
        found.append(
            {
                "cell": cell.name,
                "python": cell.python,
                "django": cell.django,
                "library": setup.library.name,
                "server": setup.server.name,
                "profile": setup.profile,
                "image": IMAGES.get(cell.python, ""),
            }
        )
    return found


def part(cells: Sequence[Cell], number: int, parts: int) -> list[Cell]:
    """Return the *number*-th of *parts* of *cells*, which differ by one at the most and are all of them together.

    Raises:
        UsageError: there is no such part.
    """
    if not 1 <= number <= parts:
        raise UsageError(f"there is no part {number} of {parts}", "write --part 1/2 and --part 2/2")
    return list(cells[number - 1 :: parts])


def github(found: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Return the ``strategy.matrix`` of a job of GitHub Actions.

    Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax

    Raises:
        UsageError: GitHub does not make that many jobs of one matrix.
    """
    if len(found) > GITHUB_LIMIT:
        raise UsageError(
            f"{len(found)} cells are more than the {GITHUB_LIMIT} jobs that GitHub makes of one matrix",
            "ask for a label with -m, or for a part with --part 1/2",
        )
    return {"include": [{name: job[name] for name in ("cell", "python", "image")} for job in found]}


def gitlab(found: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Return a child pipeline of GitLab with a job for each cell; what it does stands in the file that it includes.

    Source: https://docs.gitlab.com/ci/pipelines/downstream_pipelines/#dynamic-child-pipelines
    """
    pipeline: dict[str, Any] = {"include": [{"local": GITLAB_INCLUDE}]}
    for job in found:
        pipeline[job["cell"]] = {"extends": ".cell", "variables": {"CELL": job["cell"], "PYTHON": job["python"]}}
        pipeline[job["cell"]] |= {"image": job["image"]} if job["image"] else {}
    return pipeline
