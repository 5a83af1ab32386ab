"""What there is to beware of in a cell that works, and what takes it away: what was tried, and what answers show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain

from harness.matrix.releases import apart
from harness.report import causes
from harness.report.choices import Beware, best_way
from harness.report.row import Row
from harness.report.sides import Sides
from harness.report.view import LibraryView, View
from harness.report.ways import Seen, Ways
from harness.results import catches
from harness.results.catches import Trouble
from harness.results.explained import Catch, Cure
from harness.results.roots import Root


class Remedies:
    """Knows for each cell of a view what there is to beware of, and for each cure what it is worth."""

    def __init__(self, view: View) -> None:
        self.roots = causes.found(view)
        self._sides = Sides(row.result for row in view.rows)
        self._ways = Ways(view, self._sides)
        self._asked: dict[str, dict[str, str]] = {}
        self._cures_of: dict[tuple[str, ...], list[tuple[str, Cure]]] = {}
        self._rows = {row.name: row for row in view.rows}
        self._roots_of: dict[str, list[Root]] = {}
        for root in self.roots:
            for name in root.results:
                self._roots_of.setdefault(name, []).append(root)

    def roots_of(self, row: Row) -> list[Root]:
        """Return the causes of what fails in *row*, or is a catch of it."""
        return self._roots_of.get(row.name, [])

    def beware(self, row: Row, library: LibraryView) -> Iterator[Beware]:
        """Yield the troubles of *row*, those seen in a cell of the library that was asked more, and what is brought."""
        nearest = sorted(
            (each for each in library.works if each is not row),
            key=lambda each: (
                each.result.server != row.result.server,
                self.between(row, each),
                apart(each.cell, row.cell),
            ),
        )
        of_trouble = self._seen(row, nearest)
        cures = {trouble: list(self._mended(row, of_it)) for trouble, of_it in of_trouble.items()}
        ways = {each.change for found in cures.values() for _, each in found if each.kind == "setting"}
        brings = {way: self._ways.troubles(row, nearest, way) for way in sorted(ways)}
        way = best_way(cures, brings)
        best = _best(cures, way)
        for trouble, of_it in of_trouble.items():
            tried_in, cure = best[trouble]
            told = [catch for catch, _ in of_it]
            where = "" if any(not place for _, place in of_it) else of_it[0][1]
            decided = {self._decided(place or row.name, catch.question) for catch, place in of_it} - {""}
            spared = way if cure and cure.kind == "pin" and self._spared(library, way, told) else ""
            yield Beware(trouble, told, where, cure, tried_in, tuple(sorted(decided)), spared_by=spared)
        brought = brings.get(way, {})
        for trouble, of_it in brought.items():
            if trouble not in of_trouble:
                yield Beware(trouble, [catch for catch, _ in of_it], of_it[0][1], None, brought_by=way)
        pins = dict.fromkeys(cure.change for _, cure in best.values() if cure and cure.kind == "pin")
        known = {catch.question for of_it in (*of_trouble.values(), *brought.values()) for catch, _ in of_it}
        yield from self._brought_by_pins(row, library, pins, way, known)

    def in_vain(self, cell: str, question: str, cure: Cure) -> bool:
        """Tell whether *cure*, which mends the *question* elsewhere, does not in *cell*; of no cell it is not known."""
        if not cell:
            return False
        row, change = self._rows[cell], (question, cure.kind, cure.change)
        if any((each.question, each.kind, each.change) == change for each in row.result.attempts):
            return True
        return cure.kind == "setting" and False in self._ways.answers(row, question, cure.change)

    def against(self, cell: str, cure: Cure) -> str:
        """Return what speaks against *cure* in *cell*; empty if nothing does, as of what is no way of the library.

        A pin that brings something as bad as what it mends is not recorded as a cure.
        """
        return self._ways.against(self._rows[cell], cure) if cure.kind == "setting" else ""

    def brought(self, cell: str, cure: Cure) -> list[Catch]:
        """Return what *cure*, tried in *cell*, brings that is milder than what it mends."""
        return self._ways.brings(self._rows[cell], cure.change) if cure.kind == "setting" else cure.brings

    def between(self, one: Row, other: Row) -> int:
        """Return how much lies between two cells of a library that turns any answer of it."""
        return self._sides.between(one, other)

    def shown(self, root: Root) -> dict[str, list[str]]:
        """Return the ways that answers show to mend *root*, whether they were tried for it or not, and in which cells.

        Each gives all answers well by which it is seen there; one that gives any of them badly in a cell mends nothing.
        """
        found: dict[str, list[str]] = {}
        failed: set[str] = set()
        for name in sorted(root.results):
            row, asked = self._rows[name], sorted(root.asked_in[name])
            for way in self._ways.of(row):
                answers = [self._ways.answers(row, question, way) for question in asked]
                cure = Cure(question=asked[0], kind="setting", change=way, verdict=row.verdict, text="", tried_on="")
                told = causes.named(cure)
                if any(False in each for each in answers) or self._ways.against(row, cure):
                    failed.add(told)
                elif answers and all(answers):
                    found.setdefault(told, []).append(name)
        return {told: cells for told, cells in found.items() if told not in failed}

    def left(self, cell: str, cure: Cure, root: Root) -> list[str]:
        """Return the questions of *root* that *cure*, another way which mends one in *cell*, answers badly there."""
        return self._ways.badly(self._rows[cell], root.asked_in[cell], cure.change) if cure.kind == "setting" else []

    def _seen(self, row: Row, nearest: Iterable[Row]) -> Seen:
        """Return the troubles of *row*; what it was not asked itself, the *nearest* cell that was answers for it.

        One between which and *row* a release turned an answer does not answer that for it.
        """
        seen = [(catch, "") for catch in row.catches]
        asked = set(self._asked_of(row))
        for other in nearest:
            told = {each for each in self._asked_of(other).keys() - asked if self._sides.alike(row, other, each)}
            caught = [catch for catch in other.catches if catch.question in told] if told else []
            seen += [(catch, other.name) for catch in caught if self._spreads(catch, row, other)]
            asked |= told
        of_trouble: Seen = {}
        for each in seen:
            if trouble := catches.trouble_of(each[0].question):
                of_trouble.setdefault(trouble, []).append(each)
        return of_trouble

    def _spreads(self, catch: Catch, row: Row, other: Row) -> bool:
        """Tell whether a *catch* of *other*, on the same side of all that turns it, is to be expected of *row*.

        What is another limit in each cell is so where it is known what it comes from, under the same server.
        """
        known = self._sides.turned(row, catch.question) and row.result.server == other.result.server
        return catches.spreads(catch, known)

    def _brought_by_pins(
        self, row: Row, library: LibraryView, pins: Iterable[str], way: str, known: Collection[str]
    ) -> Iterator[Beware]:
        """Yield the troubles that *pins* bring in any cell of the library in which they were tried, by new questions.

        By those that are *known* they are there anyway. *way* is advised beside the pins, empty for the usual one.
        """
        for pin in pins:
            tried = [(other.name, cure) for other in library.rows for cure in other.result.cures]
            brought = [
                (name, each)
                for name, cure in tried
                if cure.change == pin
                for each in cure.brings
                if each.question not in known and not (way and self._ways.spares(library.works, way, each.question))
            ]
            for trouble in catches.troubles(each for _, each in brought):
                its = [each for each in brought if catches.trouble_of(each[1].question) == trouble]
                seen_in = {name for name, _ in its}
                told = list({each.question: each for _, each in its}.values())
                yield Beware(trouble, told, "" if row.name in seen_in else min(seen_in), None, brought_by=pin)

    def _spared(self, library: LibraryView, way: str, caught: Iterable[Catch]) -> bool:
        """Tell whether *way*, another than the usual one, answers well where all that is *caught* was turned."""
        return bool(way) and all(self._ways.spares(library.works, way, each.question) for each in caught)

    def _asked_of(self, row: Row) -> dict[str, str]:
        """Return the short names of all that *row* was asked, each with whose default or code decides it."""
        if row.name not in self._asked:
            self._asked[row.name] = {each.id: str(each.decided_by) for each in row.answers if each.asked}
        return self._asked[row.name]

    def _decided(self, cell: str, question: str) -> str:
        return self._asked.get(cell, {}).get(question, "")

    def _mended(self, row: Row, seen: Sequence[tuple[Catch, str]]) -> Iterator[tuple[str, Cure]]:
        """Yield the pins and the settings that take all of *seen* away, each with the cell in which it was tried."""
        known = [(where or row.name, catch.question) for catch, where in seen]
        cures = [self._cures(*one) for one in known]
        changes = [{each.change for _, each in of_one} for of_one in cures]
        found: set[str] = set()
        for name, cure in chain.from_iterable(cures):
            if cure.change in found or any(self.against(where or row.name, cure) for _, where in seen):
                continue
            if any(self.in_vain(cell, catch.question, cure) for catch, where in seen for cell in {row.name, where}):
                continue
            each = zip(known, changes, strict=True)
            if all(cure.change in others or self._good_with(*one, cure) for one, others in each):
                found.add(cure.change)
                yield name, cure

    def _good_with(self, cell: str, question: str, cure: Cure) -> bool:
        """Tell whether *cell* itself answers the *question* as expected with *cure*, another way of the library."""
        asked = self._ways.answers(self._rows[cell], question, cure.change) if cure.kind == "setting" else []
        return bool(asked) and all(asked)

    def _cures(self, cell: str, question: str) -> list[tuple[str, Cure]]:
        """Return what takes a catch of *cell* away: what was tried in it first, then in others of the same cause."""
        mine = self._rows[cell].result
        roots = [root for root in self._roots_of.get(cell, []) if question in root.questions]
        # Most cells of a library have the same causes.
        key = (mine.library, question, *(root.id for root in roots))
        if key not in self._cures_of:
            tried: list[tuple[str, Cure]] = []
            for root in roots:
                proved = root.proved(mine.library)
                tried += [each for each in root.cures if (each[1].kind, each[1].change) in proved]
            # One pin keeps away what turned all answers of a root; another way may give some of them, and not the rest.
            tried = [each for each in tried if each[1].question == question] or [
                each for each in tried if each[1].kind == "pin"
            ]
            self._cures_of[key] = sorted(
                (each for each in tried if each[1].kind in ("pin", "setting")),
                key=lambda each: self._rows[each[0]].result.library != mine.library,
            )
        # Another library has other ways, and a pin mends it if that keeps away what is guilty in this very cell.
        shared = any(root.guilty_in(cell) for root in roots)
        found = [
            (name, each)
            for name, each in self._cures_of[key]
            if self._rows[name].result.library == mine.library or (shared and each.kind == "pin")
        ]
        return sorted(found, key=lambda each: each[0] != cell) if mine.cures else found


def _best(cures: Mapping[Trouble, Sequence[tuple[str, Cure]]], way: str) -> dict[Trouble, tuple[str, Cure | None]]:
    """Return the best cure of each trouble beside *way*, with the cell in which it was tried; None where there is none.

    What the way mends needs no pin; of pins the one is best that mends most.
    """
    mends = Counter(each.change for found in cures.values() for _, each in found)
    pins: set[str] = set()
    best: dict[Trouble, tuple[str, Cure | None]] = {}
    for trouble, found in cures.items():
        best[trouble] = min(
            (each for each in found if each[1].kind == "pin" or each[1].change == way),
            key=lambda each: (each[1].kind == "pin", each[1].change not in pins, -mends[each[1].change]),
            default=("", None),
        )
        if (cure := best[trouble][1]) and cure.kind == "pin":
            pins.add(cure.change)
    return best
