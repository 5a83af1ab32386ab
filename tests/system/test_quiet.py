"""Whether a measurement had the machine to itself."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from harness.system import quiet

WORKS = [sys.executable, "-c", "sum(n * n for n in range(2_000_000))"]


@pytest.fixture
def clock(monkeypatch):
    """Seconds that have passed, that all processors have worked, and that this process has."""
    now = SimpleNamespace(passed=0.0, busy=100.0, own=10.0)
    monkeypatch.setattr(quiet.time, "monotonic", lambda: now.passed)
    monkeypatch.setattr(quiet, "_busy", lambda: now.busy)
    monkeypatch.setattr(quiet, "_own", lambda: now.own)
    return now


@pytest.mark.parametrize(("busy", "own", "others"), [(20.0, 20.0, 0.0), (21.0, 20.0, 0.1), (28.0, 20.0, 0.8)])
def test_others(clock, busy, own, others):
    """What all processors have worked, but for what was worked here, is that of others, on average."""
    looked = quiet.Quiet(0.0, 100.0, 10.0)
    clock.passed, clock.busy, clock.own = 10.0, 100.0 + busy, 10.0 + own
    assert looked.others == pytest.approx(others)
    assert bool(looked) is (others < 0.3)


def test_own_children():
    """What a child has worked that has ended is our own."""
    before = quiet._own()
    subprocess.run(WORKS, check=True)
    assert quiet._own() > before


def test_all_processors():
    """What everything together has worked grows with what is worked here."""
    before = quiet._busy()
    subprocess.run(WORKS, check=True)
    assert quiet._busy() > before
