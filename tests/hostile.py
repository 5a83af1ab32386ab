"""Results with hostile text in every field, for whatever is rendered."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import msgspec
from shared import ROOT

from harness.results.result import Result, read_result

RECORDED = ROOT / "reports" / "results"
HOSTILE = (
    "=1+1 *x* `y <javascript:z>`__ |s| .. raw:: html\n\n<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[1m"
    "\x00\u202e [1]_ ::\n====\n\x85 ☃ _`t`: ]]> {{ 7 * 7 }} {% raw %} @everyone https://example.org/ \" ' &"
)
#: What the schema closes: it is never anybody's text.
_CLOSED = {
    "schema",
    "cell",
    "library",
    "server",
    "profile",
    "verdict",
    "reason",
    "outcome",
    "kind",
    "channel",
    "started",
}


def with_hostile_texts(cell: str) -> Result:
    """Return the recorded result of *cell* with something hostile in each text that is not of a closed set."""
    numbers = itertools.count(1)

    def spoil(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: spoil(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [spoil(each, key) for each in value]
        return f"{HOSTILE}{next(numbers)}" if isinstance(value, str) and key not in _CLOSED else value

    return msgspec.convert(spoil(msgspec.to_builtins(read_result(RECORDED / f"{cell}.json"))), Result)


def folder_of(tmp_path: Path, *cells: str) -> Path:
    """Make a reports folder of hostile results of *cells*; return it."""
    for cell in cells:
        path = tmp_path / "results" / f"{cell}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(msgspec.json.encode(with_hostile_texts(cell)))
    return tmp_path
