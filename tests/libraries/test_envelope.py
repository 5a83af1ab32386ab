"""Chats that wrap each message in JSON: one connection for each member, and what goes over it."""

from __future__ import annotations

import json

import pytest
from talkers import Clock, Line, Sessions, Switchboard, message

from harness.chat import conversation, exchanges
from harness.chat.conversation import Chat
from harness.chat.members import channel_table
from harness.chat.rounds import first_round
from harness.clients.connection import Endpoint
from harness.clients.transcript import Message
from harness.libraries.plain import PlainAsgi


class JsonBoard(Switchboard):
    """A server that takes and sends messages in JSON, with their sender and channel."""

    said_by = said_in = ""

    def arrived(self, line: Line, text: str | bytes) -> None:
        fields = json.loads(text)
        self.say(fields["channel"], fields["audience"], line.member, fields["message"])

    def say(self, channel: str, audience: str, member: str, text: str | bytes) -> None:
        self.said_by, self.said_in = self.sender_of(member), channel
        super().say(channel, audience, member, text)

    def sender_of(self, member: str) -> str:
        """Return who is said to have sent what *member* sends."""
        return member

    def _carry(self, text: str | bytes, line: Line) -> None:
        hear = line.hear
        fields = {"sender": self.said_by, "channel": self.said_in}
        line.hear = lambda data: hear(json.dumps({**fields, "message": data}))
        super()._carry(text, line)
        line.hear = hear


@pytest.fixture
def board(monkeypatch) -> JsonBoard:
    return JsonBoard(Clock.reigning(monkeypatch))


@pytest.fixture
def chat(board, monkeypatch) -> Chat:
    """A conversation of the control, whose real connections are those of the board."""
    made = Chat(PlainAsgi(), board.server, token="abc", sessions=Sessions(board))

    def connect(endpoint, url, transcript, cookie, origin, offer):
        path = url.partition("127.0.0.1:1")[2].replace("/ws/members/", "/ws/chat/")
        return board.connect(made, endpoint, path, cookie.removeprefix("session="), origin)

    monkeypatch.setattr(conversation, "WebSocketConnection", connect)
    made.log_in()
    return made


def test_the_fifteen(chat, board):
    """All fifteen go over one connection of each member, to whom they are for, and by WebSocket."""
    chat.connect()
    exchanged = exchanges.run(chat, first_round(chat.token))
    assert str(exchanged) == "15 of 15"
    assert {row.transport for row in exchanged.exchanges} == {"WebSocket"}
    assert chat.endpoints == [Endpoint(member, "chat") for member in ("admin", "John", "Mary")]
    assert not any(each.asked for each in chat.sessions.values())  # no page was posted to


def test_wrong(chat, board):
    """What is missing is missed on the one connection."""
    board.drops = message(13, "Mary")
    chat.connect()
    (fault,) = exchanges.run(chat, first_round(chat.token)).exchanges[12].faults
    assert (fault.kind, fault.member, fault.connection) == ("missing", "Mary", "chat")


def test_somebody_else_is_said_to_have_sent_it(chat, board):
    """A message that comes under another name is altered, whatever its text is."""
    board.sender_of = {"admin": "admin", "John": "John", "Mary": "John"}.__getitem__
    chat.connect()
    rows = exchanges.run(chat, first_round(chat.token)).exchanges
    assert {row.sender for row in rows if not row.good} == {"Mary"}
    assert {fault.kind for row in rows for fault in row.faults} == {"altered"}


def test_announced(chat, board):
    """What has to reach all goes over the sender's own connection, or by a page where that is closed."""
    chat.connect()
    chat.client.announce(chat, "John", "one")
    assert not chat.session("John").asked
    next(line for line in board.lines if line.member == "John").end("gone")
    chat.client.announce(chat, "John", "two")
    assert chat.session("John").asked == ["POST /chat/broadcast/"]
    assert board.said[-1] == ("broadcast", "all", "John", "two")


def test_expected():
    """Whoever has to have a message has it on the one connection."""
    assert PlainAsgi().expected(channel_table()[12]) == {Endpoint("John", "chat"), Endpoint("Mary", "chat")}


@pytest.mark.parametrize(
    ("data", "heard"),
    [
        ('{"message": "hi", "sender": "John"}', "hi"),
        ('{"message": 5}', "5"),
        ('{"text": "hi"}', '{"text": "hi"}'),
        ("hi", "hi"),
        ("[1]", "[1]"),
        ("5", "5"),
    ],
)
def test_heard(data, heard):
    """The message of a frame is heard; a frame without one is a message of its own, which nobody sent."""
    assert PlainAsgi().messages(data) == [heard]


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (
            '{"message": "hi", "sender": "John", "channel": "user"}',
            Message("hi", {"sender": "John", "channel": "user"}),
        ),
        ('{"message": "hi"}', Message("hi")),
        ('{"text": "hi", "sender": "John"}', Message('{"text": "hi", "sender": "John"}')),
        ("hi", Message("hi")),
        ("[" * 100_000, Message("[" * 100_000)),
    ],
)
def test_read(data, read):
    """What a frame says of a message's sender and channel is read with it; what is no such frame says nothing."""
    assert PlainAsgi().read(data) == [read]


def test_frames_of_a_crowd():
    """A crowd broadcasts what a browser would, to where members are."""
    made = PlainAsgi().frame_format()
    assert made.path == "/ws/members/"
    assert json.loads(made.broadcast("hi")) == {"channel": "broadcast", "audience": "all", "message": "hi"}


def test_isolation(chat, board, monkeypatch):
    """Strangers, Mary at John's channel and a foreign page are tried, then a stranger's words and form; who decides."""
    monkeypatch.setattr(PlainAsgi, "decides", {"origin": "server", "login": "library"})
    board.refuses = lambda endpoint, path, member, origin: "" if member and origin == chat.server.base else "status 403"
    chat.connect()
    found = list(chat.client.isolation(chat))
    assert [each.question for each in found] == [
        "What reaches an unknown client?",
        "What reaches Mary, who asks for John's channel?",
        "What reaches a page of a foreign Origin, with John's cookie?",
        "Can an unknown client broadcast through a WebSocket?",
        "Can an unknown client post a message to a page?",
    ]
    assert [each.good for each in found] == [True] * 5
    assert [each.decided_by for each in found] == ["library", "library", "server", "library", "project"]


def test_where_the_control_is_served():
    """The control needs no package of its own, and can be polled."""
    control = PlainAsgi()
    assert (control.requirements(None), control.distribution, control.polls) == ([], "Django", True)
