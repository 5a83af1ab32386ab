"""Figures that vary from run to run: of one run, or the median and the range of several."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.results.result import Result

LATENCY, INSTALL, START, STOP = "latency_ms", "install_seconds", "start_seconds", "stop_seconds"
#: Each figure: what it is called, and how its number is written.
NAMES = {
    LATENCY: ("Latency of a message", "{:.1f} ms"),
    INSTALL: ("Time to install", "{:.1f} s"),
    START: ("Server ready after", "{:.2f} s"),
    STOP: ("Stops in", "{:.2f} s"),
}


@dataclass(frozen=True)
class Figure:
    """A figure of a cell, or of several: its median, from what to what it ranges, and of how many runs it is."""

    name: str
    median: float
    low: float
    high: float
    runs: int
    #: Whether nothing else ran beside; None where that was not noted.
    quiet: bool | None = None
    #: The day on which it was measured, where that is another one than that of the verdict.
    day: str = ""

    @property
    def told(self) -> str:
        """Return it in words, with its range and of how many runs it is."""
        return self._told("one run" if self.runs < 2 else f"{self.runs} runs")

    @property
    def told_of_each(self) -> str:
        """Return in words what it is over several cells, with how many runs each of them had."""
        return self._told("one run each" if self.runs < 2 else f"{self.runs} runs each")

    def _told(self, runs: str) -> str:
        form = NAMES[self.name][1]
        spread = f"{form.format(self.low)} to {form.format(self.high)}, " if self.low < self.high else ""
        beside = ", beside others" if self.quiet is False else ""
        day = f", of {self.day}" if self.day else ""
        return f"{form.format(self.median)} ({spread}{runs}{beside}{day})"


def of_run(result: Result) -> dict[str, float]:
    """Return the figures of one run, by their names; those that it did not come to are missing."""
    varying = result.varying
    latencies = [ms for each in varying.latency_ms.values() for ms in each.values()]
    found = {
        LATENCY: statistics.median(latencies) if latencies else None,
        INSTALL: varying.install_seconds,
        START: varying.seconds.get(result.server),
        STOP: varying.seconds.get(f"stop {result.server}"),
    }
    return {name: value for name, value in found.items() if value is not None and _come_to(result, name)}


def _come_to(result: Result, name: str) -> bool:
    """Tell whether *result* came as far as that: a server that never answered was not ready after any time."""
    return name != START or any(step.name == result.server and step.outcome == "ok" for step in result.steps)


def worth(result: Result) -> tuple[bool, bool]:
    """Return by what the figures of runs of one cell are chosen, as :func:`over` does between cells."""
    return _worth_of(result.varying.quiet, max(map(len, result.varying.figures.values()), default=1))


def of_runs(results: Sequence[Result]) -> dict[str, list[float]]:
    """Return the figures of several runs, those made beside others only where none was quiet."""
    quiet = [each for each in results if each.varying.quiet is not False] or results
    found: dict[str, list[float]] = {}
    for each in quiet:
        for name, value in of_run(each).items():
            found.setdefault(name, []).append(round(value, 3))
    return found


def of(result: Result, name: str) -> Figure | None:
    """Return the figure *name* of a cell; None where it was not come to."""
    values = result.varying.figures.get(name) or [value for known, value in of_run(result).items() if known == name]
    if not values or not _come_to(result, name):
        return None
    varying = result.varying
    ends = min(values), max(values)
    return Figure(name, statistics.median(values), *ends, len(values), varying.quiet, varying.figures_on)


def over(results: Iterable[Result], name: str) -> Figure | None:
    """Return the figure *name* over several cells: those that had quiet runs, or all where none had.

    The range is that of the cells' medians, and the runs are those that each of them had at least.
    """
    known = [found for each in results if (found := of(each, name)) is not None]
    if not known:
        return None
    best = max(map(_worth, known))
    chosen = [each for each in known if _worth(each) == best]
    medians, runs = [each.median for each in chosen], min(each.runs for each in chosen)
    return Figure(name, statistics.median(medians), min(medians), max(medians), runs, chosen[0].quiet)


def _worth(figure: Figure) -> tuple[bool, bool]:
    return _worth_of(figure.quiet, figure.runs)


def _worth_of(quiet: bool | None, runs: int) -> tuple[bool, bool]:
    """Return by what figures are chosen: several quiet runs before one, and one that was quiet before any other."""
    return quiet is True, quiet is True and runs > 1
