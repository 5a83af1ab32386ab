"""The environment variables that a cell's programs begin with."""

from __future__ import annotations

import os
import re
from pathlib import Path

from harness import ROOT
from harness.errors import UsageError
from harness.system import processes
from harness.system.files import is_there

#: Variables of the host that mean something else to an installer.
_FOREIGN = ("PYTHON", "DJANGO_", "VIRTUAL_ENV", "COVERAGE_", "TOX_", "_TOX", "HARNESS_", "CHAT_")
#: Settings of installers that name files, and folders: installers run in another folder than whoever set them.
_FILE = re.compile(r"(UV|PIP)_(BUILD_)?(CONSTRAINT|OVERRIDE|EXCLUDE|REQUIREMENT|CONFIG_FILE)")
_FOLDER = re.compile(r"(UV|PIP)_(FIND_LINKS|CACHE_DIR)")
_PLACE = re.compile(r"[^\s,]+")
#: The variables of the host that a cell's own programs get: none of them is a secret.
_KNOWN = {"PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH"}
_KNOWN_PREFIXES = ("LC_", "STARTED_BY_")


def environment(installer: bool = False) -> dict[str, str]:
    """Return the environment that children begin with; an *installer* also needs the host's settings of indexes.

    Raises:
        UsageError: one of these settings names a file that is not there.
    """
    host = os.environ.items()
    if installer:
        env = {name: _from_anywhere(name, value) for name, value in host if not name.startswith(_FOREIGN)}
        env["COLUMNS"] = "10000"  # uv breaks what a build printed at the width of a terminal
    else:
        env = {name: value for name, value in host if name in _KNOWN or name.startswith(_KNOWN_PREFIXES)}
    env |= {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
    env["PYTHONFAULTHANDLER"] = "1"  # an interpreter that crashes says where
    env[processes.OWNER] = processes.owner_mark(ROOT)
    return env


def _from_anywhere(name: str, value: str) -> str:
    """Return the *value* of the variable *name*, in which files and folders of this machine have their whole paths."""
    if not (_FILE.fullmatch(name) or _FOLDER.fullmatch(name)):
        return value

    def whole(match: re.Match[str]) -> str:
        if is_there(match[0]):
            return str(Path(match[0]).absolute())
        if _FILE.fullmatch(name) and "://" not in match[0]:
            raise UsageError(f"{name} names {match[0]}, which is not there", "name a file, or leave the variable out")
        return match[0]

    return _PLACE.sub(whole, value)
