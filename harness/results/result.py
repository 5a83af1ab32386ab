"""A cell's result: one JSON document, and everything that may stand in it.

What varies from run to run (times, dates, ports) is under ``varying``; all else is the same for
two runs that saw the same, so that a diff of two results shows only what changed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from harness.errors import DamagedResult, ForeignSchema, HarnessError
from harness.system.files import write_atomically
from harness.verdict import Reason, Verdict

#: The version of the document's form; a reader refuses any other.
SCHEMA: Literal["1"] = "1"

#: What holds back versions: nothing but what an installer resolves today, or the best known pins.
Profile = Literal["today", "pins"]

#: The questions that stand for a set of questions that could not be gone through.
BROKEN_OFF = ("Could all of this be asked?", "Does the server outlast the questions?")

#: The largest result document, in bytes.
SIZE_LIMIT = 64_000


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every part of the document has in common."""


class Judgement(Model, frozen=True, kw_only=True):
    """A verdict with its reason; *text* says it in one sentence."""

    verdict: Verdict
    reason: Reason
    text: str

    @classmethod
    def of(cls, reason: Reason, text: str = "") -> Judgement:
        """Return the judgement that *reason* stands for."""
        return cls(verdict=reason.verdict, reason=reason, text=text)

    @property
    def label(self) -> str:
        """The judgement as tables show it: the sign, and the reason where it is not plain."""
        return self.verdict.label if self.reason is Reason.WORKS else f"{self.verdict.label} ({self.reason})"


class Verdicts(Model, frozen=True, kw_only=True):
    """The columns of the compatibility table.

    ``web_server`` is the server that carries the chat. Where Django's development server is another
    one, ``django_server`` tells of that.
    """

    django_server: Judgement | None = None
    web_server: Judgement
    channels: Judgement
    overall: Judgement


class Pin(Model, frozen=True, kw_only=True):
    """A requirement that is narrower than what the library itself asks for, and why."""

    requirement: str
    reason: str


class Claims(Model, frozen=True, kw_only=True):
    """What the metadata of a release says that it runs on.

    Source: https://packaging.python.org/specifications/core-metadata/, Requires-Python and the classifiers of
    https://pypi.org/classifiers/.
    """

    version: str
    requires_python: str
    pythons: list[str]
    djangos: list[str]


class Installation(Model, frozen=True, kw_only=True):
    """What installing the library added to an environment that had Django and coverage."""

    requirements: list[str]
    pins: list[Pin]
    added: list[str]
    added_bytes: int
    claims: Claims | None = None


class Versions(Model, frozen=True, kw_only=True):
    """Everything that took part, exactly."""

    python: str
    implementation: str
    django: str
    library: str
    broker: str
    harness: str
    installer: str
    installed: dict[str, str]


class Step(Model, frozen=True, kw_only=True):
    """One step of a cell: what was run, how it ended, and what its output says."""

    name: str
    outcome: Literal["ok", "failed", "timed out", "skipped"]
    text: str = ""
    command: str = ""
    exit_status: int | None = None
    cause: str = ""
    excerpt: str = ""

    @property
    def good(self) -> bool | None:
        """Whether it ended well; None where it was skipped."""
        return {"ok": True, "skipped": None}.get(self.outcome, False)

    @property
    def said(self) -> str:
        """What there is to say of the step: what it saw, and why it failed."""
        return "; ".join(each for each in (self.text, self.cause) if each)


class UnitTests(Model, frozen=True, kw_only=True):
    """What the Django tests of the chat did in the cell, and the lines that they covered."""

    ran: int
    failed: int
    skipped: int
    coverage_percent: float | None
    table: str


class Fault(Model, frozen=True, kw_only=True):
    """One thing that one connection of one member saw wrongly."""

    kind: Literal["missing", "extra", "duplicated", "altered", "out of order", "unproven", "closed", "not sent"]
    member: str
    connection: str
    text: str = ""


class Exchange(Model, frozen=True, kw_only=True):
    """One row of the channel table, as it went."""

    number: int
    channel: Literal["broadcast", "user", "group"]
    sender: str
    audience: str
    recipients: list[str]
    transport: str
    good: bool
    faults: list[Fault]


class Finding(Model, frozen=True, kw_only=True):
    """A further question to the cell, what was expected, and what was seen.

    ``good`` is None when the question does not apply, or when either answer is fine. ``chance`` marks a race: bad
    is proved by one try that went wrong, and good says no more than that none of so many did.
    """

    question: str
    expected: str
    seen: str
    good: bool | None
    chance: bool = False


