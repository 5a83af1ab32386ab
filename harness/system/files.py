"""Files that are written at once or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from harness.errors import HarnessError

#: What to do when something cannot be written, whatever it is.
MAKE_ROOM = "make room on the disk, or make the folder writable"


def write_atomically(path: Path, data: bytes, derived: bool = False) -> None:
    """Write *data* to a temporary file beside *path*, then rename it.

    What is *derived* from other files can be made again, and is not waited for until the disk has it.

    Raises:
        HarnessError: the folder cannot be written to, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
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


def unwritable(what: str, error: OSError) -> HarnessError:
    """Return the fault of the machine that *what* could not be written."""
    return HarnessError(f"{what} cannot be written: {error.strerror or error}", MAKE_ROOM)
