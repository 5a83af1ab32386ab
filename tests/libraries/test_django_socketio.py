"""django-socketio: how a connection subscribes and speaks, over each of its transports."""

from __future__ import annotations

import json

import pytest
from talkers import Sessions, Switchboard

from harness.cells import Cell
from harness.chat import conversation
from harness.chat.conversation import Chat
from harness.clients.connection import Endpoint, HandshakeRefused
from harness.clients.transcript import Message
from harness.clients.websocket import Offer
from harness.libraries import django_socketio as module
from harness.libraries.django_socketio import DjangoSocketIo, answer, framed, unframed

LINE = Endpoint("John", "chat")


class Opened:
    """A connection that keeps what is sent, and how it was opened."""

    def __init__(self, kind: str, arguments: tuple, error: Exception | None) -> None:
        self.kind, self.arguments, self.error = kind, arguments, error
        self.sent: list[str] = []
        self.closed = False

    def send(self, text: str) -> None:
        if self.error:
            raise self.error
        self.sent.append(text)

    def close(self) -> None:
        self.closed = True


class World:
    def __init__(self, monkeypatch) -> None:
        board = Switchboard()
        self.chat = Chat(DjangoSocketIo(), board.server, sessions=Sessions(board))
        self.chat.log_in()
        self.error: Exception | None = None
        self.opened: list[Opened] = []
        monkeypatch.setattr(conversation, "WebSocketConnection", self.opening("websocket"))
        monkeypatch.setattr(module, "HixieSocket", self.opening("hixie"))
        monkeypatch.setattr(module, "PollingConnection", self.opening("polling"))

    def opening(self, kind: str):
        def made(*arguments, **options) -> Opened:
            self.opened.append(Opened(kind, (*arguments, *options.values()), self.error))
            return self.opened[-1]

        return made

    def open(self, path: str, member: str = "John") -> Opened:
        connection = self.chat.open(LINE, path, member)
        assert connection is self.opened[-1]
        return connection


@pytest.fixture
def world(monkeypatch) -> World:
    return World(monkeypatch)


def subscriptions(connection: Opened) -> list[str]:
    texts = [text for frame in connection.sent for text in unframed(frame)]
    assert texts[::2] == ["__subscribe__"] * (len(texts) // 2)
    return texts[1::2]


@pytest.mark.parametrize(
    ("member", "channels"),
    [
        ("admin", ["chat.broadcast", "chat.user.admin"]),
        ("John", ["chat.broadcast", "chat.user.John", "chat.group.chatusers"]),
        ("", ["chat.broadcast", "chat.group.chatusers"]),
    ],
)
def test_subscriptions(world, member, channels):
    """Members subscribe to what is theirs; who is unknown tries the group as well."""
    assert subscriptions(world.open("/socket.io/websocket", member)) == channels


def test_somebody_elses_channel(world):
    """Who asks for somebody else's channel subscribes to that as well."""
    connection = world.open("/socket.io/websocket?user=John", "Mary")
    assert subscriptions(connection) == ["chat.broadcast", "chat.user.Mary", "chat.user.John", "chat.group.chatusers"]


def test_by_websocket(world):
    """The usual transport is a WebSocket with the member's cookie and the site's origin."""
    connection = world.open("/socket.io/websocket")
    assert connection.kind == "websocket"
    assert connection.arguments[1:] == (
        "ws://127.0.0.1:1/socket.io/websocket",
        world.chat.transcript,
        "session=John",
        "http://127.0.0.1:1",
        Offer(compression=True),  # it offers to compress, as a browser does
    )


@pytest.mark.parametrize(
    ("path", "kind", "where"),
    [
        ("hixie-76:", "hixie", "/socket.io/websocket"),
        ("hixie-76:?user=Mary", "hixie", "/socket.io/websocket?user=Mary"),
        ("xhr-polling:", "polling", ""),
        ("xhr-polling:?user=Mary", "polling", "?user=Mary"),
    ],
)
def test_other_transports(world, path, kind, where):
    """The other transports have classes of their own, which answer heartbeats."""
    connection = world.open(path)
    assert connection.kind == kind
    assert connection.arguments == (
        *(LINE, 1, where, world.chat.transcript, "session=John", "http://127.0.0.1:1", answer),
    )


def test_nothing_can_be_subscribed_to(world):
    """A connection over which nothing can be subscribed to is closed, and was not really opened."""
    world.error = BrokenPipeError("gone")
    with pytest.raises(HandshakeRefused) as raised:
        world.open("/socket.io/websocket")
    assert str(raised.value) == "it is open, but nothing can be subscribed to (BrokenPipeError)"
    assert world.opened[0].closed


@pytest.mark.parametrize("data", ["hi", b"hi"])
def test_sent(world, data):
    """What is sent is framed as JSON is."""
    connection = world.open("/socket.io/websocket")
    connection.sent.clear()
    world.chat.client.send(world.chat, LINE, data)
    assert connection.sent == [framed("~j~hi")]


def test_said(world):
    """A broadcast is an object in such a frame."""
    connection = world.open("/socket.io/websocket")
    world.chat.client.broadcast(world.chat, LINE, "Grüße")
    (text,) = unframed(connection.sent[-1])
    assert json.loads(text.removeprefix("~j~")) == {"channel": "broadcast", "audience": "all", "message": "Grüße"}


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        ("plain", ["plain"]),
        (framed('~j~{"message": "hi"}'), ["hi"]),
        (framed("~h~1"), []),
        (framed("session"), []),
        (framed('~j~{"other": 1}'), ['{"other": 1}']),
    ],
)
def test_heard(data, messages):
    """Messages are told from heartbeats and sessions; what is framed otherwise is what nobody sent."""
    assert DjangoSocketIo().messages(data) == messages


def test_read():
    """A frame with one message says who sent it, and in which channel; one with several says it of none."""
    fields = [f'~j~{{"channel": "user", "sender": "John", "message": "{text}"}}' for text in ("one", "two")]
    assert DjangoSocketIo().read(framed(fields[0])) == [Message("one", {"sender": "John", "channel": "user"})]
    assert DjangoSocketIo().read(framed(fields[0]) + framed(fields[1])) == [Message("one"), Message("two")]
    assert DjangoSocketIo().read(framed("~h~1")) == []


@pytest.mark.parametrize(
    ("data", "answered"),
    [
        (framed("~h~1"), framed("~h~1")),
        (framed("~h~1") + framed("hi") + framed("~h~2"), framed("~h~1") + framed("~h~2")),
        (framed("hi"), None),
        ("", None),
    ],
)
def test_heartbeats(data, answered):
    """Each heartbeat is answered as it came."""
    assert answer(data) == answered


def test_pins():
    """The best known pin is for Python 2 alone."""
    library = DjangoSocketIo()
    assert [pin.requirement for pin in library.best_pins(Cell.parse("py27-django18"))] == ["gevent-websocket==0.2.3"]
    assert library.best_pins(Cell.parse("py36-django111")) == []
    assert library.requirements(Cell.parse("py27-django18")) == ["django-socketio==0.3.9"]
    assert not library.sends_binary()


def test_ways():
    """Its other transports are tried beside the usual one."""
    found = DjangoSocketIo().variants(Cell.parse("py27-django18"))
    assert [(variant.paths, variant.environment) for variant in found] == [
        ({"chat": "hixie-76:"}, {}),
        ({"chat": "xhr-polling:"}, {}),
    ]
