"""A cell's result: one JSON document, and everything that may stand in it.

What varies from run to run (times, dates, ports) is under ``varying``; all else is the same for
two runs that saw the same, so that a diff of two results shows only what changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from harness.results.explained import Attempt, Catch, Cause, Cure
from harness.results.installed import Candidate, Installation, Repeats, Versions
from harness.results.model import Model
from harness.results.questions import NOT_ASKED, UNANSWERED, identifier, in_short, worded
from harness.verdict import Reason, Verdict

#: The version of the document's form. The one before it is read as well, see :mod:`harness.results.upgrade`.
SCHEMA: Literal["2"] = "2"
#: The version of what measures: 1 has one start of the server and one round; 2 has two of each, and looks again later.
INSTRUMENT = 2

#: What holds back versions: nothing but what an installer resolves today, or the best known pins.
Profile = Literal["today", "pins"]

#: The questions of a finding that says that a set of questions was broken off, and at what.
BROKEN_OFF = ("Could all of this be asked?", "Does the server outlast the questions?")


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

    @property
    def chance(self) -> bool:
        """Whether another run may say something else, because not all of several did the same."""
        return self.reason is Reason.NOT_EVERY_TIME


class Verdicts(Model, frozen=True, kw_only=True):
    """The columns of the compatibility table.

    ``web_server`` is the server that carries the chat. Where Django's development server is another
    one, ``django_server`` tells of that.
    """

    django_server: Judgement | None = None
    web_server: Judgement
    channels: Judgement
    overall: Judgement


class Step(Model, frozen=True, kw_only=True):
    """One step of a cell: what was run, how it ended, and what its output says."""

    name: str
    outcome: Literal["ok", "failed", "timed out", "skipped"]
    #: What was seen in it, in a few words.
    text: str = ""
    #: The command line; empty for a step that the harness takes itself.
    command: str = ""
    #: The exit status of the command, negative for a signal; None where there was no command, or it was stopped.
    exit_status: int | None = None
    #: Why it failed, in one sentence; empty where it did not.
    cause: str = ""
    #: The lines of output that show the cause.
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

    #: How many tests were run, and how many of these failed (errors as well) or were skipped.
    ran: int
    failed: int
    skipped: int
    #: The covered lines and branches, in percent; None where coverage printed no total.
    coverage_percent: float | None
    #: The table that coverage printed.
    table: str


class Fault(Model, frozen=True, kw_only=True):
    """One thing that one connection of one member saw wrongly."""

    kind: Literal["missing", "extra", "duplicated", "altered", "out of order", "unproven", "closed", "not sent"]
    member: str
    connection: str
    #: What was received or said instead; empty where the kind says it all.
    text: str = ""
    #: The round in which it was seen, from 1 on.
    round: int = 1

    @property
    def where(self) -> str:
        """The kind, and the connection that saw it: ``missing on John's user connection``."""
        return f"{self.kind} on {self.member}'s {self.connection} connection"


class Exchange(Model, frozen=True, kw_only=True):
    """One row of the channel table, as it went."""

    #: Its place in the table, from 1 on.
    number: int
    #: ``broadcast``, ``user`` or ``group``; in somebody else's chat the connection that it is said on.
    channel: str
    sender: str
    #: Whom it is addressed to: ``all``, a member, or the group.
    audience: str
    #: The members who have to receive it.
    recipients: list[str]
    #: How it was sent: ``WebSocket`` or ``POST``.
    transport: str
    good: bool
    faults: list[Fault]
    #: The connections that no fence reaches, as ``Mary's lobby``: that nothing came there was waited for, not proved.
    waited: list[str] = []


class Round(Model, frozen=True, kw_only=True):
    """The fifteen exchanges, once, on one start of the server; each round is on a start of its own."""

    number: int
    #: How many exchanges were right.
    right: int
    #: How many texts had been said before.
    repeats: int


#: Whose default or code decides an answer; empty where that is not the question, or is not known.
Decides = Literal["", "library", "project", "server"]


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
    #: The short name of the question, which commands and addresses use; it is made of the question.
    id: str = ""
    decided_by: Decides = ""

    def __post_init__(self) -> None:
        for name in ("question", "expected", "seen"):
            text = getattr(self, name)
            if (now := worded(text)) != text:
                msgspec.structs.force_setattr(self, name, now)
        # Results that were recorded before may have another name for the same question.
        msgspec.structs.force_setattr(self, "id", identifier(self.question))

    @property
    def summary(self) -> str:
        """What was seen, in a few words: of what arrived where it was altered, only that it was."""
        return in_short(self.seen)

    @property
    def asked(self) -> bool:
        """Whether it could be asked at all."""
        return self.good is not None or not self.seen.startswith(NOT_ASKED)

    @property
    def answered(self) -> bool:
        """Whether it says anything of what was asked: it could be asked, and what came of that proves something."""
        return self.good is not None or not self.seen.startswith(UNANSWERED)


class VariantResult(Model, frozen=True, kw_only=True):
    """How the fifteen exchanges went in another way of the library to carry them."""

    name: str
    judgement: Judgement
    #: The first rows that were wrong; the judgement says how many there are.
    exchanges: list[Exchange] = []


def as_expected(findings: Sequence[Finding]) -> str:
    """Return in a few words how many of *findings* are as expected, of those that can be judged."""
    judged = [each for each in findings if each.good is not None]
    return f"{sum(each.good is True for each in judged)} of {len(judged)} as expected"


class Probe(Model, frozen=True, kw_only=True):
    """A set of findings that was asked for."""

    name: str
    findings: list[Finding]
    #: How many answers are as expected, and how many there are: of a deep set only the worst stand here.
    counts: tuple[int, int] | None = None


