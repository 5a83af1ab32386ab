"""Results of as many cells as one likes, each as rich as a recorded one."""

from __future__ import annotations

from pathlib import Path

import msgspec

from harness.cells import Cell
from harness.results.result import encode_result, read_result

# The benchmarks read this as well, and have no pytest for what tests share.
RECORDED = Path(__file__).resolve().parent.parent / "reports" / "results"
#: Recorded cells of every kind of verdict, each with its suffix.
_KINDS = (
    "py311-django52-channels4",
    "py27-django18",
    "py39-django30",
    "py313-django60-asgi",
    "py27-django18-socketio",
    "py33-django18",
    "py38-django30-channels2",
    "py311-django52-pysocketio",
)


def write(folder: Path, number: int) -> list[str]:
    """Write *number* results into the folder ``results`` below *folder*; return the names of their cells."""
    results = folder / "results"
    results.mkdir(parents=True, exist_ok=True)
    names = []
    known = {name: read_result(RECORDED / f"{name}.json") for name in _KINDS}
    for place in range(number):
        kind = _KINDS[place % len(_KINDS)]
        pair = place // len(_KINDS)
        cell = Cell(f"3.{6 + pair % 10}", f"{1 + place % len(_KINDS)}.{pair // 10}", Cell.parse(kind).suffixes)
        names.append(cell.name)
        (results / f"{cell.name}.json").write_bytes(encode_result(msgspec.structs.replace(known[kind], cell=cell.name)))
    assert len(set(names)) == number
    return names
