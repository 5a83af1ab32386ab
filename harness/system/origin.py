"""What a measurement comes from: the machine it was made on, and the commit of this repository that made it."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from pathlib import Path

import psutil

from harness.system.processors import processors

#: Seconds for git, which reads a few files.
_DEADLINE = 10.0


@cache
def machine() -> str:
    """Return what everything runs on, such as ``Linux x86_64, 2 processors, 25 GB``; nothing that names the machine."""
    memory = psutil.virtual_memory().total / 1e9
    return f"{platform.system()} {platform.machine()}, {processors()} processors, {memory:.0f} GB"


@cache
def commit(checkout: Path) -> str:
    """Return the commit of *checkout*, and whether it was changed since; nothing where that cannot be told."""
    # Of a folder inside another checkout nothing can be told.
    if not (checkout / ".git").exists():
        return ""
    head, changed = head_of(checkout, "--untracked-files=no", "--", ":!reports")
    return f"{head}, changed" if changed else head


def head_of(folder: Path, *where: str) -> tuple[str, bool]:
    """Return the commit that *folder* is of, and whether anything was changed since; an empty one where there is none.

    *where* says to ``git status`` what is looked at.
    """
    try:
        return _git(folder, "rev-parse", "--short=12", "HEAD"), bool(_git(folder, "status", "--porcelain", *where))
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return "", False


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=_DEADLINE, check=True).stdout.strip()
