"""The file of a result: written at once, read whole or not at all, and refused when it is of an unknown form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from harness.cells import again
from harness.errors import DamagedResult, ForeignSchema, HarnessError
from harness.results.model import UNREADABLE, schema_of
from harness.results.result import SCHEMA, Result
from harness.results.upgrade import OLDER, upgraded
from harness.system.files import write_atomically

#: The largest result document, in bytes: some four times what the largest recorded one has. A result over it is lost,
#: and one in which a further way of the library is wrong in every exchange has 5000 bytes more.
SIZE_LIMIT = 256_000


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the result document."""
    document = msgspec.json.schema(Result)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A cell's result", **document}


def encode_result(result: Result) -> bytes:
    """Return *result* as the bytes of its file."""
    return msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n"


def read_result(path: Path, any_name: bool = False) -> Result:
    """Return the result in the file at *path*, which bears the cell's name unless it may have *any_name*.

    Raises:
        DamagedResult: the file is truncated, unfinished, of another schema, or no result at all.
    """
    try:
        return decode_result(path.read_bytes(), path.stem, any_name)
    except OSError as error:
        raise DamagedResult(f"{path.name} cannot be read: {error.strerror}") from error


def decode_result(data: bytes, cell: str, any_name: bool = False) -> Result:
    """Return the result of *cell* in the *data* of its file; with *any_name* *cell* is only what the file is called.

    Raises:
        ForeignSchema: it is a result of another version of the document's form.
        DamagedResult: it is truncated, unfinished, of another cell, or no result at all.
    """
    name = f"{cell}.json"
    if len(data) > SIZE_LIMIT:
        raise DamagedResult(f"{name} has {len(data)} bytes, and no result has more than {SIZE_LIMIT}", "move it away")
    try:
        result = _decoded(data)
    except UNREADABLE as error:
        if (foreign := schema_of(data)) not in ("", OLDER, SCHEMA):
            raise ForeignSchema(
                f"{name} is a result of schema {foreign}; this harness reads schema {SCHEMA}",
                f"read it with the harness of that schema, or measure the cell again with `{again(cell)}`",
            ) from error
        raise DamagedResult(
            f"{name} is not a finished result of schema {SCHEMA}: {error}",
            f"move it away, then `{again(cell)}` measures the cell again",
        ) from error
    if result.cell != cell and not any_name:
        raise DamagedResult(f"{name} holds the result of {result.cell}", "rename it, or move it away")
    return result


def _decoded(data: bytes) -> Result:
    """Return the result in *data*, which may be of the schema before.

    Raises:
        One of :data:`~harness.results.model.UNREADABLE`: it is none.
    """
    try:
        return msgspec.json.decode(data, type=Result)
    except msgspec.ValidationError:
        if schema_of(data) != OLDER:
            raise
    return msgspec.convert(upgraded(msgspec.json.decode(data)), Result)


def save_result(result: Result, path: Path) -> None:
    """Write *result* to *path* at once or not at all.

    Raises:
        HarnessError: the file cannot be written, or the document is over the size limit.
    """
    data = encode_result(result)
    if len(data) > SIZE_LIMIT:
        raise HarnessError(f"the result of {result.cell} has {len(data)} bytes; {SIZE_LIMIT} is the limit")
    write_atomically(path, data)
