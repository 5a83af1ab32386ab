"""Plots for those who would rather look than read, as SVG that takes the page's colours."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any
from xml.dom import minidom

import matplotlib as mpl
from matplotlib.figure import Figure

from harness.errors import HarnessError
from harness.report.row import Row
from harness.report.view import View

#: Stands for the page's text colour until the SVG is written.
INK = "#010203"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#999999", "#f0e442")


def plots(view: View) -> list[tuple[str, str, str]]:
    """Return title, caption and SVG of each plot.

    Raises:
        HarnessError: a plot cannot be drawn.
    """
    return [
        (
            "Latency of the exchanges",
            "The median time from sending a message until a recipient has it, in each cell that works.",
            _strip(view, lambda row: row.latency, "milliseconds"),
        ),
        (
            "What installing adds",
            "The size of all that came with a library and its server into an environment that had Django and coverage.",
            _strip(view, _megabytes, "MB"),
        ),
        (
            "Time to install",
            "As long as it took on the machine that measured; what was fetched before was not fetched again.",
            _strip(view, lambda row: row.result.varying.install_seconds, "seconds"),
        ),
    ]


def _megabytes(row: Row) -> float | None:
    installation = row.result.installation
    return installation.added_bytes / 1e6 if installation and installation.added_bytes else None


def _strip(view: View, value: Callable[[Row], float | None], unit: str) -> str:
    """Return one line of dots a library, on a logarithmic scale; each dot leads to its cell."""
    names = [library.title for library in view.libraries]
    figure = Figure(figsize=(9, 0.55 * max(len(names), 1) + 1.1))
    axes = figure.add_subplot()
    for place, library in enumerate(view.libraries):
        found = [(number, row) for row in library.rows if (number := value(row)) is not None and number > 0]
        if not found:
            continue
        # Side by side where they would lie on each other, the same way each time.
        heights = [place + ((number * 7) % 11 - 5) / 22 for number in range(len(found))]
        dots = axes.scatter([number for number, _ in found], heights, s=24, color=COLOURS[place % len(COLOURS)])
        dots.set_urls([f"cells/{row.name}.html" for _, row in found])
    axes.set_xscale("log")
    axes.set_yticks(range(len(names)), labels=names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel(unit)
    axes.xaxis.set_major_formatter(lambda number, _: f"{number:g}")
    axes.grid(axis="x", alpha=0.25, color=INK)
    return svg(figure, f"{unit} by library")


def svg(figure: Any, label: str, plain: bool = False) -> str:
    """Return *figure* as SVG that is called *label*; in the colours of the page it will be in, or black on white.

    Raises:
        HarnessError: it cannot be drawn.
    """
    style: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "the same every time",
        "font.family": "sans-serif",
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.edgecolor"), INK),
    }
    shown: Any = {"facecolor": "white"} if plain else {"transparent": True}
    # In a page the plot is a part of another document, which has metadata of its own.
    about = {"Date": None} if plain else dict.fromkeys(("Date", "Type", "Format", "Creator"))
    written = io.StringIO()
    try:
        with mpl.rc_context(style):
            _restyle(figure)
            figure.savefig(written, format="svg", bbox_inches="tight", metadata=about, **shown)
    except (ValueError, RuntimeError) as error:
        raise HarnessError(f"a plot cannot be drawn: {error}") from error
    if plain:
        return written.getvalue().replace(INK, "#000000")
    return _for_page(written.getvalue(), label).replace(INK, "currentColor")


def _for_page(svg: str, label: str) -> str:
    """Return the element of *svg* as a page can hold it: called *label*, with names for its links.

    The elements of several plots on one page must not have one id, so each gets the label before it.
    """
    drawn = minidom.parseString(svg).documentElement  # noqa: S318 -- it has just been drawn here
    assert drawn is not None
    own = f"{label.replace(' ', '-')}-"
    for element in [drawn, *drawn.getElementsByTagName("*")]:
        if element.hasAttribute("id"):
            element.setAttribute("id", own + element.getAttribute("id"))
        for name, value in element.attributes.items():
            if name == "xlink:href" and value.startswith("#"):
                element.setAttribute(name, f"#{own}{value[1:]}")
            elif value.startswith("url(#"):
                element.setAttribute(name, f"url(#{own}{value[5:]}")
        if element.tagName == "a":
            _name_link(element)
    for name, value in (("aria-label", label), ("role", "group")):
        drawn.setAttribute(name, value)
    return drawn.toxml()


def _name_link(link: minidom.Element) -> None:
    """Have a *link* to a cell be called by that cell, and open where the reader is."""
    target = link.getAttribute("xlink:href")
    cell = PurePosixPath(target).stem
    for name, _ in link.attributes.items():
        if name != "xlink:href":
            link.removeAttribute(name)
    link.setAttribute("aria-label", cell)
    title = minidom.Document().createElement("title")
    title.appendChild(minidom.Document().createTextNode(cell))
    link.insertBefore(title, link.firstChild)


def _restyle(figure: Any) -> None:
    for axes in figure.axes:
        axes.tick_params(colors=INK)
        for each in (axes.xaxis.label, axes.yaxis.label):
            each.set_color(INK)
        for spine in axes.spines.values():
            spine.set_edgecolor(INK)
