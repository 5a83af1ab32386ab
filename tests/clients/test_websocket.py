"""A WebSocket stands only as long as a browser would think so as well: what it refuses, byte by byte."""

from __future__ import annotations

import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from bareserver import BINARY, CLOSE, PING, PONG, TEXT, frame, handshake, serving

from harness.clients import counting, websocket
from harness.clients.connection import CLOSED_BY_SERVER, NO_WEBSOCKET, Endpoint, HandshakeRefused, as_binary
from harness.clients.transcript import Message, Transcript
from harness.clients.websocket import Offer, WebSocketConnection

LINE = Endpoint("John", "user")
#: The first byte of a frame: the last one of a message, and whether it is compressed (RFC 7692, 6).
FIN, COMPRESSED = 0x80, 0x40


@pytest.fixture
def transcript() -> Transcript:
    return Transcript(lambda text: [Message(text)])


def connect(port: int, transcript: Transcript, compression: bool = False) -> WebSocketConnection:
    return WebSocketConnection(LINE, f"ws://127.0.0.1:{port}/", transcript, offer=Offer(compression=compression))


def answering(first_line: str = "HTTP/1.1 101 Switching Protocols", *headers: str) -> Callable[[bytes], bytes]:
    """Return a way to shake hands with another first line, and with further headers."""

    def answer(request: bytes) -> bytes:
        _, _, usual = handshake(request).partition(b"\r\n")
        return "\r\n".join([first_line, *headers, ""]).encode() + usual

    return answer


def choosing(extensions: str) -> Callable[[bytes], bytes]:
    return answering("HTTP/1.1 101 Switching Protocols", f"Sec-WebSocket-Extensions: {extensions}")


def opened_by(answer: Callable[[bytes], bytes], transcript: Transcript, compression: bool = False) -> None:
    with serving(answer=answer) as (port, _):
        connect(port, transcript, compression).close()


# The handshake


def test_handshake(transcript):
    """An answer by the book opens the connection, which then has all the time of the world."""
    with serving() as (port, _):
        connection = connect(port, transcript)
        assert (connection.wire.deadline, connection.wire.gettimeout()) == (None, None)
        connection.close()
    assert next((each.kind, each.data) for each in transcript.frames) == ("open", "status 101")


@pytest.mark.parametrize(
    ("first_line", "why"),
    [
        ("HTTP/1.0 101 Switching Protocols", "WebSocketException: it answers with HTTP/1.0"),
        ("HTTP/1.1 200 OK", "status 200"),
        ("ICY 101 OK", "WebSocketException: it answers with ICY 101 "),
    ],
)
def test_handshake_that_no_browser_takes(transcript, first_line, why):
    """An older HTTP, another status, or another protocol opens nothing."""
    with pytest.raises(HandshakeRefused) as raised:
        opened_by(answering(first_line), transcript)
    assert str(raised.value) == why
    assert transcript.frames == []


def test_a_connection_of_a_proxys(transcript):
    """A proxy may add a ``Connection`` of its own: both are the header."""
    with serving(answer=answering("HTTP/1.1 101 Switching Protocols", "Connection: keep-alive")) as (port, _):
        connect(port, transcript).close()


def test_an_accept_in_other_letters(transcript):
    """A browser compares what the server proves letter by letter."""

    def answer(request: bytes) -> bytes:
        head, name, rest = handshake(request).partition(b"Sec-WebSocket-Accept: ")
        proof, end, rest = rest.partition(b"\r\n")
        return head + name + proof.lower() + end + rest

    with pytest.raises(HandshakeRefused, match="it answers with Sec-WebSocket-Accept: "):
        opened_by(answer, transcript)


def test_cookies_of_another_client(transcript):
    """What a server gives to one client is not sent by the next, whichever domain it is for."""
    cookie = "Set-Cookie: session=of-john; Domain=127.0.0.1; Path=/"
    seen: list[bytes] = []

    def answer(request: bytes) -> bytes:
        seen.append(request)
        return answering("HTTP/1.1 101 Switching Protocols", cookie)(request)

    for _ in range(2):
        opened_by(answer, transcript)
    assert len(seen) == 2
    assert not any(b"of-john" in each for each in seen)


