"""The other ways of a library: each on connections or on a server of its own, and none decides the verdict."""

from __future__ import annotations

import pytest
from cellservers import TalkingLibrary, asking, failed, finding, standing_in

from harness.cell.outcome import Observations
from harness.errors import CellFailure
from harness.libraries.base import Variant
from harness.results.result import Finding
from harness.run import variants
from harness.verdict import Reason

SYNC = {"chat": "/ws/chat/sync"}
MEMORY, PUBSUB = {"CHAT_LAYER": "memory"}, {"CHAT_LAYER": "pubsub"}


@pytest.fixture
def server(tmp_path, board):
    """A server of a library whose members hold one connection, which its other ways have elsewhere."""
    return standing_in(tmp_path, board, TalkingLibrary(board, {"chat": "/ws/chat/async"}))


def told(observed: Observations) -> list[tuple[str, Reason, str]]:
    return [(each.name, each.judgement.reason, each.judgement.text) for each in observed.variants]


def test_on_the_same_server(server, board):
    """A way that the running server serves is tried on connections of its own, and those are closed again."""
    server.library.ways = (Variant("sync consumer", paths=SYNC), Variant("memory", MEMORY))
    chat, observed = board.chat(server.library), Observations()
    chat.log_in()
    variants.try_on_running_server(chat, server, observed)
    assert told(observed) == [("sync consumer", Reason.WORKS, "15 of 15 exchanges right")]
    assert observed.variants[0].exchanges == []
    assert (board.lines, chat.connections) == ([], {})
    assert server.starts == []
    assert [(step.name, step.text) for step in server.recorder.steps] == [
        ("variant 1", "sync consumer; 15 of 15 right")
    ]


def test_its_frames_are_kept(server, board):
    """What went over its connections is evidence, under a name that is made of letters and digits."""
    server.library.ways = (Variant("sync consumer, Redis layer (2)", paths=SYNC),)
    chat = board.chat(server.library)
    chat.log_in()
    variants.try_on_running_server(chat, server, Observations())
    (frames,) = server.recorder.evidence.iterdir()
    assert frames.name == "frames-sync-consumer-Redis-layer-2.jsonl"
    assert "this is John with message 2" in frames.read_text()


def test_wrong(server, board):
    """A way in which something goes wrong says what, with all rows; the next one is tried all the same."""
    server.library.ways = (Variant("first", paths=SYNC), Variant("second"))
    board.drops = lambda text, line: line.path == "/ws/chat/sync" and text.endswith(" message 5")
    chat, observed = board.chat(server.library), Observations()
    chat.log_in()
    variants.try_on_running_server(chat, server, observed)
    assert [each[:2] for each in told(observed)] == [
        ("first", Reason.EXCHANGE_WRONG),
        ("second", Reason.WORKS),
    ]
    assert [row.number for row in observed.variants[0].exchanges if not row.good] == [5]
    assert [(step.name, step.outcome) for step in server.recorder.steps] == [
        ("variant 1", "failed"),
        ("variant 2", "ok"),
    ]


def test_refused(server, board):
    """A way in which nobody is let in has no rows."""
    server.library.ways = (Variant("first", paths=SYNC),)
    board.refuses = lambda endpoint, path, member, origin: "status 404"
    chat, observed = board.chat(server.library), Observations()
    chat.log_in()
    variants.try_on_running_server(chat, server, observed)
    assert told(observed) == [
        ("first", Reason.HANDSHAKE_REFUSED, "the handshake of admin's chat connection failed: status 404")
    ]
    assert observed.variants[0].exchanges == []


def test_what_its_server_printed(server, board):
    """A way that fails says what its server printed meanwhile, and not what it printed of the way before it."""
    server.library.ways = (Variant("first", MEMORY, SYNC), Variant("second", MEMORY))
    log = server.recorder.work / "runserver memory.log"
    log.write_text("Traceback (most recent call last):\nKeyError: 1\n")

    def print_and_refuse(endpoint, path, member, origin):
        if path == "/ws/chat/sync":
            with log.open("a") as file:
                file.write("Traceback (most recent call last):\nKeyError: 2\n")
        return "status 500"

    board.refuses = print_and_refuse
    observed = Observations()
    variants.try_on_own_servers(server, observed)
    seen = "the handshake of admin's chat connection failed: status 500"
    assert [each.judgement.text for each in observed.variants] == [f"{seen}; the server printed: KeyError: 2", seen]


def test_servers_of_their_own(server, board):
    """Ways with the same settings share a server, which is logged in to once; others have another one."""
    server.library.ways = (
        Variant("usual"),
        Variant("memory, async", MEMORY),
        Variant("memory, sync", MEMORY, SYNC),
        Variant("pubsub", PUBSUB),
    )
    observed = Observations()
    variants.try_on_own_servers(server, observed)
    assert [start[:2] for start in server.starts] == [("runserver memory", MEMORY), ("runserver pubsub", PUBSUB)]
    assert [each.name for each in observed.variants] == ["memory, async", "memory, sync", "pubsub"]
    assert {each.judgement.reason for each in observed.variants} == {Reason.WORKS}


def test_a_server_that_does_not_start(server):
    """Where their server does not start all of its ways fail for that, and the next server is started."""
    server.library.ways = (Variant("one", MEMORY), Variant("two", MEMORY), Variant("three", PUBSUB))
    server.failures["runserver memory"] = failed("no module named memory")
    observed = Observations()
    variants.try_on_own_servers(server, observed)
    assert told(observed) == [
        ("one", Reason.SERVER_DID_NOT_START, "no module named memory"),
        ("two", Reason.SERVER_DID_NOT_START, "no module named memory"),
        ("three", Reason.WORKS, "15 of 15 exchanges right"),
    ]


def test_a_server_that_fails_on_the_way(server, monkeypatch):
    """What was tried before a server failed stays as it was; only the rest fails with it."""
    server.library.ways = (Variant("one", MEMORY), Variant("two", MEMORY))
    real, tried = variants._try, []

    def then_nothing(chat, variant, server, observed, name):
        if tried:
            raise CellFailure(Reason.PAGE_FAILED, "GET / brought no answer")
        tried.append(variant.name)
        real(chat, variant, server, observed, name)

    monkeypatch.setattr(variants, "_try", then_nothing)
    observed = Observations()
    variants.try_on_own_servers(server, observed)
    assert told(observed) == [
        ("one", Reason.WORKS, "15 of 15 exchanges right"),
        ("two", Reason.PAGE_FAILED, "GET / brought no answer"),
    ]


def rooms(chat) -> list[Finding]:
    return [finding(f"a room of {chat.variant or 'the usual way'}?")]


def test_sets_of_all_ways(server, board):
    """The library's own questions are asked in each way that works, and all answers stand in one set of that name."""
    server.library.further = {"rooms": rooms, "echo": asking(finding("an echo?"))}
    server.library.ways = (Variant("first"), Variant("second", paths=SYNC), Variant("third"))
    board.drops = lambda text, line: line.path == "/ws/chat/sync" and text.endswith(" message 5")
    chat, observed = board.talk(server.library), Observations()
    variants.sets(chat, server, observed)
    variants.try_on_running_server(chat, server, observed)
    assert [(each.name, [found.question for found in each.findings]) for each in observed.sets] == [
        ("rooms", ["a room of the usual way?", "a room of first?", "a room of third?"]),
        ("echo", ["an echo?"] * 3),
    ]
    assert [step.name for step in server.recorder.steps] == [
        *("rooms", "echo", "variant 1", "rooms 1", "echo 1", "variant 2", "variant 3", "rooms 3", "echo 3"),
    ]
