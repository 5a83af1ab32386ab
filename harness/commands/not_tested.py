"""``not-tested``: record that a cell could not be tried; ``toxfile.py`` calls it."""

from __future__ import annotations

import re
from pathlib import Path

import click

from harness import ROOT
from harness.captured import output
from harness.captured.scrub import Scrubber
from harness.cells import Cell
from harness.commands import options
from harness.commands.terminal import verdict_line
from harness.libraries import registry
from harness.results.folder import Reports
from harness.run import record
from harness.run.not_tested import not_tested as result_of
from harness.verdict import Reason, Verdict


@click.command(name="not-tested", hidden=True)
@click.argument("cell")
@click.argument("reason", type=click.Choice([Reason.INTERPRETER_MISSING.value, Reason.ENVIRONMENT_FAILED.value]))
@click.argument("text")
@click.option("--log", type=click.Path(path_type=Path), help="The output that shows it.")
@options.reports
@options.libraries
def not_tested(cell: str, reason: str, text: str, log: Path | None, reports: Reports, folders: tuple[Path, ...]) -> int:
    """Record that CELL could not be tried, because of REASON; TEXT says it in one sentence."""
    parsed = Cell.parse(cell)
    setup = registry.setup_for(parsed, registry.discover(folders))
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
    result = result_of(parsed, setup, why, text, excerpt)
    click.echo(verdict_line(result))
    with record.locked(reports, cell):
        if kept := record.replace(reports, result, record.recorded(reports, cell)):
            click.echo(kept)
    return Verdict.NOT_TESTED.exit_code
