"""Somebody's project: its scenario, its environments, and what is recorded of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.dtws.places import ENVIRONMENTS, RESULTS, SCENARIO
from harness.errors import UsageError
from harness.libraries import scenario
from harness.libraries.base import Library
from harness.libraries.scenario import OwnChat
from harness.probes.registry import PROBES
from harness.results.folder import Reports

#: What of the results belongs to the machine that made them.
_IGNORED = "evidence/\nprofiles/\nhtml/\n.tmp-*\n"


@dataclass(frozen=True)
class Project:
    """A project with a chat of its own."""

    scenario: Path
    library: OwnChat
    #: Every library that its cells may be of, by their suffixes: it is the only one.
    libraries: dict[str, Library]
    reports: Reports
    #: The folder of the environments.
    environments: Path
    #: The Redis to use; None starts one for each run.
    redis_url: str | None


def find(folder: Path, path: Path | None, install: Sequence[str] = ()) -> Project:
    """Return the project in *folder*, whose scenario is *path*; *install* is in the place of what that installs.

    From then on it is this project's environments that hints name, and that causes are looked for in.

    Raises:
        UsageError: there is no scenario, or it makes no sense.
    """
    where = path or folder / SCENARIO
    if not where.exists():
        raise UsageError(f"there is no scenario {where}", "`dtws new` writes one")
    kind = scenario.library(where)
    assert issubclass(kind, OwnChat)
    if install:
        kind.asked = tuple(install)
    library = kind()
    reports = Reports((folder / RESULTS).resolve())
    os.environ["HARNESS_ENVIRONMENTS"] = str(folder / ENVIRONMENTS)
    reports.folder.mkdir(parents=True, exist_ok=True)
    if not (ignore := reports.folder / ".gitignore").exists():
        ignore.write_text(_IGNORED, "ascii")
    return Project(
        where,
        library,
        {library.suffix: library},
        reports,
        (folder / ENVIRONMENTS).resolve(),
        _redis_url(kind),
    )


def _redis_url(kind: type[Library]) -> str | None:
    """Return the URL of the Redis that a scenario has somebody name by a variable; None where one is started.

    Raises:
        UsageError: the variable is not set.
    """
    assert issubclass(kind, OwnChat)
    broker = kind.described.broker
    if broker is None or not broker.named_by:
        return None
    if not (found := os.environ.get(broker.named_by)):
        hint = (
            f"set it to the URL of a Redis, such as redis://127.0.0.1:6379/0, or leave out named_by in {kind.file.name}"
        )
        raise UsageError(f"{broker.named_by} is not set, which names the Redis", hint)
    return found


def own_python() -> str:
    """Return the version of the Python that runs this, such as ``3.13``."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def not_asked(probes: Sequence[str], library: Library) -> Iterator[str]:
    """Yield what is said of each of *probes* that cannot be asked of *library*."""
    for name in probes:
        if lacking := PROBES[name].lacks(library):
            yield f"probe {name} is not asked: {lacking}"
