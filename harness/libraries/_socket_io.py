"""A connection of python-socketio's own client, which speaks the protocol of its release 5.

Source: https://python-socketio.readthedocs.io/. It takes long to load, so only who opens a connection does that.
"""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from typing import Any

import engineio
import socketio
import websocket

from harness.clients.connection import HANDSHAKE_DEADLINE, Endpoint, HandshakeRefused, as_binary
from harness.clients.frame_format import SOCKET_IO_EVENT
from harness.clients.transcript import Transcript

#: What a client makes of an answer that is none of its protocol.
_GARBAGE = (OSError, ValueError, KeyError, TypeError)


class _InOrder(engineio.Client):
    """Handles each packet before it reads the next; the original starts a thread for each, which mixes them up."""

    def _trigger_event(self, event: str, *args: Any, **options: Any) -> Any:
        return super()._trigger_event(event, *args, **{**options, "run_async": False})


class _Client(socketio.Client):
    def _engineio_client_class(self) -> type[engineio.Client]:
        return _InOrder


class EventConnection:
    """A connection of python-socketio's own client, over its WebSocket transport alone."""

    def __init__(
        self, endpoint: Endpoint, url: str, transcript: Transcript, cookie: str, origin: str, event: str
    ) -> None:
        """Connect; what is sent and received are events called *event*.

        Raises:
            HandshakeRefused: the server does not let it in.
        """
        self._endpoint, self._transcript, self._event = endpoint, transcript, event
        # Among the headers it would be a second one: websocket-client sends an Origin of its own.
        options: dict[str, Any] = {"origin": origin} if origin else {"suppress_origin": True}
        self._client = _Client(
            reconnection=False,
            handle_sigint=False,
            request_timeout=HANDSHAKE_DEADLINE,
            websocket_extra_options=options,
        )
        self._client.on("connect", self._opened)
        self._client.on(event, self._arrived)
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
        """Send an event.

        Raises:
            ConnectionError: the connection is gone; the message is what the client calls that.
        """
        self._transcript.add(
            self._endpoint, "out", "text", json.dumps(fields, default=lambda data: f"{len(data)} bytes")
        )
        try:
            self._client.emit(self._event, fields)
        except socketio.exceptions.SocketIOError as error:
            raise ConnectionError(type(error).__name__) from error

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
        self._transcript.add(self._endpoint, "in", "open", "connected")

    def _arrived(self, fields: Any) -> None:
        message = fields.get("message") if isinstance(fields, dict) else None
        if isinstance(message, bytes):
            self._transcript.add(self._endpoint, "in", "binary", as_binary(message))
        else:
            self._transcript.add(self._endpoint, "in", "text", SOCKET_IO_EVENT + json.dumps([self._event, fields]))

    def _closed(self, reason: str = "") -> None:
        self._transcript.add(self._endpoint, "in", "closed", f"disconnected ({reason})" if reason else "disconnected")
