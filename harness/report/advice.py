"""Advice: what to install for a Python and a Django, in which order, and what to beware of.

What works on the pair is ranked by what is measured alone, as :data:`harness.report.choices.RULE` says; what nothing
sets apart has one rank.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import groupby

from harness.cells import Cell, numbers
from harness.matrix.releases import apart, releases, unsupported
from harness.report import causes, claims
from harness.report.choices import Answer, Beware, Choice, Failing, Note, for_development
from harness.report.notes import noted
from harness.report.remedies import Remedies
from harness.report.row import Row
from harness.report.view import LibraryView, View
from harness.results import catches
from harness.results.explained import Cure
from harness.verdict import Verdict, with_catch

#: How many cells are named where a pair was not measured.
_NEAREST = 4


class Advisor:
    """Answers from the results at hand."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.remedies = Remedies(view)
        self._choices: dict[str, Choice] = {}
        self._notes: dict[str, list[Note]] = {}
        self._rows = {row.name: row for row in view.rows}
        self._on: dict[tuple[str, str], list[Row]] = {}
        for row in view.rows:
            self._on.setdefault((row.cell.python, row.cell.django), []).append(row)
        self._libraries = {library.name: library for library in view.libraries}

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Every pair of which something is measured, or that Django supports; the newest first."""
        there = set(self._on) | {
            (python, django)
            for django, release in releases().items()
            for python in release.pythons
            if self.view.day < release.until
        }
        return sorted(there, key=lambda pair: (numbers(pair[0]), numbers(pair[1])), reverse=True)

    def answer(self, python: str, django: str) -> Answer:
        """Return the choices for a pair, ranked, with what fails there; where nothing works, the nearest that does."""
        found = Answer(python, django, unsupported(python, django, self.view.day))
        here = self._on.get((python, django), [])
        known: dict[tuple[str, str], Choice] = {}
        for row in here:
            if row.verdict is Verdict.WORKS:
                choice, served = self.choice(row), (row.result.library, row.result.server)
                if served not in known or choice.key < known[served].key:
                    known[served] = choice
        for row in here:
            if row.verdict is Verdict.DOES_NOT_WORK and (row.result.library, row.result.server) not in known:
                found.failing.append(self.failing(row))
        ranked = sorted(known.values(), key=lambda choice: (choice.key, choice.row.cell.order))
        found.ranks = [list(equals) for _, equals in groupby(ranked, key=lambda choice: choice.key)]
        if not ranked:
            found.nearest = self._nearest(python, django)
            found.claimed = list(self._claiming(python, django))
        if here:
            found.untried = list(self._untried(python, django))
        return found

    def _untried(self, python: str, django: str) -> Iterator[tuple[LibraryView, Row]]:
        """Yield those that were not tried on a pair, each with its nearest cell that works.

        They are the libraries of today, and the others that were to be tried there and could not be.
        """
        here, rows = Cell(python, django), self._on[python, django]
        tried = {row.result.library for row in rows if row.verdict is not Verdict.NOT_TESTED}
        wanted = {row.result.library for row in rows}
        for library in self.view.libraries:
            known = library.name in wanted or library.current(self.view.day)
            if library.name not in tried and library.works and known:
                yield library, min(library.works, key=lambda row: (apart(here, row.cell), row.cell.order))

    def notes(self, library: LibraryView) -> list[Note]:
        """Return the troubles of the cells of *library*, the worst first, numbered from 1."""
        if library.name not in self._notes:
            self._notes[library.name] = list(noted(library, self.beware_of))
        return self._notes[library.name]

    def choice(self, row: Row) -> Choice:
        """Return a cell that works as a choice."""
        if row.name not in self._choices:
            self._choices[row.name] = self._choice(row, self.library_of(row))
        return self._choices[row.name]

    def library_of(self, row: Row) -> LibraryView:
        """Return the library of *row*."""
        return self._libraries[row.result.library]

    @cached_property
    def counts(self) -> str:
        """How many cells there are of each verdict, in one line, and how many of those that work have a catch."""
        counted = []
        for verdict in Verdict:
            if rows := self.view.of(verdict):
                also = self.caught(rows)
                counted.append(f"{len(rows)} {verdict}" + (f" ({also})" if also else ""))
        number = len(self.view.rows)
        return f"{number} cell{'' if number == 1 else 's'}" + (f": {', '.join(counted)}." if counted else ".")

    def caught(self, rows: Iterable[Row]) -> str:
        """Say how many of *rows* have a catch, and how many more are expected to have one; empty if none is."""
        bewared = [row for row in rows if self.beware_of(row)]
        seen = sum(bool(row.catches) for row in bewared)
        said = [f"{seen} of them with a catch"] if seen else []
        if expected := len(bewared) - seen:
            said.append(f"{expected}{' more' if seen else ''} perhaps, as others have it")
        return ", ".join(said)

    def beware_of(self, row: Row) -> list[Beware]:
        """Return what there is to beware of in a cell that works, also where only another cell was asked."""
        return self.choice(row).beware if row.verdict is Verdict.WORKS else []

    def label(self, row: Row) -> str:
        """Return the verdict of *row* as it is shown: one that has a catch, be it seen elsewhere, is no plain yes."""
        return with_catch(row.result.verdicts.overall.label, bool(self.beware_of(row)))

    def numbers(self, row: Row) -> list[str]:
        """Return the numbers of those notes of its library that are about what there is to beware of in *row*."""
        notes = self.notes(self.library_of(row))
        mine = {each.trouble for each in self.beware_of(row)}
        return [str(note.number) for note in notes if note.trouble in mine]

    def _choice(self, row: Row, library: LibraryView) -> Choice:
        fresh, age = self._age(row, library)
        deep = any(each.deep for each in library.works)
        deployed = min(
            (each for each in library.works if for_development(row) and not for_development(each)),
            key=lambda each: (apart(row.cell, each.cell), each.cell.order),
            default=None,
        )
        beware = sorted(self.remedies.beware(row, library), key=lambda each: catches.TROUBLES.index(each.trouble))
        return Choice(row, library, beware, fresh, age, deep, deployed)

    def failing(self, row: Row) -> Failing:
        """Return a cell that does not work, with what it comes from and what works instead."""
        roots = [root for root in self.remedies.roots_of(row) if root.kind == "does not work"]
        instead = [causes.cure(cure, cure.brings) for cure in row.result.cures if not cure.question]
        # Another library is no cure; what mends the same one elsewhere is expected to here.
        instead = instead or [
            f"{causes.named(cure)}, {self._shown_in(row, cure) or f'tried in {name}'}"
            for root in roots
            for name, cure in sorted(root.cures, key=lambda each: causes.rank(each[1].kind))
            if self._rows[name].result.library == row.result.library
        ]
        explained = [root.explained if root.explained != "what it says" else root.what for root in roots]
        return Failing(row, self.library_of(row), explained[0] if explained else "", list(dict.fromkeys(instead)))

    def _shown_in(self, row: Row, cure: Cure) -> str:
        """Return where another server is seen to work that is expected to work for *row*, which fails; or nothing."""
        works = self.library_of(row).works if cure.kind == "server" else []
        nearest = min(
            (each for each in works if each.result.server == cure.change),
            key=lambda each: (apart(row.cell, each.cell), each.cell.order),
            default=None,
        )
        if nearest is None:
            return ""
        here = (nearest.cell.python, nearest.cell.django) == (row.cell.python, row.cell.django)
        return f"as {nearest.name} shows" + ("" if here else "; it was not measured on this pair")

    def _age(self, row: Row, library: LibraryView) -> tuple[bool, str]:
        """Tell whether the library had a release within 24 months that claims the pair of *row*, and say so."""
        made = library.released
        if made is None:
            supported = self.view.supported(row)
            return supported, "part of a Django that is supported" if supported else "part of a Django of the past"
        newest = library.claims
        claimed = newest is not None and claims.claimed(newest, row.cell) is True
        fresh = library.current(self.view.day)
        says = f"{'and' if fresh == claimed else 'but'} {'claims' if claimed else 'does not claim'} the pair"
        mine = claims.of(row, library)
        # What fits the pair may be years older than what is judged here.
        older = newest is not None and mine is not None and mine.version != newest.version
        which = f"its newest, {newest.version}, was released in" if newest is not None and older else "released"
        return fresh and claimed, f"{which} {made:%B %Y}, {says}"

    def _nearest(self, python: str, django: str) -> list[Row]:
        """Return the cells nearest to a pair that work, of each library and server one."""
        here = Cell(python, django)
        found: dict[tuple[str, str], Row] = {}
        for rows in sorted(self._working, key=lambda rows: (apart(here, rows[0].cell), rows[0].cell.order)):
            for row in rows:
                found.setdefault((row.result.library, row.result.server), row)
            if len(found) >= _NEAREST:
                break
        return list(found.values())[:_NEAREST]

    @cached_property
    def _working(self) -> list[list[Row]]:
        """The cells that work, those of one pair together and in the order of the matrix."""
        ordered = (sorted(rows, key=lambda row: row.cell.order) for rows in self._on.values())
        working = ([row for row in rows if row.verdict is Verdict.WORKS] for rows in ordered)
        return [rows for rows in working if rows]

    def _claiming(self, python: str, django: str) -> Iterator[str]:
        """Yield the libraries whose newest release claims a pair."""
        for library in self.view.libraries:
            newest = library.claims
            if newest is None or python not in newest.pythons or django not in newest.djangos:
                continue
            tested = (row for row in self._on.get((python, django), []) if row.verdict is not Verdict.NOT_TESTED)
            if all(row.result.library != library.name for row in tested):
                yield f"{library.title} {newest.version}"
