"""``list``: every cell, whether it can run here, and what is recorded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import samples
from click.testing import CliRunner

from harness.cells import Cell
from harness.commands.listing import list_
from harness.environments import interpreters
from harness.environments.interpreters import Interpreter
from harness.errors import HarnessError
from harness.matrix import listing
from harness.results.folder import Reports

CELLS = ("py27-django18", "py33-django18", "py39-django22", "py39-django30")


@pytest.fixture
def reports(tmp_path, monkeypatch) -> Reports:
    """A matrix of four cells, of which three have a result, on a machine without Python 3.3."""
    versions = {"2.7": "2.7.18", "3.9": "3.9.25"}

    def find(version):
        return Interpreter(Path("python"), versions[version]) if version in versions else None

    monkeypatch.setattr(interpreters, "find", find)
    monkeypatch.setattr(listing, "cells", lambda labels=(): [Cell.parse(name) for name in CELLS])
    return samples.write(tmp_path, "py27-django18", "py33-django18", "py39-django30")


def listed(reports: Reports) -> tuple[int, list[list[str]]]:
    """Return the exit code, and each line by its columns."""
    done = CliRunner().invoke(list_, ["--reports", str(reports.folder)], standalone_mode=False, env={"COLUMNS": "200"})
    if done.exception:
        raise done.exception
    lines = done.output.splitlines()
    return done.return_value, [[each.strip() for each in re.split(r"\s{2,}", line.strip())] for line in lines]


def test_listed(reports):
    """Each cell is a line: its name, the Python that is here, the verdict and its day, as far as they are known."""
    code, lines = listed(reports)
    assert code == 0
    assert lines == [
        ["Cell", "Python", "Recorded", "On"],
        ["py27-django18", "2.7.18", "✓ Yes, but", "2026-11-21"],
        ["py33-django18", "no Python 3.3", "─ Not tested (interpreter missing)", "2026-11-21"],
        ["py39-django22", "3.9.25"],
        ["py39-django30", "3.9.25", "✗ No (server did not start)", "2026-11-21"],
    ]


def test_damaged(reports):
    """A damaged result says so in its line; the others are listed, and the exit code tells of it."""
    reports.result("py27-django18").write_text("{")
    code, lines = listed(reports)
    assert code == 3
    assert lines[1][2].startswith("py27-django18.json is not a finished result of schema 2")
    assert len(lines) == 5


def test_words_in_brackets(reports):
    """What a damaged result says of itself is shown as it is: brackets in it are no colours."""
    reports.result("py27-django18").write_text('{"schema": "[/red]"}')
    code, lines = listed(reports)
    assert code == 3
    assert lines[1][2].startswith("py27-django18.json is a result of schema [/red]")


def test_no_matrix(reports, monkeypatch):
    """Where tox cannot be asked for the matrix there is nothing to list."""

    def refuse(labels=()):
        raise HarnessError("tox cannot be asked for the matrix: no")

    monkeypatch.setattr(listing, "cells", refuse)
    with pytest.raises(HarnessError, match=r"^tox cannot be asked"):
        listed(reports)
