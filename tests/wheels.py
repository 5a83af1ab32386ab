"""Wheels that tests make, to have something to install."""

from __future__ import annotations

import zipfile
from pathlib import Path


def wheel(
    folder: Path,
    name: str,
    version: str,
    requires: str = "",
    metadata: str = "",
    files: dict[str, str] | None = None,
) -> Path:
    """Make a wheel (PEP 427) of one module, or of *files*; *metadata* is further lines of its METADATA."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in (files or {f"{name}.py": "x = 1\n" * 100}).items():
            archive.writestr(file, text)
        needs = metadata + "".join(f"Requires-Dist: {each}\n" for each in requires.split(", ") if each)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "".join(f"{each},,\n" for each in [*archive.namelist(), f"{info}/RECORD"]))
    return path
