"""Django Channels: its generations, its other ways, and the rooms of its tutorial on a server that is none."""

from __future__ import annotations

import json

import pytest
from shared import ROOT
from talkers import Clock, Line, Sessions, Switchboard

from harness.cells import Cell
from harness.chat import conversation
from harness.chat.conversation import Chat
from harness.clients.connection import HandshakeRefused
from harness.errors import CellFailure
from harness.libraries.channels import Channels1, Channels2, Channels3, Channels4
from harness.libraries.setup import Setup
from harness.servers.catalogue import SERVERS
from harness.verdict import Reason

CELL = Cell.parse("py311-django52-channels4")
ASYNC, SYNC = "async consumer, Redis layer", "sync consumer, Redis layer"


class RoomBoard(Switchboard):
    """A server with an echo, and with rooms in which all hear each other."""

    def arrived(self, line: Line, text: str | bytes) -> None:
        self.said.append(("", line.path, line.member, text))
        room = [line] if line.path.endswith("/echo/") else [each for each in self.lines if each.path == line.path]
        room += [each for each in self.lines if self.leaks(str(text), each) and each not in room]
        for each in room:
            self._carry(text, each)


@pytest.fixture
def board(monkeypatch) -> RoomBoard:
    return RoomBoard(Clock.reigning(monkeypatch))


@pytest.fixture
def asked(board, monkeypatch):
    """Return a way to ask of echo and rooms, in the usual way or another."""

    def ask(variant: str = "", path: str = "/ws/async/members/"):
        chat = Chat(
            Channels4(), board.server, token="abc", sessions=Sessions(board), paths={"chat": path}, variant=variant
        )

        def connect(endpoint, url, transcript, cookie, origin, offer):
            return board.connect(chat, endpoint, url.partition("127.0.0.1:1")[2], "John", origin)

        monkeypatch.setattr(conversation, "WebSocketConnection", connect)
        chat.log_in()
        found = list(chat.client.sets(chat)["rooms"])
        assert (board.lines, chat.connections) == ([], {})
        return {each.question: (each.seen, each.good) for each in found}

    return ask


@pytest.mark.parametrize(
    ("library", "layers"),
    [
        (Channels1, ["core", "memory"]),
        (Channels2, ["core", "memory"]),
        (Channels3, ["core", "pubsub", "memory"]),
        (Channels4, ["core", "pubsub", "memory"]),
    ],
)
def test_layers_are_tried(library, layers):
    """Something is sent to a channel of each layer, and received, by a module that is there."""
    checks = library().shell_checks(CELL)
    assert [(check.name, check.environment) for check in checks] == [
        (f"layer {layer}", {"CHAT_LAYER": layer}) for layer in layers
    ]
    (module,) = {check.module for check in checks}
    assert (ROOT / f"{module.replace('.', '/')}.py").is_file()


def test_all_is_well(asked, board):
    """The echo comes back, those in a room hear each other, and those in another one do not."""
    assert asked() == {
        f"An echo ({ASYNC})": ("comes back", True),
        f"A message in a room ({ASYNC})": ("is seen once by all who are in it", True),
        f"The same message in another room ({ASYNC})": ("is not seen", True),
    }
    rooms = [json.loads(text) for _, path, _, text in board.said if not path.endswith("/echo/")]
    assert all(list(fields) == ["message"] for fields in rooms)  # as the tutorial has it
    assert {path for _, path, _, _ in board.said} == {
        "/ws/async/echo/",
        "/ws/async/chat/kitchen/",
        "/ws/async/chat/garden/",
    }


def test_another_way(asked, board):
    """In another way it is asked of that way's own consumers, and its name stands with the questions."""
    found = asked(SYNC, "/ws/sync/members/")
    assert list(found) == [
        f"An echo ({SYNC})",
        f"A message in a room ({SYNC})",
        f"The same message in another room ({SYNC})",
    ]
    assert {path.split("/")[2] for _, path, _, _ in board.said} == {"sync"}


