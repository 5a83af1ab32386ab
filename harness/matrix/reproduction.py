"""The exact commands behind a result."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from harness import ROOT
from harness.cells import Cell
from harness.environments import legacy
from harness.errors import UsageError
from harness.libraries.base import Library
from harness.libraries.registry import setup_for
from harness.libraries.setup import Setup
from harness.results.folder import Reports
from harness.results.result import Result


def script(recorded: Result, setup: Setup, through_tox: str) -> list[str]:
    """Return the lines that bring about *recorded* again, by hand; *through_tox* is the command that does all of it.

    Nothing where nothing was installed.
    """
    versions, cell = recorded.versions, Cell.parse(recorded.cell)
    if versions is None or recorded.installation is None:
        return []
    freeze = [f"{name}=={version}" for name, version in sorted(versions.installed.items())]
    if cell.python in legacy.VERSIONS:
        make = ["virtualenv -p python" + cell.python + " cell", f"cell/bin/pip install {shlex.join(freeze)}"]
    else:
        make = [f"uv venv --python {versions.python} cell", f"uv pip install --python cell {shlex.join(freeze)}"]
    env = {"DJANGO_SETTINGS_MODULE": setup.library.settings}
    broker = versions.broker if setup.library.uses_broker else ""
    env |= setup.library.environment("redis://127.0.0.1:6379/0", recorded.cell, Path("chat.sqlite3"))
    origins = recorded.candidate.origins if recorded.candidate else {}
    commands = [step.command for step in recorded.steps if step.command and step.name not in ("identify", "install")]
    return [
        f"# {recorded.cell}, as it was measured on {recorded.varying.started[:10]}",
        f"# {versions.implementation} {versions.python}, Django {versions.django}, {broker or 'no broker'}",
        *(f"# {shown} came from {origin}" for shown, origin in origins.items()),
        "#",
        f"# All of it{', with the same versions' if not origins else ''}:  {through_tox}",
        "# By hand, in a checkout of this project" + (" and with a Redis on its usual port:" if broker else ":"),
        *make,
        *(f"export {name}={shlex.quote(value)}" for name, value in env.items()),
        *(command.replace("<cell>", "cell").replace("<port>", "8000") for command in dict.fromkeys(commands)),
    ]


def script_of(recorded: Result, libraries: Mapping[str, Library]) -> list[str]:
    """Return the lines that bring about *recorded* again from its committed file; nothing where that is not known.

    It is of a library, or with pins, that is not among *libraries*, or nothing was installed.
    """
    try:
        setup = setup_for(Cell.parse(recorded.cell), dict(libraries))
    except UsageError:
        return []
    result = Reports.of_checkout().result(recorded.cell).relative_to(ROOT)
    return script(recorded, setup, f"tox -e {recorded.cell} -- --freeze {result}")
