"""Plots for those who would rather look than read, as SVG that takes the page's colours."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from xml.dom import minidom

from harness.errors import HarnessError
from harness.report.row import Row
from harness.report.view import View

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Stands for the page's text colour until the SVG is written.
INK = "#010203"
#: One for each library, the same in every picture; each has a contrast of at least 3 on white and on a dark page (WCAG
#: 2.1, 1.4.11).
COLOURS = ("#0077bb", "#d0560a", "#0a8f68", "#b8559a", "#7a7f87", "#957400", "#c23b4b", "#7d68d8")


@dataclass(frozen=True)
class Picture:
    """A picture that is yet to be drawn, by whichever process has time for it: what it shows are plain data."""

    #: The name of its file, without the ending.
    name: str
    title: str
    caption: str
    #: What it is called for those who do not see it.
    label: str
    #: Returns it as matplotlib has it, which takes longer to load than everything else.
    figure: Callable[[], Figure]
    #: Whether the reports show it as well.
    in_reports: bool = False


def plots(view: View) -> list[Picture]:
    """Return what the exchanges and the installations of the cells took."""
    return [
        Picture(
            "latency",
            "Latency of the exchanges",
            "The median time from sending a message until a recipient has it, in each cell that works.",
            "milliseconds by library",
            _by_library(view, lambda row: row.latency, "milliseconds"),
        ),
        Picture(
            "added",
            "What installing adds",
            "The size of all that came with a library and its server into an environment that had Django and coverage.",
            "MB by library",
            _by_library(view, _megabytes, "MB"),
        ),
        Picture(
            "install",
            "Time to install",
            "As long as it took on the machine that measured; what was fetched before was not fetched again.",
            "seconds by library",
            _by_library(view, lambda row: row.result.varying.install_seconds, "seconds"),
        ),
    ]


def _megabytes(row: Row) -> float | None:
    installation = row.result.installation
    return installation.added_bytes / 1e6 if installation and installation.added_bytes else None


@dataclass(frozen=True)
class _Line:
    """The cells of a library: their numbers, by their names."""

    title: str
    colour: str
    numbers: dict[str, float]


def _by_library(view: View, value: Callable[[Row], float | None], unit: str) -> Callable[[], Figure]:
    shades = colours(view)
    lines = []
    for library in view.libraries:
        numbers = {row.name: number for row in library.rows if (number := value(row)) is not None and number > 0}
        lines.append(_Line(library.title, shades[library.name], numbers))
    return partial(_strip, lines, unit)


def _strip(lines: list[_Line], unit: str) -> Figure:
    """Return one line of dots a library, on a logarithmic scale; each dot leads to its cell."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 0.55 * max(len(lines), 1) + 1.1))
    axes = figure.add_subplot()
    for place, line in enumerate(lines):
        if not line.numbers:
            continue
        # Side by side where they would lie on each other, the same way each time.
        heights = [place + ((number * 7) % 11 - 5) / 22 for number in range(len(line.numbers))]
        dots = axes.scatter(list(line.numbers.values()), heights, s=24, color=line.colour)
        dots.set_urls([f"cells/{name}.html" for name in line.numbers])
    axes.set_xscale("log")
    axes.set_yticks(range(len(lines)), labels=[line.title for line in lines])
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_xlabel(unit)
    axes.xaxis.set_major_formatter(lambda number, _: f"{number:g}")
    axes.grid(axis="x", alpha=0.25, color=INK)
    return figure


def colours(view: View) -> dict[str, str]:
    """Return the colour of each library, by its name."""
    return {library.name: COLOURS[place % len(COLOURS)] for place, library in enumerate(view.libraries)}


def both(pictures: Sequence[Picture]) -> list[tuple[str, str]]:
    """Return each of *pictures* as a page can hold it, and as it stands alone.

    Raises:
        HarnessError: one cannot be drawn.
    """
    made = [(each.label, _drawn(each)) for each in pictures]
    return [(_for_page(svg, label), _alone(svg)) for label, svg in made]


def alone(pictures: Sequence[Picture]) -> list[str]:
    """Return each of *pictures* as it stands alone.

    Raises:
        HarnessError: one cannot be drawn.
    """
    return [_alone(_drawn(each)) for each in pictures]


def _alone(svg: str) -> str:
    """Return what was drawn as it stands alone, black on white."""
    return svg.replace("<svg ", '<svg style="background: #fff" ', 1).replace(INK, "#000000")


def _drawn(picture: Picture) -> str:
    """Return *picture* as SVG, from which :func:`_alone` and :func:`_for_page` make what is shown.

    Raises:
        HarnessError: it cannot be drawn.
    """
    import matplotlib as mpl

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
        figure = picture.figure()
        with mpl.rc_context(style):
            _restyle(figure)
            figure.savefig(written, format="svg", bbox_inches="tight", metadata=about, transparent=True)
    except (ValueError, RuntimeError) as error:
        raise HarnessError(f"a plot cannot be drawn: {error}") from error
    return written.getvalue()


def _for_page(svg: str, label: str) -> str:
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
