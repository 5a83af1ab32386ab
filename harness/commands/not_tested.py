"""``not-tested``: record that a cell could not be tried; ``toxfile.py`` calls it."""

from __future__ import annotations

import re
from pathlib import Path

import click

from harness import ROOT, libraries, output
from harness import run as running
from harness.cells import Cell
from harness.commands import options
from harness.commands.progress import verdict_line
from harness.commands.run import EXIT, earlier, record
from harness.result import Reason, Verdict
from harness.scrub import Scrubber


@click.command(name="not-tested", hidden=True)
@click.argument("cell")
@click.argument("reason", type=click.Choice([Reason.INTERPRETER_MISSING.value, Reason.ENVIRONMENT_FAILED.value]))
@click.argument("text")
@click.option("--log", type=click.Path(path_type=Path), help="The output that shows it.")
@options.reports
@options.libraries
def not_tested(cell: str, reason: str, text: str, log: Path | None, reports: Path, folders: tuple[Path, ...]) -> int:
    """Record that CELL could not be tried, because of REASON; TEXT says it in one sentence."""
    parsed = Cell.parse(cell)
    subject = libraries.of(parsed, libraries.load(folders))
    why = Reason(reason)
    excerpt = ""
    if log is not None:
        # tox puts the whole environment and the command before what was printed.
        printed = re.split(r"^standard (?:output|error):\n", output.read(log), maxsplit=1, flags=re.MULTILINE)[-1]
        printed = Scrubber({ROOT: "<project>"})(printed)
        found = output.failure(printed)
        excerpt, text = found.excerpt, f"{text}: {found.cause}"
        if output.no_network(printed):
            why, text = Reason.NO_NETWORK, "its environment could not be filled: the package index is out of reach"
    result = running.not_tested(parsed, subject, why, text, excerpt)
    path = options.result_path(reports, cell)
    click.echo(verdict_line(result))
    with running.locked(reports, cell):
        record(result, path, earlier(path))
    return EXIT[Verdict.NOT_TESTED]
