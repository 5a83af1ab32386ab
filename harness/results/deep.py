"""What cells answered to the deep sets of questions, whole: a result keeps the counts and the worst answers alone."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from harness.cells import again
from harness.errors import DamagedResult, ForeignSchema
from harness.results.folder import Reports
from harness.results.model import UNREADABLE, Model, schema_of
from harness.results.result import Finding, Probe
from harness.system.files import write_atomically

SCHEMA: Literal["1"] = "1"
#: Seconds after which a run that was broken off is begun anew.
_STALE = 24 * 3600
#: How many answers that were not as expected stand in a result.
WORST = 5
#: The sets, in the order in which they are told of, and what each is about.
TITLES = {
    "endings": "Endings: what is seen when a connection ends",
    "amounts": "Amounts: many messages, large ones, and a reader that does not read",
    "faults": "Faults: what becomes of messages while something fails, and afterwards",
    "sessions": "Sessions: who may go on when the member may not, and who is let in",
    "conformance": "Conformance: the rules of WebSockets",
    "deployment": "Deployment: behind a proxy, under a path, and when servers are replaced",
    "leaks": "Leaks: what is left of many sockets",
    "blocking": "Blocking: what others do meanwhile",
}


class DeepSet(Model, frozen=True, kw_only=True):
    """All answers of a cell to one set of questions. ``complete`` comes last: a file without it is not finished."""

    schema: Literal["1"] = SCHEMA
    cell: str
    library: str
    server: str
    #: The set, which is called as its probe is.
    name: str
    #: When it was begun, ISO 8601 in UTC, and what it took.
    started: str
    seconds: float
    #: What took part (Python, Django, the library and its packages) → versions.
    versions: dict[str, str]
    findings: list[Finding]
    #: What was counted: the question → the figures in words, which differ from run to run.
    counted: dict[str, str]
    complete: Literal[True] = True

    @property
    def summary(self) -> Probe:
        """What stands of it in a result."""
        wrong = [finding for finding in self.findings if finding.good is False]
        right = sum(finding.good is True for finding in self.findings)
        return Probe(name=self.name, findings=wrong[:WORST], counts=(right, right + len(wrong)))


class _UnderWay(Model, frozen=True, kw_only=True):
    """A run of several sets that has not ended yet: what it has answered, and with which versions."""

    versions: dict[str, str]
    done: list[str]


def save(reports: Reports, answered: DeepSet) -> None:
    """Write a set of answers; whoever calls this holds the cell.

    Raises:
        HarnessError: it cannot be written.
    """
    path = reports.deep(answered.cell) / f"{answered.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, _formatted(answered))


def read(path: Path) -> DeepSet:
    """Return the set of answers in *path*.

    Raises:
        DamagedResult: it is none.
    """
    cell = path.parent.name
    try:
        whole = decode(path.read_bytes(), f"{cell}/{path.name}")
        if (whole.cell, whole.name) != (cell, path.stem):
            raise DamagedResult(f"{cell}/{path.name} holds what {whole.cell} answered to {whole.name}")
        return whole
    except (OSError, DamagedResult) as error:
        text = str(error) if isinstance(error, DamagedResult) else f"{cell}/{path.name} cannot be read: {error}"
        command = again(cell, "--probe", path.stem)
        raise DamagedResult(text, f"move it away, then `{command}` asks again") from error


def decode(data: bytes, name: str) -> DeepSet:
    """Return the set of answers in *data*, which is called *name*.

    Raises:
        DamagedResult: it is none.
    """
    try:
        return msgspec.json.decode(data, type=DeepSet)
    except UNREADABLE as error:
        if (foreign := schema_of(data)) not in ("", SCHEMA):
            raise ForeignSchema(f"{name} is of schema {foreign}; this harness reads schema {SCHEMA}") from error
        raise DamagedResult(f"{name} is no finished set of answers: {error}") from error


def of_cell(reports: Reports, cell: str) -> list[DeepSet]:
    """Return the sets that *cell* has answered, by their names.

    Raises:
        DamagedResult: one of them is none.
    """
    return [read(path) for path in files(reports, cell)]


def files(reports: Reports, cell: str) -> list[Path]:
    """Return the files of the sets that *cell* has answered, by their names."""
    return sorted(reports.deep(cell).glob("*.json"))


def readable(reports: Reports, cell: str) -> list[DeepSet]:
    """Return the same; none where one of them is damaged: the worst answers of each stand in the cell's result."""
    try:
        return of_cell(reports, cell)
    except DamagedResult:
        return []


def joined(known: Iterable[DeepSet]) -> list[DeepSet]:
    """Return of each set the newest answers of those that are *known*."""
    newest = {each.name: each for each in sorted(known, key=lambda each: each.started)}
    return sorted(newest.values(), key=lambda each: each.name)


def forget_unfinished(reports: Reports, cell: str) -> None:
    """Have the next run of *cell* begin anew, whatever one that was broken off had answered."""
    _under_way(reports, cell).unlink(missing_ok=True)


def _under_way(reports: Reports, cell: str) -> Path:
    return reports.deep(cell) / ".under-way"


class Progress:
    """Which sets of a run were answered, so that one that was broken off goes on where it was."""

    def __init__(self, reports: Reports, cell: str, versions: Mapping[str, str]) -> None:
        self._reports, self._cell, self._versions = reports, cell, dict(versions)
        self._file = _under_way(reports, cell)
        self._done = self._before()

    def _before(self) -> list[str]:
        try:
            if time.time() - self._file.stat().st_mtime > _STALE:
                return []
            before = msgspec.json.decode(self._file.read_bytes(), type=_UnderWay)
        except (OSError, msgspec.DecodeError):
            return []
        return before.done if before.versions == self._versions else []

    def answered(self, name: str) -> DeepSet | None:
        """Return what the run that was broken off had answered; None where it had not come to it."""
        if name not in self._done:
            return None
        try:
            return read(self._reports.deep(self._cell) / f"{name}.json")
        except DamagedResult:
            return None

    def add(self, answered: DeepSet) -> None:
        """Keep a set of answers, and that this run has it.

        Raises:
            HarnessError: it cannot be written.
        """
        save(self._reports, answered)
        self._done = [*(each for each in self._done if each != answered.name), answered.name]
        write_atomically(self._file, _formatted(_UnderWay(versions=self._versions, done=self._done)))

    def end(self) -> None:
        """Everything was asked: the next run begins anew."""
        self._file.unlink(missing_ok=True)


def _formatted(document: Model) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"
