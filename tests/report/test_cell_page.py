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


def test_times_of_steps(tmp_path):
    """What a step took in an earlier run has its day beside it; what took no time has none."""
    recorded = samples.of(CELL)
    names = ["install", "probe payloads", "probe delivery", "migrate", "runserver"]
    varying = msgspec.structs.replace(
        recorded.varying,
        started="2026-11-28T10:00:00+00:00",
        seconds={"install": 0.0, "probe payloads": 0.67, "probe delivery": 9.2, "migrate": 1.25, "runserver": 0.001},
        install_seconds=0.93,
        installed_on="2026-11-20",
        probed_on={"payloads": "2026-11-26", "delivery": "2026-11-28"},
    )
    steps = [msgspec.structs.replace(recorded.steps[0], name=name) for name in names]
    (library,) = read_view(samples.write(tmp_path, CELL)).libraries
    (row,) = library.rows
    page = CellPage(replace(row, result=msgspec.structs.replace(recorded, steps=steps, varying=varying)), library)
    assert [(each.name, each.time) for each in page.steps] == [
        ("install", "0.93 s, on 2026-11-20"),
        ("probe payloads", "0.67 s, on 2026-11-26"),
        ("probe delivery", "9.20 s"),
        ("migrate", "1.25 s"),
        ("runserver", ""),
    ]
