"""The names of the matrix's environments, as tox itself gives them."""

from __future__ import annotations

import subprocess
import sys

from harness.cells import Cell
from harness.errors import HarnessError
from harness.run import ROOT

_DEADLINE = 60


def cells() -> list[Cell]:
    """Return every cell that ``tox -l`` lists, in its order.

    Raises:
        HarnessError: tox cannot be asked.
    """
    command = [sys.executable, "-m", "tox", "-q", "list", "--no-desc"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_DEADLINE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HarnessError(f"tox cannot be asked for the matrix: {error}") from error
    if done.returncode:
        raise HarnessError(f"tox cannot be asked for the matrix: {done.stderr.strip()}", "run `tox -l` to see why")
    return [Cell.parse(line.strip()) for line in done.stdout.splitlines() if line.startswith("py")]
