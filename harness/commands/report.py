"""``report``: render the reports from the results at hand."""

from __future__ import annotations

from pathlib import Path

import click

from harness import ROOT
from harness.commands import options
from harness.commands.results import name_damaged, read_some
from harness.commands.terminal import verdict_line
from harness.report import render
from harness.report.advice import Advisor
from harness.report.view import View
from harness.results import catches
from harness.results.folder import Reports
from harness.system.files import write_atomically
from harness.verdict import Verdict


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a report or README's table is out of date.")
@click.option(
    "--session",
    metavar="CELL,…",
    envvar="HARNESS_SESSION",
    help="Close a run of these cells: show each verdict, and exit 4 if not one could be tested.",
)
@click.option(
    "--began",
    metavar="TIME",
    envvar="HARNESS_SESSION_BEGAN",
    default="",
    help="When that run began, as ISO 8601 in UTC: what was recorded before is not of it.",
)
@options.reports
@options.libraries
def report(check: bool, session: str | None, began: str, reports: Reports, folders: tuple[Path, ...]) -> int:
    """Render the reports and README's table from the results at hand."""
    view = read_some(reports, folders)
    advisor = Advisor(view)
    looked_at = render.render(view, advisor) if check else render.render_prose(view)
    readme = ROOT / "README.rst"
    # Where a result could not be read, the numbers are not those of all that is recorded.
    with_readme = reports.folder.resolve() == Reports.of_checkout().folder.resolve() and not view.damaged
    with render.checked(looked_at, view, {} if check else render.of_cells(view, advisor)) as ended:
        pages = looked_at if check else render.render(view, advisor, cells=False)
        headline = render.with_headline(readme.read_text(encoding="utf-8"), view, advisor) if with_readme else None
        drawn, of_cells = ended()
    if check:
        return _check(view, pages, headline, drawn, reports)
    pages |= of_cells
    changed = render.write(pages, reports, view.unread) + _write_pictures(drawn, view, reports)
    if headline is not None and readme.read_text(encoding="utf-8") != headline:
        write_atomically(readme, headline.encode())
        changed.append("README.rst")
    code = _close(session.split(","), began, view) if session else 0
    click.echo(f"{len(pages)} reports from {len(view.rows)} results, {len(changed)} changed.")
    click.echo(f"Report: {options.shown(reports.folder / 'index.rst')}")
    return max(code, name_damaged(view.damaged))


def _write_pictures(drawn: dict[str, str] | None, view: View, reports: Reports) -> list[str]:
    """Write those of the *drawn* that differ from what is in *reports*; return their paths, also of those that went."""
    if drawn is None:
        if view.loaded:
            click.echo("The pictures are unchanged, for matplotlib is missing; `tox -e report` has it.")
        return []
    changed = _differing(drawn, reports)
    for path in changed:
        if path in drawn:
            write_atomically(reports.folder / path, drawn[path].encode())
        else:
            (reports.folder / path).unlink()
    return changed


def _differing(drawn: dict[str, str], reports: Reports) -> list[str]:
    """Return the pictures that are missing in *reports*, or are other ones there, or too many."""
    here = {path.name: path.read_text(encoding="utf-8") for path in reports.folder.glob("*.svg")}
    return sorted(path for path in {*drawn, *here} if drawn.get(path) != here.get(path))


def _check(
    view: View, pages: dict[str, str], headline: str | None, drawn: dict[str, str] | None, reports: Reports
) -> int:
    out_of_date = [
        path
        for path, text in pages.items()
        if not (reports.folder / path).exists() or (reports.folder / path).read_text(encoding="utf-8") != text
    ]
    out_of_date += render.stale(pages, reports, view.unread)
    out_of_date += _differing(drawn, reports) if drawn is not None else []
    if headline is not None and (ROOT / "README.rst").read_text(encoding="utf-8") != headline:
        out_of_date.append("README.rst")
    for path in out_of_date:
        click.echo(f"out of date: {path}")
    if out_of_date:
        click.echo("Run `tox -e report`, and commit what changes.")
    return max(1 if out_of_date else 0, name_damaged(view.damaged))


def _close(cells: list[str], began: str, view: View) -> int:
    """Show what came of the cells of this run; 4 if there was no interpreter for any."""
    known = {row.name: row.result for row in view.rows}
    tested = 0
    for cell in cells:
        result = known.get(cell)
        if result is None:
            click.echo(f"{cell}  has no result")
        elif result.varying.started < began:
            day = result.varying.started[:10]
            click.echo(f"{cell}  brought nothing new; recorded on {day}: {catches.label(result)}")
        else:
            tested += result.verdicts.overall.verdict is not Verdict.NOT_TESTED
            click.echo(verdict_line(result))
    if not tested:
        click.echo("Not one of these cells could be tested: `python -m harness doctor` says what is missing.", err=True)
        return Verdict.NOT_TESTED.exit_code
    return 0
