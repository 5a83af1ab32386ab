"""``export``: the matrix for other programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from harness.commands import options
from harness.commands.results import name_damaged, read_some
from harness.errors import HarnessError, UsageError
from harness.report import badges, junit, markdown
from harness.report import export as exporting
from harness.report.advice import Advisor
from harness.report.headline import worked
from harness.report.view import View
from harness.results import records
from harness.results.folder import Reports
from harness.results.result import Result
from harness.system.files import write_atomically
from harness.verdict import Verdict


def _summary(view: View) -> str:
    """Return the summary of a job; a cell has a catch, be it seen in another one."""
    advisor = Advisor(view)
    return markdown.render(
        "summary.md.j2",
        view=view,
        counts=advisor.counts,
        worked=lambda groups: worked(groups, advisor),
        verdicts=[Verdict.DOES_NOT_WORK, Verdict.NOT_TESTED],
    )


#: What is one document, by its name.
_FORMS: dict[str, Callable[[View], str | bytes]] = {
    "csv": exporting.as_csv,
    "json": exporting.as_json,
    "junit": junit.render,
    "markdown": _summary,
    "schema": lambda _: exporting.schema_as_json(),
}


def _recorded(folder: Path) -> dict[str, Result]:
    """Return the results of *folder*, of reports or of results.

    Raises:
        HarnessError: there are none, or one cannot be read: what nothing is known of would be called new, and pass.
    """
    found = records.of_folder(folder)
    for error in found.damaged.values():
        raise error
    if not found.results:
        raise HarnessError(f"there are no results in {folder.name}", "name a reports folder")
    return found.results


@click.command()
@click.option("--format", "form", type=click.Choice([*_FORMS, "badges"]), default="json", show_default=True)
@click.option("-o", "--output", "place", metavar="PATH", help="A file; for badges a folder.")
@click.option(
    "--against",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="For junit: a folder of reports. Cells that ran since are in it alone, and fail where the verdict changed.",
)
@options.reports
@options.libraries
def export(form: str, place: str | None, against: Path | None, reports: Reports, folders: tuple[Path, ...]) -> int:
    """Write the matrix for other programs.

    csv and json: a row each cell (schema: the JSON Schema of that). junit: a suite each cell. markdown: the summary of
    a job. badges: an SVG and an endpoint of shields.io for each library.
    """
    output = None if place is None else _checked(place, form)
    view = read_some(reports, folders)
    if form == "badges":
        if output is None:
            raise UsageError("badges are many files", "name a folder for them with --output")
        for name, text in badges.render(view, Advisor(view)).items():
            write_atomically(output / name, text.encode())
        return name_damaged(view.damaged)
    if against is not None:
        if form != "junit":
            raise UsageError("--against is for junit", "add --format junit, or leave it out")
        document: str | bytes = junit.render(view, _recorded(against))
    else:
        document = _FORMS[form](view)
    if output is None:
        click.echo(document, nl=False)
    else:
        write_atomically(output, document if isinstance(document, bytes) else document.encode())
    return name_damaged(view.damaged)


def _checked(place: str, form: str) -> Path:
    """Return where to write, a folder for badges and a file for all else.

    Raises:
        UsageError: it is the other, or nothing, as of a variable that is not set.
    """
    wanted, other = ("folder", "file") if form == "badges" else ("file", "folder")
    if not place:
        raise UsageError("--output names nothing", f"name a {wanted}")
    path = Path(place)
    if path.is_file() if form == "badges" else path.is_dir():
        raise UsageError(f"{place} is a {other}", f"name a {wanted} with --output")
    return path
