"""What goes over a WebSocket of a member, and how it ends."""

from __future__ import annotations

import pytest
from bareserver import BINARY, CLOSE, PING, TEXT, frame, serving

from harness.clients.connection import Endpoint, HandshakeRefused, as_binary
from harness.clients.counting import CountingSocket
from harness.clients.transcript import Message, Transcript
from harness.clients.websocket import WebSocketConnection
from harness.system.ports import free_port

LINE = Endpoint("John", "user")


@pytest.fixture
def transcript() -> Transcript:
    return Transcript(lambda text: [Message(text)])


def connect(port: int, transcript: Transcript, **more: str) -> WebSocketConnection:
    return WebSocketConnection(LINE, f"ws://127.0.0.1:{port}/ws/?a=b", transcript, **more)


def kinds(transcript: Transcript) -> list[tuple[str, str, str]]:
    return [(each.direction, each.kind, each.data) for each in transcript.frames]


def test_what_arrives(transcript):
    """Texts, bytes and pings stand in the transcript as what they are, in their order."""
    said = (frame(TEXT, "Grüße".encode()), frame(BINARY, b"\x00\xff"), frame(PING, b"?"), frame(TEXT, b"the end"))
    with serving(*said) as (port, _):
        connection = connect(port, transcript)
        assert transcript.wait([LINE], ["the end"], 5)
        connection.close()
    assert kinds(transcript)[:5] == [
        ("in", "open", "status 101"),
        ("in", "text", "Grüße"),
        ("in", "binary", as_binary(b"\x00\xff")),
        ("in", "ping", "?"),
        ("in", "text", "the end"),
    ]
    assert transcript.texts(LINE) == ["Grüße", as_binary(b"\x00\xff"), "the end"]


def test_in_pieces(transcript):
    """A message in several frames is one."""
    with serving(frame(TEXT, b"one ", fin=False), frame(0, b"message")) as (port, _):
        connection = connect(port, transcript)
        assert transcript.wait([LINE], ["one message"], 5)
        connection.close()


def test_what_is_sent(transcript):
    """Texts and bytes are sent as what they are; of bytes the transcript has their number."""
    with serving() as (port, heard):
        connection = connect(port, transcript)
        connection.send("Grüße")
        connection.send(b"\x00\xff")
        assert heard.wait(2) == [(TEXT, "Grüße".encode()), (BINARY, b"\x00\xff")]
        connection.close()
        assert heard.wait(3)[2] == (CLOSE, b"\x03\xe8")
    assert kinds(transcript)[1:3] == [("out", "text", "Grüße"), ("out", "binary", "2 bytes")]


def test_who_it_is(transcript):
    """The request has the cookie and the origin that it is given, and neither where it is given none."""
    with serving() as (port, heard):
        connect(port, transcript, cookie="sessionid=s", origin="http://127.0.0.1").close()
    assert b"GET /ws/?a=b HTTP/1.1" in heard.request
    assert b"Cookie: sessionid=s\r\n" in heard.request
    assert b"Origin: http://127.0.0.1\r\n" in heard.request
    with serving() as (port, heard):
        connect(port, transcript).close()
    assert b"Cookie" not in heard.request
    assert b"Origin" not in heard.request


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x03\xf3too bad", "closed by the server with 1011 too bad"),
        (b"\x03\xe8", "closed by the server with 1000"),
        (b"", "closed by the server with 1005"),
    ],
)
def test_closed(transcript, data, why):
    """A server that closes is quoted, with its code and its reason."""
    with serving(frame(CLOSE, data)) as (port, _):
        connection = connect(port, transcript)
        assert transcript.wait_closed(LINE, 5)
        connection.close()
    assert transcript.closed(LINE) == why


def test_lost(transcript):
    """A connection that just ends was lost."""
    with serving(stays=False) as (port, _):
        connection = connect(port, transcript)
        assert transcript.wait_closed(LINE, 5)
        connection.close()
    assert transcript.closed(LINE).startswith("connection lost (")


def test_gone(transcript):
    """Through a connection that is gone nothing can be sent."""
    with serving(stays=False) as (port, _):
        connection = connect(port, transcript)
        assert transcript.wait_closed(LINE, 5)
        connection.close()
        with pytest.raises(Exception, match=r".") as raised:
            connection.send("hi")
    assert type(raised.value).__name__ in ("WebSocketConnectionClosedException", "BrokenPipeError", "OSError")


def refusal(status: str, body: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (refusal("403 Forbidden"), "status 403"),
        (refusal("500 Internal Server Error", "KeyError: 'x'"), "status 500: KeyError: 'x'"),
        # It would follow; no browser does.
        (refusal("302 Found"), "status 302, which sends to nowhere"),
    ],
)
def test_refused(transcript, answer, why):
    """Whoever is refused is told by the status, with the beginning of what stands behind it."""
    with serving(answer=lambda request: answer, stays=False) as (port, _), pytest.raises(HandshakeRefused) as raised:
        connect(port, transcript)
    assert str(raised.value) == why
    assert transcript.frames == []


def test_closed_without_an_answer(transcript):
    """A server that just ends the connection has refused it."""
    with serving(answer=lambda request: b"", stays=False) as (port, _), pytest.raises(HandshakeRefused):
        connect(port, transcript)


def test_nobody_listens(transcript):
    """Where nobody listens there is no connection, and nothing is left open."""
    with pytest.raises(ConnectionRefusedError):
        CountingSocket(free_port())
    with pytest.raises(HandshakeRefused, match=r"^ConnectionRefusedError: "):
        connect(free_port(), transcript)


def test_bytes_are_counted(transcript):
    """All that goes over the wire is counted, in both directions."""
    with serving(frame(TEXT, b"hello")) as (port, heard):
        connection = connect(port, transcript)
        assert transcript.wait([LINE], ["hello"], 5)
        wire = connection.wire
        before = wire.bytes_out
        assert before == len(heard.request)
        assert wire.bytes_both_ways == wire.bytes_in + wire.bytes_out
        connection.send("12345")
        assert wire.bytes_out - before == 2 + 4 + 5  # a header, a mask, and the text
        assert wire.bytes_in > len(frame(TEXT, b"hello"))
        assert wire.beginning == b"HTTP/1.1"
        connection.close()
