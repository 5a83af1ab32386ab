"""python-socketio's own client as the harness uses it, against the library's own server."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from types import SimpleNamespace

import pytest
import socketio
from aiohttp import web
from shared import ROOT

from harness.clients.connection import Endpoint, HandshakeRefused, as_binary
from harness.clients.transcript import Message, Transcript
from harness.clients.websocket import WebSocketConnection
from harness.libraries._socket_io import EventConnection
from harness.libraries.pysocketio import PythonSocketIo, Release4Client
from harness.system.ports import free_port

LINE = Endpoint("John", "chat")
COUNT = 1000


class Server:
    """A server that lets in whoever has a cookie, answers with a burst, and says goodbye when it is asked to."""

    def __init__(self) -> None:
        self.port = free_port()
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.runner = web.AppRunner(self.application(), shutdown_timeout=0.1)
        self.loop.run_until_complete(self.runner.setup())
        self.loop.run_until_complete(web.TCPSite(self.runner, "127.0.0.1", self.port).start())
        self.ready.set()
        self.loop.run_forever()
        self.loop.run_until_complete(self.runner.cleanup())

    def application(self) -> web.Application:
        server = socketio.AsyncServer(async_mode="aiohttp")

        @server.event
        async def connect(sid, environ, auth=None):
            return "HTTP_COOKIE" in environ

        @server.on("chat")
        async def said(sid, fields):
            if fields["message"] == "goodbye":
                await server.disconnect(sid)
                return
            for number in range(COUNT):
                await server.emit("chat", {"message": f"message {number}"}, room=sid)
            await server.emit("chat", {"message": b"\x00\xff"}, room=sid)

        application = web.Application()
        server.attach(application)
        return application

    def __enter__(self) -> Server:
        self.thread.start()
        assert self.ready.wait(5)
        return self

    def __exit__(self, *exception: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)


def connection(server: Server, transcript: Transcript, cookie: str = "a=b") -> EventConnection:
    base = f"http://127.0.0.1:{server.port}"
    return EventConnection(LINE, base, transcript, cookie, base, "chat")


def test_order():
    """What arrives stands in the transcript in the order in which it was sent, binary messages too."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads that may overtake each other do
    try:
        texts = burst()
    finally:
        sys.setswitchinterval(interval)
    assert texts == [*(f"message {number}" for number in range(COUNT)), as_binary(b"\x00\xff")]


def burst() -> list[str]:
    transcript = Transcript(PythonSocketIo().read)
    with Server() as server:
        opened = connection(server, transcript)
        opened.emit({"message": "go"})
        assert transcript.wait([LINE], [as_binary(b"\x00\xff")], 10)
        opened.close()
    return transcript.texts(LINE)


def test_closed():
    """A connection that the server ends is closed in the transcript."""
    transcript = Transcript(PythonSocketIo().read)
    with Server() as server:
        opened = connection(server, transcript)
        opened.emit({"message": "goodbye"})
        assert transcript.wait_closed(LINE, 5)
        opened.close()


def test_refused():
    """Who is not let in has no connection."""
    with Server() as server, pytest.raises(HandshakeRefused):
        connection(server, Transcript(lambda text: [Message(text)]), cookie="")


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (
            '42["chat",{"message":"hi","sender":"John","channel":"user"}]',
            [Message("hi", {"sender": "John", "channel": "user"})],
        ),
        ('42["other",{"message":"hi","sender":"John"}]', None),
        ('42["chat"]', None),
        ('0{"sid":"x"}', []),
        ("2", []),
    ],
)
def test_read(data, read):
    """An event of the chat says who sent its message; what is another event is a text that nobody sent."""
    assert Release4Client().read(data) == (read if read is not None else [Message(data)])


def wire() -> list[dict[str, str]]:
    """Return what a server of python-socketio 5 and John's raw WebSocket said to each other (Engine.IO 4)."""
    path = ROOT / "tests" / "transcripts" / "socket.io-5-wire.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class Replayed(Server):
    """A server that knows no protocol: it says what was recorded, and waits where its peer spoke."""

    def __init__(self, recorded: list[dict[str, str]]) -> None:
        super().__init__()
        self.recorded = recorded

    def application(self) -> web.Application:
        async def replay(request: web.Request) -> web.WebSocketResponse:
            assert request.query["EIO"] == "4"
            assert request.query["transport"] == "websocket"
            response = web.WebSocketResponse()
            await response.prepare(request)
            for frame in self.recorded:
                if frame["direction"] == "in":
                    await response.send_str(frame["data"])
                elif not frame["data"].startswith("42"):
                    assert (await response.receive_str()).startswith(frame["data"])
            await response.receive()
            return response

        application = web.Application()
        application.router.add_get("/socket.io/", replay)
        return application


def test_wire():
    """What was recorded on the wire arrives as the messages that are in it, in order."""
    recorded = wire()
    events = [frame["data"] for frame in recorded if frame["direction"] == "in" and frame["data"].startswith("42")]
    expected = [json.loads(event[2:])[1]["message"] for event in events]
    assert (
        sum(text.startswith("Hello ") for text in expected) == 9
    )  # three broadcasts, three for John, three for the group
    transcript = Transcript(PythonSocketIo().read)
    with Replayed(recorded) as server:
        opened = connection(server, transcript)
        assert transcript.wait([LINE], expected[-1:], 5)
        opened.close()
    assert transcript.texts(LINE) == expected


def test_plain_frames():
    """A connection that speaks in plain frames says what others say, as the frame of an event."""
    sent: list[str] = []
    line = WebSocketConnection.__new__(WebSocketConnection)
    line.send = sent.append
    chat = SimpleNamespace(connections={LINE: line})
    PythonSocketIo().send(chat, LINE, json.dumps({"channel": "broadcast", "message": "hello"}))
    assert sent == ['42["chat",{"channel": "broadcast", "message": "hello"}]']
