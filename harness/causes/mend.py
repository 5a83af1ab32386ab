"""Find what mends a verdict or a catch, and prove it: a pin, another way or server of the library, another cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Literal

import msgspec

from harness.causes import chance, question
from harness.causes.case import Case, asked_of
from harness.causes.question import Answer
from harness.causes.recorded import Recorded, cure_of, of_usual, pair_of, worse_by
from harness.causes.trials import PROFILE, alone, check_machine, in_depth
from harness.cell.only import Only
from harness.cell.steps import Watcher
from harness.cell.variables import environment
from harness.cells import Cell
from harness.environments import own
from harness.errors import HarnessError, UsageError
from harness.libraries import registry
from harness.probes.registry import PROBES
from harness.results import catches, deep, records
from harness.results.catches import Severity
from harness.results.compare import Change, compare
from harness.results.deep import DeepSet
from harness.results.explained import TOGETHER, Attempt, Catch, Cause, Cure, Turned
from harness.results.installed import Candidate, Pin
from harness.results.questions import apart
from harness.results.result import Probe, Result
from harness.run import cell as running
from harness.run import record
from harness.run.candidates import Asked, Prepared, asked_of_tox, prepare
from harness.run.request import Request
from harness.verdict import Verdict

#: How often it is asked again where the answer can be chance and nobody knows how often it is lost, and where it is one
#: of a deep set: these are about time and amounts.
_MORE = 5
_ONCE_MORE = 1
#: How often today's versions have to lose a race, to tell how rare that is.
_LOST = 2
#: What is worse and no catch, for which there is a rule of its own: a verdict, an exchange, an answer of no trouble.
_WORSE = re.compile(rf"{Change.WORSE}: (?!.* \((?:{'|'.join(Severity)}) catch\) was )", re.DOTALL)


@dataclass(frozen=True)
class Tried:
    """What came of something that was tried."""

    answer: Answer
    #: Of the whole cell; None where the question alone was asked, and not mended.
    verdict: Verdict | None
    #: What it changes beside the answer, and what of that is worse than is worth it; a sentence each.
    changes: list[str]
    worse: list[str]
    #: What a user runs into with it and not without, each milder than what it mends.
    brings: list[Catch] = field(default_factory=list)

    @property
    def mends(self) -> bool:
        """Whether the answer is as expected now, and nothing else is worse than that is worth."""
        return self.answer.good is True and self.verdict is Verdict.WORKS and not self.worse


@dataclass(frozen=True)
class Mending:
    """Looks for cures of a case."""

    case: Case
    #: Shows a line, and the steps of what is tried.
    tell: Callable[[str], None]
    watching: Callable[[str], AbstractContextManager[Watcher]]
    #: Of a race: whether it was lost, for each time that today's versions were asked.
    lost: list[bool] = field(default_factory=list)

    @cached_property
    def shown(self) -> Recorded:
        """What the recorded results show, with what was found to be no cure on the way."""
        return Recorded(self.case)

    @property
    def attempts(self) -> list[Attempt]:
        """What was found to be no cure on the way."""
        return self.shown.attempts

    def today(self) -> Answer:
        """Return what the cell answers with today's versions, and no pin: what is recorded may have mended itself."""
        cell, only = self.case.request.cell, self.case.only
        candidate = Candidate(profile="todays-versions")
        prepared = Prepared(self.case.request.setup, self._environment(candidate.profile), candidate, ())
        if not self.shown.race:
            return self._sure(self._alone(cell, prepared, only), cell, prepared, only)
        # How often it is lost tells how often it has to be won with what mends it.
        answers: list[Answer] = []
        while sum(self.lost) < _LOST and len(self.lost) < chance.MOST:
            answers.append(self._alone(cell, prepared, only))
            self.lost.append(answers[-1].good is False)
        self.tell(f"It can be chance: lost {sum(self.lost)} of {len(self.lost)} times with today's versions.")
        bad = [each for each in answers if each.good is False]
        return bad[-1] if bad else answers[0]

    def pins(self, turned: Sequence[Turned]) -> list[Cure]:
        """Return the cure by holding back what has *turned* the answer: by as few pins as can be, if any do."""
        pins = [pin for each in turned if (pin := each.pin)]
        for number in range(1, len(pins) + 1):
            for together in combinations(pins, number):
                if cure := self.pinned(together):
                    return [cure]
        return []

    def pinned(self, pins: Sequence[str]) -> Cure | None:
        """Try *pins*, requirements such as ``redis<8``; return the cure if that is one."""
        request, pins = self.case.request, sorted(pins)
        prepared = prepare(request.cell, request.setup, request.python, Asked(tuple(pins)), anew=True)
        shown = TOGETHER.join(pins)
        tried = self._try(shown, request.cell, prepared, sets=self._sets_at_stake())
        return self._cure_of("pin", shown, tried)

    def _sets_at_stake(self) -> list[str]:
        """Return the deep sets of the cell that have something to lose: an answer that is as expected, of a trouble."""
        return [
            each.name
            for each in deep.readable(self.case.request.reports, self.case.cell)
            if any(one.good and catches.trouble_of(one.id) and not apart(one.question)[1] for one in each.findings)
        ]

    def other_servers(self, others: Sequence[Result]) -> Iterator[Cure]:
        """Try the servers of the library of which no answer is recorded on this Python and Django."""
        request = self.case.request
        here = {each.server: self.shown.answer(each) for each in others if pair_of(each) == pair_of(self.case.recorded)}
        # One that works and was not asked this is no better known than one of which nothing is recorded.
        known = {server for server, answer in here.items() if answer.good is not None or not answer.works}
        for server in request.setup.library.servers:
            if server in known or server == request.setup.server.name:
                continue
            if (prepared := self._on_server(server)) is None:
                continue
            cell, ready = prepared
            if cure := self._cure_of("server", server, self._try(server, cell, ready)):
                yield cure

    def needless(self) -> Iterator[tuple[Pin, list[str]]]:
        """Yield each of the cell's best pins with what is worse without it: nothing where it is no longer needed."""
        request, works = self.case.request, self.case.recorded.verdicts.overall.verdict.good
        for pin in request.setup.library.best_pins(request.cell):
            setup = replace(request.setup, without=(pin.requirement,))
            what = f"without {pin.requirement}"
            candidate = Candidate(profile=re.sub(r"\W+", "-", what.lower()), requirements=[what])
            prepared = Prepared(setup, self._environment(candidate.profile), candidate, ())
            tried = self._try(what, request.cell, prepared, Only(), self._sets_at_stake())
            worse = [each for each in tried.changes if each.startswith(f"{Change.WORSE}: ")]
            # What does not work with the pin either says nothing of it.
            failed = works and not tried.answer.good
            yield pin, worse or ([tried.answer.seen] if failed else [])

    def _cure_of(self, kind: Literal["pin", "server"], change: str, tried: Tried) -> Cure | None:
        """Return what was *tried* as a cure; None where it is none, which is noted."""
        if tried.mends:
            cure = cure_of(self.case, kind, change, tried.answer, tried.changes)
            return msgspec.structs.replace(cure, brings=tried.brings)
        self.shown.note(kind, change, tried.answer, date.today().isoformat(), tried.worse if tried.answer.good else [])
        return None

    def _try(
        self, what: str, cell: Cell, prepared: Prepared, only: Only | None = None, sets: Sequence[str] = ()
    ) -> Tried:
        """Run *cell* as it is *prepared*: at first the question alone, and if that is mended everything.

        What is no worse by then is asked the deep *sets* as well.
        """
        only = only or self.case.only
        asked, answer = asked_of(self.case.recorded), Answer(None, "")
        if only.set in PROBES and only.set not in asked:
            answer = self._alone(cell, prepared, only)
            if answer.good is not True:
                self._say(what, answer, [])
                return Tried(answer, None, [], [])
        result = self._run(cell, prepared, asked)
        if answer.good is None:
            answer = question.answer(only, result)
        answer = self._sure(answer, cell, prepared, only)
        details = self._details(result)
        worse = [each for each in details if _WORSE.match(each)]
        verdict, brings = result.verdicts.overall.verdict, list[Catch]()
        if answer.good and verdict is Verdict.WORKS and not worse:
            brings = list(self._brought(result, cell, prepared, sets))
            details = [each for each in details if not each.startswith(f"{Change.WORSE}: ")] + worse_by(brings)
            worse = [] if self.shown.worth(brings) else worse_by(brings)
        self._say(what, answer, worse)
        return Tried(answer, verdict, details, worse, brings)

    def _brought(self, result: Result, cell: Cell, prepared: Prepared, sets: Sequence[str]) -> Iterator[Catch]:
        """Yield what a user runs into by *result*, or by the deep *sets*, and not by what is recorded of the cell.

        Of an answer that is chance it counts if it comes again.
        """
        if sets:
            whole = self._run(cell, prepared, list(sets)).verdicts.overall
            if whole.verdict is not Verdict.WORKS:
                raise HarnessError(f"with {prepared.candidate.profile} {cell.name} does not work again: {whole.text}")
        reports = self.case.request.reports
        tried = reports.of_profile(prepared.candidate.profile)
        answers = of_usual(result, tried)
        sets_asked: list[Probe | DeepSet] = [*result.asked, *deep.readable(tried, cell.name)]
        set_of = {each.question: asked.name for asked in sets_asked for each in asked.findings}
        finding_of = {finding.id: finding for finding in answers.values()}
        for catch in catches.added(of_usual(self.case.recorded, reports), answers):
            finding = finding_of[catch.question]
            only = Only(set_of[finding.question], finding.question)
            if not finding.chance or self._alone(cell, prepared, only).good is False:
                yield catch

    def _sure(self, answer: Answer, cell: Cell, prepared: Prepared, only: Only) -> Answer:
        """Return *answer*, or one that is not good: what is lost by chance may not have been lost for once."""
        for _ in range(self._enough if answer.chance or self.shown.race else _ONCE_MORE if in_depth(only) else 0):
            if answer.good:
                answer = self._alone(cell, prepared, only)
        return answer

    @property
    def _enough(self) -> int:
        """How often a race is won once more before that is no luck."""
        return chance.enough(sum(self.lost), len(self.lost)) if any(self.lost) else _MORE

    def _alone(self, cell: Cell, prepared: Prepared, only: Only) -> Answer:
        """Ask one question alone, apart from what is recorded of the candidate."""
        with self.watching(cell.name) as watcher:
            return alone(self._request(cell, prepared, PROFILE, []), only, watcher)

    def _run(self, cell: Cell, prepared: Prepared, probes: list[str]) -> Result:
        """Ask everything; it is recorded as a candidate."""
        request = self._request(cell, prepared, prepared.candidate.profile, probes)
        with record.locked(request.reports, cell.name), self.watching(cell.name) as watcher:
            deep.forget_unfinished(request.reports, cell.name)
            result = running.run(request, watcher)
            check_machine(result)
            record.conclude(request.reports, result, None, expected=False)
        return result

    def _request(self, cell: Cell, prepared: Prepared, profile: str, probes: list[str]) -> Request:
        return replace(
            self.case.request,
            cell=cell,
            setup=prepared.setup,
            python=prepared.python,
            candidate=prepared.candidate,
            options=prepared.options,
            reports=self.case.request.reports.of_profile(profile),
            probes=probes,
        )

    def _say(self, what: str, answer: Answer, worse: list[str]) -> None:
        word = "no answer" if answer.good is None else "mended" if answer.good else "not mended"
        self.tell(f"{what}: {word}: {answer.seen}" + (", but it is no cure:" if answer.good and worse else ""))
        for each in worse if answer.good else []:
            self.tell(f"  {each}")

    def _details(self, result: Result) -> list[str]:
        """Return what is otherwise in *result* than what is recorded of the cell, a sentence each.

        What only one of the two was asked is left out: the recorded one may be of a harness that asked less.
        """
        recorded = self.case.recorded
        pair = ({recorded.cell: recorded}, {recorded.cell: result})
        beside = records.of_library(recorded, self.case.request.reports)
        (cell,) = compare(*pair, ("recorded", "tried"), [], beside).cells
        unasked = re.compile(f"{Change.CHANGED}: .* (was not asked|is not asked)", re.DOTALL)
        return [each for each in cell.details if not unasked.match(each)]

    def _on_server(self, server: str) -> tuple[Cell, Prepared] | None:
        """Return the cell of another *server* on this Python and Django; None where there can be none."""
        request = self.case.request
        pair = Cell(request.cell.python, request.cell.django).name
        parts = filter(None, [pair, request.setup.library.suffix, server])
        try:
            cell = Cell.parse("-".join(parts))
            setup = registry.setup_for(cell, {request.setup.library.suffix: request.setup.library})
        except UsageError:
            return None
        candidate = Candidate(profile=f"any-{server}")
        return cell, Prepared(setup, self._environment(candidate.profile), candidate, ())

    def _environment(self, profile: str) -> Path:
        """Return the interpreter of an environment of its own that has what tox was asked for, and nothing else."""
        prefix = self.case.request.python.parent.parent
        wanted = list(asked_of_tox(prefix).values())
        python, env = self.case.request.python, environment(installer=True)
        # What was resolved when it was looked for the last time may be as old as that.
        return own.make(python, prefix / "candidates" / profile, wanted, env, anew=True)


def known_cause(case: Case) -> Cause | None:
    """Return the cause that is recorded of *case*, if one is."""
    return next((each for each in case.recorded.causes if each.question == case.asked), None)
