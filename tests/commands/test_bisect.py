"""``bisect`` and ``mend`` by the command alone: on a cell whose packages come from an index of made-up ones."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from indexes import Index
from shared import fake_cell, harness
from uv import find_uv_bin

from harness.results.document import read_result
from harness.verdict import Verdict

pytestmark = [pytest.mark.cell, pytest.mark.usefixtures("no_survivors")]
CELL = fake_cell("turns")
#: All that is asked of a Django here: who it is.
DJANGO = "VERSION = ({}, {}, 1, 'final', 0)\n\n\ndef get_version():\n    return '{}'\n"


class Place:
    """A cell in an environment of its own, and the index that it is installed from."""

    def __init__(self, folder, index: Index) -> None:
        self.reports = folder / "reports"
        self.env = {"UV_DEFAULT_INDEX": index.url, "UV_CACHE_DIR": str(folder / "cache")}
        self.python = folder / "cell" / "bin" / "python"
        for command in (
            ["venv", "-q", "--no-project", "--python", sys.executable, str(folder / "cell")],
            ["pip", "install", "-q", "--python", str(self.python), "Django", "coverage"],
        ):
            subprocess.run([find_uv_bin(), *command], check=True, env={**os.environ, **self.env})

    def run(self, command: str, *options: str):
        return harness(command, CELL, "--python", self.python, *options, reports=self.reports, **self.env)

    @property
    def recorded(self):
        return read_result(self.reports / "results" / f"{CELL}.json")


@pytest.fixture
def place(tmp_path):
    """Six packages; since ``part4`` 2.0 a stranger may broadcast, but not with ``part1`` 0.9, which leaks instead."""
    major, minor = CELL.split("-")[1].removeprefix("django")[0], CELL.split("-")[1].removeprefix("django")[1:]
    version = f"{major}.{minor}.1"
    index = Index(tmp_path / "files")
    parts = [f"part{number}" for number in range(6)]
    index.release("library", "1.0", "2026-01-01", ", ".join(parts))
    for name in parts:
        index.release(name, "0.9" if name == "part1" else "1.0", "2026-01-01")
    for number, name in enumerate(parts):
        index.release(name, "2.0", f"2026-0{number + 2}-10")
    index.release("Django", version, "2026-01-01", files={"django/__init__.py": DJANGO.format(major, minor, version)})
    index.release("coverage", "7.0", "2026-01-01")
    index.releases["django"] = index.releases.pop("Django")
    with index.running():
        yield Place(tmp_path, index)


def test_cause_and_cure(place):
    """Two releases that are guilty together are found, and the pin that mends it without making anything else worse."""
    assert place.run("run").returncode == 0
    before = place.recorded
    found = place.run("bisect", "--question", "unknown-broadcasts", "--good", "2026-01-15", "--bad", "2026-11-01")
    assert found.returncode == 0, found.stdout + found.stderr
    (cause,) = place.recorded.causes
    assert [(each.package, each.good, each.bad, each.uploaded) for each in cause.turned] == [
        ("part1", "0.9", "2.0", "2026-03-10"),
        ("part4", "1.0", "2.0", "2026-06-10"),
    ]
    assert "part1 2.0 (2026-03-10) and part4 2.0 (2026-06-10). Can an unknown client broadcast" in found.stdout
    assert "with part1 0.9 and part4 1.0 “not received within 1 s”, with part1 2.0" in cause.text
    assert place.recorded.exchanges == before.exchanges

    mended = place.run("mend", "--question", "unknown-broadcasts")
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert "part1<2: mended" in mended.stdout
    assert "but it is no cure" in mended.stdout
    (cure,) = place.recorded.cures
    assert (cure.kind, cure.change, cure.verdict) == ("pin", "part4<2", Verdict.WORKS)
    assert place.recorded.causes == [cause]
    assert place.recorded.varying.started == before.varying.started

    again = place.run("bisect", "--question", "unknown-broadcasts", "--good", "2026-01-15", "--bad", "2026-11-01")
    assert "bad, known" in again.stdout
    assert (
        place.run("mend", "--question", "unknown-hears-user")
        .stdout.splitlines()[-1]
        .startswith("There is nothing to mend")
    )


def test_without_a_record(place):
    """A cell of which nothing is recorded, and a question that there is not, are refused with what to do."""
    refused = place.run("bisect")
    assert refused.returncode == 2
    assert f"nothing is recorded of {CELL}" in refused.stderr
    assert f"run `tox -e {CELL}` first" in refused.stderr
