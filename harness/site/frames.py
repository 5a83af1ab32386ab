"""The evidence of a cell, as pages of the site: what each program printed, and every frame."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
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


def pages(cell: str, evidence: Path | None) -> Iterator[tuple[str, str, str | bytes]]:
    """Yield a title, a file name and the content of each piece of *evidence* of *cell*; nothing where that is None."""
    for path in sorted(evidence.glob("*")) if evidence and not evidence.is_symlink() else []:
        if path.is_symlink() or not path.is_file() or not _NAME.fullmatch(path.name):
            continue  # a link could lead anywhere, and no evidence is called like that
        try:
            if path.suffix == ".log":
                yield path.name, f"{cell}.{path.stem}.txt", _log(path)
            elif path.suffix == ".jsonl" and path.stat().st_size:
                yield path.name, f"{cell}.{path.stem}.html", _frames(cell, path)
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


def _frames(cell: str, path: Path) -> str:
    """Return a table of all frames; made without a template, for there can be thousands."""
    rows, broken = [], 0
    decode = msgspec.json.Decoder(Frame).decode
    for line in path.read_bytes().splitlines():
        try:
            rows.append(_row(decode(line)))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            broken += 1
    title = f"{escape(cell)}: {escape(path.name)}"
    lost = f" {broken} lines could not be read." if broken else ""
    head = "".join(
        f'<th scope="col">{name}</th>' for name in ("Seconds", "Member", "Connection", "Direction", "Kind", "Data")
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="../static/site.css"></head><body><main>'
        f'<h1>{title}</h1><p><a href="../cells/{escape(cell)}.html">The cell</a>. {len(rows)} frames.{lost}</p>'
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{"".join(rows)}</tbody></table></div>'
        "</main></body></html>\n"
    )


def _row(frame: Frame) -> str:
    data = printable(frame.data[: _SHOWN + 40])
    if len(frame.data) > _SHOWN:
        data = f"{data[:_SHOWN]} … ({len(frame.data)} characters)"
    way = "sent" if frame.direction == "out" else "received"
    cells = [frame.member, frame.connection, way, frame.kind]
    return (
        f'<tr><td class="number">{frame.seconds:.6f}</td>'
        + "".join(f"<td>{escape(printable(each))}</td>" for each in cells)
        + f'<td class="data">{escape(data)}</td></tr>\n'
    )
