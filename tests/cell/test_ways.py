"""The ways of a library side by side: each has a chat, on a server of its own where needed, or a reason why not."""

from __future__ import annotations

import pytest
from cellservers import TalkingLibrary, failed, standing_in

from harness.cell.outcome import Observations
from harness.cell.ways import all_ways, through, ways_apart
from harness.libraries.base import Variant

WAYS = (
    Variant("sync consumer", paths={"broadcast": "/ws/sync"}),
    Variant("other layer", {"LAYER": "other"}),
    Variant("sync consumer, other layer", {"LAYER": "other"}, {"broadcast": "/ws/sync"}),
)


@pytest.fixture
def server(board, tmp_path):
    library = TalkingLibrary(board)
    library.ways = WAYS
    return standing_in(tmp_path, board, library)


def test_all_ways(server, board):
    """The usual way is that of the given chat; those that need other settings share a server that has them."""
    chat = board.talk(server.library)
    with all_ways(chat, server, Observations(), "idle") as ways:
        assert [way.name for way in ways] == ["", *(way.name for way in WAYS)]
        assert ways[0].chat is chat
        assert [way.chat.path_for("broadcast") for way in ways] == [
            "/ws/broadcast",
            "/ws/sync",
            "/ws/broadcast",
            "/ws/sync",
        ]
        assert [way.asked("Is it?") for way in ways[:2]] == ["Is it?", "Is it? (sync consumer)"]
    assert server.starts == [("runserver idle other", {"LAYER": "other"}, "runserver")]
    assert chat.endpoints  # whoever opened it closes it


def test_ways_apart(server):
    """With further settings each way is on a server of its own, whose members are logged in."""
    with ways_apart(server, Observations(), "endings", {"TRIALS": "file"}) as ways:
        assert [way.name for way in ways] == ["", *(way.name for way in WAYS)]
        assert all(way.chat.session("Mary").cookie == "session=Mary" for way in ways)
    assert [start[:2] for start in server.starts] == [
        ("runserver endings", {"TRIALS": "file"}),
        ("runserver endings sync consumer", {"TRIALS": "file"}),
        ("runserver endings other layer", {"LAYER": "other", "TRIALS": "file"}),
        ("runserver endings sync consumer other layer", {"LAYER": "other", "TRIALS": "file"}),
    ]
    assert len({id(way.server) for way in ways}) == len(ways)
    assert [way.server.prefix.removeprefix(server.prefix) for way in ways] == [f"-endings-{n}" for n in range(4)]


def test_a_way_that_is_not_there(server):
    """Where a server does not start its way has no chat, and the reason."""
    server.failures["runserver endings other layer"] = failed("it is not there")
    with ways_apart(server, Observations(), "endings", {}) as ways:
        assert [(way.chat is None, way.missing) for way in ways] == [
            *[(False, "")] * 2,
            (True, "it is not there"),
            (False, ""),
        ]


def test_through(server, board):
    """A chat that reaches its server another way says nothing that the first one says, and its frames are kept."""
    chat = board.talk(server.library)
    other = through(chat, 4711)
    assert (other.server.port, other.server.base) == (4711, "http://127.0.0.1:4711")
    assert other.token != chat.token
    assert other.sessions is chat.sessions
    assert chat.others == [other]
    assert other.connections == {}


def test_ways_without_a_broker(server):
    """Each way knows whether its messages go through the broker."""
    server.library.ways = (Variant("in memory", {"LAYER": "memory"}, uses_broker=False),)
    with ways_apart(server, Observations(), "faults", {}) as ways:
        assert [way.uses_broker for way in ways] == [True, False]


def test_wanted_ways(server):
    """Only servers of ways that are wanted are started; the usual way is asked for without a name."""
    with ways_apart(server, Observations(), "fault", {}, lambda way: "other" in way.name) as ways:
        assert [way.name for way in ways] == ["other layer", "sync consumer, other layer"]
    assert [start[0] for start in server.starts] == [
        "runserver fault other layer",
        "runserver fault sync consumer other layer",
    ]
    with ways_apart(server, Observations(), "fault", {}, lambda way: not way.name) as ways:
        assert [way.name for way in ways] == [""]
