"""Other ways of a library as cures: where they work, and what they bring that the usual way has not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from harness.report.row import Row
from harness.report.sides import Sides
from harness.report.view import View
from harness.results import catches
from harness.results.catches import Trouble
from harness.results.explained import Catch, Cure
from harness.results.result import Finding
from harness.verdict import Verdict

#: Troubles, each with its catches and the cell in which they were seen; empty for the one asked.
Seen = dict[Trouble, list[tuple[Catch, str]]]


class Ways:
    """What was answered to the other ways of the libraries of a view."""

    def __init__(self, view: View, sides: Sides) -> None:
        self._sides = sides
        self._libraries = {library.name: library for library in view.libraries}
        self._tried_in: dict[tuple[str, str], tuple[int, int]] = {}
        self._put: dict[str, dict[str, dict[str, Finding]]] = {}

    def answers(self, row: Row, question: str, way: str) -> list[bool | None]:
        """Return whether the answers of *row* to the *question*, put to a *way*, are as expected; empty if unasked."""
        return [other.good for usual, other in self._both(row, way) if usual.id == question]

    def of(self, row: Row) -> list[str]:
        """Return the other ways that questions were put to in *row*."""
        return [way for way in self._put_to(row) if way]

    def badly(self, row: Row, questions: Collection[str], way: str) -> list[str]:
        """Return those of *questions*, short names, that *row* answers badly with *way*, in words and without it."""
        both = self._both(row, way)
        return [usual.question for usual, other in both if usual.id in questions and other.good is False]

    def against(self, row: Row, cure: Cure) -> str:
        """Return what speaks against *cure*, a way that was tried in *row*; empty if nothing does.

        It does not work in some cell of the library, or has a trouble that the usual way has not and that is as bad as
        what it mends.
        """
        if (tried := self._tried(row.result.library, cure.change)) and tried[0] < tried[1]:
            return f"it works in {tried[0]} of {tried[1]} cells"
        worse = any(not catches.brings(cure.question, each.question) for each in self.brings(row, cure.change))
        return "another answer gets worse there" if worse else ""

    def brings(self, row: Row, way: str) -> list[Catch]:
        """Return the bad answers of *way* in *row* that are about a trouble which the usual way has not."""
        put = self._put_to(row)
        return catches.added(put.get("", {}), put.get(way, {}))

    def troubles(self, row: Row, nearest: Sequence[Row], way: str) -> Seen:
        """Return the troubles that *way* brings to *row*.

        What *row* was not asked itself, the *nearest* cell that was answers for it, if it is on the same side of all
        that turns the answer.
        """
        found: Seen = {}
        asked: set[str] = set()
        for each in (row, *nearest):
            both = {usual.id for usual, other in self._both(each, way) if usual.asked and other.asked}
            told = {question for question in both - asked if self._sides.alike(row, each, question)}
            for catch in self.brings(each, way) if told else ():
                trouble = catches.trouble_of(catch.question)
                if trouble is not None and catch.question in told and (each is row or catches.spreads(catch)):
                    found.setdefault(trouble, []).append((catch, "" if each is row else each.name))
            asked |= told
        return found

    def spares(self, works: Iterable[Row], way: str, question: str) -> bool:
        """Tell whether *way* answers the *question* well in cells, of those that *works* are, in which it is turned."""
        turned = (row for row in works if self._sides.turned(row, question))
        answers = [good for row in turned for good in self.answers(row, question, way)]
        return bool(answers) and all(answers)

    def _both(self, row: Row, way: str) -> list[tuple[Finding, Finding]]:
        """Return the answers of *row* to what was put to the usual way and to *way*, in this order."""
        put = self._put_to(row)
        usual = put.get("", {})
        return [(usual[question], other) for question, other in put.get(way, {}).items() if question in usual]

    def _put_to(self, row: Row) -> dict[str, dict[str, Finding]]:
        """Return what *row* was asked, by the ways it was put to."""
        if row.name not in self._put:
            self._put[row.name] = catches.by_way(row.answers)
        return self._put[row.name]

    def _tried(self, library: str, way: str) -> tuple[int, int]:
        """Return in how many cells of *library* the *way* works, and in how many it was tried."""
        if (library, way) not in self._tried_in:
            found = [judgement.verdict for _, judgement in self._libraries[library].tried(way)]
            self._tried_in[library, way] = (found.count(Verdict.WORKS), len(found))
        return self._tried_in[library, way]
