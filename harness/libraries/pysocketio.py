"""python-socketio: Socket.IO for Python, beside Django.

Source: https://python-socketio.readthedocs.io/. Its own client speaks the protocol of release 5
(Engine.IO 4); what release 4 speaks (Engine.IO 3) is framed here, for no client that is kept does.
"""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import engineio
import socketio
import websocket

from harness.cells import Cell
from harness.judge import Line
from harness.libraries.base import SendFailed, Wire
from harness.libraries.envelope import JsonChat
from harness.result import Pin
from harness.servers import Application, Deployment, Server
from harness.sockets import HANDSHAKE_DEADLINE, Connection, HandshakeRefused, Socket, Transcript, as_binary

if TYPE_CHECKING:
    from harness.chat import Chat

_EVENT = "chat"
#: What begins a text frame that carries an event (Engine.IO "message", Socket.IO "event").
_FRAME = "42"
#: Seconds between two pings of Engine.IO 3; the server waits for 25, and for 5 more.
_PING_EACH = 20.0
#: What a client makes of an answer that is none of its protocol.
_GARBAGE = (OSError, ValueError, KeyError, TypeError)
_PATH_4 = "/socket.io/?EIO=4&transport=websocket"
_PATH_3 = "/socket.io/?EIO=3&transport=websocket"


class PythonSocketIo(JsonChat):
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
        reason = "newer releases of it say that they run on Python 3.6, and use what came with 3.7"
        return [
            Pin(requirement="python-socketio==5.6.0", reason=reason),
            Pin(requirement="python-engineio==4.3.4", reason=reason),
        ]

    def connect(self, chat: Chat, line: Line, path: str, member: str, origin: str) -> Connection:
        question, cookie = path.partition("?")[2], chat.cookie(member)
        if _old(chat.cell):
            address = _PATH_3 + (f"&{question}" if question else "")
            return _PingingSocket(line, f"ws://127.0.0.1:{chat.port}{address}", chat.transcript, cookie, origin)
        return EventConnection(line, f"{chat.base}?{question}", chat.transcript, cookie, origin)

    def sends_binary(self, cell: Cell) -> bool:
        return not _old(cell)

    def send(self, chat: Chat, line: Line, data: str | bytes) -> None:
        connection = chat.sockets[line]
        if isinstance(connection, Socket):
            super().send(chat, line, f'{_FRAME}["{_EVENT}",{data!s}]')
            return
        fields = json.loads(data) if isinstance(data, str) else self.fields("broadcast", "all", data)
        assert isinstance(connection, EventConnection)
        try:
            connection.emit(fields)
        except socketio.exceptions.SocketIOError as error:
            raise SendFailed(f"{line.member}'s connection is gone ({type(error).__name__})") from error

    def wire(self, cell: Cell) -> Wire:
        def broadcast(text: str) -> str:
            return f'{_FRAME}["{_EVENT}",{self.wrapped("broadcast", "all", text)}]'

        if _old(cell):
            return Wire(_PATH_3, self.messages, broadcast, every=("2", _PING_EACH))
        return Wire(_PATH_4, self.messages, broadcast, opened=("40",), answers={"2": "3"})

    def deployments(self, cell: Cell, server: Server) -> list[Deployment]:
        return [Deployment(each, number) for number, each in server.numbers()]  # Redis joins them

    def heard(self, data: str) -> str | None:
        if data.startswith(_FRAME):
            try:
                event, fields = json.loads(data.removeprefix(_FRAME))
            except (ValueError, TypeError):
                return data
            return super().heard(json.dumps(fields)) if event == _EVENT else data
        # Open, close, ping, pong, connect: Engine.IO's packets are digits, with an object or nothing behind.
        return None if data[:1].isdigit() and data[1:2] in ("", "{", "0", "1") else super().heard(data)


class _InOrder(engineio.Client):
    """Handles each packet before it reads the next; the original starts a thread for each, which mixes them up."""

    def _trigger_event(self, event: str, *args: Any, **options: Any) -> Any:
        return super()._trigger_event(event, *args, **{**options, "run_async": False})


class _Client(socketio.Client):
    def _engineio_client_class(self) -> type[engineio.Client]:
        return _InOrder


class _PingingSocket(Socket):
    """A connection that pings, as clients of Engine.IO 3 do: the server ends it otherwise."""

    def __init__(self, line: Line, url: str, transcript: Transcript, cookie: str, origin: str) -> None:
        super().__init__(line, url, transcript, cookie, origin)
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


class EventConnection:
    """A connection of python-socketio's own client, over its WebSocket transport alone."""

    def __init__(self, line: Line, url: str, transcript: Transcript, cookie: str, origin: str) -> None:
        """Connect.

        Raises:
            HandshakeRefused: the server does not let it in.
        """
        self._line, self._transcript = line, transcript
        # Among the headers it would be a second one: websocket-client sends an Origin of its own.
        options = {"origin": origin}
        self._client = _Client(
            reconnection=False,
            handle_sigint=False,
            request_timeout=HANDSHAKE_DEADLINE,
            websocket_extra_options=options,
        )
        self._client.on("connect", self._opened)
        self._client.on(_EVENT, self._arrived)
        self._client.on("disconnect", self._closed)
        headers = {"Cookie": cookie} if cookie else {}
        try:
            self._client.connect(
                url, headers=headers, transports=["websocket"], wait=True, wait_timeout=HANDSHAKE_DEADLINE
            )
        except (socketio.exceptions.SocketIOError, websocket.WebSocketException, *_GARBAGE) as error:
            self.close()
            raise HandshakeRefused(f"{type(error).__name__}: {error}") from error

    def emit(self, fields: Any) -> None:
        """Send an event; SocketIOError when the connection is gone."""
        self._transcript.add(self._line, "out", "text", json.dumps(fields, default=lambda data: f"{len(data)} bytes"))
        self._client.emit(_EVENT, fields)

    def send(self, text: str | bytes) -> None:
        """Send one message, in the form that the chat's server takes."""
        self.emit(json.loads(text))

    def close(self) -> None:
        """Leave; never waits for the server, and whoever waits for what comes does so no more."""
        raw = getattr(self._client.eio.ws, "sock", None)
        if raw is not None:
            with suppress(OSError):
                raw.shutdown(socket.SHUT_RDWR)
        self._client.shutdown()

    def _opened(self) -> None:
        self._transcript.add(self._line, "in", "open", "connected")

    def _arrived(self, fields: Any) -> None:
        message = fields.get("message") if isinstance(fields, dict) else None
        if isinstance(message, bytes):
            self._transcript.add(self._line, "in", "binary", as_binary(message))
        else:
            self._transcript.add(self._line, "in", "text", _FRAME + json.dumps([_EVENT, fields]))

    def _closed(self, reason: str = "") -> None:
        self._transcript.add(self._line, "in", "closed", f"disconnected ({reason})" if reason else "disconnected")


def _old(cell: Cell) -> bool:
    """Tell whether the release for this Python speaks the older protocol."""
    return cell.python_version < (3, 6)
