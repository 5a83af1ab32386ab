"""The kind of documents that results are made of, and what is no such document."""

from __future__ import annotations

import msgspec

#: What is raised where a document is none, or not of the schema that it names.
UNREADABLE = (
    *(msgspec.MsgspecError, UnicodeDecodeError, RecursionError),
    *(TypeError, KeyError, AttributeError, ValueError),
)


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every part of the document has in common."""


class _Document(msgspec.Struct):
    schema: str | int


def schema_of(data: bytes) -> str:
    """Return the version that a document names as its own; nothing where it is no such document."""
    try:
        return str(msgspec.json.decode(data, type=_Document).schema)[:20]
    except UNREADABLE:
        return ""
