"""The names of the matrix's environments, as tox itself gives them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from harness import ROOT
from harness.cells import Cell
from harness.errors import HarnessError, UsageError

_DEADLINE = 60


def cells(labels: Sequence[str] = ()) -> list[Cell]:
    """Return every cell that ``tox -l`` lists, in its order; with *labels* those that one of them selects.

    The label ``all`` is none of tox's: it selects every cell.

    Raises:
        UsageError: there is no cell with one of these labels.
        HarnessError: tox cannot be asked.
    """
    # tox takes all of them behind one -m; of several it takes the last.
    chosen = [] if "all" in labels or not labels else ["-m", *labels]
    command = [sys.executable, "-m", "tox", "-q", "list", "--no-desc", *chosen]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_DEADLINE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HarnessError(f"tox cannot be asked for the matrix: {error}") from error
    refused = "is no label of tox.ini" in done.stdout + done.stderr
    if done.returncode and not refused:
        raise HarnessError(f"tox cannot be asked for the matrix: {done.stderr.strip()}", "run `tox -l` to see why")
    found = [] if refused else [Cell.parse(line.strip()) for line in done.stdout.splitlines() if line.startswith("py")]
    if labels and not found:
        raise UsageError(f"no cell has the label {', '.join(labels)}", "the labels stand in tox.ini")
    return found
