"""Files that are written at once or not at all, and those that have a document in each line."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from harness.errors import DamagedResult, HarnessError

T = TypeVar("T")


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
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if not derived:
                os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        Path(name).unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> HarnessError:
    return HarnessError(
        f"{path.name} cannot be written: {error.strerror}", "make room, or make the reports folder writable"
    )


def write_lines(path: Path, documents: Iterable[object]) -> None:
    """Write each of *documents* to *path* as a line of JSON.

    Raises:
        HarnessError: it cannot be written.
    """
    write_atomically(path, b"".join(msgspec.json.encode(each) + b"\n" for each in documents))


def read_lines(path: Path, kind: type[T], folder: str) -> list[T]:
    """Return the documents of one *kind* that are the lines of *path*; none where there is no such file.

    *folder* is what its folder of the reports is called.

    Raises:
        DamagedResult: a line is none of them.
        HarnessError: the file cannot be read.
    """
    if not path.exists():
        return []
    name = f"{folder}/{path.name}"
    try:
        return msgspec.json.Decoder(kind).decode_lines(path.read_bytes())
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DamagedResult(f"{name} is damaged: {error}", "move it away; a new one begins then") from error
    except OSError as error:
        raise HarnessError(f"{name} cannot be read: {error.strerror}") from error


def once(documents: Iterable[T], when: Callable[[T], str]) -> list[T]:
    """Return *documents* by their time, without what stands among them more than once."""
    known = {msgspec.json.encode(each): each for each in documents}
    return sorted(known.values(), key=when)
