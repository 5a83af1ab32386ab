"""The libraries under test: one module each, found by name."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import inspect
import pkgutil
import sys
import zlib
from pathlib import Path
from types import ModuleType

from harness.cells import Cell
from harness.errors import UsageError
from harness.libraries.base import Library
from harness.libraries.setup import PINS, Setup
from harness.results.result import Profile
from harness.servers.catalogue import SERVERS


def discover(folders: tuple[Path, ...] = ()) -> dict[str, Library]:
    """Return every library by the suffix of its cells.

    Those of this package, of *folders*, and of other distributions that name a module or a class
    under the entry point ``harness.libraries``.

    Raises:
        UsageError: a module cannot be imported, or two libraries have one suffix.
    """
    found: dict[str, Library] = {}
    for module in [*_own(), *_entered(), *(each for folder in folders for each in _foreign(folder))]:
        for _, kind in inspect.getmembers(module, inspect.isclass):
            # Not one that the module only imports, nor one that is there for others to begin with.
            if not issubclass(kind, Library) or kind.__module__ != module.__name__ or "suffix" not in vars(kind):
                continue
            if missing := sorted(getattr(kind, "__abstractmethods__", ())):
                raise UsageError(f"{kind.__name__} in {module.__name__} lacks {', '.join(missing)}")
            library = kind()
            if library.suffix in found:
                raise UsageError(f"{library.name} and {found[library.suffix].name} have the same suffix")
            found[library.suffix] = library
    return found


def module_folders(libraries: dict[str, Library]) -> tuple[Path, ...]:
    """Return the folders of the modules of *libraries*; one from elsewhere has its prose there."""
    return tuple(sorted({Path(inspect.getfile(type(library))).parent for library in libraries.values()}))


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
        raise UsageError(f"{cell.name}: there is no library with the suffix -{suffix}", f"known suffixes: {known}")
    library = libraries[suffix]
    if server is not None and server.name not in library.servers:
        known = ", ".join(library.servers)
        raise UsageError(f"{cell.name}: {library.name} is not served by {server.name}", f"known servers: {known}")
    setup = Setup(library, server or SERVERS[library.server(cell)], profile)
    if setup.pinned and not library.best_pins(cell):
        raise UsageError(f"{cell.name}: no pins are known for it", "leave out -pins")
    return setup


def _own() -> list[ModuleType]:
    names = [info.name for info in pkgutil.iter_modules([str(Path(__file__).parent)])]
    return [importlib.import_module(f"harness.libraries.{name}") for name in sorted(names)]


def _entered() -> list[ModuleType]:
    modules = []
    for entry in importlib.metadata.entry_points(group="harness.libraries"):
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
