"""What came of a message in a room, and beside it."""

from __future__ import annotations

import pytest

from harness.chat.rooms import Rooms, two_rooms

PLACES = ("in a room", "in another room")


@pytest.mark.parametrize(("heard", "seen"), [(True, "is seen once by all who are in it"), (False, "is not")])
def test_inside(heard, seen):
    """Inside, a message is good when each who is there had it once, whatever came of it elsewhere."""
    for leaked in (True, False):
        inside = two_rooms(PLACES, heard, leaked, True)[0]
        assert (inside.question, inside.seen, inside.good) == ("A message in a room", seen, heard)
        assert inside.expected == "is seen once by all who are in it"


@pytest.mark.parametrize(
    ("leaked", "proved", "seen", "good"),
    [
        (False, True, "is not seen", True),
        (False, False, "not proved: nothing is seen there", None),
        (True, True, "is seen", False),
        (True, False, "is seen", False),
    ],
)
def test_outside(leaked, proved, seen, good):
    """Outside, silence counts only where something later came, and a leak counts in any case."""
    outside = two_rooms(PLACES, True, leaked, proved)[1]
    assert (outside.question, outside.seen, outside.good) == ("The same message in another room", seen, good)
    assert outside.expected == "is not seen"


def test_settings_of_their_own():
    """Rooms are served by the usual server unless they say otherwise, and do not share their settings."""
    one, two = Rooms("one", "/chat/"), Rooms("two", "/chat/")
    assert one.environment == {}
    assert one.environment is not two.environment
