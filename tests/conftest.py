"""What the tests share: how to run the real command line, here on the fake libraries."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from harness.result import Result, load

ROOT = Path(__file__).resolve().parent.parent
FAKES = Path(__file__).resolve().parent / "fakes" / "libraries"


@dataclass
class Ran:
    """What came of a run of the command line."""

    exit_code: int
    output: str
    reports: Path
    cell: str

    @property
    def result(self) -> Result:
        return load(self.reports / "results" / f"{self.cell}.json")

    @property
    def evidence(self) -> Path:
        return self.reports / "evidence" / self.cell


def fake_cell(fake: str) -> str:
    """Return the name of a fake's cell on the Python and Django that the tests run with."""
    import django

    python = "".join(str(part) for part in sys.version_info[:2])
    return f"py{python}-django{django.VERSION[0]}{django.VERSION[1]}-fake-{fake}"


def harness(*arguments: object, reports: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m harness`` as tox does."""
    command = [sys.executable, "-m", "harness", *(str(each) for each in arguments)]
    environment = {**os.environ, "HARNESS_REPORTS": str(reports), "HARNESS_LIBRARIES": str(FAKES), **env}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, errors="replace"
    )


def run_fake(fake: str, reports: Path, *options: str, **env: str) -> Ran:
    """Run a fake's whole cell through the real command line."""
    cell = fake_cell(fake)
    done = harness("run", cell, "--python", sys.executable, *options, reports=reports, **env)
    return Ran(done.returncode, done.stdout + done.stderr, reports, cell)


@pytest.fixture
def no_survivors():
    """Fail a test that leaves a process of the harness behind."""
    before = {process.pid for process in _marked()}
    yield
    left = [process for process in _marked() if process.pid not in before and _orphaned(process)]
    assert not left, f"left behind: {[process.cmdline() for process in left]}"


def _marked() -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if "HARNESS_OWNER" in process.environ():
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def _orphaned(process: psutil.Process) -> bool:
    """Tell whether the run that started *process* has ended; another worker's may be under way."""
    try:
        owner = int(process.environ()["HARNESS_OWNER"].split(":")[0])
    except psutil.Error:
        return False
    return not psutil.pid_exists(owner)
