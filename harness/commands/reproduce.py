"""``reproduce``: the exact commands behind a result, a year later as well."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import click

from harness import ROOT
from harness.cells import Cell
from harness.commands import options
from harness.errors import UsageError
from harness.libraries import registry
from harness.matrix.reproduction import script
from harness.results.document import read_result
from harness.results.folder import Reports


@click.command()
@click.argument("result")
@click.option("--run", "runs", is_flag=True, help="Run it, through tox, and hold the verdict against the recorded one.")
@options.reports
@options.libraries
def reproduce(result: str, runs: bool, reports: Reports, folders: tuple[Path, ...]) -> int:
    """Print the commands that reproduce RESULT, a cell or a result file, with its exact versions."""
    path = Path(result) if result.endswith(".json") else reports.result(result)
    if not path.exists():
        raise UsageError(f"there is no result {path.name}", f"run `tox -e {path.stem}` first")
    recorded = read_result(path)
    if recorded.installation is None or recorded.versions is None:
        raise UsageError(
            f"{recorded.cell} was not installed: {recorded.verdicts.overall.label}", "nothing to reproduce"
        )
    # What is no release cannot be frozen: it is asked for again.
    candidate = recorded.candidate
    options = candidate.options if candidate else ["--freeze", str(path.resolve() if runs else path)]
    through_tox = ["-e", recorded.cell, "--", *options]
    through_tox += [option for folder in folders for option in ("--libraries", str(folder))]
    if runs and candidate and candidate.local:
        raise UsageError(
            f"{', '.join(candidate.local)} came from another place than an index, whose path is not recorded",
            f"name it: tox {shlex.join(through_tox)}",
        )
    if runs:
        # Another environment than the cell's own, which keeps what is resolved today.
        place = ["--workdir", str(ROOT / ".tox" / "reproduce")]
        return subprocess.run([sys.executable, "-m", "tox", *place, *through_tox], cwd=ROOT, check=False).returncode
    setup = registry.setup_for(Cell.parse(recorded.cell), registry.discover(folders))
    click.echo("\n".join(script(recorded, setup, f"tox {shlex.join(through_tox)}")))
    return 0
