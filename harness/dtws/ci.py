"""``dtws ci``: the workflow that measures a project on every push."""

from __future__ import annotations

import json
from collections.abc import Sequence
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


def _pairs(djangos: Sequence[str], pythons: Sequence[str]) -> list[tuple[str, str]]:
    """Return each of *pythons*, all unless some are named, with each of *djangos* that supports it.

    Raises:
        UsageError: none does.
    """
    found = []
    for django in djangos:
        supported = releases.pythons(django)
        found += [(python, django) for python in pythons or supported if python in supported]
        for python in pythons:
            if python not in supported:
                click.echo(f"Python {python} is left out for Django {django}, which does not support it.")
    if not found:
        raise UsageError("no job would be left", "name a Python that one of these Djangos supports")
    return found


def _source() -> str:
    """Return the requirement that this dtws was installed by (PEP 610).

    Raises:
        UsageError: it lies in a folder of this machine.
    """
    try:
        text = metadata.distribution("dtws").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        text = "{}"
    if text is None:
        return "dtws[run]"
    origin = json.loads(text)
    if (vcs := origin.get("vcs_info")) is None:
        raise UsageError(
            "this dtws is from a folder of this machine, which no runner has",
            "say where it is from there: --from 'dtws[run] @ git+https://…'",
        )
    return f"dtws[run] @ {vcs['vcs']}+{origin['url']}@{vcs['commit_id']}"


@click.command()
@click.argument("service", type=click.Choice(sorted(_FILES)))
@click.option("--python", "pythons", metavar="X.Y,…", default="", help="The Pythons; all that a Django supports.")
@click.option("--django", "djangos", metavar="X.Y,…", default="", help="The Djangos; all that get fixes today.")
@click.option(
    "--from",
    "source",
    metavar="REQUIREMENT",
    help="What installs dtws there, such as 'dtws[run] @ git+https://…'; where this one is from unless given.",
)
@click.option("--force", is_flag=True, help="Write over a workflow that is there.")
def ci(service: str, pythons: str, djangos: str, source: str | None, force: bool) -> int:
    """Write the workflow for SERVICE: a job for each Python and Django, red when the chat is worse than recorded."""
    path = _FILES[service]
    if path.exists() and not force:
        raise UsageError(f"{path} is there already", "give --force to write over it")
    wanted = versions(djangos, "Django") or releases.current(date.today())
    asked = versions(pythons, "Python")
    pairs = _pairs(wanted, asked)
    source = source or _source()
    text = writing.render(f"{service}.yml.j2", pairs=pairs, source=source, uv=metadata.version("uv"))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode())
    click.echo(f"{path}: {len(pairs)} jobs. Commit it with chat.toml and the folder dtws.")
    return 0
