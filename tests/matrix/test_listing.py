"""The matrix as tox lists it, with a stand-in for tox."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness import ROOT
from harness.errors import HarnessError, UsageError
from harness.matrix import listing


class Tox:
    """Answers what it is told to, and keeps what it was asked."""

    def __init__(self, monkeypatch) -> None:
        self.commands: list[list[str]] = []
        self.answer: object = (0, "py27-django18\npy311-django52-channels4\nreport\ntests\n", "")
        monkeypatch.setattr(listing.subprocess, "run", self.run)

    def run(self, command, **options):
        assert options["cwd"] == ROOT
        self.commands.append(command)
        if isinstance(self.answer, Exception):
            raise self.answer
        code, out, err = self.answer
        return subprocess.CompletedProcess(command, code, out, err)


@pytest.fixture
def tox(monkeypatch) -> Tox:
    return Tox(monkeypatch)


def test_all(tox):
    """Cells are told from other environments by their names, in tox's order."""
    assert [cell.name for cell in listing.cells()] == ["py27-django18", "py311-django52-channels4"]
    assert tox.commands == [[sys.executable, "-m", "tox", "-q", "list", "--no-desc"]]


def test_labels(tox):
    """Labels are handed to tox; "all" is none of its, and selects every cell."""
    listing.cells(["quick", "asgi"])
    listing.cells(["quick", "all"])
    assert [command[6:] for command in tox.commands] == [["-m", "quick", "asgi"], []]


@pytest.mark.parametrize("where", ["out", "err"])
def test_no_such_label(tox, where):
    """A label that is none of tox.ini's is named, wherever tox says so."""
    said = "nosuch is no label of tox.ini\n"
    tox.answer = (1, said if where == "out" else "", said if where == "err" else "")
    with pytest.raises(UsageError, match=r"^no cell has the label nosuch, other$") as raised:
        listing.cells(["nosuch", "other"])
    assert raised.value.hint == "the labels stand in tox.ini"


def test_a_label_of_no_cell(tox):
    """A label that selects no cell is as good as none."""
    tox.answer = (0, "report\n", "")
    with pytest.raises(UsageError, match=r"^no cell has the label docs$"):
        listing.cells(["docs"])
    assert listing.cells() == []


def test_tox_fails(tox):
    """Where tox fails it is said how."""
    tox.answer = (2, "", "tox.ini: no such thing\n")
    with pytest.raises(HarnessError, match=r"^tox cannot be asked for the matrix: tox.ini: no such thing$") as raised:
        listing.cells()
    assert raised.value.hint == "run `tox -l` to see why"


@pytest.mark.parametrize("error", [FileNotFoundError("no python"), subprocess.TimeoutExpired("tox", 60)])
def test_tox_cannot_be_asked(tox, error):
    """Where tox cannot be started, or does not answer, nothing is listed."""
    tox.answer = error
    with pytest.raises(HarnessError, match=r"^tox cannot be asked for the matrix: "):
        listing.cells()
