"""Render the reports: ``index.rst``, one for each library, one for each cell, and README's table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import jinja2

from harness.errors import HarnessError
from harness.report import causes, deep, drafts, excerpts, headline, load_plots, loads, plots, rst, tables
from harness.report.advice import Advisor
from harness.report.cell_page import CellPage
from harness.report.row import Row
from harness.report.rst import Rst
from harness.report.view import LibraryView, View
from harness.results.folder import Reports
from harness.results.loads import BOUND_MS, RATE_SOCKETS
from harness.results.result import as_expected
from harness.system import workers
from harness.system.files import write_atomically
from harness.verdict import Verdict

#: So many pages are checked in processes of their own, and so many are rendered by one at a time.
_WORTH_A_PROCESS = 10
_PART = 40
_BEGIN, _END = ".. begin: headline table", ".. end: headline table"


def render(view: View, advisor: Advisor | None = None, cells: bool = True) -> dict[str, str]:
    """Return every report by its path below the reports folder, those of *cells* as well.

    *advisor* is that of *view*, where there is one already.

    Raises:
        HarnessError: the prose of a library is not complete.
    """
    return {path: made() for path, made in deferred(view, advisor or Advisor(view), cells).items()}


def deferred(view: View, advisor: Advisor, cells: bool = True) -> dict[str, Callable[[], str]]:
    """Return what makes each of the reports that :func:`render` returns, which several processes can share."""
    common: dict[str, Any] = {"view": view, "advisor": advisor}
    pages: dict[str, Callable[[], str]] = {name: partial(_text, name, **common) for name in ("index.rst", "causes.rst")}
    for library in view.libraries:
        pages[f"{library.name}.rst"] = partial(_of_library, library, **common)
        pages[f"{library.name}/questions.rst"] = partial(_text, "questions.rst", library=library)
    return pages | (of_cells(view, advisor) if cells else {})


def of_cells(view: View, advisor: Advisor) -> dict[str, Callable[[], str]]:
    """Return what makes the report of each cell of which something is known."""
    return {
        f"{library.name}/{row.name}.rst": partial(_of_cell, library, row, advisor)
        for library in view.libraries
        for row in library.tested
    }


def _text(template: str, **values: Any) -> str:
    text = _environment().get_template(f"{template}.j2").render(values)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _of_library(library: LibraryView, **values: Any) -> str:
    try:
        return _text("library.rst", library=library, prose=library.prose, **values)
    except jinja2.UndefinedError as error:
        raise HarnessError(f"the prose of {library.name} is not complete: {error}") from error


def _of_cell(library: LibraryView, row: Row, advisor: Advisor) -> str:
    return _text("cell.rst", page=CellPage(row, library), row=row, library=library, advisor=advisor)


def render_prose(view: View) -> dict[str, str]:
    """Return the reports with all prose of people, and with no more of the results than is needed to have it rendered.

    Everything else is escaped: to hold all of it against docutils takes longer than to render it.

    Raises:
        HarnessError: the prose of a library is not complete.
    """
    short = [replace(library, rows=library.rows[:1]) for library in view.libraries]
    return render(replace(view, libraries=short), cells=False)


class Beside(NamedTuple):
    """What other processes made."""

    #: Every picture by its path; None where nothing is here to draw them with.
    pictures: dict[str, str] | None
    #: The reports that they rendered, by their paths.
    pages: dict[str, str]


@contextmanager
def checked(
    pages: Mapping[str, str], view: View, more: Mapping[str, Callable[[], str]] | None = None
) -> Iterator[Callable[[], Beside]]:
    """Hold *pages* against docutils at its strictest, draw the pictures of *view* and render *more*, beside the block.

    Yield what waits for that and returns what was made.

    Raises:
        HarnessError: docutils finds something wrong with a page; a picture cannot be drawn. Both when it is waited for.
    """
    drawable = find_spec("matplotlib") is not None
    pictures = load_plots.plots(view) if drawable else []
    parts = workers.parts(list((more or {}).items()), _PART)
    jobs: list[Callable[[], Any]] = [
        partial(plots.alone, pictures),
        *(partial(rst.problems, text, path) for path, text in pages.items()),
        *(partial(_rendered, part) for part in parts),
    ]

    def ended() -> Beside:
        drawn = next(made)
        for wrong, path in zip(islice(made, len(pages)), pages, strict=True):
            if wrong:
                raise HarnessError(f"docutils does not accept {path}: {wrong.strip().splitlines()[0]}")
        svgs = {f"{each.name}.svg": svg for each, svg in zip(pictures, drawn, strict=True)}
        return Beside(svgs if drawable else None, {path: text for part in made for path, text in part})

    with workers.side_by_side(jobs, inline=len(pages) + len(more or {}) < _WORTH_A_PROCESS) as made:
        yield ended


def _rendered(part: Iterable[tuple[str, Callable[[], str]]]) -> list[tuple[str, str]]:
    return [(path, make()) for path, make in part]


def with_headline(readme: str, view: View, advisor: Advisor | None = None) -> str:
    """Return the text of *readme* with the table between its markers brought up to date.

    *advisor* is that of *view*, where there is one already.

    Raises:
        HarnessError: the markers are missing.
    """
    before, begin, rest = readme.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise HarnessError("README.rst has lost the markers of its headline table", f"put back {_BEGIN!r} and {_END!r}")
    return f"{before}{begin}\n\n{headline.table(view, advisor or Advisor(view), 'reports/')}\n\n{end}{after}"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(  # noqa: S701 -- this is no HTML; finalize escapes every value
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        finalize=rst.escape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        literal=rst.literal,
        rst=Rst,
        sentence=lambda text: f"{str(text).rstrip('.:')}.",
        mb=lambda count: f"{count / 1e6:.1f} MB",
        sec=lambda seconds: f"{seconds:.1f} s",
        ms=lambda milliseconds: f"{milliseconds:.1f} ms",
        indent=lambda text, width: Rst("\n".join(" " * width + line if line else "" for line in text.splitlines())),
    )
    helpers: dict[str, Any] = {
        "title": rst.title,
        "link": rst.link,
        "table": rst.table,
        "tables": tables,
        "headline": headline,
        "CellPage": CellPage,
        "loads": loads,
        "deep": deep,
        "causes": causes,
        "drafts": drafts,
        "rate_sockets": RATE_SOCKETS,
        "bound": BOUND_MS,
        "as_expected": as_expected,
        "code": excerpts.of_code,
        "Verdict": Verdict,
    }
    environment.globals.update(helpers)
    return environment


def write(pages: dict[str, str], reports: Reports, unread: frozenset[str]) -> list[str]:
    """Write those of *pages* that differ from what is in *reports*; remove reports of cells that have none any more.

    Returns:
        The paths that changed.

    Raises:
        HarnessError: the folder cannot be written to.
    """
    fresh = {path: text for path, text in pages.items() if _read(reports.folder / path) != text.encode()}
    for path, text in fresh.items():
        write_atomically(reports.folder / path, text.encode(), derived=True)
    gone = stale(pages, reports, unread)
    for path in gone:
        (reports.folder / path).unlink()
    return [*fresh, *gone]


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def stale(pages: dict[str, str], reports: Reports, unread: frozenset[str]) -> list[str]:
    """Return the reports in *reports* that are no longer rendered; those of *unread* cells wait for their results."""
    return sorted(path for path in set(reports.reports()) if path not in pages and Path(path).stem not in unread)
