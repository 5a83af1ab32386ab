"""The chats of this project as scenarios: the same exchanges and the same verdict as their libraries have."""

from __future__ import annotations

from pathlib import Path

import pytest
from shared import ROOT, harness

from harness.cell.variables import environment
from harness.cells import Cell
from harness.environments import interpreters, own
from harness.results.document import read_result

pytestmark = [pytest.mark.cell, pytest.mark.usefixtures("no_survivors")]
CHATS = Path(__file__).parent / "chats"
#: A text a frame and forms, JSON, and events: the cell of the library, which is recorded, and the name of the scenario.
FORMATS = {
    "django-websocket-redis": ("py311-django22", "dwr"),
    "channels4": ("py311-django52-channels4-daphne", "json"),
    "python-socketio": ("py311-django52-pysocketio", "socketio5"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_both_ways(name, tmp_path):
    """A cell of each wire format has the same rows with the same senders, recipients and roads, and works both ways."""
    recorded, suffix = FORMATS[name]
    pair = Cell.parse(recorded)
    if (found := interpreters.find(pair.python)) is None:
        pytest.skip(f"no Python {pair.python}")
    cell = f"py{pair.python.replace('.', '')}-django{pair.django.replace('.', '')}-{suffix}"
    python = own.make(found.path, tmp_path / cell, [f"Django=={pair.django}.*"], environment(installer=True))
    done = harness(
        "run", cell, "--python", python, reports=tmp_path / "reports", HARNESS_LIBRARIES=str(CHATS / f"{name}.toml")
    )
    assert done.returncode == 0, done.stdout + done.stderr
    scenario = read_result(tmp_path / "reports" / "results" / f"{cell}.json")
    library = read_result(ROOT / "reports" / "results" / f"{recorded}.json")

    def rows(result):
        return [(each.number, each.sender, each.recipients, each.transport, each.good) for each in result.exchanges]

    assert rows(library) == rows(scenario)
    assert library.verdicts.overall == scenario.verdicts.overall
    assert [each.right for each in library.rounds] == [each.right for each in scenario.rounds] == [15, 15]
