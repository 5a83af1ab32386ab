"""Files with a document in each line: JSON Lines, as histories and load runs are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from harness.errors import DamagedResult, HarnessError
from harness.results.model import UNREADABLE
from harness.system.files import write_atomically

T = TypeVar("T")


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
    except UNREADABLE as error:
        raise DamagedResult(f"{name} is damaged: {error}", "move it away; a new one begins then") from error
    except OSError as error:
        raise HarnessError(f"{name} cannot be read: {error.strerror}") from error


def once(documents: Iterable[T], when: Callable[[T], str]) -> list[T]:
    """Return *documents* by their time, without what stands among them more than once."""
    known = {msgspec.json.encode(each): each for each in documents}
    return sorted(known.values(), key=when)
