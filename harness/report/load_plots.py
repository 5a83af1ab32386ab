"""Pictures of servers under load: how late, how many, and how they compare."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from harness.report import loads
from harness.report.plots import COLOURS, INK, svg
from harness.report.view import View
from harness.results.loads import LADDER, NOT_TRIED, Run

#: How many panels stand side by side.
_ACROSS = 3


def plots(view: View, plain: bool = False) -> list[tuple[str, str, str, str]]:
    """Return name, title, caption and SVG of each plot; none where nothing was put under load.

    Those that are *plain* stand alone, on white; the others take the colours of the page that they are in.
    """
    cells = {
        f"{library.title}\n{row.name}": row.under_load
        for library in view.libraries
        for row in library.rows
        if row.under_load
    }
    if not cells:
        return []
    return [
        (
            "load-sockets",
            "How many sockets each server holds",
            "The largest crowd in which every socket had each of five broadcasts once.",
            svg(_bars(cells), "sockets held", plain),
        ),
        (
            "load-latency",
            "Latency of a broadcast by sockets",
            (
                "From sending until half (dashed) and until 99 of 100 (solid) of the sockets have the message. "
                "A peak of seconds is what came late: only once the next message was sent."
            ),
            svg(_panels(cells, _latency, "milliseconds"), "latency by sockets", plain),
        ),
        (
            "load-delivered",
            "Delivered by sockets",
            "The share of the sockets that had a broadcast.",
            svg(_panels(cells, _delivered, "delivered (%)"), "delivered by sockets", plain),
        ),
    ]


def _bars(cells: dict[str, list[Run]]) -> Figure:
    names, values, labels, colours = [], [], [], []
    for place, (title, runs) in enumerate(cells.items()):
        for run in runs:
            names.append(f"{title.replace(chr(10), ', ')}, {run.deployment}")
            values.append(run.held.sockets if run.held else 0)
            labels.append(loads.held(run))
            colours.append(COLOURS[place % len(COLOURS)])
    figure = Figure(figsize=(9, 0.26 * len(names) + 1))
    axes = figure.add_subplot()
    axes.barh(range(len(names)), [max(value, 1) for value in values], color=colours, height=0.7)
    for place, (value, label) in enumerate(zip(values, labels, strict=True)):
        axes.text(max(value, LADDER[0] / 2) * 1.06, place, label, va="center", fontsize=8, color=INK)
    axes.set_xscale("log")
    axes.set_xlim(LADDER[0] / 2, LADDER[-1] * 4)
    axes.set_yticks(range(len(names)), labels=names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("sockets")
    axes.xaxis.set_major_formatter(_number)
    return figure


def _panels(cells: dict[str, list[Run]], draw: Any, label: str) -> Figure:
    down = math.ceil(len(cells) / _ACROSS)
    across = min(_ACROSS, len(cells))
    figure = Figure(figsize=(3.4 * across, 2.9 * down), layout="constrained")
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place >= len(cells):
            axes.set_visible(False)
            continue
        title = list(cells)[place]
        for number, run in enumerate(cells[title]):
            draw(axes, run, COLOURS[number % len(COLOURS)])
        axes.set_title(title, fontsize=8, color=INK)
        axes.set_xscale("log")
        axes.set_xlim(LADDER[0] * 0.8, LADDER[-1] * 1.25)
        axes.xaxis.set_major_formatter(_number)
        axes.grid(alpha=0.25, color=INK)
        axes.tick_params(labelsize=7, labelbottom=True)
        axes.legend(fontsize=6, frameon=False, labelcolor=INK)
        if place % across == 0:
            axes.set_ylabel(label, fontsize=8)
    return figure


def _latency(axes: Any, run: Run, colour: str) -> None:
    steps = [step for step in run.steps if step.latency is not None]
    sockets = [step.sockets for step in steps]
    spreads = [step.latency for step in steps if step.latency is not None]
    axes.plot(sockets, [each.p99 for each in spreads], marker="o", markersize=3, color=colour, label=run.deployment)
    axes.plot(sockets, [each.p50 for each in spreads], linestyle="--", linewidth=0.8, color=colour)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(_number)
    axes.yaxis.set_minor_formatter(NullFormatter())


def _delivered(axes: Any, run: Run, colour: str) -> None:
    steps = [step for step in run.steps if step.ended != NOT_TRIED]
    shares = [100 * step.delivered for step in steps]
    axes.plot([step.sockets for step in steps], shares, marker="o", markersize=3, color=colour, label=run.deployment)
    axes.set_ylim(-4, 106)


def _number(value: float, _: float) -> str:
    return f"{value:g}"
