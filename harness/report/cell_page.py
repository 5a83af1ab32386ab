"""What the page of a cell says, once: its sections and their rows, which each way to show it only arranges.

The templates ``report/templates/cell.rst.j2`` and ``site/templates/cell.html.j2`` decide how that looks, and add what
only one of the two can have: literal blocks there, folded output and evidence here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from harness.report import causes
from harness.report.advice import Advisor
from harness.report.row import Row
from harness.report.view import LibraryView
from harness.results import figures
from harness.results.explained import Attempt, Cause, Cure
from harness.results.loads import Run
from harness.results.result import Fault, Finding, Judgement, Measured, Probe
from harness.verdict import Verdict

#: Seconds below which a step took no time.
_SHOWN = 0.005


@dataclass(frozen=True)
class StepRow:
    """One step: what it came to, and what it printed where that shows why."""

    name: str
    outcome: str
    #: Whether it ended well; None where it was skipped.
    good: bool | None
    #: The exit status of its command; empty where there is none.
    exit_status: str
    #: What it took, with its unit, and its day if that was before this run; empty where it took no time.
    time: str
    said: str
    command: str
    excerpt: str


@dataclass(frozen=True)
class Explained:
    """One thing that a user of the cell runs into, or that was explained, with what is known of it."""

    #: The question and its answer.
    seen: str
    comes_from: list[str]
    mended_by: list[str]
    not_mended_by: list[str]


@dataclass(frozen=True)
class ExchangeRow:
    """One of the fifteen exchanges, as it went."""

    number: int
    channel: str
    sender: str
    audience: str
    recipients: str
    transport: str
    #: The time until the last recipient had the message, with its unit; ``─`` where it came to nobody.
    latency: str
    good: bool
    #: Whether the message came only once the fence behind it had been sent.
    late: bool
    faults: list[Fault]


@dataclass(frozen=True)
class QuestionRow:
    """One further question, what was expected, and what was seen with the figures that were counted."""

    question: str
    expected: str
    seen: str
    #: None where it does not apply, or where either answer is fine.
    good: bool | None
    #: Whether another run may see something else.
    chance: bool


@dataclass(frozen=True)
class QuestionSet:
    """A set of questions; *asked_on* and *asked_with* are empty where that says nothing."""

    name: str
    title: str
    rows: list[QuestionRow]
    asked_on: str = ""
    asked_with: str = ""


@dataclass(frozen=True)
class LoadRun:
    """One run under load, with its number among those of the cell, the oldest being 1."""

    number: int
    run: Run
    #: When it began, to the minute, in UTC.
    began: str
    #: Whose sockets they were.
    visitors: str


def _title(asked: Probe) -> str:
    """Return the title of a set; of a deep one, of which some bad answers are here, with how many are as expected."""
    title = asked.name.capitalize()
    if asked.counts is None:
        return title
    return f"{title}: {asked.counts[0]} of {asked.counts[1]} as expected, the first of the others"


@dataclass(frozen=True)
class CellPage:
    """All that there is to say of one cell."""

    row: Row
    library: LibraryView
    #: The day of the newest result of all; None where its age is not asked for.
    day: date | None = None

    @property
    def age(self) -> str:
        """How many days before the newest of all it was measured; empty where that is the same day."""
        try:
            days = (self.day - date.fromisoformat(self.measured_on)).days if self.day else 0
        except ValueError:  # a 30th of February, which no clock shows
            return ""
        return f"{days} day{'' if days == 1 else 's'}" if days else ""

    @property
    def wrong_steps(self) -> list[StepRow]:
        """The steps that failed; all of them where it does not work, and else none: nothing failed that counts."""
        fails = self.row.verdict is Verdict.DOES_NOT_WORK
        return [step for step in self.steps if step.good is False] if fails else []

    @property
    def wrong_answers(self) -> list[QuestionRow]:
        """The answers to further questions that are not as expected."""
        sets = [self.isolation, *self.question_sets]
        return [each for asked in sets for each in asked.rows if each.good is False]

    @property
    def subject(self) -> str:
        """What was measured: a pair of Python and Django, and the server with its profile."""
        return f"on Python {self.row.cell.python} and Django {self.row.cell.django}, under {self.row.served}"

    @property
    def when(self) -> str:
        """When it was measured; of one that could not be, when that was tried."""
        tested = self.row.verdict is not Verdict.NOT_TESTED
        return f"measured on {self.measured_on}" if tested else f"not measured, for the last time on {self.measured_on}"

    @property
    def measured_on(self) -> str:
        """The day of the run, such as ``2026-11-25``."""
        return self.row.result.varying.started[:10]

    @property
    def versions(self) -> str:
        """What was measured: Python, Django, the library, and the broker where the library talks to one."""
        versions, library = self.row.result.versions, self.library
        if versions is None:
            return ""
        parts = [f"Python {versions.python}", f"Django {versions.django}"]
        parts += [f"{library.title} ({versions.library})"] if versions.library else []
        parts += [self.broker] if self.broker else []
        return ", ".join(parts)

    @property
    def figures(self) -> list[tuple[str, str]]:
        """The figures that vary from run to run: what each is called, and what it came to in how many runs."""
        found = ((title, figures.of(self.row.result, name)) for name, (title, _) in figures.NAMES.items())
        return [(title, each.told) for title, each in found if each is not None]

    @property
    def broker(self) -> str:
        """The broker that the library talks to; empty where it talks to none."""
        versions = self.row.result.versions
        return versions.broker if versions and self.library.prose["uses_redis"] else ""

    def explained(self, advisor: Advisor) -> list[Explained]:
        """What a user of the cell runs into, what each comes from, and what mends it; the worst first.

        What was found in one of the cells that have a cause in common explains it in all.
        """
        row, result = self.row, self.row.result
        told: list[Cause | Cure | Attempt] = [*result.causes, *result.cures, *result.attempts]
        seen = {catch.question: f"{catch.text} ({catch.kind})" for catch in row.catches}
        # What was explained is perhaps as expected by now, or is no catch.
        asked = {each.id: f"{each.question}: {each.summary}" for each in reversed(list(row.answers))}
        roots = advisor.remedies.roots_of(row)
        common = {question: root for root in roots for question in root.asked_in.get(row.name, {""})}
        found = []
        for name in dict.fromkeys([*seen, *(each.question for each in told)]):
            comes_from = [cause.text for cause in result.causes if cause.question == name]
            if not comes_from and name in common:
                comes_from = list(filter(None, [common[name].explained_in(row.name)]))
            tried = [(cure, advisor.remedies.against(row.name, cure)) for cure in result.cures if cure.question == name]
            proved = common[name].proved(result.library) if name in common else set()
            cures = [
                causes.cure(each, advisor.remedies.brought(row.name, each))
                + ("" if (each.kind, each.change) in proved or not each.chance else "; it may be chance")
                for each, why in tried
                if not why
            ]
            if not cures:
                mended = (each for each in advisor.beware_of(row) if name in {catch.question for catch in each.catches})
                cures = [each.remedy for each in mended if each.cure]
            vain = [f"{causes.cure(each)}: no cure, for {why}" for each, why in tried if why]
            vain += [causes.cure(each) for each in result.attempts if each.question == name]
            what = seen.get(name) or asked.get(name) or name or f"Does it work?: {row.verdict.label}"
            found.append(Explained(what, comes_from, cures, vain))
        return found

    @property
    def verdicts(self) -> list[tuple[str, Judgement]]:
        """The columns of the compatibility table, each with its question; the last word comes first."""
        verdicts = self.row.result.verdicts
        servers = [("Web server works?", verdicts.web_server)]
        if self.library.apart:
            unknown = Judgement.of(verdicts.web_server.reason)  # it was not come to either
            servers = [
                ("Django server works?", verdicts.django_server or unknown),
                ("Websockets server works?", verdicts.web_server),
            ]
        return [("Does it work?", verdicts.overall), *servers, (self.library.carries, verdicts.channels)]

    @cached_property
    def steps(self) -> list[StepRow]:
        """The steps, in their order."""
        varying = self.row.result.varying
        return [
            StepRow(
                name=step.name,
                outcome=step.outcome,
                good=step.good,
                exit_status="" if step.exit_status is None else str(step.exit_status),
                time=_time(varying, step.name),
                said=step.said,
                command=step.command,
                excerpt=step.excerpt,
            )
            for step in self.row.result.steps
        ]

    @cached_property
    def exchanges(self) -> list[ExchangeRow]:
        """The fifteen exchanges; none where they were not come to."""
        varying = self.row.result.varying
        rows = []
        for exchange in self.row.result.exchanges:
            times = varying.latency_ms.get(str(exchange.number), {})
            rows.append(
                ExchangeRow(
                    number=exchange.number,
                    channel=exchange.channel,
                    sender=exchange.sender,
                    audience=exchange.audience,
                    recipients=", ".join(exchange.recipients),
                    transport=exchange.transport,
                    latency=f"{max(times.values()):.1f} ms" if times else "─",
                    good=exchange.good,
                    late=exchange.number in varying.late,
                    faults=exchange.faults,
                )
            )
        return rows

    @property
    def exchanges_took(self) -> str:
        """What all exchanges with their fences took, with its unit; empty where that is not known."""
        seconds = self.row.result.varying.exchanges_seconds
        return f"{seconds:.2f} s" if seconds else ""

    @property
    def rounds(self) -> str:
        """How the exchanges were gone through: the rounds, and the version of what measures; empty without any."""
        result, seed = self.row.result, self.row.result.varying.seed
        if not result.rounds:
            return ""
        if result.instrument == 1:
            return "They were made once, on one start of the server, with the first version of the instrument."
        if len(result.rounds) == 1:
            return "They were made once: the second start of the server was not reached."
        right = " and ".join(f"{each.right}" for each in result.rounds)
        text = f"They were made on two starts of the server, with {right} right; a row has to be right in both."
        return text + f" The second round has another order ({seed}), and says {result.rounds[-1].repeats} texts twice."

    @property
    def isolation(self) -> QuestionSet:
        """The questions of *Isolation*, which are part of every run that comes to them."""
        return QuestionSet("isolation", "Isolation", self._rows(self.row.result.isolation))

    @property
    def question_sets(self) -> list[QuestionSet]:
        """The library's own sets, then the probes that were asked for; what load runs say has tables of its own."""
        varying = self.row.result.varying
        return [
            QuestionSet(
                name=each.name,
                title=_title(each),
                rows=self._rows(each.findings),
                asked_on=varying.probed_on.get(each.name, ""),
                asked_with=varying.tools.get(each.name, ""),
            )
            for each in self._asked()
        ]

    def _asked(self) -> list[Probe]:
        return [each for each in [*self.row.result.sets, *self.row.result.probes] if each.name != "load"]

    def _rows(self, findings: list[Finding]) -> list[QuestionRow]:
        counted = self.row.result.varying.counted
        return [
            QuestionRow(
                question=each.question,
                expected=each.expected,
                seen=f"{each.seen} ({counted[each.question]})" if each.question in counted else each.seen,
                good=each.good,
                chance=each.chance,
            )
            for each in findings
        ]

    @property
    def variants(self) -> list[tuple[str, Judgement]]:
        """The other ways to carry the same chat, and how the fifteen went there."""
        return [(each.name, each.judgement) for each in self.row.result.variants]

    @property
    def load_runs(self) -> list[LoadRun]:
        """Every run under load, the newest first; none is left out."""
        return [
            LoadRun(number, run, run.started[:16].replace("T", " "), ", ".join(run.visitors))
            for number, run in reversed(list(enumerate(self.row.loads, 1)))
        ]

    @property
    def tests(self) -> str:
        """What the Django tests of the chat came to; empty where they were not run."""
        tests = self.row.result.unit_tests
        return f"{tests.ran} tests run, {tests.failed} failed, {tests.skipped} skipped" if tests else ""

    @property
    def coverage(self) -> str:
        """The table that coverage printed."""
        tests = self.row.result.unit_tests
        return tests.table if tests else ""

    @property
    def asked_for(self) -> str:
        """What the installer was asked for, and what that added; empty where nothing was installed."""
        installation, seconds = self.row.result.installation, self.row.result.varying.install_seconds
        if installation is None:
            return ""
        text = f"Asked for: {', '.join(installation.requirements)}. It added {len(installation.added)} packages"
        text += f" with {installation.added_bytes / 1e6:.1f} MB"
        return text + (f" in {seconds:.1f} s" if seconds is not None else "")

    @property
    def pins(self) -> list[str]:
        """What was held back, each with its reason."""
        installation = self.row.result.installation
        return [f"{pin.requirement}: {pin.reason}" for pin in installation.pins] if installation else []

    @property
    def freeze(self) -> str:
        """Everything that was installed in the cell, a line each."""
        versions = self.row.result.versions
        found = sorted(versions.installed.items(), key=lambda each: each[0].lower()) if versions else []
        return "".join(f"{name}=={version}\n" for name, version in found)

    @property
    def stopped(self) -> list[str]:
        """How each server stopped."""
        return [f"{name}: {how}" for name, how in sorted(self.row.result.varying.stopped.items())]


def _time(varying: Measured, name: str) -> str:
    """Return how long the step *name* took, with its day if it is of an earlier run; nothing where it took no time."""
    seconds = varying.step_seconds(name) or 0.0
    if seconds < _SHOWN:
        return ""
    day = varying.earlier_day(name)
    return f"{seconds:.2f} s" + (f", on {day}" if day else "")
