"""The first table of all: each library on one line, with what works, what is claimed, and what to beware of."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report import rst
from harness.report.advice import Advisor
from harness.report.choices import Note, counted
from harness.report.rst import Rst
from harness.report.view import LibraryView, Rows, View
from harness.results.catches import Severity

#: What is told of each library, beside its name.
HEADER = ("Works on Python", "with Django", "Servers", "Cells that work", "Beware", "Newest release")


def table(view: View, advisor: Advisor, reports: str = "") -> Rst:
    """Return each library on one line; *reports* is the folder that leads to the reports."""
    rows: list[list[object]] = [
        [rst.link(library.title, f"{reports}{library.name}.rst"), *told(library, advisor).values()]
        for library in view.libraries
    ]
    return rst.csv_table(["Library", *HEADER], rows, "16 12 18 14 10 20 10")


def told(library: LibraryView, advisor: Advisor) -> dict[str, str]:
    """Return what stands under :data:`HEADER` of *library*; cells with the best known pins are not counted."""
    usual, *others = [group for group in library.groups if not group.pinned] or library.groups
    djangos = usual.range_of("django")
    for group in others:
        if group.beyond(usual):
            djangos += f"; under {group.name} {group.range_of('django')}, on Python {group.range_of('python')}"
    groups = [usual, *others]
    values = [
        usual.range_of("python") + library.only_claimed("python"),
        djangos + library.only_claimed("django"),
        ", ".join(group.name for group in groups if group.works) or "none",
        worked(groups, advisor),
        beware(advisor.notes(library)) if library.works else "works nowhere",
        str(library.prose["release"]),
    ]
    return dict(zip(HEADER, values, strict=True))


def worked(groups: Sequence[Rows], advisor: Advisor) -> str:
    """Return how many cells of *groups* work, how many of these have a catch, and how many are expected to have one."""
    works = [row for group in groups for row in group.works]
    said = [f"{len(works)} of {sum(len(group.tested) for group in groups)}", advisor.caught(works)]
    return ", ".join(filter(None, said))


def beware(notes: Sequence[Note]) -> str:
    """Return what there is to beware of, but for what is mild, each with its cure."""
    told = []
    for note in notes:
        if note.trouble.severity is not Severity.MILD:
            more = filter(None, (counted(len(note.rows), "cell", "cells"), note.whose, note.short))
            told.append(f"{note.trouble.says} ({'; '.join(more)})")
    return "; ".join(told) or "nothing known"
