"""``reproduce``: the exact commands behind a result, a year later as well."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import click

from harness import legacy, libraries
from harness.cells import Cell
from harness.commands import options
from harness.errors import UsageError
from harness.result import Result, load
from harness.run import ROOT


@click.command()
@click.argument("result")
@click.option("--run", "runs", is_flag=True, help="Run it, through tox, and hold the verdict against the recorded one.")
@options.reports
@options.libraries
def reproduce(result: str, runs: bool, reports: Path, folders: tuple[Path, ...]) -> int:
    """Print the commands that bring about RESULT again, a cell or the file of a result, with its exact versions."""
    path = Path(result) if result.endswith(".json") else options.result_path(reports, result)
    if not path.exists():
        raise UsageError(f"there is no result {path.name}", f"run `tox -e {path.stem}` first")
    recorded = load(path)
    if recorded.installation is None or recorded.versions is None:
        raise UsageError(
            f"{recorded.cell} was not installed: {recorded.verdicts.overall.label}", "nothing to reproduce"
        )
    through_tox = ["-e", recorded.cell, "--", "--freeze", str(path.resolve() if runs else path)]
    through_tox += [option for folder in folders for option in ("--libraries", str(folder))]
    if runs:
        # Another environment than the cell's own, which keeps what is resolved today.
        place = ["--workdir", str(ROOT / ".tox" / "reproduce")]
        return subprocess.run([sys.executable, "-m", "tox", *place, *through_tox], cwd=ROOT, check=False).returncode
    click.echo("\n".join(_script(recorded, through_tox, folders)))
    return 0


def _script(recorded: Result, through_tox: list[str], folders: tuple[Path, ...]) -> list[str]:
    versions = recorded.versions
    assert versions is not None
    cell = Cell.parse(recorded.cell)
    subject = libraries.of(cell, libraries.load(folders))
    freeze = [f"{name}=={version}" for name, version in sorted(versions.installed.items())]
    if cell.python in legacy.VERSIONS:
        make = ["virtualenv -p python" + cell.python + " cell", f"cell/bin/pip install {shlex.join(freeze)}"]
    else:
        make = [f"uv venv --python {versions.python} cell", f"uv pip install --python cell {shlex.join(freeze)}"]
    env = {"DJANGO_SETTINGS_MODULE": subject.library.settings}
    env |= subject.library.environment("redis://127.0.0.1:6379/0", recorded.cell, Path("chat.sqlite3"))
    commands = [step.command for step in recorded.steps if step.command and step.name not in ("identify", "install")]
    return [
        f"# {recorded.cell}: {recorded.verdicts.overall.label}, on {recorded.varying.started[:10]}",
        f"# {versions.implementation} {versions.python}, Django {versions.django}, {versions.broker or 'no broker'}",
        "#",
        f"# All of it, with the same versions:  tox {shlex.join(through_tox)}",
        "# By hand, in a checkout of this project and with a Redis on its usual port:",
        *make,
        *(f"export {name}={shlex.quote(value)}" for name, value in env.items()),
        *(command.replace("<cell>", "cell").replace("<port>", "8000") for command in dict.fromkeys(commands)),
    ]
