"""Build the site: write its pages beside what an earlier one left, and take that away."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec

from harness.errors import HarnessError, UsageError
from harness.report.view import View
from harness.results.folder import Reports
from harness.site.pages import Script, Site
from harness.system.files import write_atomically
from harness.verdict import Verdict

_HERE = Path(__file__).resolve().parent
#: Lists the files of a site, so that the next one removes these and nothing else.
_MANIFEST = ".files-of-this-site"


def build(view: View, reports: Reports, script: Script, target: Path) -> int:
    """Write the site of *view* into *target*, with the evidence that lies in *reports*; return how many pages.

    *script* returns the commands that reproduce a cell.

    Raises:
        UsageError: there is something else in *target*.
        HarnessError: a page cannot be made or written.
    """
    target = target.resolve()
    old = _written_before(target)
    fresh = target.with_name(f".{target.name}.partial")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        number = Site(view, reports, script).write(fresh)
        shutil.copytree(_HERE / "static", fresh / "static")
        files = sorted(str(path.relative_to(fresh)) for path in fresh.rglob("*") if path.is_file())
        # At each moment the list has all that is of a site, so that whatever interrupts, the next one can go on.
        _write_manifest(target, {*old, *files})
        for name in files:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).replace(target / name)
        for name in {*old} - {*files}:
            (target / name).unlink(missing_ok=True)
        _write_manifest(target, files)
    except OSError as error:
        raise HarnessError(
            f"the site cannot be written: {error.strerror}", "name another folder with --output, or make room"
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return number


def _write_manifest(target: Path, names: Iterable[str]) -> None:
    write_atomically(target / _MANIFEST, msgspec.json.encode(sorted(names)))


def _written_before(target: Path) -> list[str]:
    """Return the files of *target* that an earlier site wrote; what else lies there is nobody's to remove.

    Raises:
        UsageError: there is something in *target*, and no site.
    """
    try:
        names = msgspec.json.decode((target / _MANIFEST).read_bytes(), type=list[str])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise UsageError(
                f"{target.name} holds something else than a site", "name a new folder with --output"
            ) from None
        return []
    return [name for name in names if (target / name).resolve().is_relative_to(target)]


def missing(view: View, reports: Reports) -> list[str]:
    """Return the tested cells whose evidence is not at hand."""
    return [
        row.name
        for row in view.rows
        if row.verdict is not Verdict.NOT_TESTED and reports.recorded_evidence(row.name) is None
    ]
