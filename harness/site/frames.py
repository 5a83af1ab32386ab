"""The evidence of a cell, as pages of the site: what each program printed, and every frame."""

from __future__ import annotations

import gzip
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.captured.scrub import printable

#: What evidence is called.
_NAME = re.compile(r"[A-Za-z0-9 ._-]+")
#: How a picture begins; https://www.w3.org/TR/png-3/#5PNG-file-signature.
_PNG = b"\x89PNG\r\n\x1a\n"
#: How much of a frame's data is shown.
_SHOWN = 160
#: The largest file that is shown whole, in bytes.
_LIMIT = 1_000_000


class Frame(msgspec.Struct):
    """One line of ``frames.jsonl``."""

    seconds: float
    member: str
    connection: str
    direction: str
    kind: str
    data: str


@dataclass(frozen=True)
class PackedFrames:
    """The frames of a file, for a page that unpacks them where it is read."""

    #: A JSON list of rows, each a list of what its columns show; compressed by gzip and written in base64.
    rows: str
    number: int
    #: How many lines could not be read.
    broken: int


def pages(
    cell: str, evidence: Path | None, page: Callable[[str, PackedFrames], str]
) -> Iterator[tuple[str, str, str | bytes]]:
    """Yield a title, a file name and the content of each piece of *evidence* of *cell*; nothing where that is None.

    *page* is called with the name of a file without its ending and the frames in it, and returns what shows them.
    """
    for path in sorted(evidence.glob("*")) if evidence and not evidence.is_symlink() else []:
        if path.is_symlink() or not path.is_file() or not _NAME.fullmatch(path.name):
            continue  # a link could lead anywhere, and no evidence is called like that
        try:
            if path.suffix == ".log":
                yield path.name, f"{cell}.{path.stem}.txt", _log(path)
            elif path.suffix == ".jsonl" and path.stat().st_size:
                yield path.name, f"{cell}.{path.stem}.html", page(f"{cell}.{path.stem}", _packed(path))
                whole = gzip.compress(path.read_bytes(), mtime=0)
                yield f"{path.name}.gz, as recorded", f"{cell}.{path.name}.gz", whole
            elif path.suffix == ".png" and path.stat().st_size < _LIMIT:
                data = path.read_bytes()
                if data.startswith(_PNG):
                    yield path.name, f"{cell}.{path.name}", data
        except OSError as error:
            yield path.name, f"{cell}.{path.stem}.txt", f"This file could not be read: {error.strerror}\n"


def _log(path: Path) -> str:
    data = path.read_bytes()
    text = printable(data[:_LIMIT].decode("utf-8", "replace"))
    return text + (f"\n… and {len(data) - _LIMIT} bytes more\n" if len(data) > _LIMIT else "")


def _packed(path: Path) -> PackedFrames:
    """Return all frames in *path* with few bytes: a page of rows would be as large as hundreds of these."""
    rows, broken = [], 0
    decode = msgspec.json.Decoder(Frame).decode
    for line in path.read_bytes().splitlines():
        try:
            rows.append(_row(decode(line)))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            broken += 1
    return PackedFrames(b64encode(gzip.compress(msgspec.json.encode(rows), mtime=0)).decode(), len(rows), broken)


def _row(frame: Frame) -> list[str]:
    data = printable(frame.data[: _SHOWN + 40])
    if len(frame.data) > _SHOWN:
        data = f"{data[:_SHOWN]} … ({len(frame.data)} characters)"
    way = "sent" if frame.direction == "out" else "received"
    return [f"{frame.seconds:.6f}", *map(printable, (frame.member, frame.connection, way, frame.kind)), data]
