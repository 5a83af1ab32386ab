"""What a measurement comes from: the machine it was made on, and the commit of this repository that made it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from functools import cache
from pathlib import Path

import psutil

#: Seconds for git, which reads a few files.
_DEADLINE = 10.0


@cache
def machine() -> str:
    """Return what everything runs on, such as ``Linux x86_64, 2 processors, 25 GB``; nothing that names the machine."""
    memory = psutil.virtual_memory().total / 1e9
    return f"{platform.system()} {platform.machine()}, {os.cpu_count() or 1} processors, {memory:.0f} GB"


@cache
def commit(checkout: Path) -> str:
    """Return the commit of *checkout*, and whether it was changed since; nothing where that cannot be told."""
    head = _git(checkout, "rev-parse", "--short=12", "HEAD")
    changed = _git(checkout, "status", "--porcelain", "--untracked-files=no", "--", ":!reports")
    return f"{head}, changed" if head and changed else head


def _git(checkout: Path, *arguments: str) -> str:
    git = shutil.which("git")
    # Of a folder inside another checkout nothing can be told.
    if git is None or not (checkout / ".git").exists():
        return ""
    try:
        done = subprocess.run(
            [git, "-C", str(checkout), *arguments], capture_output=True, text=True, timeout=_DEADLINE, check=False
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
