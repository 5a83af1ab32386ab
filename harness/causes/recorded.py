"""What the recorded results show of a cure: another way or server of the library, or another cell, without a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Literal

import msgspec

from harness.causes import question
from harness.causes.case import Case
from harness.causes.question import Answer
from harness.cell.only import Only
from harness.cells import Cell
from harness.results import catches, deep
from harness.results.compare import Change
from harness.results.deep import DeepSet
from harness.results.explained import Attempt, Catch, Cure
from harness.results.folder import Reports
from harness.results.result import Finding, Result
from harness.verdict import Verdict

#: What the usual way is called where another one is asked about.
_USUAL = "usual way"


@dataclass(frozen=True)
class Recorded:
    """What is recorded of the library of a case."""

    case: Case
    #: What was found to be no cure on the way; whoever tries more adds to it.
    attempts: list[Attempt] = field(default_factory=list)

    def cures(self, others: Sequence[Result]) -> list[Cure]:
        """Return cures on this very pair that are recorded: ways, or else servers, of *others* of the library."""
        return self._ways() or self._servers(others)

    @cached_property
    def race(self) -> bool:
        """Whether what is to be mended was chance when it was recorded: what does not show it may have been lucky."""
        return self.answer(self.case.recorded).chance

    def neighbours(self, others: Sequence[Result]) -> list[Cure]:
        """Return the nearest cells up and down, by Python and by Django, that answer as expected."""
        mine = self.case.request.cell
        alike = [each for each in others if Cell.parse(each.cell).suffixes == mine.suffixes]
        found: dict[str, tuple[Result, Answer, list[Catch]]] = {}
        for part in ("python_version", "django_version"):
            other = {"python_version": "django_version", "django_version": "python_version"}[part]
            here = getattr(mine, part)
            row = [each for each in alike if getattr(Cell.parse(each.cell), other) == getattr(mine, other)]
            row.sort(key=lambda each: getattr(Cell.parse(each.cell), part))
            asked = [(each, self.answer(each), self._brought_in(each)) for each in row if _works(each)]
            good = [(each, answer, brings) for each, answer, brings in asked if answer.good and self.worth(brings)]
            older = [each for each in good if getattr(Cell.parse(each[0].cell), part) < here]
            newer = [each for each in good if getattr(Cell.parse(each[0].cell), part) > here]
            found |= {each[0].cell: each for each in (*older[-1:], *newer[:1])}
        return [self._shown("cell", name, answer, brings, each) for name, (each, answer, brings) in found.items()]

    def worth(self, brings: Sequence[Catch]) -> bool:
        """Tell whether what a cure *brings* is milder than what it mends."""
        return all(catches.brings(self.case.asked, each.question) for each in brings)

    def answer(self, other: Result) -> Answer:
        """Return what the question is answered by *other*."""
        only = self.case.only
        return question.answer(only, other, self._sets(other) if only.set else [])

    def _ways(self) -> list[Cure]:
        """Return the other ways of the library that answer as expected in the recorded run of this very cell."""
        answers = self._answers_of_ways()
        day, cures = self.case.recorded.varying.started[:10], list[Cure]()
        for way, answer in answers.items():
            brings = self._brought_by(way) if answer.good else []
            if answer.good and self.worth(brings):
                cures.append(self._shown("setting", way, answer, brings))
            elif answer.good is not None:
                self.note("setting", way, answer, day, worse_by(brings))
        return cures

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
            if pair_of(each) != pair_of(mine) or each.server == mine.server:
                continue
            answer, day = self.answer(each), each.varying.started[:10]
            brings = self._brought_in(each) if answer.good else []
            if answer.good and _works(each) and self.worth(brings):
                cures.append(self._shown("server", each.server, answer, brings, each))
            elif not answer.good or _works(each):
                self.note("server", each.server, answer, day, worse_by(brings))
        return cures

    def _brought_in(self, other: Result) -> list[Catch]:
        """Return what a user runs into in *other*, another cell, and not in this one: of all that both were asked."""
        reports = self.case.request.reports
        return catches.added(of_usual(self.case.recorded, reports), of_usual(other, reports))

    def _brought_by(self, way: str) -> list[Catch]:
        """Return what a user runs into with *way* in this cell, and not with the way that is asked about."""
        put = _by_way(self.case.recorded, self.case.request.reports)
        return catches.added(put.get(self.case.only.way, {}), put.get("" if way == _USUAL else way, {}))

    def _sets(self, result: Result) -> list[DeepSet]:
        """Return the deep sets of a cell."""
        return deep.readable(self.case.request.reports, result.cell)

    def note(
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

    def _shown(
        self,
        kind: Literal["setting", "server", "cell"],
        change: str,
        answer: Answer,
        brings: Sequence[Catch],
        of: Result | None = None,
    ) -> Cure:
        """Return a cure that a recorded result shows: the cell's own, unless it is that *of* another one."""
        doubt = " (asked once)" if answer.chance else " (it may be chance)" if self.race else ""
        cure = cure_of(self.case, kind, change, replace(answer, seen=f"{answer.seen}{doubt}"), [])
        day = (of or self.case.recorded).varying.started[:10]
        return msgspec.structs.replace(cure, tried_on=day, chance=bool(doubt), brings=list(brings))


def cure_of(
    case: Case, kind: Literal["pin", "setting", "server", "cell"], change: str, answer: Answer, changes: list[str]
) -> Cure:
    """Return a cure of *case* that was tried today, with what was answered and what else it changes."""
    return Cure(
        question=case.asked,
        kind=kind,
        change=change,
        verdict=Verdict.WORKS,
        text=answer.seen,
        changes=changes,
        tried_on=date.today().isoformat(),
    )


def worse_by(brings: Sequence[Catch]) -> list[str]:
    """Return what a cure *brings* as it is said of what was tried."""
    return [f"{Change.WORSE}: {each.text}" for each in brings]


def of_usual(result: Result, reports: Reports) -> dict[str, Finding]:
    """Return what the usual way of *result*, and of the deep sets that *reports* have of its cell, was asked."""
    return _by_way(result, reports).get("", {})


def _by_way(result: Result, reports: Reports) -> dict[str, dict[str, Finding]]:
    return catches.by_way(catches.answers(result, deep.readable(reports, result.cell)))


def _works(result: Result) -> bool:
    return result.verdicts.overall.verdict is Verdict.WORKS


def pair_of(result: Result) -> tuple[str, str, str]:
    """Return the Python, the Django and the profile of a result."""
    cell = Cell.parse(result.cell)
    return cell.python, cell.django, result.profile
