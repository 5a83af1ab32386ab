"""django-websocket-redis: how its chat is spoken to, and whose subscriptions its broker has to have."""

from __future__ import annotations

from dataclasses import replace

import pytest
from talkers import Clock, Sessions, Switchboard, message

from harness.cells import Cell
from harness.chat import conversation, exchanges
from harness.chat.conversation import Chat
from harness.chat.members import channel_table
from harness.chat.rounds import first_round
from harness.clients.connection import Endpoint
from harness.libraries.django_websocket_redis import DjangoWebsocketRedis
from harness.servers.catalogue import SERVERS

CELL = Cell.parse("py27-django18")


class Facility(Switchboard):
    """A server whose connections hear what they ask for."""

    def connect(self, chat, endpoint, path, member, origin):
        channel = next((each for each in ("user", "group") if f"subscribe-{each}" in path), "broadcast")
        return super().connect(chat, endpoint, f"/ws/{channel}", member, origin)


@pytest.fixture
def board(monkeypatch) -> Facility:
    return Facility(Clock.reigning(monkeypatch))


class Redis:
    """The broker, as far as it is asked for subscriptions."""

    def __init__(self, board: Switchboard) -> None:
        self.board = board
        self.lacks: set[str] = set()

    def __call__(self, channels: list[str]) -> dict[str, int]:
        found = {"px:broadcast:chat": len(self.board.lines)}
        for member in ("admin", "John", "Mary"):
            found[f"px:user:{member}:chat"] = sum(
                line.member == member and line.path == "/ws/user" for line in self.board.lines
            )
        found["px:group:chatusers:chat"] = sum(
            line.member in ("John", "Mary") and line.path == "/ws/group" for line in self.board.lines
        )
        assert set(channels) == set(found)
        return {name: 0 if name in self.lacks else count for name, count in found.items()}


@pytest.fixture
def redis(board) -> Redis:
    return Redis(board)


@pytest.fixture
def chat(board, redis, monkeypatch) -> Chat:
    server = replace(board.server, prefix="px", subscriptions=redis)
    made = Chat(DjangoWebsocketRedis(), server, token="abc", sessions=Sessions(board))

    def connect(endpoint, url, transcript, cookie, origin, offer):
        return board.connect(made, endpoint, url.partition("127.0.0.1:1")[2], cookie.removeprefix("session="), origin)

    monkeypatch.setattr(conversation, "WebSocketConnection", connect)
    made.log_in()
    return made


def test_the_fifteen(chat, board):
    """Broadcasts go over the WebSocket of the broadcast page, everything else is posted to its page."""
    chat.connect()
    exchanged = exchanges.run(chat, first_round(chat.token))
    assert str(exchanged) == "15 of 15"
    assert [row.transport for row in exchanged.exchanges] == ["WebSocket"] * 3 + ["POST"] * 12
    posts = [each for each in chat.session("John").asked if each != "POST /chat/broadcast/"]
    assert posts == ["POST /chat/user/"] * 3 + ["POST /chat/group/"]


def test_wrong(chat, board):
    """A broadcast has to be on all connections of a member, a private message on the one of its channel."""
    board.drops = message(2, "Mary", name="group")
    board.leaks = message(5, "John", name="group")
    chat.connect()
    rows = exchanges.run(chat, first_round(chat.token)).exchanges
    assert [(fault.kind, fault.member, fault.connection) for fault in rows[1].faults] == [("missing", "Mary", "group")]
    assert [(fault.kind, fault.member, fault.connection) for fault in rows[4].faults] == [("extra", "John", "group")]


def test_subscribed(chat, redis):
    """A connection counts once the broker has all that it asks for, in each of its channels."""
    assert chat.client.subscribed(chat)
    chat.connect()
    assert chat.client.subscribed(chat)
    for lacking in ("px:broadcast:chat", "px:user:John:chat", "px:group:chatusers:chat"):
        redis.lacks = {lacking}
        assert not chat.client.subscribed(chat)


def test_whoever_is_gone_is_not_missed(chat, board):
    """A connection that was closed needs no subscription any more."""
    chat.connect()
    next(line for line in board.lines if line.endpoint == Endpoint("John", "user")).end("gone")
    assert chat.client.subscribed(chat)


def test_heartbeats():
    """A heartbeat is no message."""
    client = DjangoWebsocketRedis()
    assert (client.messages("--heartbeat--"), client.messages("hi")) == ([], ["hi"])


def test_pages():
    """Each page has a connection of its own, which shows what that has to hear."""
    client = DjangoWebsocketRedis()
    for row in channel_table():
        assert client.shown(row) == client.expected(row)


def test_isolation(chat, board):
    """Strangers who subscribe, Mary at John's channel and a foreign page are tried, then words and a form.

    Whom it lets in the library decides; the form is of a view of this project.
    """
    chat.connect()
    found = list(chat.client.isolation(chat))
    assert [(each.question, each.good) for each in found] == [
        ("What reaches an unknown client that subscribes to user messages?", True),
        ("What reaches an unknown client that subscribes to group messages?", True),
        ("What reaches Mary, who asks for John's channel?", True),
        ("What reaches a page of a foreign Origin, with John's cookie?", False),
        ("Can an unknown client broadcast through a WebSocket?", True),
        ("Can an unknown client post a message to a page?", True),
    ]
    assert [each.decided_by for each in found] == [*["library"] * 5, "project"]


def test_members_alone(chat, board):
    """Where the project says who may subscribe, strangers are asked the same again, with the setting in brackets."""
    (way,) = DjangoWebsocketRedis().variants(CELL)
    assert (way.name, way.environment) == ("setting WS4REDIS_ALLOWED_CHANNELS", {"CHAT_ALLOWED": "members"})
    assert chat.client.sets(chat) == {}
    board.refuses = lambda endpoint, path, member, origin: (
        "" if member and origin == "http://127.0.0.1:1" else "status 403"
    )
    chat.variant = way.name
    chat.connect()
    found = list(chat.client.sets(chat)["members"])
    asked = [each.question for each in chat.client.isolation(chat)][:-1]
    assert [(each.question, each.good) for each in found] == [(f"{each} ({way.name})", True) for each in asked]
    assert found[0].seen == "refused: status 403"


@pytest.mark.parametrize(
    ("server", "names"),
    [
        ("runserver", ["1 process"]),
        (
            "uwsgi",
            [
                *("1 worker", "2 workers", "4 workers"),
                *("1 worker, behind NGINX", "2 workers, behind NGINX", "4 workers, behind NGINX"),
            ],
        ),
    ],
)
def test_deployments(server, names):
    """uWSGI is deployed with one, two and four workers, alone and behind NGINX."""
    found = DjangoWebsocketRedis().deployments(CELL, SERVERS[server])
    assert [deployment.name for deployment in found] == names
    assert all(each.proxied == ("NGINX" in each.name) for each in found)


def test_pins():
    """Only on Python 3.9 something is held back, with the reason."""
    library = DjangoWebsocketRedis()
    assert [pin.requirement for pin in library.pins(Cell.parse("py39-django22"))] == ["gevent==25.9.1"]
    assert library.pins(CELL) == []