def test_a_page_that_refuses(transcript):
    """Of the page with which a handshake is refused the words are told, without its tags, styles and scripts."""
    head = b"<style>p { color: red }</style><title>Not found</title>"
    page = b"<!DOCTYPE html><head>" + head + b"</head><p>no &lt;chat&gt; here</p>"

    def refuse(request: bytes) -> bytes:
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n" % len(page) + page

    with pytest.raises(HandshakeRefused, match=r"^status 404: Not found no <chat> here$"):
        opened_by(refuse, transcript)


@pytest.mark.parametrize("compression", [False, True])
def test_a_subprotocol_that_nobody_offered(transcript, compression):
    """A server that chooses a subprotocol, of which none was offered, is refused."""
    answer = answering("HTTP/1.1 101 Switching Protocols", "Sec-WebSocket-Protocol: chat")
    with pytest.raises(HandshakeRefused, match="it chooses the subprotocol chat, and none was offered"):
        opened_by(answer, transcript, compression)


@pytest.mark.parametrize(
    ("extensions", "compression"),
    [
        ("permessage-deflate", False),
        ("permessage-deflate; server_no_context_takeover", False),
        ("x-shout", True),
        ("permessage-deflate-2", True),
        ("x-shout, permessage-deflate", True),
        ("permessage-deflate, x-shout", True),
    ],
)
def test_an_extension_that_nobody_offered(transcript, extensions, compression):
    """A server that chooses an extension that was not offered, alone or beside another, is refused."""
    with pytest.raises(HandshakeRefused, match=r"it chooses the extension .+, which was not offered"):
        opened_by(choosing(extensions), transcript, compression)


def test_an_extension_behind_parameters(transcript):
    """A server that chooses another extension behind the parameters of the one that was offered is refused."""
    with pytest.raises(HandshakeRefused):
        opened_by(choosing("permessage-deflate; server_no_context_takeover, x-shout"), transcript, compression=True)


@pytest.mark.parametrize(
    "parameter",
    [
        "server_max_window_bits=99",
        "client_max_window_bits=no",
        "client_max_window_bits",
        "loudness=11",
    ],
)
def test_compression_that_nobody_can_do(transcript, parameter):
    """A server that wants to compress in a way that there is not (RFC 7692, 7.1) is refused."""
    with pytest.raises(HandshakeRefused):
        opened_by(choosing(f"permessage-deflate; {parameter}"), transcript, compression=True)


def test_what_is_offered(transcript):
    """Compression is offered where it is asked for, and nothing is offered where it is not."""
    with serving() as (port, heard):
        connect(port, transcript, compression=True).close()
    assert b"\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits" in heard.request
    with serving() as (port, heard):
        connect(port, transcript).close()
    assert b"Sec-WebSocket-Extensions" not in heard.request
    assert b"Sec-WebSocket-Protocol" not in heard.request


