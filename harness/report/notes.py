"""The notes of a library: the troubles that were seen in its cells, the worst first, with what mends each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from harness.report.choices import Beware, Note
from harness.report.row import Row
from harness.report.view import LibraryView
from harness.results import catches
from harness.results.catches import Trouble


def noted(library: LibraryView, beware_of: Callable[[Row], Sequence[Beware]]) -> Iterator[Note]:
    """Yield the troubles of the cells of *library*, numbered from 1; *beware_of* a cell is what it has."""
    found: dict[Trouble, list[tuple[Row, Beware]]] = {}
    brings: dict[str, set[Trouble]] = {}
    for row in library.works:
        for each in beware_of(row):
            if each.brought_by:
                brings.setdefault(each.brought_by, set()).add(each.trouble)
            elif not each.seen_in:
                found.setdefault(each.trouble, []).append((row, each))
    # A note is read alone: what a pin brings counts there, also where the way that is advised with it spares it.
    for cure in (each for row in library.rows for each in row.result.cures if each.kind == "pin" and each.brings):
        brings.setdefault(cure.change, set()).update(catches.troubles(cure.brings))
    usual = [row for row in library.works if row.result.profile != "pins"]
    asked = {row.name: {each.id: each.question for each in row.answers if each.asked} for row in library.works}
    about = {name: set(map(catches.trouble_of, questions)) for name, questions in asked.items()}
    for number, trouble in enumerate((each for each in catches.TROUBLES if each in found), 1):
        # Of a trouble that only the best known pins bring there is no other cell.
        its = [each for each in found[trouble] if each[0] in usual] or found[trouble]
        rows = [row for row, _ in its]
        mended = [each for _, each in its if each.cure]
        example = _most_often(mended)
        by = brings.get(example.cure.change, set()) if example and example.cure else set()
        decided = {each.decided_by for _, each in its}
        yield Note(
            number,
            trouble,
            rows,
            sum(trouble in about[row.name] for row in (usual if rows[0] in usual else library.works)),
            len(mended),
            example,
            [each for each in catches.TROUBLES if each in by],
            _questions(rows, trouble, asked),
            " and ".join(decided.pop()) if len(decided) == 1 else "",
        )


def _most_often(mended: Sequence[Beware]) -> Beware | None:
    """Return the first of those that are *mended* by what mends most of them; None if none is."""
    changes = [(each.cure.kind, each.cure.change) if each.cure else None for each in mended]
    return mended[changes.index(Counter(changes).most_common(1)[0][0])] if mended else None


def _questions(rows: Sequence[Row], trouble: Trouble, asked: Mapping[str, Mapping[str, str]]) -> list[tuple[str, int]]:
    """Return the questions by which *trouble* was seen in *rows*, each with in how many, the most frequent first.

    What another cell was *asked*, questions by their short names, is no answer of these.
    """
    seen = Counter(
        asked[row.name][question]
        for row in rows
        for question in {catch.question for catch in row.catches}
        if catches.trouble_of(question) == trouble
    )
    return sorted(seen.items(), key=lambda one: (-one[1], one[0]))
