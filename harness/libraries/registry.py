"""The libraries under test: one module each, found by name."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import inspect
import pkgutil
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from harness.cells import Cell
from harness.errors import UsageError
from harness.libraries import scenario
from harness.libraries._others import ENTRY_POINT
from harness.libraries.base import Library
from harness.libraries.setup import PINS, Setup
from harness.results.result import Profile
from harness.servers.catalogue import SERVERS


def discover(folders: tuple[Path, ...] = ()) -> dict[str, Library]:
    """Return every library by the suffix of its cells.

    Those of this package, of *folders*, and of other distributions that name a module or a class
    under the entry point ``harness.libraries``. What is a file among *folders* is a scenario.

    Raises:
        UsageError: a module cannot be imported, or two libraries have one suffix.
    """
    found: dict[str, Library] = {}
    places = [each for each in folders if not each.is_file()]
    modules = [*_own(), *_entered(), *(each for folder in places for each in _foreign(folder))]
    kinds = [kind for module in modules for kind in _in(module)]
    kinds += [scenario.library(each) for each in folders if each.is_file()]
    for kind in kinds:
        if missing := sorted(getattr(kind, "__abstractmethods__", ())):
            raise UsageError(f"{kind.__name__} in {kind.__module__} lacks {', '.join(missing)}")
        library = kind()
        if library.suffix in found:
            raise UsageError(f"{library.name} and {found[library.suffix].name} have the same suffix")
        found[library.suffix] = library
    return found


def _in(module: ModuleType) -> Iterator[type[Library]]:
    """Yield the classes of *module* that are libraries.

    Not one that it only imports, nor one that is there for others to begin with.
    """
    for _, kind in inspect.getmembers(module, inspect.isclass):
        if issubclass(kind, Library) and kind.__module__ == module.__name__ and "suffix" in vars(kind):
            yield kind


def module_folders(libraries: dict[str, Library]) -> tuple[Path, ...]:
    """Return where *libraries* are found again: the folders of their modules, where prose is as well, or scenarios."""
    return tuple(sorted({library.place() for library in libraries.values()}))


def setup_for(cell: Cell, libraries: dict[str, Library]) -> Setup:
    """Return what *cell* measures; after its pair come the library, the server and the profile, each if not the usual.

    Raises:
        UsageError: there is no such library, or its documentation names no such server.
    """
    names = list(cell.suffixes)
    profile: Profile = "today"
    if names[-1:] == [PINS]:
        profile = PINS
        names.pop()
    server = SERVERS[names.pop()] if names and names[-1] in SERVERS else None
    suffix = "-".join(names)
    if suffix not in libraries:
        known = ", ".join(sorted(f"-{each}" for each in libraries if each)) or "none"
        hint = f"known suffixes: {known}; another library, or a scenario, is given with --libraries"
        raise UsageError(f"{cell.name}: there is no library with the suffix -{suffix}", hint)
    library = libraries[suffix]
    if server is not None and server.name not in library.servers:
        known = ", ".join(library.servers)
        raise UsageError(f"{cell.name}: {library.name} is not served by {server.name}", f"known servers: {known}")
    setup = Setup(library, server or library.own_server(cell), profile)
    if setup.pinned and not library.best_pins(cell):
        raise UsageError(f"{cell.name}: no pins are known for it", "leave out -pins")
    return setup


def _own() -> list[ModuleType]:
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    # What begins with an underscore is loaded by the library that needs it, when it needs it.
    names = [info.name for info in found if not info.name.startswith("_")]
    return [importlib.import_module(f"{__package__}.{name}") for name in sorted(names)]


def _entered() -> list[ModuleType]:
    modules = []
    for entry in importlib.metadata.entry_points(group=ENTRY_POINT):
        try:
            loaded = entry.load()
        except Exception as error:
            raise UsageError(f"the entry point {entry.name} cannot be loaded: {error}", f"see {entry.value}") from error
        modules.append(loaded if isinstance(loaded, ModuleType) else sys.modules[loaded.__module__])
    return modules


def _foreign(folder: Path) -> list[ModuleType]:
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder of library modules")
    modules = []
    for path in sorted(folder.glob("*.py")):
        spec = importlib.util.spec_from_file_location(
            f"harness_library_{zlib.crc32(bytes(folder.resolve())):x}_{path.stem}", path
        )
        if spec is None or spec.loader is None:
            continue
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            raise UsageError(f"{path.name} cannot be imported: {type(error).__name__}: {error}") from error
        modules.append(module)
    return modules
