"""``dtws ci``: the workflow that measures a project on every push."""

from __future__ import annotations

from datetime import date
from importlib import metadata
from pathlib import Path

import click

from harness.dtws import writing
from harness.dtws.run import versions
from harness.errors import UsageError
from harness.matrix import releases
from harness.system.files import write_atomically

#: Where each service reads its workflow.
_FILES = {"github": Path(".github/workflows/dtws.yml")}


@click.command()
@click.argument("service", type=click.Choice(sorted(_FILES)))
@click.option("--python", "pythons", metavar="X.Y,…", default="", help="The Pythons; all that a Django supports.")
@click.option("--django", "djangos", metavar="X.Y,…", default="", help="The Djangos; all that get fixes today.")
@click.option(
    "--from",
    "source",
    metavar="REQUIREMENT",
    default="dtws[run]",
    show_default=True,
    help="What installs dtws there, such as 'dtws[run] @ git+https://…'.",
)
@click.option("--force", is_flag=True, help="Write over a workflow that is there.")
def ci(service: str, pythons: str, djangos: str, source: str, force: bool) -> int:
    """Write the workflow for SERVICE: a job for each Python and Django, red when the chat is worse than recorded."""
    path = _FILES[service]
    if path.exists() and not force:
        raise UsageError(f"{path} is there already", "give --force to write over it")
    wanted = versions(djangos, "Django") or releases.current(date.today())
    asked = versions(pythons, "Python")
    pairs = [(python, django) for django in wanted for python in asked or releases.pythons(django)]
    text = writing.render(f"{service}.yml.j2", pairs=pairs, source=source, uv=metadata.version("uv"))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode())
    click.echo(f"{path}: {len(pairs)} jobs. Commit it with chat.toml and the folder dtws.")
    return 0