@contextmanager
def trickling() -> Iterator[int]:
    """Serve an answer that never ends, one byte after the other, until whoever reads it has gone; yield the port."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nX-Patience: ")
            # It ends by itself after 30 s, so that a test fails where nobody loses patience.
            for _ in range(1500):
                try:
                    connection.sendall(b"x")
                except OSError:
                    gone.set()
                    return
                gone.wait(0.02)

    gone = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        yield listener.getsockname()[1]
        server.join(30)
        assert gone.is_set(), "the connection was kept"


def test_one_byte_after_the_other(transcript, monkeypatch):
    """The deadline is that of the whole handshake: an answer that trickles in does not put it off."""
    for module in (websocket, counting):
        monkeypatch.setattr(module, "HANDSHAKE_DEADLINE", 0.2)
    with trickling() as port, pytest.raises(HandshakeRefused, match=r"^(TimeoutError|WebSocketTimeoutException): "):
        connect(port, transcript)
    assert transcript.frames == []


# Frames


NO_FRAMES = {
    "a mask, which only clients have": bytes([FIN | TEXT, 0x80 | 2, 0, 0, 0, 0]) + b"hi",
    "a short length in two bytes": bytes([FIN | TEXT, 126, 0, 2]) + b"hi",
    "a length for two bytes in eight": bytes([FIN | TEXT, 127]) + (200).to_bytes(8, "big") + b"x" * 200,
    "the first reserved bit": bytes([FIN | 0x40 | TEXT, 2]) + b"hi",
    "the second reserved bit": bytes([FIN | 0x20 | TEXT, 2]) + b"hi",
    "the third reserved bit": bytes([FIN | 0x10 | TEXT, 2]) + b"hi",
    "a reserved kind of message": frame(3, b"hi"),
    "a reserved kind of control": frame(11, b"hi"),
    "no UTF-8": frame(TEXT, b"a\xff"),
    "half a letter": frame(TEXT, b"a\xc3"),
    "half a letter in the last fragment": frame(TEXT, b"a", fin=False) + frame(0, b"\xc3"),
    "no UTF-8 in a later fragment": frame(TEXT, b"a", fin=False) + frame(0, b"\xff", fin=False),
    "a letter that is encoded longer than it need be": frame(TEXT, b"\xc0\xaf"),
    "half of a pair of surrogates": frame(TEXT, b"\xed\xa0\x80"),
    "the rest of no message": frame(0, b"hi"),
    "a message within a message": frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"),
    "a ping in fragments": frame(PING, b"?", fin=False),
    "a ping that is too long": bytes([FIN | PING, 126, 0, 126]) + b"x" * 126,
    "half of a close code": frame(CLOSE, b"\x03"),
    "a close code that never goes over the wire": frame(CLOSE, b"\x03\xed"),
    "a close reason that is no UTF-8": frame(CLOSE, b"\x03\xe8\xff"),
}


@pytest.mark.parametrize("data", NO_FRAMES.values(), ids=NO_FRAMES)
def test_what_a_browser_ends(transcript, data):
    """What breaks a rule of RFC 6455 ends the connection, as in a browser; what came before it has come."""
    with serving(frame(TEXT, b"before"), data, frame(TEXT, b"behind")) as (port, _):
        connection = connect(port, transcript)
        assert transcript.wait_closed(LINE, 5)
        connection.close()
    assert transcript.closed(LINE).startswith(f"{NO_WEBSOCKET} (")
    assert transcript.texts(LINE) == ["before"]


def test_lengths(transcript):
    """Lengths in one, two and eight bytes are read, each from where it is needed."""
    sizes = (125, 126, 65535, 65536)
    heads = (
        *(bytes([125]), bytes([126]) + (126).to_bytes(2, "big")),
        *(bytes([126]) + (65535).to_bytes(2, "big"), bytes([127]) + (65536).to_bytes(8, "big")),
    )
    said = [bytes([FIN | TEXT]) + head + b"x" * size for head, size in zip(heads, sizes, strict=True)]
    with serving(*said) as (port, _):
        connection = connect(port, transcript)
        assert transcript.wait([LINE], ["x" * 65536], 5)
        connection.close()
    assert [len(text) for text in transcript.texts(LINE)] == list(sizes)


def test_a_letter_in_two_fragments(transcript):
    """A letter may be cut in two by fragments: the message as a whole is UTF-8."""
    with serving(frame(TEXT, b"a\xc3", fin=False), frame(0, b"\xbc")) as (port, _):
        connection = connect(port, transcript)
        assert transcript.wait([LINE], ["aü"], 5)
        connection.close()


def test_bytes_in_fragments(transcript):
    """Bytes in several frames are one binary message, whatever letters they would be."""
    with serving(frame(BINARY, b"\xff", fin=False), frame(0, b"\xfe")) as (port, _):
        connection = connect(port, transcript)
        assert transcript.wait([LINE], [as_binary(b"\xff\xfe")], 5)
        connection.close()


def test_a_ping(transcript):
    """A ping is answered with what stands in it, also between the fragments of a message, which stays whole."""
    said = (frame(TEXT, b"one ", fin=False), frame(PING, b"are you there?"), frame(0, b"message"))
    with serving(*said) as (port, heard):
        connection = connect(port, transcript)
        assert heard.wait(1) == [(PONG, b"are you there?")]
        assert transcript.wait([LINE], ["one message"], 5)
        connection.close()
    assert [each.kind for each in transcript.frames][:3] == ["open", "ping", "text"]


def test_a_pong(transcript):
    """A pong that nobody asked for stands in the transcript, and is neither answered nor a message."""
    with serving(frame(PONG, b"hello"), frame(TEXT, b"the end")) as (port, heard):
        connection = connect(port, transcript)
        assert transcript.wait([LINE], ["the end"], 5)
        connection.close()
        assert heard.wait(1) == [(CLOSE, b"\x03\xe8")]
    assert [each.kind for each in transcript.frames][:3] == ["open", "pong", "text"]
    assert transcript.texts(LINE) == ["the end"]


def test_a_reader_that_meets_an_error():
    """A reader that cannot go on says so before it dies, so that nobody waits for it."""

    def read(text: str) -> list[Message]:
        raise LookupError(text)

    transcript = Transcript(read)
    with serving(frame(TEXT, b"hi")) as (port, _):
        connection = connect(port, transcript)
        assert transcript.wait_closed(LINE, 5)
        connection.close()
    assert transcript.closed(LINE) == "what arrives cannot be read (LookupError)"


def test_closed_by_the_server_is_no_error(transcript):
    """Who is closed by the book is not told to have been ended by the browser."""
    with serving(frame(CLOSE, b"\x03\xe9going away")) as (port, _):
        connection = connect(port, transcript)
        assert transcript.wait_closed(LINE, 5)
        connection.close()
    assert transcript.closed(LINE) == f"{CLOSED_BY_SERVER} with 1001 going away"


def test_hanging_up(transcript):
    """Where both have said goodbye, and the server does not end TCP, the client does: some servers wait for that."""
    with serving(frame(CLOSE, b"\x03\xe9")) as (port, heard):
        connect(port, transcript)
        assert transcript.wait_closed(LINE, 5)
    assert heard.frames == [(CLOSE, b"\x03\xe9")]


@pytest.mark.parametrize(
    ("goodbye", "answer"), [(b"\x03\xe9going away", b"\x03\xe9"), (b"\x11\x30enough", b"\x11\x30"), (b"", b"")]
)
def test_goodbye_is_answered(transcript, goodbye, answer):
    """A close frame is answered with one of the same code, once, as RFC 6455 has it: the server waits for that."""
    with serving(frame(CLOSE, goodbye)) as (port, heard):
        connection = connect(port, transcript)
        assert transcript.wait_closed(LINE, 5)
        assert heard.wait(1) == [(CLOSE, answer)]
        connection.close()


def test_goodbye_with_a_code(transcript):
    """A client can say goodbye with a code and a reason, and reads on until it is answered."""
    with serving() as (port, heard):
        connection = connect(port, transcript)
        connection.say_goodbye(4001, "enough")
        assert heard.wait(1) == [(CLOSE, b"\x0f\xa1enough")]
        assert not transcript.closed(LINE)
        connection.close()


def test_vanished(transcript):
    """A client that vanishes says nothing, and its connection is reset."""
    with serving() as (port, heard):
        connection = connect(port, transcript)
        connection.vanish()
        assert (heard.frames, connection.wire.fileno()) == ([], -1)


def test_paused(transcript):
    """Whoever pauses reads nothing, and everything afterwards in its order."""
    with serving(frame(TEXT, b"first")) as (port, heard):
        connection = connect(port, transcript)
        assert transcript.wait([connection.endpoint], ["first"], 5)
        connection.pause()
        connection.send("anything")
        heard.wait(1)
        assert transcript.texts(connection.endpoint) == ["first"]
        connection.close()  # which a pause does not keep from ending


# Fragments


@contextmanager
def overhearing(answer: Callable[[bytes], bytes] = handshake) -> Iterator[tuple[int, list[tuple[int, bytes]]]]:
    """Serve one connection; yield its port, and its frames once it is over: their first bytes, and what is in them."""

    def serve() -> None:
        connection, _ = listener.accept()
        connection.settimeout(5)
        with connection, connection.makefile("rb") as wire:
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += wire.readline()
            connection.sendall(answer(request))
            while head := wire.read(2):
                mask, size = wire.read(4), head[1] & 0x7F
                payload = wire.read(size)
                heard.append((head[0], bytes(each ^ mask[at % 4] for at, each in enumerate(payload))))

    heard: list[tuple[int, bytes]] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        yield listener.getsockname()[1], heard
        server.join(5)
        assert not server.is_alive()


@pytest.mark.parametrize(
    ("text", "fragments", "frames"),
    [
        ("abcdefgh", 1, [(FIN | TEXT, b"abcdefgh")]),
        ("abcdefgh", 3, [(TEXT, b"abc"), (0, b"def"), (FIN, b"gh")]),
        ("Grüße", 2, [(TEXT, "Grü".encode()), (FIN, "ße".encode())]),
        (b"\x00\xff", 2, [(BINARY, b"\x00"), (FIN, b"\xff")]),
        ("a", 3, [(FIN | TEXT, b"a")]),
        ("", 3, [(FIN | TEXT, b"")]),
    ],
)
def test_fragments(transcript, monkeypatch, text, fragments, frames):
    """A message goes over the wire in as many fragments as are wanted: the first has its kind, the last ends it."""
    monkeypatch.setattr(websocket, "_FRAGMENT_PAUSE", 0.0)
    with overhearing() as (port, heard):
        connection = connect(port, transcript)
        connection.fragments = fragments
        connection.send(text)
        connection.close()
    assert heard == [*frames, (FIN | CLOSE, b"\x03\xe8")]
    assert [each.direction for each in transcript.frames][:2] == ["in", "out"]


def test_fragments_come_one_by_one(transcript, monkeypatch):
    """Between two fragments there is a pause, or a server would have them in one piece and never see two."""
    pauses: list[float] = []
    monkeypatch.setattr(websocket.time, "sleep", pauses.append)
    with overhearing() as (port, heard):
        connection = connect(port, transcript)
        connection.fragments = 4
        connection.send("abcd")
        connection.close()
    assert pauses == [0.05] * 3
    assert len(heard) == 5


# Compression


def compressed(*texts: str) -> list[bytes]:
    """Return frames as a server sends them that has compressed each text with what it knows of those before."""
    deflate = zlib.compressobj(wbits=-15)
    found = []
    for text in texts:
        data = (deflate.compress(text.encode()) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]  # RFC 7692, 7.2.1
        assert len(data) < 126
        found.append(bytes([FIN | COMPRESSED | TEXT, len(data)]) + data)
    return found


@pytest.mark.parametrize("parameters", ["", "; server_max_window_bits=15", "; client_no_context_takeover"])
def test_compressed(transcript, parameters):
    """Where a server compresses, what comes is read, whether it is compressed or not."""
    said = (*compressed("Grüße " * 50, "Grüße " * 51), frame(TEXT, b"not compressed"))
    with serving(*said, answer=choosing(f"permessage-deflate{parameters}")) as (port, _):
        connection = connect(port, transcript, compression=True)
        assert transcript.wait([LINE], ["not compressed"], 5)
        connection.close()
    assert transcript.texts(LINE) == ["Grüße " * 50, "Grüße " * 51, "not compressed"]


def test_compressed_there(transcript):
    """What is sent then is compressed as well, and the transcript has it as it was said."""
    with overhearing(answer=choosing("permessage-deflate")) as (port, heard):
        connection = connect(port, transcript, compression=True)
        connection.send("Grüße " * 50)
        connection.close()
    first, data = heard[0]
    assert first == FIN | COMPRESSED | TEXT
    assert zlib.decompressobj(wbits=-15).decompress(data + b"\x00\x00\xff\xff").decode() == "Grüße " * 50
    assert transcript.frames[1].data == "Grüße " * 50


def test_a_server_that_compresses_nothing(transcript):
    """A server that does not take what is offered gets, and sends, what is not compressed."""
    with overhearing() as (port, heard):
        connection = connect(port, transcript, compression=True)
        connection.send("hello")
        connection.close()
    assert heard[0] == (FIN | TEXT, b"hello")


BROKEN = {
    "nothing that was compressed": bytes([FIN | COMPRESSED | TEXT, 4]) + b"\xff\xff\xff\xff",
    "no UTF-8 once it is unpacked": bytes([FIN | COMPRESSED | TEXT, 4]) + b"\x4a\xfc\x0f\x00",
    "a compressed ping": bytes([FIN | COMPRESSED | PING, 1]) + b"?",
    "a later fragment that is compressed for itself": frame(TEXT, b"a", fin=False)
    + bytes([FIN | COMPRESSED, 1])
    + b"b",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken_compression(transcript, data):
    """What cannot be unpacked, or must not be packed (RFC 7692, 6.1), ends the connection, as in a browser."""
    with serving(*compressed("before"), data, answer=choosing("permessage-deflate")) as (port, _):
        connection = connect(port, transcript, compression=True)
        assert transcript.wait_closed(LINE, 5)
        connection.close()
    assert transcript.closed(LINE).startswith(f"{NO_WEBSOCKET} (")
    assert transcript.texts(LINE) == ["before"]
