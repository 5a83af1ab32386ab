"""The ends of a search for what turned an answer: days, results or freezes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from packaging.utils import canonicalize_name

from harness.causes.search import Versions
from harness.cells import Cell
from harness.environments.names import pins_in
from harness.errors import UsageError
from harness.libraries import registry
from harness.results.document import read_result


@dataclass(frozen=True)
class End:
    """One end of a search: a day, or a set of versions."""

    shown: str
    day: date | None = None
    versions: Versions | None = None


def read_end(text: str, cell: str, folders: tuple[Path, ...] = ()) -> End:
    """Return the end that *text* names for a search in *cell*: a day, a result, or a file of ``name==version``.

    *folders* are those of further libraries.

    Raises:
        UsageError: it is none of these, has other lines, or is the result of a cell of another Python or library.
    """
    try:
        return End(text, day=date.fromisoformat(text))
    except ValueError:
        path = Path(text)
    if not path.is_file():
        raise UsageError(
            f"{text!r} is no end to search from", "name a day such as 2026-05-01, a result, or a file of name==version"
        )
    if path.suffix == ".json":
        recorded = read_result(path, any_name=True)
        if recorded.versions is None or not recorded.versions.installed:
            raise UsageError(f"nothing was installed in {path.name}", "name another result")
        here, there = Cell.parse(cell), Cell.parse(recorded.cell)
        library = registry.setup_for(here, registry.discover(folders)).library.name
        if (here.python, library) != (there.python, recorded.library):
            what = f"{path.name} is of {recorded.cell}: what fits its Python and library need not fit {cell}"
            raise UsageError(what, "name a result of the same Python and library, or a day")
        found = recorded.versions.installed
    else:
        found = _pins(path)
    return End(path.name, versions={str(canonicalize_name(name)): version for name, version in found.items()})


def _pins(path: Path) -> dict[str, str]:
    """Return what the freeze *path* pins."""
    hint = "make one with `pip freeze`"
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} is no file of name==version: {error}", hint) from error
    found: dict[str, str] = {}
    for line in filter(None, (each.partition("#")[0].strip() for each in lines)):
        if line.startswith("-"):
            continue  # an option, or the project itself, which is part of the cell
        if not (pinned := pins_in(line)):
            raise UsageError(f"{path.name} has a line that is not of the form name==version: {line}", hint)
        found |= pinned
    if not found:
        raise UsageError(f"{path.name} has no lines of the form name==version", hint)
    return found
