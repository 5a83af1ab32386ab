"""Find what mends a verdict or a catch, and prove it: a pin, another way or server of the library, another cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from harness.causes.trials import PROFILE, alone, check_machine, in_depth
from harness.cell.only import Only
from harness.cell.steps import Watcher
from harness.cell.variables import environment
from harness.cells import Cell
from harness.environments import own
from harness.errors import UsageError
from harness.libraries import registry
from harness.probes.registry import PROBES
from harness.results import catches, deep
from harness.results.compare import Change, compare
from harness.results.deep import DeepSet
from harness.results.explained import Attempt, Cause, Cure, Turned
from harness.results.installed import Candidate, Pin
from harness.results.questions import apart, identifier
from harness.results.result import Finding, Result
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
#: What the usual way is called where another one is asked about.
_USUAL = "usual way"


@dataclass(frozen=True)
class Tried:
    """What came of something that was tried."""

    answer: Answer
    #: Of the whole cell; None where the question alone was asked, and not mended.
    verdict: Verdict | None
    #: What it changes beside the answer, and what of that is worse; a sentence each.
    changes: list[str]
    worse: list[str]

    @property
    def mends(self) -> bool:
        """Whether the answer is as expected now, and nothing else is worse."""
        return self.answer.good is True and self.verdict is Verdict.WORKS and not self.worse


@dataclass(frozen=True)
class Mending:
    """Looks for cures of a case."""

    case: Case
    #: Shows a line, and the steps of what is tried.
    tell: Callable[[str], None]
    watching: Callable[[str], AbstractContextManager[Watcher]]
    #: What was found to be no cure on the way.
    attempts: list[Attempt] = field(default_factory=list)
    #: Of a race: whether it was lost, for each time that today's versions were asked.
    lost: list[bool] = field(default_factory=list)

    def today(self) -> Answer:
        """Return what the cell answers with today's versions, and no pin: what is recorded may have mended itself."""
        cell, only = self.case.request.cell, self.case.only
        candidate = Candidate(profile="todays-versions")
        prepared = Prepared(self.case.request.setup, self._environment(candidate.profile), candidate, ())
        if not self.race:
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
        request = self.case.request
        prepared = prepare(request.cell, request.setup, request.python, Asked(tuple(pins)))
        shown = " ".join(pins)
        tried = self._try(shown, request.cell, prepared)
        return self._cure_of("pin", shown, tried)

    def recorded(self, others: Sequence[Result]) -> list[Cure]:
        """Return cures on this very pair that are recorded: ways, or else servers, of *others* of the library."""
        return self._ways() or self._servers(others)

    def other_servers(self, others: Sequence[Result]) -> Iterator[Cure]:
        """Try the servers of the library of which no answer is recorded on this Python and Django."""
        request = self.case.request
        here = {each.server: self._answer(each) for each in others if _pair(each) == _pair(self.case.recorded)}
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
        request = self.case.request
        for pin in request.setup.library.best_pins(request.cell):
            setup = replace(request.setup, without=(pin.requirement,))
            what = f"without {pin.requirement}"
            candidate = Candidate(profile=re.sub(r"\W+", "-", what.lower()), requirements=[what])
            prepared = Prepared(setup, self._environment(candidate.profile), candidate, ())
            tried = self._try(what, request.cell, prepared, Only())
            yield pin, tried.worse or ([] if tried.answer.good else [tried.answer.seen])

    def _cure_of(self, kind: Literal["pin", "server"], change: str, tried: Tried) -> Cure | None:
        """Return what was *tried* as a cure; None where it is none, which is noted."""
        if tried.mends:
            return self._cure(kind, change, tried.answer, tried.changes)
        self._note(kind, change, tried.answer, date.today().isoformat(), tried.worse if tried.answer.good else [])
        return None

    def _note(
        self,
        kind: Literal["pin", "setting", "server"],
        change: str,
        answer: Answer,
        day: str,
        worse: Sequence[str] = (),
    ) -> None:
        """Note what was tried as no cure: for its *answer*, or for what it makes *worse*."""
        if answer.good is None and answer.works:
            return  # where the question alone could not be asked, nothing is known
        text = "; ".join(worse) or (answer.seen if answer.works else f"the chat does not work: {answer.seen}")
        self.attempts.append(Attempt(question=self.case.asked, kind=kind, change=change, text=text, tried_on=day))

    def _try(self, what: str, cell: Cell, prepared: Prepared, only: Only | None = None) -> Tried:
        """Run *cell* as it is *prepared*: at first the question alone, and if that is mended everything."""
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
        worse = [each for each in details if each.startswith(f"{Change.WORSE}: ")]
        self._say(what, answer, worse)
        return Tried(answer, result.verdicts.overall.verdict, details, worse)

    def _sure(self, answer: Answer, cell: Cell, prepared: Prepared, only: Only) -> Answer:
        """Return *answer*, or one that is not good: what is lost by chance may not have been lost for once."""
        for _ in range(self._enough if answer.chance or self.race else _ONCE_MORE if in_depth(only) else 0):
            if answer.good:
                answer = self._alone(cell, prepared, only)
        return answer

    @property
    def _enough(self) -> int:
        """How often a race is won once more before that is no luck."""
        return chance.enough(sum(self.lost), len(self.lost)) if any(self.lost) else _MORE

    @cached_property
    def race(self) -> bool:
        """Whether what is to be mended was chance when it was recorded: what does not show it may have been lucky."""
        return self._answer(self.case.recorded).chance

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
        (cell,) = compare(*pair, ("recorded", "tried"), []).cells
        unasked = re.compile(f"{Change.CHANGED}: .* (was not asked|is not asked)", re.DOTALL)
        return [each for each in cell.details if not unasked.match(each)]

    def _ways(self) -> list[Cure]:
        """Return the other ways of the library that answer as expected in the recorded run of this very cell."""
        answers = self._answers_of_ways()
        day, good = self.case.recorded.varying.started[:10], dict[str, Answer]()
        for way, answer in answers.items():
            worse = self._worse_with(way) if answer.good else []
            if answer.good and not worse:
                good[way] = answer
            elif answer.good is not None:
                self._note("setting", way, answer, day, worse)
        return [self._shown("setting", way, answer) for way, answer in good.items()]

    def _answers_of_ways(self) -> dict[str, Answer]:
        """Return what the other ways of the library answer in the recorded run of this cell."""
        recorded, only = self.case.recorded, self.case.only
        if not only.set:
            judged = {each.name: each.judgement for each in recorded.variants}
            return {way: Answer(each.verdict.good, each.text, each.chance) for way, each in judged.items()}
        known = catches.answers(recorded, self._sets(recorded))
        plain = only.question.removesuffix(f" ({only.way})")
        found: dict[str, Answer] = {}
        for finding in known:
            way = Only(only.set, finding.question).way
            if finding.question.removesuffix(f" ({way})") == plain and finding.question != only.question:
                found[way or _USUAL] = Answer(finding.good, finding.seen, finding.chance)
        return found

    def _servers(self, others: Sequence[Result]) -> list[Cure]:
        """Return the servers with which the same Python and Django answer as expected."""
        mine, cures = self.case.recorded, []
        for each in others:
            if _pair(each) != _pair(mine) or each.server == mine.server:
                continue
            answer, day = self._answer(each), each.varying.started[:10]
            if answer.good and each.verdicts.overall.verdict is Verdict.WORKS:
                if worse := self._worse(each):
                    self._note("server", each.server, answer, day, worse)
                else:
                    cures.append(self._shown("server", each.server, answer, each))
            elif not answer.good:
                self._note("server", each.server, answer, day)
        return cures

    def _worse(self, other: Result) -> list[str]:
        """Return what there is to beware of in *other*, another cell, alone: of all that both were asked."""
        return _added(*(self._of_way(self._known(each), "") for each in (self.case.recorded, other)))

    def _worse_with(self, way: str) -> list[str]:
        """Return what there is to beware of with *way* in this cell, and not with the way that is asked about."""
        known = self._known(self.case.recorded)
        return _added(self._of_way(known, self.case.only.way), self._of_way(known, "" if way == _USUAL else way))

    @staticmethod
    def _of_way(known: Mapping[str, Finding], way: str) -> dict[str, Finding]:
        """Return what one *way* was asked, by the question as it is put to the usual one."""
        asked = ((*apart(question), finding) for question, finding in known.items())
        return {question: finding for question, of, finding in asked if of == way}

    def _known(self, result: Result) -> dict[str, Finding]:
        """Return every answer that is recorded of a cell, by its question."""
        return {each.question: each for each in catches.answers(result, self._sets(result)) if each.asked}

    def _sets(self, result: Result) -> list[DeepSet]:
        """Return the deep sets of a cell."""
        return deep.readable(self.case.request.reports, result.cell)

    def neighbours(self, others: Sequence[Result]) -> list[Cure]:
        """Return the nearest cells up and down, by Python and by Django, that answer as expected."""
        mine = self.case.request.cell
        alike = [each for each in others if Cell.parse(each.cell).suffixes == mine.suffixes]
        found: dict[str, tuple[Result, Answer]] = {}
        for part in ("python_version", "django_version"):
            other = {"python_version": "django_version", "django_version": "python_version"}[part]
            here = getattr(mine, part)
            row = [each for each in alike if getattr(Cell.parse(each.cell), other) == getattr(mine, other)]
            row.sort(key=lambda each: getattr(Cell.parse(each.cell), part))
            good = [(each, answer) for each in row if (answer := self._good(each))]
            older = [each for each in good if getattr(Cell.parse(each[0].cell), part) < here]
            newer = [each for each in good if getattr(Cell.parse(each[0].cell), part) > here]
            found |= {each[0].cell: each for each in (*older[-1:], *newer[:1])}
        return [self._shown("cell", name, answer, each) for name, (each, answer) in found.items()]

    def _good(self, other: Result) -> Answer | None:
        """Return the answer of *other* where it is as expected, and the cell works, with nothing worse; else None."""
        answer = self._answer(other)
        works = other.verdicts.overall.verdict is Verdict.WORKS
        return answer if answer.good and works and not self._worse(other) else None

    def _answer(self, other: Result) -> Answer:
        """Return what the question is answered by *other*."""
        only = self.case.only
        return question.answer(only, other, self._sets(other) if only.set else [])

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
        return own.make(self.case.request.python, prefix / "candidates" / profile, wanted, environment(installer=True))

    def _shown(
        self, kind: Literal["setting", "server", "cell"], change: str, answer: Answer, of: Result | None = None
    ) -> Cure:
        """Return a cure that a recorded result shows: the cell's own, unless it is that *of* another one."""
        doubt = " (asked once)" if answer.chance else " (it may be chance)" if self.race else ""
        cure = self._cure(kind, change, replace(answer, seen=f"{answer.seen}{doubt}"), [])
        day = (of or self.case.recorded).varying.started[:10]
        return msgspec.structs.replace(cure, tried_on=day, chance=bool(doubt))

    def _cure(
        self, kind: Literal["pin", "setting", "server", "cell"], change: str, answer: Answer, changes: list[str]
    ) -> Cure:
        return Cure(
            question=self.case.asked,
            kind=kind,
            change=change,
            verdict=Verdict.WORKS,
            text=answer.seen,
            changes=changes,
            tried_on=date.today().isoformat(),
        )


def known_cause(case: Case) -> Cause | None:
    """Return the cause that is recorded of *case*, if one is."""
    return next((each for each in case.recorded.causes if each.question == case.asked), None)


def _added(mine: Mapping[str, Finding], theirs: Mapping[str, Finding]) -> list[str]:
    """Return the troubles of *theirs* alone, of the questions that both were asked."""
    asked = mine.keys() & theirs.keys()
    troubles = [
        {catches.trouble_of(identifier(each)) for each in asked if known[each].good is False}
        for known in (mine, theirs)
    ]
    return [f"{Change.WORSE}: {each.says}" for each in catches.TROUBLES if each in troubles[1] - troubles[0]]


def _pair(result: Result) -> tuple[str, str, str]:
    cell = Cell.parse(result.cell)
    return cell.python, cell.django, result.profile