def test_no_echo(asked, board):
    """An echo that does not come back is told."""
    board.drops = lambda text, line: line.path.endswith("/echo/")
    assert asked()[f"An echo ({ASYNC})"] == ("does not come back", False)


def test_an_echo_that_closes(asked, board):
    """An echo whose connection is closed behind it is none."""

    def then_close(text, line):
        return line.path.endswith("/echo/")

    board.closes = then_close
    assert asked()[f"An echo ({ASYNC})"] == ("does not come back", False)


@pytest.mark.parametrize("way", ["drops", "doubles"])
def test_a_room_that_does_not_carry(asked, board, way):
    """A message that one of those in the room does not have, or has twice, is not seen once by all."""
    setattr(board, way, lambda text, line: "dinner!" in text and line.endpoint.name == "Mary in the kitchen")
    found = asked()
    assert found[f"A message in a room ({ASYNC})"] == ("is not", False)
    assert found[f"The same message in another room ({ASYNC})"] == ("is not seen", True)


def test_a_room_that_leaks(asked, board):
    """A message that is heard in another room has leaked."""
    board.leaks = lambda text, line: "dinner!" in text and line.endpoint.name == "admin in the garden"
    assert asked()[f"The same message in another room ({ASYNC})"] == ("is seen", False)


@pytest.mark.parametrize("lost", ["after dinner", "in the garden"])
def test_a_room_that_proves_nothing(asked, board, lost):
    """Where what is said afterwards does not come either nothing is proved of the other room."""
    board.drops = lambda text, line: lost in text
    assert asked()[f"The same message in another room ({ASYNC})"] == ("not proved: nothing is seen there", None)


def test_rooms_that_are_entered_slowly(asked, board):
    """What is asked is asked once everybody in a room is heard by all of it: the first thing said there may be lost."""
    spoken = []

    def first(text, line):
        spoken.append(line)
        return spoken.count(line) == 1 and not line.path.endswith("/echo/")

    board.drops = first
    assert {good for _, good in asked().values()} == {True}


def test_a_room_that_is_refused(board, asked):
    """Who is not let into a room breaks the questions off, and leaves those that were entered."""

    def refuse(endpoint, path, member, origin):
        return "status 404" if path.endswith("garden/") else ""

    board.refuses = refuse
    with pytest.raises(CellFailure) as raised:
        asked()
    assert (raised.value.reason, raised.value.text) == (
        Reason.HANDSHAKE_REFUSED,
        "/ws/async/chat/garden/: status 404",
    )
    assert board.lines == []
    assert isinstance(raised.value.__cause__, HandshakeRefused)


# Its generations


@pytest.mark.parametrize(
    ("library", "names", "requirements"),
    [
        (Channels1(), ["sync consumer, in-memory layer"], ["channels>=1,<2", "asgi_redis"]),
        (
            Channels2(),
            [
                SYNC,
                "async consumer, in-memory layer",
                "sync consumer, in-memory layer",
                "async consumer, Redis layer, AllowedHostsOriginValidator",
            ],
            ["channels>=2,<3", "channels_redis"],
        ),
        (
            Channels3(),
            [
                SYNC,
                *(f"{kind} consumer, {layer}" for layer in ("Redis Pub/Sub layer",) for kind in ("async", "sync")),
                *(f"{kind} consumer, in-memory layer" for kind in ("async", "sync")),
            ],
            ["channels>=3,<4", "channels_redis"],
        ),
        (
            Channels4(),
            [
                SYNC,
                *(f"{kind} consumer, {layer}" for layer in ("Redis Pub/Sub layer",) for kind in ("async", "sync")),
                *(f"{kind} consumer, in-memory layer" for kind in ("async", "sync")),
                "async consumer, Valkey layer",
                "async consumer, PostgreSQL layer",
            ],
            ["channels[daphne]>=4,<5", "channels_redis"],
        ),
    ],
    ids=["1", "2", "3", "4"],
)
def test_ways(library, names, requirements):
    """Each generation has its own other ways to carry the chat, and its own releases."""
    found = library.variants(CELL)
    assert [variant.name for variant in found] == names
    assert library.requirements(CELL) == requirements
    for variant in found:
        assert ("in-memory" in variant.name) == (variant.environment == {"CHAT_LAYER": "memory"})
        assert (variant.name.startswith("sync") and library.suffix != "channels1") == (
            variant.paths == {"chat": "/ws/sync/members/"}
        )


