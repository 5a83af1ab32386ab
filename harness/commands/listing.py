"""``list``: every cell, whether it can run here, and what is recorded."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from harness import interpreters, matrix
from harness.commands import options
from harness.commands.progress import verdict_style
from harness.errors import DamagedResult
from harness.result import load


@click.command(name="list")
@options.reports
def list_(reports: Path) -> int:
    """List the cells, whether their Python is on this machine, and what is recorded of them."""
    table = Table("Cell", "Python", "Recorded", "On", box=None, pad_edge=False)
    code = 0
    for cell in matrix.cells():
        found = interpreters.find(cell.python)
        path = options.result_path(reports, cell.name)
        recorded, day, style = "", "", ""
        if path.exists():
            try:
                result = load(path)
                recorded, day = result.verdicts.overall.label, result.varying.started[:10]
                style = verdict_style(result.verdicts.overall.verdict)
            except DamagedResult as error:
                recorded, style, code = str(error), "red", error.exit_code
        python = found.version if found else f"no Python {cell.python}"
        table.add_row(cell.name, python, f"[{style}]{recorded}[/]" if style else recorded, day)
    Console(highlight=False, soft_wrap=True).print(table)
    return code