class VariantResult(Model, frozen=True, kw_only=True):
    """How the fifteen exchanges went in another way of the library to carry them."""

    name: str
    judgement: Judgement
    exchanges: list[Exchange] = []


def as_expected(findings: Sequence[Finding]) -> str:
    """Return in a few words how many of *findings* are as expected, of those that can be judged."""
    judged = [each for each in findings if each.good is not None]
    return f"{sum(each.good is True for each in judged)} of {len(judged)} as expected"


class Probe(Model, frozen=True, kw_only=True):
    """A set of findings that was asked for."""

    name: str
    findings: list[Finding]


class Cost(Model, frozen=True, kw_only=True):
    """What a delivered message cost by one transport: requests, bytes both ways, and the median latency."""

    requests: float
    bytes: int
    latency_ms: float


class Measured(Model, frozen=True, kw_only=True):
    """What differs between two runs that saw the same."""

    #: ISO 8601, in UTC.
    started: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])-([0-2]\d|3[01])T\d\d:\d\d:\d\d\+00:00$")]
    seconds: dict[str, float]
    install_seconds: float | None = None
    installed_on: str | None = None
    latency_ms: dict[str, dict[str, float]] = {}
    late: list[int] = []
    fences_sent: int = 0
    fences_sent_again: int = 0
    exchanges_seconds: float | None = None
    stopped: dict[str, str] = {}
    repeated: list[str] = []
    probed_on: dict[str, str] = {}
    counted: dict[str, str] = {}
    tools: dict[str, str] = {}
    costs: dict[str, Cost] = {}
    startup_output: str = ""


class Result(Model, frozen=True, kw_only=True):
    """One cell's result. ``complete`` comes last: a file without it is an unfinished run."""

    schema: Literal["1"]
    cell: str
    library: str
    server: str
    broker: str
    verdicts: Verdicts
    versions: Versions | None
    installation: Installation | None
    steps: list[Step]
    unit_tests: UnitTests | None
    warnings: list[str]
    exchanges: list[Exchange]
    isolation: list[Finding]
    sets: list[Probe] = []
    variants: list[VariantResult] = []
    probes: list[Probe]
    profile: Profile = "today"
    varying: Measured
    complete: Literal[True]


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the result document."""
    document = msgspec.json.schema(Result)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A cell's result", **document}


def encode_result(result: Result) -> bytes:
    """Return *result* as the bytes of its file."""
    text = json.dumps(msgspec.to_builtins(result), indent=1, ensure_ascii=False)
    return text.encode() + b"\n"


def read_result(path: Path) -> Result:
    """Return the result in the file at *path*.

    Raises:
        DamagedResult: the file is truncated, unfinished, of another schema, or no result at all.
    """
    try:
        return decode_result(path.read_bytes(), path.stem)
    except OSError as error:
        raise DamagedResult(f"{path.name} cannot be read: {error.strerror}") from error


def decode_result(data: bytes, cell: str) -> Result:
    """Return the result of *cell* in the *data* of its file.

    Raises:
        ForeignSchema: it is a result of another version of the document's form.
        DamagedResult: it is truncated, unfinished, of another cell, or no result at all.
    """
    name = f"{cell}.json"
    if len(data) > SIZE_LIMIT:
        raise DamagedResult(f"{name} has {len(data)} bytes, and no result has more than {SIZE_LIMIT}", "move it away")
    try:
        result = msgspec.json.decode(data, type=Result)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        if (foreign := _schema_of(data)) not in ("", SCHEMA):
            raise ForeignSchema(
                f"{name} is a result of schema {foreign}; this harness reads schema {SCHEMA}",
                f"read it with the harness of that schema, or measure the cell again with `tox -e {cell}`",
            ) from error
        raise DamagedResult(
            f"{name} is not a finished result of schema {SCHEMA}: {error}",
            f"move it away, then `tox -e {cell}` measures the cell again",
        ) from error
    if result.cell != cell:
        raise DamagedResult(f"{name} holds the result of {result.cell}", "rename it, or move it away")
    return result


def _schema_of(data: bytes) -> str:
    """Return the version that a document names as its own; nothing where it is no such document."""

    class Document(msgspec.Struct):
        schema: str | int

    try:
        return str(msgspec.json.decode(data, type=Document).schema)[:20]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""


def save_result(result: Result, path: Path) -> None:
    """Write *result* to *path* at once or not at all.

    Raises:
        HarnessError: the file cannot be written, or the document is over the size limit.
    """
    data = encode_result(result)
    if len(data) > SIZE_LIMIT:
        raise HarnessError(f"the result of {result.cell} has {len(data)} bytes; {SIZE_LIMIT} is the limit")
    write_atomically(path, data)
