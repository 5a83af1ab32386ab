"""Build the site: a matrix to look at, a page for each cell and each library, and what is around them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import msgspec
from markupsafe import Markup

from harness.captured.scrub import printable
from harness.errors import HarnessError, UsageError
from harness.report import claims, loads
from harness.report.cell_page import CellPage
from harness.report.render import pictures
from harness.report.render import render as render_reports
from harness.report.row import Row
from harness.report.view import LibraryView, View, versions
from harness.results.folder import Reports
from harness.site import frames, prose
from harness.system import workers
from harness.system.files import write_atomically
from harness.verdict import Reason, Verdict, answer, sign

#: Returns the commands that bring about the result of a row again; empty where they are not known.
Script = Callable[[Row], list[str]]

_HERE = Path(__file__).resolve().parent
#: Lists the files of a site, so that the next one removes these and nothing else.
_MANIFEST = ".files-of-this-site"
#: The pages that are made of prose alone: their source, title and description.
_PAGES = {
    "compare.html": (
        "index.rst",
        "Comparison of WebSocket libraries for Django",
        "What they cost, what else was asked, servers, documentation: every library on one page.",
    ),
    "causes.html": (
        "causes.rst",
        "What fails, what it comes from, and what mends it",
        "Every failure and every catch of all cells, by its cause, with the release that is guilty and what mends it.",
    ),
    "how.html": (
        "how.rst",
        "How a verdict is reached",
        "What is done in each environment before it says Yes, No or Not tested.",
    ),
}
#: The class of an answer in the style sheet.
_STYLES = {True: "yes", False: "no", None: "none"}


def build(view: View, reports: Reports, script: Script, target: Path) -> int:
    """Write the site of *view* into *target*, with the evidence that lies in *reports*; return how many pages.

    *script* returns the commands that reproduce a cell.

    Raises:
        UsageError: there is something else in *target*.
        HarnessError: a page cannot be made or written.
    """
    target = target.resolve()
    old = _written_before(target)
    fresh = target.with_name(f".{target.name}.partial")
    shutil.rmtree(fresh, ignore_errors=True)
    number = 0
    try:
        with closing(pages(view, reports, script)) as made:
            for path, text in made:
                place = fresh / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "replace"))
                number += 1
        shutil.copytree(_HERE / "static", fresh / "static")
        files = sorted(str(path.relative_to(fresh)) for path in fresh.rglob("*") if path.is_file())
        # At each moment the list has all that is of a site, so that whatever interrupts, the next one can go on.
        _write_manifest(target, {*old, *files})
        for name in files:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).replace(target / name)
        for name in {*old} - {*files}:
            (target / name).unlink(missing_ok=True)
        _write_manifest(target, files)
    except OSError as error:
        raise HarnessError(
            f"the site cannot be written: {error.strerror}", "name another folder with --output, or make room"
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return number


def _write_manifest(target: Path, names: Iterable[str]) -> None:
    write_atomically(target / _MANIFEST, msgspec.json.encode(sorted(names)))


def _written_before(target: Path) -> list[str]:
    """Return the files of *target* that an earlier site wrote; what else lies there is nobody's to remove.

    Raises:
        UsageError: there is something in *target*, and no site.
    """
    try:
        names = msgspec.json.decode((target / _MANIFEST).read_bytes(), type=list[str])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise UsageError(
                f"{target.name} holds something else than a site", "name a new folder with --output"
            ) from None
        return []
    return [name for name in names if (target / name).resolve().is_relative_to(target)]


def pages(view: View, reports: Reports, script: Script) -> Generator[tuple[str, str | bytes]]:
    """Yield the path and the content of every page."""
    environment = _environment(view)

    def page(template: str, root: str = "", **values: Any) -> str:
        return environment.get_template(template).render(root=root, **values)

    prose_of = render_reports(view, cells=False) | {"how.rst": (_HERE / "how.rst").read_text(encoding="utf-8")}
    roots = ["" if path in ("index.rst", "causes.rst", "how.rst") else "../" for path in prose_of]
    # It takes as long as everything else together.
    with workers.mapped(prose.html, prose_of.values(), roots) as made:
        yield "index.html", page("index.html.j2", filters=_filters(view))
        for library in view.libraries:
            for row in library.rows:
                yield from _cell(page, library, row, reports, script)
        yield "plots.html", page("plots.html.j2", plots=_plots(view))
        yield from (pictures(view) or {}).items()
        yield "history.html", _history(page, view)
        bodies = dict(zip(prose_of, made, strict=True))
    for library in view.libraries:
        body = bodies[f"{library.name}.rst"]
        claimed, contradicted = claims.newest(library), claims.contradictions(library)
        yield (
            f"library/{library.name}.html",
            page("library.html.j2", "../", library=library, body=body, claims=claimed, claimed=contradicted),
        )
        title = f"{library.title}: the questions"
        body, description = bodies[f"{library.name}/questions.rst"], f"What all cells of {library.title} were asked."
        yield (
            f"library/{library.name}-questions.html",
            page("page.html.j2", "../", title=title, description=description, body=body),
        )
    for name, (source, title, description) in _PAGES.items():
        yield name, page("page.html.j2", title=title, description=description, body=bodies[source])


def _history(page: Callable[..., str], view: View) -> str:
    """Return the page of all changes of verdicts, the newest first."""
    changes = [(row, *change) for row in view.rows for change in row.changes]
    changes.sort(key=lambda change: change[2].date, reverse=True)
    # A search for a cause knows when a cell broke, also where nobody measured it then.
    turned = [(each, row, cause) for row in view.rows for cause in row.result.causes for each in cause.turned]
    turned.sort(key=lambda found: (found[0].uploaded, found[1].name), reverse=True)
    recorded = any(row.history for row in view.rows)
    return page("history.html.j2", changes=changes, recorded=recorded, turned=turned)


def _cell(
    page: Callable[..., str], library: LibraryView, row: Row, reports: Reports, script: Script
) -> Iterator[tuple[str, str | bytes]]:
    """Yield the page of a cell, and before it those of its evidence."""
    evidence = []
    for title, name, text in frames.pages(row.name, reports.evidence(row.name)):
        evidence.append((title, f"../evidence/{quote(name)}", f"{max(len(text) // 1000, 1)} kB"))
        yield f"evidence/{name}", text
    images = [
        (title.removeprefix("browser-").removesuffix(".png"), target)
        for title, target, _ in evidence
        if title.endswith(".png")
    ]
    yield (
        f"cells/{row.name}.html",
        page(
            "cell.html.j2",
            "../",
            page=CellPage(row, library),
            library=library,
            row=row,
            evidence=evidence,
            pictures=images,
            claim=claims.said(row, library),
            script=script(row),
        ),
    )


def _environment(view: View) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: value if isinstance(value, Markup) else _text(value),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    helpers: dict[str, Any] = {
        "view": view,
        "style": lambda verdict: _STYLES[verdict.good],
        "good": answer,
        "sign": sign,
        "good_style": _STYLES.__getitem__,
        "moves": _moves,
        "loads": loads,
    }
    environment.globals.update(helpers)
    return environment


def _text(value: object) -> object:
    """Let no control character through: HTML escapes markup, and nothing else."""
    return printable(value) if isinstance(value, str) else value


def _plots(view: View) -> list[tuple[str, str, str]]:
    if find_spec("matplotlib") is None:
        raise HarnessError("the plots need matplotlib", "`tox -e site` has it")
    from harness.report import load_plots, plots  # they take longer to load than everything else

    return [*plots.plots(view), *((title, caption, drawn) for _, title, caption, drawn in load_plots.plots(view))]


def _filters(view: View) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return name, label and values of each filter."""
    rows = view.rows
    reasons = {row.result.verdicts.overall.reason for row in rows}
    return [
        ("library", "Library", [(each.name, each.title) for each in view.libraries]),
        ("server", "Server", [(name, name) for name in sorted({row.result.server for row in rows})]),
        ("python", "Python", [(name, name) for name in versions(rows, "python")]),
        ("django", "Django", [(name, name) for name in versions(rows, "django")]),
        ("verdict", "Verdict", [(str(each), each.label) for each in Verdict]),
        (
            "reason",
            "What fails",
            [(str(each), str(each)) for each in Reason if each in reasons],
        ),
    ]


def _moves(moved: Mapping[str, tuple[str, str]]) -> str:
    """Say which versions moved."""
    said = [f"{name} {old or '─'} → {new or '─'}" for name, (old, new) in moved.items()]
    return "; ".join(said) or "nothing"


def missing(view: View, reports: Reports) -> list[str]:
    """Return the tested cells whose evidence is not at hand."""
    return [
        row.name
        for row in view.rows
        if row.verdict is not Verdict.NOT_TESTED and not reports.evidence(row.name).is_dir()
    ]
