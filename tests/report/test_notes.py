"""The notes of a library: the troubles of its cells by number, with what mends most of them."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from advised import CHANNELS, IDLE, LOST, TEXT, advisor, pin, works

from harness.report.notes import noted

CELLS = [f"py313-django{each}{CHANNELS}" for each in ("42", "51", "52", "60")]
OTHER = "quotes by WebSocket"


def notes(*results, deep=()):
    made = advisor(*results, deep=deep)
    return made.notes(made.view.libraries[0])


def test_the_worst_first():
    """Notes are numbered from the worst trouble on; each counts the cells that have it, and those that were asked."""
    found = notes(works(CELLS[0], TEXT), works(CELLS[1], LOST, TEXT), works(CELLS[2]))
    assert [(each.number, each.trouble.id, len(each.rows), each.asked) for each in found] == [
        (1, "lost", 1, 1),
        (2, "texts", 2, 2),
    ]


def test_what_mends_most():
    """A note shows what mends most of its cells, and says how many are mended in all."""
    made = advisor(*(works(cell, IDLE, cures=[pin()]) for cell in CELLS))
    changes = dict(zip(CELLS, ["redis<8.1", "redis<8", "redis<8", ""], strict=True))

    def beware_of(row):
        cure = pin(change=changes[row.name]) if changes[row.name] else None
        return [replace(each, cure=cure) for each in made.beware_of(row)]

    (note,) = noted(made.view.libraries[0], beware_of)
    assert (len(note.rows), note.mended, note.example.cure.change) == (4, 3, "redis<8")


def test_the_questions_by_which_it_is_seen():
    """Each question by which a trouble is seen stands with the number of cells, the most frequent first."""
    (note,) = notes(works(CELLS[0], TEXT), works(CELLS[1], TEXT, OTHER))
    assert note.seen == [(TEXT, 2), (OTHER, 1)]


def test_pins_are_counted_apart():
    """What a cell with the best known pins has is in no count, unless no other cell has it."""
    pinned = msgspec.structs.replace(works(f"{CELLS[0]}-pins", TEXT, LOST), profile="pins")
    found = notes(works(CELLS[0], TEXT), pinned)
    assert [(each.trouble.id, [row.name for row in each.rows]) for each in found] == [
        ("lost", [f"{CELLS[0]}-pins"]),
        ("texts", [CELLS[0]]),
    ]
