"""Whole cells that are warm: what the harness adds to them, its memory, and two of them at a time."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import commandline
from benchmarks.given import Given, tox_variables
from benchmarks.shown import row, spread
from harness import ROOT
from harness.results.document import read_result
from harness.results.folder import Reports

#: The steps of a cell that are its own work.
_OWN = (
    *("identify", "migrate", "loaddata", "check", "test", "imports", "identify again"),
    *("runserver", "runserver again", "stop runserver", "stop runserver again"),
)
#: The folder of the fake libraries.
FAKES = ROOT / "tests" / "fakes" / "libraries"
#: Prints the pair of Python and Django of an interpreter, as cells are called.
_PAIR = "import sys, django; print('py%d%d-django%d%d' % (*sys.version_info[:2], *django.VERSION[:2]))"


def measure_overhead(given: Given) -> None:
    """What the harness adds to a warm cell: its wall time less the cell's own work."""
    name, added = given.cell, []
    python = given.python_of(name)
    for _ in range(given.size.quick_rounds):
        with tempfile.TemporaryDirectory() as folder:
            asked = ("run", name, "--python", python, "--reports", folder)
            ran = commandline.alone(*asked, libraries=given.libraries)
            seconds = read_result(Reports(Path(folder)).result(name)).varying.seconds
        added.append(ran.seconds - sum(seconds[step] for step in _OWN))
    what = f"added by the harness to a warm {name}, {len(added)} runs (s)"
    row(what, spread(added), "< 4", statistics.median(added) < 4)


def measure_memory(given: Given) -> None:
    """The harness's own peak memory, for a real cell and for a server that prints 100 MB."""
    tests = given.python_of("tests")
    for name, python in ((given.cell, given.python_of(given.cell)), (f"{pair(tests)}-fake-{given.noisy}", tests)):
        with tempfile.TemporaryDirectory() as folder:
            asked = ("run", name, "--python", python, "--reports", folder)
            peak = commandline.alone(*asked, libraries=(FAKES,)).peak
        row(f"peak memory of the harness, {name} (MB)", f"{peak:.0f}", "< 150", peak < 150)


def pair(python: Path) -> str:
    """Return the pair of Python and Django of the interpreter *python*, as cells are called."""
    return subprocess.run([python, "-c", _PAIR], capture_output=True, text=True, check=True).stdout.strip()


def measure_parallel(given: Given) -> None:
    """Warm cells two at a time, against the same one after the other."""
    names = given.environments("parallel")
    for name in names:
        given.python_of(name)  # ends where it is not warm
    chosen, ratios = ("-e", ",".join(names)), []
    for _ in range(given.size.slow_rounds):
        with tempfile.TemporaryDirectory() as folder:
            sequential = _tox(given.tox, folder, "run", *chosen)
            abreast = _tox(given.tox, folder, "run-parallel", "-p", "2", *chosen)
        print(f"    sequential {sequential:.1f} s, two at a time {abreast:.1f} s", flush=True)
        ratios.append(abreast / sequential)
    what = f"{len(names)} warm cells, -p 2 over sequential, {len(ratios)} pairs"
    row(what, spread(ratios), "<= 0.65", statistics.median(ratios) <= 0.65)


def _tox(program: tuple[str, ...], reports: str, *arguments: str) -> float:
    """Run tox, with *reports* as the folder of what it records; return the seconds. End where it fails."""
    began, env = time.monotonic(), tox_variables(reports)
    done = subprocess.run([*program, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - began
    if done.returncode:
        sys.exit(f"tox {' '.join(arguments)} ended with exit code {done.returncode}: {done.stdout}{done.stderr}")
    return seconds
