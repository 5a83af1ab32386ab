"""What the tests share: how to run the real command line, here on the fake libraries."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.results.document import read_result
from harness.results.result import Result

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
        return read_result(self.reports / "results" / f"{self.cell}.json")

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


def ran_once(once: Callable[[str, Callable[[Path], None]], Path], fake: str) -> Ran:
    """Run a fake once for all tests that only look at what came of it; *once* is the fixture of that name.

    There is a secret in its environment.
    """

    def run(folder: Path) -> None:
        done = run_fake(fake, folder, MY_API_TOKEN="tok-123")
        (folder / "exit code").write_text(str(done.exit_code))
        (folder / "output").write_text(done.output)

    folder = once(f"fake {fake}", run)
    exit_code, output = ((folder / name).read_text() for name in ("exit code", "output"))
    return Ran(int(exit_code), output, folder, fake_cell(fake))
