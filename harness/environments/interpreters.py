"""Find the Python interpreters of this machine.

Only the standard library is used: ``toxfile.py`` loads this module before the harness's own
dependencies are known to be there.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

#: Seconds an interpreter may take to say its version; a hanging shim is no interpreter.
_PROBE_DEADLINE = 20

_PROBE = "import sys; sys.stdout.write('%d.%d.%d' % sys.version_info[:3])"


@dataclass(frozen=True)
class Interpreter:
    """An interpreter that was run and gave its version."""

    path: Path
    version: str


def python_of(name: str) -> str | None:
    """Return the Python version that an environment's name begins with: ``py310-…`` gives ``3.10``."""
    match = re.match(r"py([23])(\d+)-", name)
    return f"{match[1]}.{match[2]}" if match else None


@cache
def find(version: str) -> Interpreter | None:
    """Return the first interpreter that is really of *version* (``3.6``), or None.

    Looks on PATH, then where pyenv and uv keep theirs. A pyenv shim of a version that is not
    active exits with an error; such a candidate is passed over, not trusted.
    """
    for path in _candidates(version):
        try:
            out = subprocess.run(
                [str(path), "-c", _PROBE], capture_output=True, text=True, timeout=_PROBE_DEADLINE, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if out.returncode == 0 and out.stdout.split(".")[:2] == version.split("."):
            return Interpreter(path, out.stdout)
    return None


def how_to_get(version: str) -> str:
    """Return one sentence that tells how to get a Python of *version*."""
    return f"install Python {version} so that python{version} is on PATH, for example with `pyenv install {version}`"


def _candidates(version: str) -> list[Path]:
    name = f"python{version}"
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders += sorted(pyenv.glob(f"versions/{version}*/bin"), key=_natural, reverse=True)
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    folders += sorted(data.glob(f"uv/python/cpython-{version}.*/bin"), key=_natural, reverse=True)
    return [folder / name for folder in dict.fromkeys(folders) if os.access(folder / name, os.X_OK)]


def _natural(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]
