"""Ask the package index what an installer would take: on a day, and which releases there are.

Sources: https://docs.astral.sh/uv/reference/settings/#exclude-newer, and
https://packaging.python.org/en/latest/specifications/simple-repository-api/ for the times of uploads, without which an
index has no past.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from uv import find_uv_bin

from harness.captured import output
from harness.environments import past
from harness.environments.names import pins_in, project_of
from harness.errors import HarnessError
from harness.system import processes

#: Seconds for one resolution.
_DEADLINE = 300.0
#: How uv says what asks for a package.
_VIA = re.compile(r"^([\w.-]+)==\S+.*# via (.*)$", re.MULTILINE)
#: What is said of an index without times of uploads, and what to do about one that is of no use.
NO_DAYS = "does not say when releases were uploaded"
OTHER_INDEX = "name one that does in UV_DEFAULT_INDEX or UV_INDEX_URL"
#: What uv says where files have no time of upload.
_NO_TIMES = re.compile(r"missing an upload date|does not.*upload.?time|exclude-newer.*not supported", re.IGNORECASE)


@dataclass
class Resolver:
    """Resolves requirements for one interpreter, each day once."""

    #: What is asked for, and what is held in any case, such as the cell's own Django.
    requirements: Sequence[str]
    held: Sequence[str]
    python: Path
    env: Mapping[str, str]
    #: How often the index was asked.
    asked: int = 0
    #: Why nothing fitted together the last time that this was so.
    said: str = ""
    _known: dict[date | None, dict[str, str] | None] = field(default_factory=dict)

    def on(self, day: date | None) -> dict[str, str] | None:
        """Return what is installed as of *day*, of today where that is None; None where nothing fits together then.

        Raises:
            HarnessError: the index is out of reach, or knows no times of uploads.
        """
        if day not in self._known:
            self._known[day] = self._resolved(day)
        return self._known[day]

    def fitting(self, versions: Mapping[str, str]) -> tuple[dict[str, str], dict[str, list[str]]] | None:
        """Return what is installed where packages that are asked for have *versions*; None where they do not fit.

        Returns:
            Names → versions, and each name → those that ask for it.

        Raises:
            HarnessError: the index is out of reach.
        """
        text = self._compiled(None, [f"{name}=={version}" for name, version in versions.items()])
        if text is None:
            return None
        # What is asked for itself comes from a file, which has an option before its name.
        asked_by = {
            name: [each for each in askers.split(", ") if not each.startswith("-")]
            for name, askers in _VIA.findall(text)
        }
        return pins_in(text), asked_by

    def _resolved(self, day: date | None) -> dict[str, str] | None:
        text = self._compiled(day, [])
        return None if text is None else pins_in(text)

    def _compiled(self, day: date | None, constraints: Sequence[str]) -> str | None:
        """Return what an installer resolves as of *day*, or of today, within *constraints*; None where nothing fits."""
        self.asked += 1
        command = [find_uv_bin(), "pip", "compile", "--no-header", "--annotation-style=line"]
        command += ["--python", str(self.python)]
        if day is not None:
            command += past.options(day, map(project_of, self.held))
        # A folder of its own: the causes of two cells may be looked for at once.
        with tempfile.TemporaryDirectory() as made:
            wanted, limits, log = (Path(made, each) for each in ("requirements.in", "limits.txt", "resolution.log"))
            wanted.write_text("\n".join([*self.requirements, *self.held]) + "\n", encoding="utf-8")
            limits.write_text("\n".join(constraints) + "\n", encoding="utf-8")
            command += ["--constraints", str(limits), str(wanted)]
            ended = processes.run(command, dict(self.env), Path(made), log, _DEADLINE)
            text = output.read(log)
        if ended.exit_status == 0:
            return text
        if _NO_TIMES.search(text):
            raise HarnessError(f"the package index {NO_DAYS}", OTHER_INDEX)
        if output.no_network(text):
            raise HarnessError("the package index is out of reach", "look at the network, and at UV_DEFAULT_INDEX")
        if ended.timed_out:
            raise HarnessError(f"the package index took longer than {_DEADLINE:.0f} s", "run it again")
        self.said = output.failure(text).cause
        return None
