"""Environments that the harness makes by itself, beside those of tox: for what is not released, and for trials."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from uv import find_uv_bin

from harness.captured import output
from harness.errors import HarnessError, UsageError
from harness.system import processes
from harness.system.files import write_atomically

_DEADLINE = 600.0
#: What uv says where an exact release was asked for that no index has.
_NO_SUCH = "there is no version of "
#: What an environment was made of, written last: one without it was interrupted.
_MADE_OF = ".harness-made-of"


def make(
    base: Path,
    folder: Path,
    requirements: Sequence[str],
    env: Mapping[str, str],
    options: Sequence[str] = (),
    anew: bool = False,
) -> Path:
    """Return the interpreter of an environment in *folder* that has *requirements* and nothing else.

    It runs on the Python of *base*, an interpreter; *options* are further ones of the installer. One that was made of
    the same is found again, unless it is to be made *anew*: what is in a folder may have changed.

    Raises:
        UsageError: there is no such release of something.
        HarnessError: it cannot be made.
    """
    python = folder / "bin" / "python"
    made_of = hashlib.sha256("\0".join([str(base), *sorted(requirements), *options]).encode()).hexdigest()
    noted = folder / _MADE_OF
    if not anew and python.exists() and noted.exists() and noted.read_text("ascii") == made_of:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    log = folder.with_name(f"{folder.name}.log")
    # uv takes the two for a contradiction.
    refresh = ["--refresh"] if anew and "UV_OFFLINE" not in env else []
    for command in (
        ["venv", "--no-project", "--python", str(base), str(folder)],
        ["pip", "install", "--no-progress", *refresh, *options, "--python", str(python), *requirements],
    ):
        ended = processes.run([find_uv_bin(), *command], dict(env), folder.parent, log, _DEADLINE)
        if ended.exit_status != 0:
            found = output.failure(output.read(log))
            shutil.rmtree(folder, ignore_errors=True)
            # Who asks for a release that there is not is told so; else it is the machine's.
            fault = UsageError if _NO_SUCH in found.cause else HarnessError
            raise fault(f"no environment with {', '.join(requirements)} can be made: {found.cause}", found.excerpt)
    write_atomically(noted, made_of.encode())
    return python
