"""Where there can be libraries that are not of this project."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

#: Under this entry point another distribution names a module, or a class, of libraries.
ENTRY_POINT = "harness.libraries"


def are_there(folders: tuple[Path, ...]) -> bool:
    """Tell whether *folders*, or a distribution that is installed here, can have such a library."""
    return bool(folders or importlib.metadata.entry_points(group=ENTRY_POINT))
