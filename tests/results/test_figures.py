"""Figures that vary: the median and the range of several runs, quiet ones before others, and how often each was run."""

from __future__ import annotations

import msgspec
import pytest
import samples

from harness.results import figures
from harness.results.repeats import together
from harness.results.result import Result

CELL = "py311-django52-channels4"


def ran(install: float, quiet: bool | None = True, cell: str = CELL) -> Result:
    result = samples.of(cell)
    varying = msgspec.structs.replace(result.varying, install_seconds=install, quiet=quiet)
    return msgspec.structs.replace(result, varying=varying)


def test_one_run():
    """A figure of one run says so, and whether others ran beside it."""
    assert figures.of(ran(3.0), figures.INSTALL).told == "3.0 s (one run)"
    assert figures.of(ran(3.0, quiet=False), figures.INSTALL).told == "3.0 s (one run, beside others)"
    assert figures.of(ran(3.0, quiet=None), figures.INSTALL).told == "3.0 s (one run)"


def test_several_runs():
    """Of several runs the median is shown with the range, and with how many they were."""
    result = together([ran(3.0), ran(5.0), ran(3.2)])
    assert figures.of(result, figures.INSTALL).told == "3.2 s (3.0 s to 5.0 s, 3 runs)"
    assert set(result.varying.figures) == set(figures.NAMES)
    assert figures.of(together([ran(3.0), ran(3.0)]), figures.INSTALL).told == "3.0 s (2 runs)"


def test_runs_beside_others():
    """Runs beside others are left out where any was quiet; where none was they are shown, and it is said."""
    mixed = together([ran(3.0), ran(9.0, quiet=False), ran(4.0)])
    assert mixed.varying.figures[figures.INSTALL] == [3.0, 4.0]
    assert mixed.varying.quiet is True
    loud = together([ran(3.0, quiet=False), ran(9.0, quiet=False)])
    assert figures.of(loud, figures.INSTALL).told == "6.0 s (3.0 s to 9.0 s, 2 runs, beside others)"


def test_of_an_earlier_day():
    """Figures of an earlier run say of which day they are."""
    figure = figures.Figure("latency_ms", 0.3, 0.3, 0.3, 3, quiet=True, day="2026-11-25")
    assert figure.told == "0.3 ms (3 runs, of 2026-11-25)"


def test_over_cells():
    """Over several cells those with several quiet runs are shown alone, then those with one, then any."""
    several = together([ran(2.0), ran(4.0)])
    others = [ran(9.0), ran(99.0, quiet=False)]
    assert figures.over([several, *others], figures.INSTALL).told_of_each == "3.0 s (2 runs each)"
    assert figures.over(others, figures.INSTALL).told_of_each == "9.0 s (one run each)"
    told = figures.over([ran(8.0, quiet=None), ran(99.0, quiet=False)], figures.INSTALL)
    assert told.told_of_each == "53.5 s (8.0 s to 99.0 s, one run each)"
    assert figures.over([], figures.INSTALL) is None


@pytest.mark.parametrize("cell", ["py33-django18", "py36-django111-socketio"])
def test_not_come_to(cell):
    """A cell that did not come as far has none of these."""
    assert figures.of(samples.of(cell), figures.LATENCY) is None


def test_a_server_that_never_answered():
    """A server that did not answer was ready after no time that could be told."""
    result = samples.of("py313-django52")
    assert result.server in {each.name for each in result.steps}
    assert figures.of(result, figures.START) is None
    several = msgspec.structs.replace(result.varying, figures={figures.START: [0.0, 0.0]})
    assert figures.of(msgspec.structs.replace(result, varying=several), figures.START) is None
    assert figures.of(samples.of(CELL), figures.START) is not None
