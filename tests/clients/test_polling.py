"""Socket.IO by polling, with answers that a test gives: what goes wrong on the way to a session, and after."""

from __future__ import annotations

import http.client
import queue
from types import SimpleNamespace

import pytest

from harness.clients import polling
from harness.clients.connection import Endpoint, HandshakeRefused
from harness.clients.polling import PollingConnection
from harness.clients.transcript import Message, Transcript
from harness.libraries.django_socketio import answer, framed
from harness.system.ports import free_port

LINE = Endpoint("John", "chat")
SESSION = framed("abc123").encode()


class Wire:
    """Answers requests: the first with a session, polls with what waits, and posts with ``ok``."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str, dict[str, str], float]] = []
        self.opening: object = (200, SESSION)
        self.waiting: queue.Queue[object] = queue.Queue()
        self.posting: object = (200, b"ok")
        self.closed = 0

    def __call__(self, host: str, port: int, timeout: float) -> Request:
        assert host == "127.0.0.1"
        return Request(self, timeout)


class Request:
    def __init__(self, wire: Wire, seconds: float) -> None:
        self.wire, self.seconds = wire, seconds

    def request(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> None:
        self.method, self.path = method, path
        self.wire.asked.append((method, path, body or "", headers, self.seconds))

    def getresponse(self) -> SimpleNamespace:
        if self.method == "POST":
            given = self.wire.posting
        else:
            given = self.wire.opening if "//" in self.path else self.wire.waiting.get(timeout=5)
        if isinstance(given, Exception):
            raise given
        status, data = given
        return SimpleNamespace(status=status, read=lambda: data, read1=lambda size: data)

    def close(self) -> None:
        self.wire.closed += 1


@pytest.fixture
def wire(monkeypatch) -> Wire:
    made = Wire()
    monkeypatch.setattr(polling.http.client, "HTTPConnection", made)
    return made


@pytest.fixture
def transcript() -> Transcript:
    return Transcript(lambda text: [Message(text)])


def connect(transcript: Transcript, port: int = 1, question: str = "", cookie: str = "a=b") -> PollingConnection:
    return PollingConnection(LINE, port, question, transcript, cookie, "http://127.0.0.1:1", answer)


def ended(wire: Wire, transcript: Transcript) -> None:
    """End the polling that waits."""
    wire.waiting.put(OSError("over"))
    assert transcript.wait_closed(LINE, 5)


def test_a_session(wire, transcript):
    """A session is asked for with cookie, origin and question, and each poll and post is one of it."""
    connection = connect(transcript, question="?user=John")
    connection.send("hello")
    ended(wire, transcript)
    (get, first, _, headers, seconds), *others = wire.asked
    assert (get, first) == ("GET", "/socket.io/xhr-polling//?user=John")
    assert headers == {"Origin": "http://127.0.0.1:1", "Cookie": "a=b"}
    assert seconds == 10.0
    posts = [each for each in others if each[0] == "POST"]
    assert [(path, body) for _, path, body, _, _ in posts] == [("/socket.io/xhr-polling/abc123/send", "data=hello")]
    assert posts[0][3]["Content-Type"] == "application/x-www-form-urlencoded"
    polls = [each for each in others if each[0] == "GET"]
    assert polls[0][1].startswith("/socket.io/xhr-polling/abc123/")
    assert polls[0][4] == 20.0
    assert wire.closed == len(wire.asked)


def test_nobody(wire, transcript):
    """Who has no cookie sends none."""
    connect(transcript, cookie="")
    ended(wire, transcript)
    assert wire.asked[0][3] == {"Origin": "http://127.0.0.1:1"}


def test_a_session_with_more_behind_it(wire, transcript):
    """A session is as long as its frame says, whatever comes behind it."""
    wire.opening = (200, b"~m~3~m~abcdef")
    connect(transcript).send("x")
    ended(wire, transcript)
    assert {each[1].split("/")[3] for each in wire.asked[1:]} == {"abc"}


@pytest.mark.parametrize(
    ("opening", "refused"),
    [
        ((200, b"<html>no"), "it answers '<html>no' instead of a session"),
        ((200, b""), "it answers '' instead of a session"),
        ((403, b"no"), "ConnectionError: status 403"),
        (http.client.BadStatusLine("x"), "BadStatusLine: x"),
        (TimeoutError("timed out"), "TimeoutError: timed out"),
    ],
)
def test_no_session(wire, transcript, opening, refused):
    """Whatever else comes instead of a session is why there is no connection."""
    wire.opening = opening
    with pytest.raises(HandshakeRefused) as raised:
        connect(transcript)
    assert str(raised.value) == refused
    assert transcript.frames == []


def test_nobody_listens(transcript):
    """Where nobody listens there is no connection."""
    with pytest.raises(HandshakeRefused, match=r"^ConnectionRefusedError: "):
        connect(transcript, free_port())


def test_messages(wire, transcript):
    """What is polled is heard, an empty answer is nothing, and heartbeats are answered."""
    connect(transcript)
    for text in (framed("one"), "", framed("~h~7"), framed("two")):
        wire.waiting.put((200, text.encode()))
    assert transcript.wait([LINE], [framed("two")], 5)
    ended(wire, transcript)
    assert transcript.texts(LINE) == [framed("one"), framed("~h~7"), framed("two")]
    assert [body for method, _, body, _, _ in wire.asked if method == "POST"] == ["data=~m~4~m~~h~7"]
    assert next(frame.kind for frame in transcript.frames if frame.direction == "in") == "open"


def test_a_heartbeat_that_cannot_be_answered(wire, transcript):
    """A heartbeat whose answer is not taken does not end the polling."""
    wire.posting = (500, b"")
    connect(transcript)
    for text in (framed("~h~7"), framed("still here")):
        wire.waiting.put((200, text.encode()))
    assert transcript.wait([LINE], [framed("still here")], 5)
    ended(wire, transcript)


@pytest.mark.parametrize(
    ("posting", "said"),
    [
        ((200, b"nope"), "the server answers 'nope'"),
        ((500, b""), "status 500"),
        (http.client.BadStatusLine("x"), "x"),
        (ConnectionResetError("reset"), "reset"),
    ],
)
def test_a_message_that_is_not_taken(wire, transcript, posting, said):
    """A message that is not taken as it should be was not sent, which the transcript has as a try."""
    connection = connect(transcript)
    wire.posting = posting
    with pytest.raises(OSError, match=f"^{said}$"):
        connection.send(b"hello")
    assert [(frame.direction, frame.data) for frame in transcript.frames][1:] == [("out", "hello")]
    ended(wire, transcript)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ((404, b""), "polling failed (ConnectionError)"),
        (TimeoutError("no"), "polling failed (TimeoutError)"),
        (http.client.IncompleteRead(b""), "polling failed (IncompleteRead)"),
    ],
)
def test_polling_that_fails(wire, transcript, given, why):
    """A connection whose polling fails is closed for that."""
    connect(transcript)
    wire.waiting.put(given)
    assert transcript.wait_closed(LINE, 5)
    assert transcript.closed(LINE) == why


def test_closed_here(wire, transcript):
    """Who closes asks no more, and what the last request brings is not heard any more."""
    connection = connect(transcript)
    connection.close()
    wire.waiting.put((200, framed("too late").encode()))
    assert transcript.wait_closed(LINE, 5)
    assert (transcript.closed(LINE), transcript.texts(LINE)) == ("closed", [])
