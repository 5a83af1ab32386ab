"""Assertions of the plug-in: they hold where they are right, and say who heard what where they are not."""

from __future__ import annotations

import pytest
from chats import OwnChat

from harness import assert_heard_exactly
from harness.plugin.heard import _like
from harness.plugin.member import Hall, canonical


@pytest.fixture
def hall():
    """A hall of members in a chat that does what a test asks for."""
    halls, chats = [], []

    def enter(wrong: str = "", rooms: tuple[str, ...] = ("/a", "/a", "/b"), **more):
        running = OwnChat(wrong, **more).running()
        own = running.__enter__()
        chats.append(running)
        halls.append(Hall(own.url, f"http://127.0.0.1:{own.port}"))
        return [halls[-1].enter(room, 1, [], {}, [], None)[0] for room in rooms]

    yield enter
    for each in halls:
        each.leave()
    for each in chats:
        each.__exit__(None, None, None)


HI = {"message": "hi"}


def test_proved(hall):
    """Who is in the room has heard it, who is not has not, and that is proved; then comes the next."""
    ann, bob, eve = hall()
    ann.say(HI)
    assert_heard_exactly(HI, by=[ann, bob], fence=[ann, eve])
    eve.say({"message": "ho"})
    assert_heard_exactly({"message": "ho"}, by=[eve], fence=[bob, eve])
    assert ann.heard == [HI]
    assert ann.hears(HI)
    assert not bob.hears({"message": "ho"}, within=0.05)


def failing(members, by, fence, **more) -> str:
    """Return what is said when an assertion fails."""
    members[0].say(HI)
    with pytest.raises(AssertionError) as raised:
        assert_heard_exactly(HI, by=by, fence=fence, within=0.5, **more)
    return str(raised.value)


def test_a_leak(hall):
    """Who heard what was for others is named, and what happened stands there in order, with times."""
    ann, bob, eve = everybody = hall("leaks")
    text = failing(everybody, [ann, bob], [ann, eve])
    assert 'eve heard what was not to come: {"message": "hi"}' in text
    assert "0.000 s  ann: open" in text
    assert text.index('ann says {"message": "hi"}') < text.index('eve hears {"message": "hi"}')


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("twice", "ann heard it more than once"),
        ("alters", "ann heard something else"),
        ("drops", "bob did not hear it"),
    ],
)
def test_what_is_wrong(hall, wrong, said):
    """Missing, altered and heard twice are told apart."""
    ann, bob, eve = everybody = hall(wrong)
    assert said in failing(everybody, [ann, bob], [ann, eve])


def test_not_proved(hall):
    """Whom no fence reaches nothing is proved of: that fails, unless a quiet window is asked for."""
    ann, bob, _ = everybody = hall()
    assert "eve may still hear it: no fence reaches them" in failing(everybody, [ann, bob], [ann])
    ann.say(HI)
    assert_heard_exactly(HI, by=[ann, bob], fence=[ann], quiet=0.1)


def test_a_welcome(hall):
    """What a chat says by itself does not count where that is said, and does where it is not."""
    ann, bob = everybody = hall(rooms=("/a", "/a"), welcome='{"message": "welcome"}')
    ann.say(HI)
    assert_heard_exactly(HI, by=[ann, bob], fence=[ann], ignore=lambda frame: frame == {"message": "welcome"})
    assert everybody[0].heard[0] == {"message": "welcome"}


def test_closed(hall):
    """A connection that the server closes is said to be closed."""
    ann, _ = hall("closes", rooms=("/a", "/a"))
    ann.say(HI)
    with pytest.raises(AssertionError, match=r"closed by the server with 4000 enough"):
        assert_heard_exactly(HI, by=[ann], fence=[ann], within=0.5)


def test_whose_fence(hall):
    """A fence of somebody else proves nothing of what one has said."""
    ann, bob, _ = hall()
    ann.say(HI)
    with pytest.raises(ValueError, match="ann spoke"):
        assert_heard_exactly(HI, by=[ann, bob], fence=[bob])


def test_nobody_hears_themselves(hall):
    """Where nobody hears what they say themselves a fence comes to the others, and is said once."""
    ann, bob = hall("not to oneself", rooms=("/a", "/a"))
    ann.say(HI)
    assert_heard_exactly(HI, by=[bob], fence=[ann, bob])


def test_frames_as_they_are(hall):
    """A frame that was said as a text has fences of its form; ``ignore`` is asked of no fence."""
    ann, bob, eve = hall()
    ann.say('{"message": "hi"}')
    assert_heard_exactly(HI, by=[ann, bob], fence=[ann, eve], ignore=lambda frame: frame.get("type") == "welcome")


def test_one_who_has_left(hall):
    """Nobody waits for one who has left."""
    ann, bob, eve = hall()
    eve.close()
    ann.say(HI)
    assert_heard_exactly(HI, by=[ann, bob], fence=[ann])


def test_nobody(hall):
    """Somebody has to be named, and all of one test."""
    (ann,), (other,) = hall(rooms=("/a",)), hall(rooms=("/a",))
    for by in ([], [ann, other]):
        with pytest.raises(ValueError, match="only members of this test"):
            assert_heard_exactly(HI, by=by)


@pytest.mark.parametrize(
    ("said", "heard", "fence"),
    [
        ("hi", "hi", "F"),
        (b"hi", b"hi", b"F"),
        (HI, HI, {"message": "F"}),
        ({"type": "chat", "text": "hi"}, {"text": "hi"}, {"type": "chat", "text": "F"}),
        ({"type": "chat", "line": "hi"}, {"line": "hi"}, {"type": "chat", "line": "F"}),
        ({"a": [{"body": "hi"}, "x"]}, {"body": "HI"}, {"a": [{"body": "F"}, "x"]}),
    ],
)
def test_fences_are_like_what_was_said(said, heard, fence):
    """A fence has the form of what was said, with a text of its own where the message stands."""
    assert _like(said, heard, "F") == fence


def test_no_place_for_a_fence():
    """Where there is no text nothing can be made of it."""
    with pytest.raises(ValueError, match="there is no text"):
        _like({"x": 1}, {"x": 1}, "F")


def test_the_same():
    """JSON is the same whatever the order of its keys; a text that is a number stays a text."""
    assert canonical({"b": 1, "a": 2}) == canonical('{"a":2,"b":1}')
    assert canonical("7") == "7"
    assert canonical(b"x") != canonical("x")
