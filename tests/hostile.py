"""Results with hostile text in every field, for whatever is rendered."""

from __future__ import annotations

import itertools
from collections import Counter
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
import samples

from harness.results.document import save_result
from harness.results.folder import Reports
from harness.results.result import Result, Step

HOSTILE = (
    "=1+1 *x* `y <javascript:z>`__ |s| .. raw:: html\n\n<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[1m"
    "\x00\u202e [1]_ ::\n====\n\x85 ☃ _`t`: ]]> {{ 7 * 7 }} {% raw %} @everyone https://example.org/ \" ' &"
)
#: Whose texts are of a closed set, beside those that are enumerations: it is never anybody's text.
_CLOSED = {"schema", "cell", "library", "server", "profile", "outcome", "kind", "channel", "started", "decided_by"}
#: So many are kept of those in a list that have the same fields filled, and of those that have names of their own: with
#: all of them no result would be small enough to be read.
_KEPT, _NAMED = 2, 12


def with_hostile_texts(cell: str) -> Result:
    """Return the sample of *cell* with something hostile in each text that is not of a closed set.

    The same text becomes the same hostile one, also where it is the name of something.
    """
    numbers: dict[str, int] = {}

    def spoiled(text: str) -> str:
        return f"{HOSTILE}{numbers.setdefault(text, len(numbers) + 1)}"

    def spoil(value: Any, field: str = "") -> Any:
        if isinstance(value, msgspec.Struct):
            # By its name the step is found whose output is shown.
            kept = {"name"} if isinstance(value, Step) and not value.good else set()
            fields = {name: getattr(value, name) for name in value.__struct_fields__ if name not in kept}
            return msgspec.structs.replace(value, **{name: spoil(each, name) for name, each in fields.items()})
        if isinstance(value, dict):
            some = itertools.islice(value.items(), _NAMED)
            return {name if name.isdecimal() else spoiled(name): spoil(each) for name, each in some}
        if isinstance(value, list):
            return [spoil(each, field) for each in _different(value)]
        is_text = isinstance(value, str) and not isinstance(value, Enum) and field not in _CLOSED
        return spoiled(value) if is_text else value

    return spoil(samples.of(cell))


def _different(values: list[Any]) -> list[Any]:
    """Return the first of *values* that have the same fields filled."""
    seen = Counter()
    kept = []
    for value in values:
        shape = (
            tuple((type(each), bool(each)) for each in msgspec.structs.astuple(value))
            if isinstance(value, msgspec.Struct)
            else ()
        )
        seen[shape] += 1
        kept += [value] if seen[shape] <= _KEPT else []
    return kept


def folder_of(tmp_path: Path, *cells: str) -> Path:
    """Make a reports folder of hostile results of *cells*; return it."""
    for cell in cells:
        save_result(with_hostile_texts(cell), Reports(tmp_path).result(cell))
    return tmp_path