class Cost(Model, frozen=True, kw_only=True):
    """What a delivered message cost by one transport."""

    #: HTTP requests for each message.
    requests: float
    #: Bytes for each message, in both directions together.
    bytes: int
    #: The median time from sending to receiving, in milliseconds.
    latency_ms: float


class Measured(Model, frozen=True, kw_only=True):
    """What differs between two runs that saw the same.

    Times are in seconds, unless the name says milliseconds; a field that is None or empty was not come to.
    """

    #: When the run began: ISO 8601, in UTC.
    started: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])-([0-2]\d|3[01])T\d\d:\d\d:\d\d\+00:00$")]
    #: The machine it ran on, such as ``Linux x86_64, 2 processors, 25 GB``; empty where that was not noted.
    machine: str = ""
    #: The commit of this repository that measured; empty where that is not known.
    commit: str = ""
    #: Whether little else ran on the machine while the figures were measured; None where that was not noted.
    quiet: bool | None = None
    #: Figures that vary, one of each of several runs: ``latency_ms``, ``install_seconds``, ``start_seconds`` and
    #: ``stop_seconds``; empty where it was run once.
    figures: dict[str, list[float]] = {}
    #: The day on which the figures were measured, where that is an earlier run, such as ``2026-11-25``.
    figures_on: str = ""
    #: What each step took: the name of the step → seconds.
    seconds: dict[str, float]
    #: What the installation took when it was made, which may have been an earlier run; None where nothing is installed.
    install_seconds: float | None = None
    #: The day on which the installation was made, ``2026-11-25``.
    installed_on: str | None = None
    #: From sending until a member had the message on all connections: exchange number → member → milliseconds.
    latency_ms: dict[str, dict[str, float]] = {}
    #: The numbers of the exchanges whose message came only after the fence behind it had been sent.
    late: list[int] = []
    #: How many fences were sent, and how many of these because an earlier one was outstanding.
    fences_sent: int = 0
    fences_sent_again: int = 0
    #: What all exchanges with their fences took.
    exchanges_seconds: float | None = None
    #: How each server stopped: the name of its step → the signal, the exit status, what became of open connections.
    stopped: dict[str, str] = {}
    #: What was tried again, a sentence each: a cell with one of these is shown as flaky.
    repeated: list[str] = []
    #: The order of each round: the numbers of the exchanges as they were made.
    orders: list[list[int]] = []
    #: What the order of the second round was shuffled with; None where there was none.
    seed: int | None = None
    #: The day on which each probe was asked: its name → ``2026-11-25``; of one whose deployments were tried one by one
    #: the earliest.
    probed_on: dict[str, str] = {}
    #: What a probe counted: the question → the figures in words.
    counted: dict[str, str] = {}
    #: What a probe was made with beside the cell and the harness: its name → program and version.
    tools: dict[str, str] = {}
    #: What a message cost: the transport → its costs.
    costs: dict[str, Cost] = {}
    #: What the server printed before it was first asked for something.
    startup_output: str = ""

    def step_seconds(self, name: str) -> float | None:
        """Return what the step *name* took, or None; where the library had been installed before, what that took."""
        if name == "install" and self.installed_on and not self.seconds.get(name):
            return self.install_seconds
        return self.seconds.get(name)

    def earlier_day(self, name: str) -> str:
        """Return the day on which the step *name* was made, ``2026-11-25``, if that was before this run; or nothing."""
        if name == "install":
            day = "" if self.seconds.get(name) else self.installed_on or ""
        else:
            day = self.probed_on.get(name.removeprefix("probe "), "") if name.startswith("probe ") else ""
        return day if day and day < self.started[:10] else ""


class Result(Model, frozen=True, kw_only=True):
    """One cell's result. ``complete`` comes last: a file without it is an unfinished run."""

    schema: Literal["2"]
    #: The version of the instrument; see :data:`INSTRUMENT`.
    instrument: int = INSTRUMENT
    #: The name of the tox environment, such as ``py27-django18``.
    cell: str
    library: str
    server: str
    #: ``embedded``, or that it was named on the command line; empty where the cell was not tried.
    broker: str
    verdicts: Verdicts
    #: None where the cell was not tried.
    versions: Versions | None
    #: None where the library could not be installed, or that was not tried.
    installation: Installation | None
    steps: list[Step]
    #: None where the tests of the chat were not come to.
    unit_tests: UnitTests | None
    #: Deprecation warnings, each once.
    warnings: list[str]
    #: The rows of the channel table; one is good when it is good in every round.
    exchanges: list[Exchange]
    #: How often the server was started to be asked, and the rounds that were gone through.
    starts: int = 0
    rounds: list[Round] = []
    catches: list[Catch] = []
    causes: list[Cause] = []
    cures: list[Cure] = []
    #: What was tried to mend something, and does not.
    attempts: list[Attempt] = []
    isolation: list[Finding]
    #: The library's own sets of questions, asked in each of its ways.
    sets: list[Probe] = []
    variants: list[VariantResult] = []
    #: The further sets of questions that were asked for.
    probes: list[Probe]
    profile: Profile = "today"
    #: What was measured in the place of what is released; None for what is.
    candidate: Candidate | None = None
    #: How often of how many times things came; None where it was run once.
    repeats: Repeats | None = None
    varying: Measured
    complete: Literal[True]

    @property
    def asked(self) -> list[Probe]:
        """Every set of questions with its answers, isolation as one of them."""
        return [Probe(name="isolation", findings=self.isolation), *self.sets, *self.probes]
