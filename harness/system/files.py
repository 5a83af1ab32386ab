"""Files that are written at once or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil

from harness.errors import HarnessError

#: What to do when something cannot be written, whatever it is.
MAKE_ROOM = "make room on the disk, or make the folder writable"
#: What the name of a file begins with that is not whole yet; the process that writes it follows.
_UNFINISHED = ".tmp-"
#: Bytes that are written to see whether any can be.
_PIECE = 65536


def write_atomically(path: Path, data: bytes, derived: bool = False) -> None:
    """Write *data* to a temporary file beside *path*, then rename it.

    What is *derived* from other files can be made again, and is not waited for until the disk has it.

    Raises:
        HarnessError: the folder cannot be written to, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f"{_UNFINISHED}{os.getpid()}-", dir=path.parent)
    except OSError as error:
        raise unwritable(path.name, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if not derived:
                os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as error:
        raise unwritable(path.name, error) from error
    finally:
        Path(name).unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what a process left half written in *folder* that was killed before it could rename it."""
    for path in folder.glob(f"{_UNFINISHED}*"):
        owner = path.name.removeprefix(_UNFINISHED).partition("-")[0]
        if not (owner.isdigit() and psutil.pid_exists(int(owner))):
            with suppress(OSError):
                path.unlink()


def unwritable(what: str, error: OSError) -> HarnessError:
    """Return the fault of the machine that *what* could not be written."""
    return HarnessError(f"{what} cannot be written: {error.strerror or error}", MAKE_ROOM)


def no_room(folder: Path, least: int) -> str:
    """Say why fewer than *least* bytes can be written to *folder* or to the folder for temporary files; empty if not.

    Asked are the free bytes and files of both, and a quota by writing something.
    """
    for place in (folder, Path(tempfile.gettempdir())):
        free, files = shutil.disk_usage(place).free, os.statvfs(place)
        if free < least:
            return f"{free / 1e6:.0f} MB are free"
        if files.f_files and not files.f_favail:
            return "no further file can be made"
        try:
            with tempfile.TemporaryFile(dir=place) as file:
                file.write(b"\0" * _PIECE)
                file.flush()
        except OSError as error:
            return error.strerror or str(error)
    return ""


def is_there(text: str) -> bool:
    """Tell whether *text* names a file or a folder of this machine; what is longer than a name may be does not."""
    try:
        return Path(text).exists()
    except OSError:
        return False
