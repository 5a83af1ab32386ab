"""Where everything of a project lies."""

from __future__ import annotations

import os
from pathlib import Path

#: The scenario of a project, and the folders of its results and of its environments.
SCENARIO, RESULTS, ENVIRONMENTS = "chat.toml", "dtws", ".dtws"


def begin() -> None:
    """Have the commands that are those of the matrix as well work in this folder's project."""
    os.environ.setdefault("HARNESS_REPORTS", RESULTS)
    os.environ.setdefault("HARNESS_ENVIRONMENTS", ENVIRONMENTS)
    if Path(SCENARIO).exists():
        os.environ.setdefault("HARNESS_LIBRARIES", SCENARIO)
