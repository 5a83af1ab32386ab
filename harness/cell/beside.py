"""What some variants need beside the library: a package more, and perhaps a service other than the broker.

The package does not come into the cell's environment, for what installing the library adds is measured there; it gets
a folder of its own, which only those servers look into that carry the variant. Services are started for the cell.
"""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from uv import find_uv_bin

from harness.captured import output
from harness.cell import install
from harness.cell.steps import Recorder
from harness.cell.variables import environment
from harness.environments import past
from harness.errors import CellFailure
from harness.libraries.base import Beside
from harness.system import nats, postgresql, processes
from harness.system.files import write_atomically
from harness.verdict import Reason

#: Seconds for Django to make the tables of a package.
_MIGRATE = 60.0
_LISTED = re.compile(r"^ \+ (\S+==\S+)", re.MULTILINE)
#: Written last: a folder without it is made again.
_VERSIONS = ".versions"


@dataclass
class BesideLibrary:
    """What is there beside the library of a cell: made when it is first needed, and gone when the block is left."""

    #: The interpreter of the cell's environment, the folder of its ``manage.py``, and what is installed there.
    python: Path
    project: Path
    packages: dict[str, str]
    recorder: Recorder
    #: Further options of the installer.
    options: Sequence[str] = ()
    #: What is there, by its requirement: the environment variables of servers that need it, or why there is none.
    _there: dict[str, dict[str, str] | CellFailure] = field(default_factory=dict)
    _services: ExitStack = field(default_factory=ExitStack)
    _making: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._services.close()

    def variables(self, needed: Beside, env: dict[str, str]) -> dict[str, str]:
        """Return the further environment variables of a server that finds *needed*; *env* are those of the others.

        Raises:
            CellFailure: it cannot be had here, or not on this Python, or with what is installed.
        """
        with self._making:  # several faults may want it at once
            if needed.requirement not in self._there:
                try:
                    with self.recorder.own(needed.requirement) as say:
                        self._there[needed.requirement], versions = self._made(needed, env)
                        say(", ".join(versions))
                except CellFailure as failure:
                    self._there[needed.requirement] = failure
        found = self._there[needed.requirement]
        if isinstance(found, CellFailure):
            raise found
        return found

    def _made(self, needed: Beside, env: dict[str, str]) -> tuple[dict[str, str], list[str]]:
        """Install it and start its service; return what its servers are told, and the versions of all that."""
        folder = self.python.parent.parent / "beside" / needed.requirement
        variables = {"PYTHONPATH": str(folder)}
        versions = self._installed(needed, folder)
        log = self.recorder.work / f"{needed.requirement}.log"
        try:
            if needed.service == "nats":
                url = self._services.enter_context(nats.running(folder / "bin", env, log))
                variables[needed.variable] = url
            if needed.service == "postgresql":
                port, version = self._services.enter_context(postgresql.running(env, log))
                versions.append(version)
                variables[needed.variable] = f"127.0.0.1:{port}"
                self._migrate(needed, {**env, **variables})
        except (nats.NoNats, postgresql.NoPostgreSQL) as error:
            raise CellFailure(Reason.ENVIRONMENT_FAILED, str(error)) from error
        return variables, versions

    def _installed(self, needed: Beside, folder: Path) -> list[str]:
        """Install it into *folder*, unless it is there, without touching what is installed; return the versions."""
        noted, wanted = folder / _VERSIONS, [needed.requirement, *needed.further]
        settings = install.settings_of(environment(installer=True), self.options)
        # Whatever the installer would have to look at: with anything else it may take something else.
        made_of = " ".join([settings, *wanted, *(f"{name}=={version}" for name, version in self.packages.items())])
        if noted.exists():
            first, *found = noted.read_text("utf-8").splitlines()
            if first == made_of:
                return found
        shutil.rmtree(folder, ignore_errors=True)
        held = folder.with_name(f"{folder.name}.txt")
        held.parent.mkdir(parents=True, exist_ok=True)
        # What an installer would take has to fit what the cell is about, which is named already.
        held.write_text("".join(f"{name}=={version}\n" for name, version in self.packages.items()), "utf-8")
        found = _LISTED.findall(self._install(needed, ["--dry-run", "--constraint", str(held), *wanted]))
        self._install(needed, ["--target", str(folder), "--no-deps", *found])
        write_atomically(noted, "\n".join([made_of, *found]).encode())
        return found

    def _install(self, needed: Beside, options: Sequence[str]) -> str:
        """Run the installer with *options*, and return what it printed.

        Raises:
            CellFailure: it failed.
        """
        log = self.recorder.work / "beside.log"
        command = [find_uv_bin(), "pip", "install", "--no-progress", "--python", str(self.python), *self.options]
        ended = processes.run(
            [*command, *options], environment(installer=True), self.recorder.work, log, install.DEADLINE
        )
        text = self.recorder.scrub(output.read(log))
        if ended.exit_status == 0:
            return text
        if output.no_network(text):
            reason = Reason.NO_NETWORK
        elif any(each in text for each in needed.further) or past.EXCLUDES in self.options:
            # No fault of the variant: there is no service for this machine, or on that day there was nothing yet.
            reason = Reason.ENVIRONMENT_FAILED
        else:
            reason = Reason.INSTALLATION_FAILED
        raise CellFailure(reason, output.failure(text).cause)

    def _migrate(self, needed: Beside, env: dict[str, str]) -> None:
        """Make the tables of it.

        Raises:
            CellFailure: that failed.
        """
        log = self.recorder.work / "beside.log"
        command = [str(self.python), "manage.py", "migrate", "--noinput", f"--database={needed.requirement}"]
        ended = processes.run([*command, needed.requirement], env, self.project, log, _MIGRATE)
        if ended.exit_status != 0:
            cause = output.failure(self.recorder.scrub(output.read(log))).cause
            raise CellFailure(Reason.MIGRATION_FAILED, f"migrate failed: {cause}")
