"""The environment variables that a cell's programs begin with."""

from __future__ import annotations

import os

from harness import ROOT
from harness.system import processes

#: Variables of the host that mean something else to an installer.
_FOREIGN = ("PYTHON", "DJANGO_", "VIRTUAL_ENV", "COVERAGE_", "TOX_", "_TOX", "HARNESS_", "CHAT_")
#: The variables of the host that a cell's own programs get: none of them is a secret.
_KNOWN = {"PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH"}
_KNOWN_PREFIXES = ("LC_", "STARTED_BY_")


def environment(installer: bool = False) -> dict[str, str]:
    """Return the environment that children begin with; an *installer* also needs the host's settings of indexes."""
    host = os.environ.items()
    if installer:
        env = {name: value for name, value in host if not name.startswith(_FOREIGN)}
        env["COLUMNS"] = "10000"  # uv breaks what a build printed at the width of a terminal
    else:
        env = {name: value for name, value in host if name in _KNOWN or name.startswith(_KNOWN_PREFIXES)}
    env |= {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
    env["PYTHONFAULTHANDLER"] = "1"  # an interpreter that crashes says where
    env[processes.OWNER] = processes.owner_mark(ROOT)
    return env
