"""The WebSocket of 2010 and Socket.IO's polling of 2011, against servers that do as was written then."""

from __future__ import annotations

import http.server
import queue
import re
import socket
import threading
from urllib.parse import parse_qs

import pytest

from harness.clients import hixie
from harness.clients.connection import Endpoint, HandshakeRefused
from harness.clients.hixie import HixieSocket, challenge
from harness.clients.polling import PollingConnection
from harness.clients.transcript import Message, Transcript
from harness.libraries.django_socketio import DjangoSocketIo, answer, framed, unframed

LINE = Endpoint("John", "chat")


def test_challenge_of_the_draft():
    """The example of the draft, section 1.3, comes out as it stands there."""
    assert challenge(155712099, 173347027, b"Tm[K T2u") == b"fQJ,fN/4F4!~K~MH"


def number(key: str) -> int:
    """Return the number in a key as a server reads it (draft, 5.2)."""
    return int(re.sub(r"\D", "", key)) // key.count(" ")


def test_keys():
    """A key hides its number as the draft wants it: divisible by its spaces, none of them at an end."""
    for _ in range(200):
        key, hidden = hixie._key()
        assert number(key) == hidden < 2**32
        assert int(re.sub(r"\D", "", key)) % key.count(" ") == 0
        assert key == key.strip()


def serve(listener: socket.socket, wrong: bool, said: list[bytes]) -> None:
    connection, _ = listener.accept()
    with connection:
        request = b""
        while b"\r\n\r\n" not in request or len(request.partition(b"\r\n\r\n")[2]) < 8:
            request += connection.recv(65536)
        head, _, third = request.partition(b"\r\n\r\n")
        keys = [each.decode() for each in re.findall(rb"Key[12]: ([^\r]*)", head)]
        proof = challenge(number(keys[0]), number(keys[1]), third)
        reply = b"HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\n\r\n"
        connection.sendall(reply + (b"x" * 16 if wrong else proof))
        if wrong:
            return
        for text in ("hello", framed("~h~1")):
            connection.sendall(b"\x00" + text.encode() + b"\xff")
        while not said or not said[-1].endswith(b"\xff"):
            said.append((said.pop() if said else b"") + connection.recv(65536))
        connection.sendall(b"\xff\x00")


@pytest.mark.parametrize("wrong", [False, True], ids=["by the draft", "another answer"])
def test_hixie(wrong):
    """Messages and heartbeats go both ways; a wrong answer to the challenge opens nothing."""
    transcript, said = Transcript(lambda text: [Message(text)]), []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener, wrong, said))
        server.start()
        port = listener.getsockname()[1]
        try:
            if wrong:
                with pytest.raises(HandshakeRefused, match="challenge"):
                    HixieSocket(LINE, port, "/", transcript, "", "http://127.0.0.1", answer)
                return
            connection = HixieSocket(LINE, port, "/", transcript, "a=b", "http://127.0.0.1", answer)
            assert transcript.wait([LINE], [framed("~h~1")], 5)
            assert transcript.wait_closed(LINE, 5)
            connection.close()
        finally:
            server.join(5)
    assert transcript.texts(LINE) == ["hello", framed("~h~1")]
    assert said[0].startswith(b"\x00" + framed("~h~1").encode() + b"\xff")


class Polling(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    waiting: queue.Queue[str] = queue.Queue()
    said: queue.Queue[str] = queue.Queue()

    def log_message(self, *arguments): ...

    def reply(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self) -> None:
        if self.path.startswith("/socket.io/xhr-polling//"):
            # As the library does: the answer goes on after the session is there.
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(framed("abc").encode())
            return
        assert self.path.startswith("/socket.io/xhr-polling/abc/")
        try:
            self.reply(self.waiting.get(timeout=0.1))
        except queue.Empty:
            self.reply("")

    def do_POST(self) -> None:
        assert self.path == "/socket.io/xhr-polling/abc/send"
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.said.put(form["data"][0])
        self.reply("ok")


def test_polling():
    """A session is asked for, messages are polled one by one, and each that is said is posted."""
    transcript = Transcript(lambda text: [Message(text)])
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Polling) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connection = PollingConnection(LINE, server.server_address[1], "", transcript, "", "http://127.0.0.1", answer)
        for text in (framed("hello"), framed("~h~7")):
            Polling.waiting.put(text)
        assert transcript.wait([LINE], [framed("~h~7")], 5)
        connection.send(framed("good morning"))
        assert [Polling.said.get(timeout=5), Polling.said.get(timeout=5)] in (
            [framed("~h~7"), framed("good morning")],
            [framed("good morning"), framed("~h~7")],
        )
        connection.close()
        assert transcript.wait_closed(LINE, 10)
        server.shutdown()
    assert transcript.texts(LINE) == [framed("hello"), framed("~h~7")]


def test_frames():
    """Several messages in one piece are told apart, and what is no frame is none."""
    assert list(unframed(framed("one") + framed("~j~{}") + framed(""))) == ["one", "~j~{}", ""]
    assert list(unframed("hello")) == []


def test_two_messages_in_one_frame():
    """A frame can hold several messages and a heartbeat; each message of the chat is heard, in order."""
    fields = [f'~j~{{"channel": "user", "sender": "John", "message": "{text}"}}' for text in ("one", "two")]
    frame = framed(fields[0]) + framed("~h~1") + framed(fields[1])
    assert DjangoSocketIo().messages(frame) == ["one", "two"]
