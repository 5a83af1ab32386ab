"""A run of many cells: what its lines say, and how long it says the rest will take."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import samples

from harness.environments import interpreters
from harness.matrix.session import Session
from harness.results.document import save_result
from harness.results.folder import Reports

RESULT = samples.of("py27-django18")
CELLS = [f"py39-django{django}" for django in ("22", "30", "31", "32")]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def interpreter(monkeypatch):
    """Every Python but 3.3 is here."""
    here = interpreters.Interpreter(Path("python"), "3.9.0")
    monkeypatch.setattr(interpreters, "find", lambda version: None if version == "3.3" else here)


def record(reports: Path, cell: str, seconds: float, started: str = "2020-01-01T00:00:00+00:00") -> None:
    varying = msgspec.structs.replace(RESULT.varying, seconds={"all": seconds}, started=started)
    save_result(msgspec.structs.replace(RESULT, cell=cell, varying=varying), Reports(reports).result(cell))


def test_left(tmp_path, clock):
    """What is left is what it took before, shared by the workers, and follows how this run really goes."""
    for cell in CELLS:
        record(tmp_path, cell, 600.0)
    session = Session(CELLS, 2, Reports(tmp_path), clock)
    assert session.left() == "about 20 min left"
    clock.now = 1200.0  # twice as slow
    session.ended(CELLS[0], 0)
    session.ended(CELLS[1], 0)
    assert session.left() == "about 20 min left"
    session.ended(CELLS[2], 0)
    clock.now = 2395.0
    assert session.left() == "about 27 min left"
    session.ended(CELLS[3], 0)
    assert session.left() == "all done"


def test_unknown(tmp_path, clock):
    """A cell of which nothing is recorded takes as long as the others; one without an interpreter takes no time."""
    record(tmp_path, CELLS[0], 300.0)
    (tmp_path / "results" / f"{CELLS[1]}.json").write_text("{")
    assert Session(CELLS[:2], 1, Reports(tmp_path), clock).left() == "about 10 min left"
    assert Session([CELLS[0], "py33-django18"], 1, Reports(tmp_path), clock).left() == "about 5 min left"
    assert Session(["py33-django18"], 1, Reports(tmp_path), clock).left() == "about a minute left"


def test_lines(tmp_path, clock):
    """A line has the count, the cell and its verdict; a result of an earlier run is none of this one's."""
    record(tmp_path, CELLS[0], 5.0)
    session = Session(CELLS, 2, Reports(tmp_path), clock)
    record(tmp_path, CELLS[1], 5.0, started="2999-01-01T00:00:00+00:00")
    assert session.ended(CELLS[1], 0) == (f"[1/4] {CELLS[1]}  ✓ Yes, but", "works")
    assert session.ended(CELLS[0], 3) == (f"[2/4] {CELLS[0]}  no new result, exit code 3", "")


def test_nothing_to_try_it_with(tmp_path, clock):
    """A cell without an interpreter is not tested here, whatever was recorded of it before."""
    record(tmp_path, "py33-django18", 5.0)
    session = Session(["py33-django18", CELLS[0]], 1, Reports(tmp_path), clock)
    assert session.ended("py33-django18", 0) == ("[1/2] py33-django18  ─ Not tested here: no Python 3.3", "not tested")
