"""Pictures of servers under load: how late, how many, and how they compare."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.report import loads
from harness.report.plots import INK, Picture, colours
from harness.report.view import View
from harness.results.loads import LADDER, NOT_TRIED, Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: How many panels stand side by side.
_ACROSS = 3
#: What tells the deployments of a cell apart: a colour is that of a library.
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


@dataclass(frozen=True)
class _Cell:
    """A cell that was put under load: what it is called, its runs, and the colour of its library."""

    title: str
    runs: list[Run]
    colour: str


def plots(view: View) -> list[Picture]:
    """Return each picture; none where nothing was put under load."""
    shades = colours(view)
    cells = [
        _Cell(f"{library.title}\n{row.name}", row.under_load, shades[library.name])
        for library in view.libraries
        for row in library.rows
        if row.under_load
    ]
    if not cells:
        return []
    return [
        Picture(
            "load-sockets",
            "How many sockets each server holds",
            "The largest crowd that stood to the end and had each broadcast once, in each of the runs.",
            "sockets held",
            partial(_bars, cells),
            in_reports=True,
        ),
        Picture(
            "load-latency",
            "Latency of a broadcast by sockets",
            (
                "From sending until half (dashed) and until 99 of 100 (solid) of the sockets have the message. "
                "A peak of seconds is what came late: only once the next message was sent. Of several runs it is the "
                "median, with a line from the lowest to the highest."
            ),
            "latency by sockets",
            partial(_panels, cells, _latency, "milliseconds"),
            in_reports=True,
        ),
        Picture(
            "load-delivered",
            "Delivered by sockets",
            "The share of the sockets that had a broadcast: the median of the runs, from the lowest to the highest.",
            "delivered by sockets",
            partial(_panels, cells, _delivered, "delivered (%)"),
            in_reports=True,
        ),
    ]


def _bars(cells: list[_Cell]) -> Figure:
    from matplotlib.figure import Figure

    names, values, labels, shades = [], [], [], []
    for cell in cells:
        for run in cell.runs:
            names.append(f"{cell.title.replace(chr(10), ', ')}, {run.deployment}")
            values.append(run.held.sockets if run.held else 0)
            labels.append(loads.held(run))
            shades.append(cell.colour)
    figure = Figure(figsize=(9, 0.26 * len(names) + 1))
    axes = figure.add_subplot()
    axes.barh(range(len(names)), [max(value, 1) for value in values], color=shades, height=0.7)
    for place, (value, label) in enumerate(zip(values, labels, strict=True)):
        axes.text(max(value, LADDER[0] / 2) * 1.06, place, label, va="center", fontsize=8, color=INK)
    axes.set_xscale("log")
    axes.set_xlim(LADDER[0] / 2, LADDER[-1] * 4)
    axes.set_yticks(range(len(names)), labels=names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("sockets")
    _plain_scale(axes.xaxis)
    return figure


def _panels(cells: list[_Cell], draw: Any, label: str) -> Figure:
    from matplotlib.figure import Figure

    down = math.ceil(len(cells) / _ACROSS)
    across = min(_ACROSS, len(cells))
    figure = Figure(figsize=(3.4 * across, 2.9 * down))
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    # Laid out once: a layout that looks for the best place draws everything several times.
    figure.subplots_adjust(left=0.06, right=0.99, top=0.97, bottom=0.04, hspace=0.38, wspace=0.08)
    for place, axes in enumerate(grid.flat):
        if place >= len(cells):
            axes.set_visible(False)
            continue
        cell = cells[place]
        for number, run in enumerate(cell.runs):
            draw(axes, run, cell.colour, _MARKERS[number % len(_MARKERS)])
        axes.set_title(cell.title, fontsize=8, color=INK)
        axes.set_xscale("log")
        axes.set_xlim(LADDER[0] * 0.8, LADDER[-1] * 1.25)
        _plain_scale(axes.xaxis)
        axes.grid(alpha=0.25, color=INK)
        axes.tick_params(labelsize=7, labelbottom=True)
        axes.legend(fontsize=6, frameon=False, labelcolor=INK)
        if place % across == 0:
            axes.set_ylabel(label, fontsize=8)
    return figure


def _latency(axes: Any, run: Run, colour: str, marker: str) -> None:
    spreads = {
        step.sockets: [each.latency for each in run.times(step.sockets) if each.latency is not None]
        for step in run.steps
        if step.latency is not None
    }
    p99, p50 = (
        {size: [getattr(each, what) for each in found] for size, found in spreads.items()} for what in ("p99", "p50")
    )
    _medians(axes, p99, color=colour, marker=marker, markersize=4, label=run.deployment)
    _medians(axes, p50, color=colour, marker=marker, markersize=2, ls="--", lw=0.8)
    axes.set_yscale("log")
    _plain_scale(axes.yaxis)


def _delivered(axes: Any, run: Run, colour: str, marker: str) -> None:
    shares = {
        step.sockets: [100 * each.delivered for each in run.times(step.sockets)]
        for step in run.steps
        if step.ended != NOT_TRIED
    }
    _medians(axes, shares, color=colour, marker=marker, markersize=4, label=run.deployment)
    axes.set_ylim(-4, 106)


def _medians(axes: Any, values: dict[int, list[float]], **look: Any) -> None:
    """Draw the median of the *values* of each size, and from where to where they go."""
    middle = [statistics.median(each) for each in values.values()]
    down = [value - min(each) for value, each in zip(middle, values.values(), strict=True)]
    up = [max(each) - value for value, each in zip(middle, values.values(), strict=True)]
    axes.errorbar(list(values), middle, yerr=[down, up], elinewidth=0.8, capsize=1.5, **look)


def _plain_scale(axis: Any) -> None:
    """Have the numbers of a logarithmic *axis* written out, and no ticks between its powers."""
    from matplotlib.ticker import NullLocator

    axis.set_major_formatter(_number)
    axis.set_minor_locator(NullLocator())


def _number(value: float, _: float) -> str:
    return f"{value:g}"
