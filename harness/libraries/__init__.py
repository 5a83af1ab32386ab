"""The libraries under test: one module each, found by name."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
from pathlib import Path
from types import ModuleType

from harness.cells import Cell
from harness.errors import UsageError
from harness.libraries.base import Library


def load(folders: tuple[Path, ...] = ()) -> dict[str, Library]:
    """Return every library by the suffix of its cells; *folders* hold further modules.

    Raises:
        UsageError: a module cannot be imported, or two libraries have one suffix.
    """
    found: dict[str, Library] = {}
    for module in [*_own(), *(each for folder in folders for each in _foreign(folder))]:
        for _, kind in inspect.getmembers(module, inspect.isclass):
            own = kind.__module__ == module.__name__  # not one that the module only imports
            if issubclass(kind, Library) and not inspect.isabstract(kind) and own:
                library = kind()
                if library.suffix in found:
                    raise UsageError(f"{library.name} and {found[library.suffix].name} have the same suffix")
                found[library.suffix] = library
    return found


def of(cell: Cell, libraries: dict[str, Library]) -> Library:
    """Return the library that *cell* measures.

    Raises:
        UsageError: there is none of that suffix.
    """
    suffix = "-".join(cell.suffixes)
    if suffix not in libraries:
        known = ", ".join(sorted(f"-{each}" for each in libraries if each)) or "none"
        raise UsageError(f"{cell.name}: there is no library with the suffix -{suffix}", f"known suffixes: {known}")
    return libraries[suffix]


def _own() -> list[ModuleType]:
    names = [info.name for info in pkgutil.iter_modules(__path__) if info.name != "base"]
    return [importlib.import_module(f"{__name__}.{name}") for name in sorted(names)]


def _foreign(folder: Path) -> list[ModuleType]:
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder of library modules")
    modules = []
    for path in sorted(folder.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"harness_library_{path.stem}", path)
        if spec is None or spec.loader is None:
            continue
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            raise UsageError(f"{path.name} cannot be imported: {type(error).__name__}: {error}") from error
        modules.append(module)
    return modules
