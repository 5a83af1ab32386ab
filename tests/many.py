"""Results of as many cells as one likes, each as rich as a recorded one."""

from __future__ import annotations

from pathlib import Path

import msgspec

from harness.cells import Cell
from harness.results.document import encode_result
from harness.results.folder import Reports

# The benchmarks have this as well, and know the folder of the tests by its name alone.
from tests import samples

#: Samples of every kind of verdict, each with its suffix.
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
    """Write *number* results into the reports folder *folder*; return the names of their cells."""
    reports = Reports(folder)
    reports.results.mkdir(parents=True, exist_ok=True)
    names = []
    for place in range(number):
        kind = _KINDS[place % len(_KINDS)]
        pair = place // len(_KINDS)
        cell = Cell(f"3.{6 + pair % 10}", f"{1 + place % len(_KINDS)}.{pair // 10}", Cell.parse(kind).suffixes)
        names.append(cell.name)
        result = msgspec.structs.replace(samples.of(kind), cell=cell.name)
        reports.result(cell.name).write_bytes(encode_result(result))
    assert len(set(names)) == number
    return names