@pytest.mark.parametrize(
    ("cell", "layers"),
    [
        (Cell("3.8", "4.2"), []),
        (Cell("3.9", "4.2"), ["Valkey layer", "PostgreSQL layer"]),
        (Cell("3.13", "6.0"), ["Valkey layer", "PostgreSQL layer", "NATS layer"]),
    ],
)
def test_layers_of_others(cell, layers):
    """Channels 4 is tried with the layers of others on the Pythons that those are for; each needs a package more."""
    found = [variant for variant in Channels4().variants(cell) if variant.beside]
    assert [variant.name.partition(", ")[2] for variant in found] == layers
    # What talks to the broker is what has no service of its own.
    assert all(variant.uses_broker != bool(variant.beside.service) for variant in found)
    assert all(bool(variant.beside.variable) == bool(variant.beside.service) for variant in found)


@pytest.mark.parametrize(("django", "driver"), [("4.1", ("psycopg2-binary",)), ("4.2", ())])
def test_the_driver_of_postgresql(django, driver):
    """Django before 4.2 has another driver for PostgreSQL than the one that the layer brings, and is given it."""
    found = {each.name: each.beside for each in Channels4().variants(Cell("3.10", django)) if each.beside}
    assert found["async consumer, PostgreSQL layer"].further == driver
    assert found["async consumer, Valkey layer"].further == ()


def test_rooms_of_its_pages():
    """Pages of rooms there are for the usual way, the sync one, and both on the layer in memory."""
    found = Channels4().rooms(CELL)
    assert [(rooms.name, rooms.path, rooms.environment) for rooms in found] == [
        (ASYNC, "/chat/room/", {}),
        (SYNC, "/chat/sync-room/", {}),
        ("async consumer, in-memory layer", "/chat/room/", {"CHAT_LAYER": "memory"}),
        ("sync consumer, in-memory layer", "/chat/sync-room/", {"CHAT_LAYER": "memory"}),
    ]
    assert [rooms.path for rooms in Channels1().rooms(CELL)] == ["/chat/room/"] * 2


@pytest.mark.parametrize(
    ("library", "server", "names"),
    [
        (Channels4(), "runserver", ["1 process, Redis layer", "1 process, Redis Pub/Sub layer"]),
        (
            Channels4(),
            "uvicorn",
            [
                *("1 process, Redis layer", "2 processes, Redis layer"),
                *("1 process, Redis Pub/Sub layer", "2 processes, Redis Pub/Sub layer"),
            ],
        ),
        (Channels2(), "daphne", ["1 process, Redis layer", "2 processes, Redis layer"]),
        (Channels1(), "runserver", ["1 process"]),
    ],
)
def test_deployments(library, server, names):
    """Under load each layer that Redis carries is tried with each number of processes that the server can have."""
    found = library.deployments(CELL, SERVERS[server])
    assert [deployment.name for deployment in found] == names
    assert all(("Pub/Sub" in each.name) == (each.environment == {"CHAT_LAYER": "pubsub"}) for each in found)


def test_pins():
    """The best known pins hold redis back, with the reason, and take the place of nothing else."""
    for library in (Channels3(), Channels4()):
        (pin,) = library.best_pins(CELL)
        assert pin.requirement == "redis<8"
        setup = Setup(library, SERVERS["runserver"], "pins")
        assert setup.requirements(CELL) == [*library.requirements(CELL), "redis<8"]
    assert Channels2().best_pins(CELL) == []
