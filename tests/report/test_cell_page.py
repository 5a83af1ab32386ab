"""What the page of a cell says in words of how its exchanges were gone through."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
import samples

from harness.report.cell_page import CellPage
from harness.report.view import read_view
from harness.results.result import Round

CELL = "py27-django18"


def rounds(folder, **changes) -> str:
    """Return what the page of a sample says of its rounds, with *changes* of its result."""
    (library,) = read_view(samples.write(folder, CELL)).libraries
    (row,) = library.rows
    result = msgspec.structs.replace(row.result, **changes)
    return CellPage(replace(row, result=result), library).rounds


FIRST, SECOND = Round(number=1, right=15, repeats=0), Round(number=2, right=14, repeats=6)


def test_two_rounds(tmp_path):
    """Of two rounds each is told with what was right in it, and the second one with its order and its repeats."""
    varying = msgspec.structs.replace(samples.of(CELL).varying, seed=1234)
    assert rounds(tmp_path, instrument=2, rounds=[FIRST, SECOND], varying=varying) == (
        "They were made on two starts of the server, with 15 and 14 right; a row has to be right in both."
        " The second round has another order (1234), and says 6 texts twice."
    )


@pytest.mark.parametrize(
    ("instrument", "found", "said"),
    [
        (
            1,
            [FIRST],
            "They were made once, on one start of the server, with the first version of the instrument.",
        ),
        (2, [FIRST], "They were made once: the second start of the server was not reached."),
        (2, [], ""),
        (1, [], ""),
    ],
)
def test_less_than_two(tmp_path, instrument, found, said):
    """Of a single round it is said why there is no other, and nothing is said of none."""
    assert rounds(tmp_path, instrument=instrument, rounds=found) == said
