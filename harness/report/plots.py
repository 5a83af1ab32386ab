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
#: One for each library, the same in every picture; each has a contrast of at least 3 on white and on a dark page (WCAG
#: 2.1, 1.4.11).
COLOURS = ("#0077bb", "#d0560a", "#0a8f68", "#b8559a", "#7a7f87", "#957400", "#c23b4b", "#7d68d8")


def plots(view: View) -> list[tuple[str, str, str]]:
    """Return title, caption and SVG of each plot.

    Raises:
        HarnessError: a plot cannot be drawn.
    """
    return [
        (
            "Latency of the exchanges",
            "The median time from sending a message until a recipient has it, in each cell that works.",
            for_page(_strip(view, lambda row: row.latency, "milliseconds"), "milliseconds by library"),
        ),
        (
            "What installing adds",
            "The size of all that came with a library and its server into an environment that had Django and coverage.",
            for_page(_strip(view, _megabytes, "MB"), "MB by library"),
        ),
        (
            "Time to install",
            "As long as it took on the machine that measured; what was fetched before was not fetched again.",
            for_page(_strip(view, lambda row: row.result.varying.install_seconds, "seconds"), "seconds by library"),
        ),
    ]


def _megabytes(row: Row) -> float | None:
    installation = row.result.installation
    return installation.added_bytes / 1e6 if installation and installation.added_bytes else None


def _strip(view: View, value: Callable[[Row], float | None], unit: str) -> str:
    """Return one line of dots a library, on a logarithmic scale; each dot leads to its cell."""
    names, shades = [library.title for library in view.libraries], colours(view)
    figure = Figure(figsize=(9, 0.55 * max(len(names), 1) + 1.1))
    axes = figure.add_subplot()
    for place, library in enumerate(view.libraries):
        found = [(number, row) for row in library.rows if (number := value(row)) is not None and number > 0]
        if not found:
            continue
        # Side by side where they would lie on each other, the same way each time.
        heights = [place + ((number * 7) % 11 - 5) / 22 for number in range(len(found))]
        dots = axes.scatter([number for number, _ in found], heights, s=24, color=shades[library.name])
        dots.set_urls([f"cells/{row.name}.html" for _, row in found])
    axes.set_xscale("log")
    axes.set_yticks(range(len(names)), labels=names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel(unit)
    axes.xaxis.set_major_formatter(lambda number, _: f"{number:g}")
    axes.grid(axis="x", alpha=0.25, color=INK)
    return drawn(figure)


def colours(view: View) -> dict[str, str]:
    """Return the colour of each library, by its name."""
    return {library.name: COLOURS[place % len(COLOURS)] for place, library in enumerate(view.libraries)}


def alone(svg: str) -> str:
    """Return what was drawn as it stands alone, black on white."""
    return svg.replace("<svg ", '<svg style="background: #fff" ', 1).replace(INK, "#000000")


def drawn(figure: Any) -> str:
    """Return *figure* as SVG, from which :func:`alone` and :func:`for_page` make what is shown.

    Raises:
        HarnessError: it cannot be drawn.
    """
    style: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "the same every time",
        "font.family": "sans-serif",
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.edgecolor"), INK),
    }
    # In a page the plot is a part of another document, which has metadata of its own.
    about = dict.fromkeys(("Date", "Type", "Format", "Creator"))
    written = io.StringIO()
    try:
        with mpl.rc_context(style):
            _restyle(figure)
            figure.savefig(written, format="svg", bbox_inches="tight", metadata=about, transparent=True)
    except (ValueError, RuntimeError) as error:
        raise HarnessError(f"a plot cannot be drawn: {error}") from error
    return written.getvalue()


def for_page(svg: str, label: str) -> str:
    """Return what was drawn as a page can hold it: in its colours, called *label*, with names for its links.

    The elements of several plots on one page must not have one id, so each gets the label before it.
    """
    element = minidom.parseString(svg).documentElement  # noqa: S318 -- it has just been drawn here
    assert element is not None
    own = f"{label.replace(' ', '-')}-"
    for each in [element, *element.getElementsByTagName("*")]:
        if each.hasAttribute("id"):
            each.setAttribute("id", own + each.getAttribute("id"))
        for name, value in each.attributes.items():
            if name == "xlink:href" and value.startswith("#"):
                each.setAttribute(name, f"#{own}{value[1:]}")
            elif value.startswith("url(#"):
                each.setAttribute(name, f"url(#{own}{value[5:]}")
        if each.tagName == "a":
            _name_link(each)
    for name, value in (("aria-label", label), ("role", "group")):
        element.setAttribute(name, value)
    return element.toxml().replace(INK, "currentColor")


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
