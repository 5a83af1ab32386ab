"""The recorded results of a folder, or of a commit."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import msgspec

from harness import ROOT
from harness.cells import Cell
from harness.errors import DamagedResult, HarnessError, UsageError
from harness.results import deep
from harness.results.deep import DeepSet
from harness.results.document import decode_result, read_result
from harness.results.folder import DEEP, RESULTS, Reports
from harness.results.result import Probe, Result

_DEADLINE = 60


@dataclass
class Records:
    """Results by their cells, and what was wrong with the files that are none."""

    results: dict[str, Result] = field(default_factory=dict)
    damaged: dict[str, DamagedResult] = field(default_factory=dict)


def find(name: str, whole: bool = False, reports: Reports | None = None) -> Records:
    """Return the records called *name*: a folder of reports or of results, or else a commit.

    That is one of the repository that *reports* lie in, if they lie in one; else of this checkout. With *whole* they
    have all answers to the deep sets that are there, of which a result keeps the worst by itself.

    Raises:
        UsageError: it is neither.
        HarnessError: git cannot be asked.
    """
    if not name or name.startswith("-"):
        raise UsageError(f"{name!r} is neither a folder nor a commit")
    return of_folder(Path(name), whole) if Path(name).is_dir() else _at_commit(name, whole, _tracked(reports))


def of_folder(folder: Path, whole: bool = False) -> Records:
    """Return the results of *folder*, of reports or of results; see :func:`find`."""
    results = Reports(folder).results
    return in_folder(results if results.is_dir() else folder, whole)


def in_folder(folder: Path, whole: bool = False) -> Records:
    """Return the results in *folder*; what cannot be read is named, not left out silently."""
    found = _read((path.stem, path) for path in sorted(folder.glob("*.json")))
    if whole and folder.name == RESULTS:
        _add(found, ((path.parent.name, path) for path in sorted(folder.parent.glob(f"{DEEP}/*/*.json"))))
    return found


def of_library(mine: Result, reports: Reports) -> Iterator[Result]:
    """Yield the recorded results of the other cells of the library of *mine*; they are read when the first is taken."""
    found = in_folder(reports.results).results.values()
    yield from (each for each in found if each.library == mine.library and each.cell != mine.cell)


def _tracked(reports: Reports | None) -> tuple[Path, str]:
    """Return the repository that keeps *reports*, and the path of these in it; of this checkout where none does."""
    checkout = ROOT, Reports.of_checkout().name
    if reports is None or not reports.folder.is_dir():
        return checkout
    asked = _git(reports.folder, "rev-parse", "--show-toplevel", "--show-prefix")
    top, _, prefix = asked.stdout.decode().partition("\n")
    kept = not asked.returncode and _git(reports.folder, "ls-files", "--", RESULTS).stdout.strip()
    if not kept and os.environ.get("HARNESS_ENVIRONMENTS"):  # it is somebody's project, and not that of this checkout
        raise UsageError(f"no commit keeps {reports.folder.name}", "commit that folder, or name another one")
    return (Path(top), prefix.strip().rstrip("/")) if kept else checkout


def _at_commit(name: str, whole: bool, place: tuple[Path, str]) -> Records:
    top, folder = place
    results = f"{folder}/{RESULTS}".lstrip("/")
    known = _git(top, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if known.returncode:
        raise UsageError(f"{name!r} is neither a folder nor a commit", "name a folder of results, or what git knows")
    commit = known.stdout.decode().strip()
    if _git(top, "cat-file", "-e", f"{commit}:{results}").returncode:
        return Records()  # there were no results yet
    found = _read((path.stem, data) for path, data in _files(name, top, commit, results))
    sets = f"{folder}/{DEEP}".lstrip("/")
    if whole and not _git(top, "cat-file", "-e", f"{commit}:{sets}").returncode:
        _add(found, ((path.parent.name, data) for path, data in _files(name, top, commit, sets)))
    return found


def _files(name: str, top: Path, commit: str, folder: str) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield each file of JSON that *commit* of the repository *top*, which is called *name*, has in *folder*.

    Raises:
        HarnessError: git does not give them.
    """
    packed = _git(top, "archive", "--format=tar", commit, folder)
    if packed.returncode:
        raise HarnessError(f"git cannot give the results of {name}: {packed.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        for each in archive:
            file = archive.extractfile(each) if each.isfile() else None
            if file and each.name.endswith(".json"):
                yield PurePosixPath(each.name), file.read()


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, capture_output=True, timeout=_DEADLINE, check=False)
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


def _add(found: Records, files: Iterable[tuple[str, Path | bytes]]) -> None:
    """Have each result tell all that its cell answered to the deep sets."""
    sets: dict[str, list[DeepSet]] = {}
    for cell, file in files:
        try:
            whole = deep.read(file) if isinstance(file, Path) else deep.decode(file, cell)
        except DamagedResult as error:
            error.cell = cell
            found.damaged[cell] = error
            continue
        sets.setdefault(cell, []).append(whole)
    for cell, wholes in sets.items():
        if cell in found.results:
            told = {each.name: Probe(name=each.name, findings=each.findings) for each in wholes}
            result = found.results[cell]
            probes = [told.pop(probe.name, probe) for probe in result.probes]
            found.results[cell] = msgspec.structs.replace(result, probes=[*probes, *told.values()])
