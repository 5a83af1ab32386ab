"""python-socketio's release 4, whose protocol is framed here: what it says and hears, and that it pings."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from bareserver import TEXT, frame, serving
from socketio.exceptions import BadNamespaceError
from talkers import Sessions, Switchboard

from harness.cells import Cell
from harness.chat.conversation import Chat
from harness.clients.connection import Endpoint, SendFailed
from harness.libraries import pysocketio as module
from harness.libraries._socket_io import EventConnection
from harness.libraries.pysocketio import PythonSocketIo, Release4Client
from harness.servers.catalogue import SERVERS

OLD, SIX, NEW = (Cell.parse(f"py{version}-django22-pysocketio") for version in ("35", "36", "311"))
LINE = Endpoint("John", "chat")
EVENT = '42["chat",{"message": "hi", "sender": "John"}]'


def test_which_protocol():
    """Before Python 3.6 clients speak Engine.IO 3, and the server is another one."""
    library = PythonSocketIo()
    assert isinstance(library.client(OLD), Release4Client)
    assert library.client(SIX) is library.client(NEW) is library
    assert [library.server(cell) for cell in (OLD, SIX, NEW)] == ["gevent", "uvicorn", "uvicorn"]


@pytest.mark.parametrize("client", [Release4Client(), PythonSocketIo()])
@pytest.mark.parametrize(
    ("data", "messages"),
    [
        (EVENT, ["hi"]),
        ('0{"sid":"x"}', []),
        ("40", []),
        ("2", []),
        ("3", []),
        ('42["other",{"message": "hi"}]', ['42["other",{"message": "hi"}]']),
        ("42not json", ["42not json"]),
        ("42[1]", ["42[1]"]),
        ("hello", ["hello"]),
        ("2 apples", ["2 apples"]),
    ],
)
def test_heard(client, data, messages):
    """Events of the chat are messages, the protocol's own packets are not, and anything else is what nobody sent."""
    assert client.messages(data) == messages


def test_frames_of_a_crowd():
    """A crowd of either protocol broadcasts events; the old one pings by itself, the new one answers pings."""
    old, new = Release4Client().frame_format(), PythonSocketIo().frame_format()
    for made in (old, new):
        event = made.broadcast("hi")
        assert event.startswith('42["chat",')
        assert json.loads(event[2:])[1] == {"channel": "broadcast", "audience": "all", "message": "hi"}
    assert (old.path, old.opened, old.answers, old.every) == (
        "/socket.io/?EIO=3&transport=websocket",
        (),
        {},
        ("2", 20.0),
    )
    assert (new.path, new.opened, new.answers, new.every) == (
        *("/socket.io/?EIO=4&transport=websocket", ("40",), {"2": "3"}, None),
    )


@pytest.fixture
def pinging(monkeypatch):
    monkeypatch.setattr(module, "_PING_EACH", 0.01)


def chat_with(port: int, client) -> Chat:
    board = Switchboard()
    chat = Chat(client, replace(board.server, port=port), sessions=Sessions(board))
    chat.log_in()
    return chat


@pytest.mark.parametrize(("path", "asked"), [("/ws/members/", b""), ("/ws/members/?user=John", b"&user=John")])
def test_spoken(pinging, path, asked):
    """It connects to where Engine.IO 3 is, says events, hears them, and pings until it is closed."""
    client = Release4Client()
    with serving(frame(TEXT, b'0{"sid":"x"}'), frame(TEXT, EVENT.encode())) as (port, heard):
        chat = chat_with(port, client)
        chat.open(LINE, path, "John")
        assert chat.transcript.wait([LINE], ["hi"], 5)
        client.broadcast(chat, LINE, "good morning")
        assert (TEXT, b"2") in heard.wait(3)
        chat.close()
    assert b"GET /socket.io/?EIO=3&transport=websocket" + asked + b" HTTP/1.1" in heard.request
    assert b"Cookie: session=John" in heard.request
    said = next(data for kind, data in heard.frames if data.startswith(b"42"))
    assert json.loads(said[2:]) == ["chat", {"channel": "broadcast", "audience": "all", "message": "good morning"}]
    assert not client.sends_binary()


def test_a_ping_that_cannot_be_sent(pinging):
    """A connection that is gone is pinged no more."""
    with serving(stays=False) as (port, _):
        chat = chat_with(port, Release4Client())
        chat.open(LINE, "/ws/members/", "John")
        assert chat.transcript.wait_closed(LINE, 5)
        chat.close()
    pings = [each for each in chat.transcript.frames if each.direction == "out"]
    assert len(pings) <= 2


def test_an_event_that_cannot_be_sent():
    """A connection of the library's own client that is gone takes nothing more."""
    library = PythonSocketIo()
    chat = chat_with(1, library)
    connection = EventConnection.__new__(EventConnection)

    class Gone:
        def emit(self, event, fields):
            assert (event, fields) == ("chat", {"channel": "broadcast", "audience": "all", "message": "hi"})
            raise BadNamespaceError("/ is not a connected namespace.")

    connection._client, connection._event = Gone(), "chat"
    connection._endpoint, connection._transcript = LINE, chat.transcript
    chat.connections[LINE] = connection
    with pytest.raises(SendFailed, match=r"^John's connection is gone \(BadNamespaceError\)$"):
        library.broadcast(chat, LINE, "hi")


def test_bytes():
    """Bytes go into an event as they are."""
    library = PythonSocketIo()
    chat, emitted = chat_with(1, library), []
    connection = EventConnection.__new__(EventConnection)
    connection.emit = emitted.append
    chat.connections[LINE] = connection
    library.broadcast(chat, LINE, b"\x00")
    assert emitted == [{"channel": "broadcast", "audience": "all", "message": b"\x00"}]
    connection.send('{"message": "hi"}')
    assert emitted[1] == {"message": "hi"}


def test_pins():
    """What is held back is so on the Pythons that releases only say to run on."""
    library = PythonSocketIo()
    assert [pin.requirement for pin in library.pins(Cell.parse("py27-django18"))] == ["python-engineio==3.13.2"]
    assert library.pins(NEW) == library.best_pins(NEW) == []
    assert [pin.requirement for pin in library.best_pins(SIX)] == ["python-socketio==5.6.0"]


def test_deployments():
    """Several processes are joined by Redis."""
    names = [each.name for each in PythonSocketIo().deployments(NEW, SERVERS["uvicorn"])]
    assert names == ["1 process", "2 processes"]
