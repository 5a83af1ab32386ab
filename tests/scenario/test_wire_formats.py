"""The chats of this project, as their libraries are measured and as scenarios: the same exchanges, the same verdict."""

from __future__ import annotations

from pathlib import Path

import pytest
from shared import harness

from harness.cell.variables import environment
from harness.environments import interpreters, own
from harness.results.document import read_result

pytestmark = [pytest.mark.cell, pytest.mark.usefixtures("no_survivors")]
CHATS = Path(__file__).parent / "chats"
#: A text a frame and forms, JSON, and events: the library, the Django, the Pythons, and the suffixes of both cells.
FORMATS = {
    "django-websocket-redis": ("2.2", ("3.11", "3.9", "3.8"), "", "-dwr"),
    "channels4": ("5.2", ("3.13", "3.12", "3.11"), "-channels4-daphne", "-json"),
    "python-socketio": ("5.2", ("3.13", "3.12", "3.11"), "-pysocketio", "-socketio5"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_both_ways(name, tmp_path):
    """A cell of each wire format has the same rows with the same senders, recipients and roads, and works both ways."""
    django, pythons, *suffixes = FORMATS[name]
    found = next((each for each in pythons if interpreters.find(each)), None)
    if found is None:
        pytest.skip(f"no Python of {', '.join(pythons)}")
    told = []
    for suffix in suffixes:
        cell = f"py{found.replace('.', '')}-django{django.replace('.', '')}{suffix}"
        wanted = [f"Django=={django}.*", "coverage"]
        base = interpreters.find(found)
        python = own.make(base.path, tmp_path / cell, wanted, environment(installer=True))
        # An idle socket of redis-py 8 dies, which is the library's answer and not that of a wire format.
        options = ["--with", "redis<8"] if name == "channels4" and suffix == suffixes[0] else []
        done = harness(
            *("run", cell, "--python", python, *options),
            reports=tmp_path / "reports",
            HARNESS_LIBRARIES=str(CHATS / f"{name}.toml"),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        results = sorted((tmp_path / "reports").rglob(f"results/{cell}.json"))
        told.append(read_result(results[0]))
    library, scenario = told

    def rows(result):
        return [(each.number, each.sender, each.recipients, each.transport, each.good) for each in result.exchanges]

    assert rows(library) == rows(scenario)
    assert library.verdicts.overall == scenario.verdicts.overall
    assert [each.right for each in library.rounds] == [each.right for each in scenario.rounds] == [15, 15]
