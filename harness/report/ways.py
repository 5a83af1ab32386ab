"""Other ways of a library as cures: where they work, and what they bring that the usual way has not."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.row import Row
from harness.report.view import View
from harness.results import catches
from harness.results.catches import Trouble
from harness.results.explained import Catch, Cure
from harness.verdict import Verdict

#: The troubles that a way brings, each with its catches and the cell in which they were seen; empty for the one asked.
Brought = dict[Trouble, list[tuple[Catch, str]]]


class Ways:
    """What was answered to the other ways of the libraries of a view."""

    def __init__(self, view: View) -> None:
        self._libraries = {library.name: library for library in view.libraries}
        self._tried_in: dict[tuple[str, str], tuple[int, int]] = {}
        self._brings: dict[tuple[str, str], list[Catch]] = {}

    def answers(self, row: Row, question: str, way: str) -> list[bool | None]:
        """Return whether the answers of *row* to the *question*, put to a *way*, are as expected; empty if unasked."""
        put = {f"{each.question} ({way})" for each in row.answers if each.id == question}
        return [each.good for each in row.answers if each.question in put]

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
        if (row.name, way) not in self._brings:
            suffix, known = f" ({way})", {each.question: each for each in row.answers}
            mine: list[tuple[Trouble, Catch]] = []
            usual: set[Trouble] = set()
            for question, finding in known.items():
                same = known.get(question.removesuffix(suffix))
                if question.endswith(suffix) and same is not None and (trouble := catches.trouble_of(same.id)):
                    text = f"{same.question}: {finding.summary}"
                    told = (trouble, Catch(question=same.id, kind=trouble.kind, text=text))
                    mine += [told] if finding.good is False else []
                    usual |= {trouble} if same.good is False else set()
            self._brings[row.name, way] = [catch for trouble, catch in mine if trouble not in usual]
        return self._brings[row.name, way]

    def troubles(self, row: Row, nearest: Sequence[Row], way: str) -> Brought:
        """Return the troubles that *way* brings to *row*.

        What *row* was not asked itself, the *nearest* cell that was answers for it.
        """
        found: Brought = {}
        asked: set[str] = set()
        for each in (row, *nearest):
            for catch in self.brings(each, way):
                trouble = catches.trouble_of(catch.question)
                if trouble is not None and catch.question not in asked and (each is row or catches.spreads(catch)):
                    found.setdefault(trouble, []).append((catch, "" if each is row else each.name))
            asked |= self._asked(each, way)
        return found

    def _asked(self, row: Row, way: str) -> set[str]:
        """Return the short names of the questions that were put to *way* in *row*, without that."""
        suffix, known = f" ({way})", {each.question: each.id for each in row.answers if each.asked}
        plain = (each.removesuffix(suffix) for each in known if each.endswith(suffix))
        return {known[each] for each in plain if each in known}

    def _tried(self, library: str, way: str) -> tuple[int, int]:
        """Return in how many cells of *library* the *way* works, and in how many it was tried."""
        if (library, way) not in self._tried_in:
            found = [judgement.verdict for _, judgement in self._libraries[library].tried(way)]
            self._tried_in[library, way] = (found.count(Verdict.WORKS), len(found))
        return self._tried_in[library, way]
