"""Rooms: pages of a chat where only those hear each other who have the same one open."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.results.result import Finding


@dataclass(frozen=True)
class Rooms:
    """Pages of rooms, each of which is heard by those who have it open; *path* comes before the room's name."""

    name: str
    path: str
    environment: dict[str, str] = field(default_factory=dict)


def two_rooms(places: tuple[str, str], heard: bool, leaked: bool, proved: bool) -> list[Finding]:
    """Return what came of a message in the first of two *places*; in the second one it must not be seen.

    *proved* tells whether the second has something that was behind all of the message that was on its way.
    """
    once, nowhere = "is seen once by all who are in it", "is not seen"
    seen = "is seen" if leaked else nowhere if proved else "not proved: nothing is seen there"
    return [
        Finding(question=f"A message {places[0]}", expected=once, seen=once if heard else "is not", good=heard),
        Finding(
            question=f"The same message {places[1]}",
            expected=nowhere,
            seen=seen,
            good=False if leaked else True if proved else None,
        ),
    ]
