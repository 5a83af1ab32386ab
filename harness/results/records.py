"""The recorded results of a folder, or of a commit."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from harness import ROOT
from harness.cells import Cell
from harness.errors import DamagedResult, HarnessError, UsageError
from harness.results.document import decode_result, read_result
from harness.results.folder import RESULTS, Reports
from harness.results.result import Result

_RESULTS = f"{Reports.of_checkout().name}/{RESULTS}"
_DEADLINE = 60


@dataclass
class Records:
    """Results by their cells, and what was wrong with the files that are none."""

    results: dict[str, Result] = field(default_factory=dict)
    damaged: dict[str, DamagedResult] = field(default_factory=dict)


def find(name: str) -> Records:
    """Return the records called *name*: a folder of reports or of results, or else a commit of this checkout.

    Raises:
        UsageError: it is neither.
        HarnessError: git cannot be asked.
    """
    if not name or name.startswith("-"):
        raise UsageError(f"{name!r} is neither a folder nor a commit")
    return of_folder(Path(name)) if Path(name).is_dir() else _at_commit(name)


def of_folder(folder: Path) -> Records:
    """Return the results of *folder*, of reports or of results."""
    results = Reports(folder).results
    return in_folder(results if results.is_dir() else folder)


def in_folder(folder: Path) -> Records:
    """Return the results in *folder*; what cannot be read is named, not left out silently."""
    return _read((path.stem, path) for path in sorted(folder.glob("*.json")))


def _at_commit(name: str) -> Records:
    known = _git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if known.returncode:
        raise UsageError(f"{name!r} is neither a folder nor a commit", "name a folder of results, or what git knows")
    commit = known.stdout.decode().strip()
    if _git("cat-file", "-e", f"{commit}:{_RESULTS}").returncode:
        return Records()  # there were no results yet
    packed = _git("archive", "--format=tar", commit, _RESULTS)
    if packed.returncode:
        raise HarnessError(f"git cannot give the results of {name}: {packed.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        files = {PurePosixPath(each.name): archive.extractfile(each) for each in archive if each.isfile()}
        return _read((path.stem, file.read()) for path, file in files.items() if file and path.suffix == ".json")


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, timeout=_DEADLINE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HarnessError(f"git cannot be asked for a commit: {error}", "install git, or name a folder") from error


def _read(files: Iterable[tuple[str, Path | bytes]]) -> Records:
    found = Records()
    for name, file in files:
        try:
            Cell.parse(name)
            found.results[name] = read_result(file) if isinstance(file, Path) else decode_result(file, name)
        except DamagedResult as error:
            error.cell = name
            found.damaged[name] = error
        except UsageError as error:
            found.damaged[name] = DamagedResult(f"{name}.json: {error}", error.hint, name)
    return found
