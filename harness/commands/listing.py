"""``list``: every cell, whether it can run here, and what is recorded."""

from __future__ import annotations

import click
from rich.table import Table
from rich.text import Text

from harness.commands import options
from harness.commands.terminal import console, verdict_style
from harness.environments import interpreters
from harness.errors import DamagedResult
from harness.matrix import listing
from harness.report.advice import Advisor
from harness.report.view import read_view
from harness.results import catches
from harness.results.document import read_result
from harness.results.folder import Reports


@click.command(name="list")
@options.reports
def list_(reports: Reports) -> int:
    """List the cells, whether their Python is on this machine, and what is recorded of them."""
    table = Table("Cell", "Python", "Recorded", "On", box=None, pad_edge=False)
    code = 0
    advisor = Advisor(read_view(reports))
    rows = {row.name: row for row in advisor.view.rows}
    for cell in listing.cells():
        found = interpreters.find(cell.python)
        path = reports.result(cell.name)
        recorded, day, style = "", "", ""
        if cell.name in rows:
            row = rows[cell.name]
            recorded, day, style = advisor.label(row), row.result.varying.started[:10], verdict_style(row.verdict)
        elif path.exists():
            try:  # a library without prose is in no report, and has a result all the same
                result = read_result(path)
                recorded, day = catches.label(result), result.varying.started[:10]
                style = verdict_style(result.verdicts.overall.verdict)
            except DamagedResult as error:
                recorded, style, code = str(error), "red", error.exit_code
        python = found.version if found else f"no Python {cell.python}"
        table.add_row(cell.name, python, Text(recorded, style=style), day)
    console().print(table)
    return code
