"""python-socketio: Socket.IO for Python, beside Django.

Source: https://python-socketio.readthedocs.io/. Its own client speaks the protocol of release 5
(Engine.IO 4); what release 4 speaks (Engine.IO 3) is framed here, for no client that is kept does.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, ClassVar, cast

import websocket

from harness.cells import Cell
from harness.chat.conversation import Chat, Client
from harness.clients.connection import Connection, Endpoint, SendFailed
from harness.clients.frame_format import SOCKET_IO_EVENT, FrameFormat
from harness.clients.transcript import Transcript
from harness.clients.websocket import WebSocketConnection
from harness.libraries.base import Inside
from harness.libraries.envelope import JsonChat, JsonClient
from harness.results.installed import Pin
from harness.results.result import Decides
from harness.servers.catalogue import Application, Deployment, Server

if TYPE_CHECKING:
    from harness.libraries._socket_io import EventConnection

_EVENT = "chat"
#: Seconds between two pings of Engine.IO 3; the server waits for 25, and for 5 more.
_PING_EACH = 20.0
_PATH_4 = "/socket.io/?EIO=4&transport=websocket"
_PATH_3 = "/socket.io/?EIO=3&transport=websocket"


class _SocketIoClient(JsonClient):
    """What both protocols have in common: events that carry the fields of a message."""

    def heard(self, data: str) -> str | None:
        if data.startswith(SOCKET_IO_EVENT):
            try:
                event, fields = json.loads(data.removeprefix(SOCKET_IO_EVENT))
            except (ValueError, TypeError):
                return data
            return super().heard(json.dumps(fields)) if event == _EVENT else data
        # Open, close, ping, pong, connect: Engine.IO's packets are digits, with an object or nothing behind.
        return None if data[:1].isdigit() and data[1:2] in ("", "{", "0", "1") else super().heard(data)

    def unwrapped(self, data: str) -> str:
        try:
            event, fields = json.loads(data.removeprefix(SOCKET_IO_EVENT))
        except (ValueError, TypeError, RecursionError):
            return data
        return json.dumps(fields) if event == _EVENT else data

    def event(self, fields: str) -> str:
        """Return the frame of an event with *fields*, which are JSON."""
        return f'{SOCKET_IO_EVENT}["{_EVENT}",{fields}]'

    def broadcast_frame(self, text: str) -> str:
        """Return the frame that broadcasts *text*."""
        return self.event(self.wrapped("broadcast", "all", text))


class Release4Client(_SocketIoClient):
    """Speaks Engine.IO 3, as the releases for Python 2.7 and 3.5 do."""

    def connect(self, chat: Chat, endpoint: Endpoint, path: str, member: str, origin: str) -> Connection:
        question = path.partition("?")[2]
        url = f"ws://127.0.0.1:{chat.server.port}{_PATH_3}" + (f"&{question}" if question else "")
        return _PingingSocket(endpoint, url, chat.transcript, chat.cookie(member), origin)

    def sends_binary(self) -> bool:
        return False

    def send(self, chat: Chat, endpoint: Endpoint, data: str | bytes) -> None:
        super().send(chat, endpoint, self.event(str(data)))

    def frame_format(self) -> FrameFormat:
        return FrameFormat(_PATH_3, self.messages, self.broadcast_frame, every=("2", _PING_EACH))


class PythonSocketIo(_SocketIoClient, JsonChat):
    """Events instead of messages; everybody is in rooms, and Redis carries what is emitted between servers."""

    name: ClassVar[str] = "python-socketio"
    suffix: ClassVar[str] = "pysocketio"
    settings: ClassVar[str] = "myapp.pysocketio.settings"
    application: ClassVar[Application] = Application(
        asgi="myapp.pysocketio.asgi:application",
        wsgi="myapp.pysocketio.wsgi:application",
        module="myapp.pysocketio.gevent_server",
    )
    servers: ClassVar[tuple[str, ...]] = ("uvicorn", "gunicorn", "gevent")
    decides: ClassVar[dict[str, Decides]] = {
        "origin": "library",
        "login": "project",
        "after": "project",  # who is connected is what this project's own code made of the cookie
    }
    trials: ClassVar[frozenset[str]] = frozenset({"note", "raise", "await", "sleep", "burst"})
    trial_application: ClassVar[Application | None] = Application(
        asgi="myapp.pysocketio.trials.asgi:application",
        wsgi="myapp.pysocketio.trials.wsgi:application",
        module="myapp.pysocketio.trials.gevent_server",
    )
    refuses_by_status: ClassVar[bool] = False
    no_echo: ClassVar[str] = "Socket.IO is a protocol of its own on top of WebSockets"

    def server(self, cell: Cell) -> str:
        return "gevent" if cell.python_version < (3, 6) else self.servers[0]

    def requirements(self, cell: Cell) -> list[str]:
        return ["python-socketio", "redis"]

    def pins(self, cell: Cell) -> list[Pin]:
        if cell.python_version < (3,):
            reason = "newer releases of it say that they run on Python 2.7, and do not"
            return [Pin(requirement="python-engineio==3.13.2", reason=reason)]
        return []

    def best_pins(self, cell: Cell) -> list[Pin]:
        if cell.python_version != (3, 6):
            return []
        # https://github.com/advisories/GHSA-g8c6-8fjj-2r4m; the first release without it is for Python 3.8 and newer.
        reason = (
            "newer releases of it say that they run on Python 3.6, and use what came with 3.7; like all before 5.14 it"
            " runs what whoever can write to Redis puts there (CVE-2025-61765)"
        )
        return [Pin(requirement="python-socketio==5.6.0", reason=reason)]

    def deployments(self, cell: Cell, server: Server) -> list[Deployment]:
        return [Deployment(each, number) for number, each in server.numbers()]  # Redis joins them

    def trial_frame(self, trial: dict[str, object]) -> str:
        return self.event(json.dumps(trial))

    def takes(self, trial: str, server: Server) -> bool:
        return super().takes(trial, server) and (trial != "await" or server.name == "uvicorn")

    def client(self, cell: Cell, inside: Inside | None = None) -> Client:
        return Release4Client() if cell.python_version < (3, 6) else self

    def connect(self, chat: Chat, endpoint: Endpoint, path: str, member: str, origin: str) -> Connection:
        from harness.libraries._socket_io import EventConnection

        url = f"{chat.server.base}?{path.partition('?')[2]}"
        return EventConnection(endpoint, url, chat.transcript, chat.cookie(member), origin, _EVENT)

    def send(self, chat: Chat, endpoint: Endpoint, data: str | bytes) -> None:
        fields = json.loads(data) if isinstance(data, str) else self.fields("broadcast", "all", data)
        connection = chat.connections[endpoint]
        if isinstance(connection, WebSocketConnection):  # one that speaks in plain frames
            super().send(chat, endpoint, self.event(json.dumps(fields)))
            return
        try:
            cast("EventConnection", connection).emit(fields)
        except ConnectionError as error:
            raise SendFailed(f"{endpoint.member}'s connection is gone ({error})") from error

    def frame_format(self) -> FrameFormat:
        return FrameFormat(_PATH_4, self.messages, self.broadcast_frame, opened=("40",), answers={"2": "3"})


class _PingingSocket(WebSocketConnection):
    """A connection that pings, as clients of Engine.IO 3 do: the server ends it otherwise."""

    def __init__(self, endpoint: Endpoint, url: str, transcript: Transcript, cookie: str, origin: str) -> None:
        super().__init__(endpoint, url, transcript, cookie, origin)
        self._ended = threading.Event()
        threading.Thread(target=self._ping, daemon=True).start()

    def close(self) -> None:
        """Ping no more, and close."""
        self._ended.set()
        super().close()

    def _ping(self) -> None:
        while not self._ended.wait(_PING_EACH):
            try:
                self.send("2")
            except (websocket.WebSocketException, OSError):
                return
