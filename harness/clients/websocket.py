"""WebSocket connections of the members (RFC 6455), made with websocket-client."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import websocket

from harness.clients.connection import HANDSHAKE_DEADLINE, Endpoint, HandshakeRefused, as_binary
from harness.clients.transcript import Transcript


class CountingSocket(socket.socket):
    """A TCP connection that counts what goes over it, and remembers how the answer began."""

    def __init__(self, port: int) -> None:
        """Connect to *port* of this machine; OSError when nothing listens there."""
        super().__init__()
        self.bytes_in = self.bytes_out = 0
        self.beginning = b""
        self.settimeout(HANDSHAKE_DEADLINE)
        try:
            self.connect(("127.0.0.1", port))
        except OSError:
            self.close()
            raise
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def bytes_both_ways(self) -> int:
        """What has gone over it until now."""
        return self.bytes_in + self.bytes_out

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Receive as a socket does."""
        data = super().recv(size, flags)
        self.bytes_in += len(data)
        if len(self.beginning) < 8:
            self.beginning += data[: 8 - len(self.beginning)]
        return data

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Receive as a socket does; files made of sockets read this way."""
        size = super().recv_into(buffer, nbytes, flags)
        self.bytes_in += size
        return size

    def send(self, data: Any, flags: int = 0) -> int:
        """Send as a socket does."""
        sent = super().send(data, flags)
        self.bytes_out += sent
        return sent

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send as a socket does."""
        super().sendall(data, flags)
        self.bytes_out += len(data)


class WebSocketConnection:
    """One WebSocket connection, read by a thread of its own."""

    def __init__(
        self, endpoint: Endpoint, url: str, transcript: Transcript, cookie: str = "", origin: str = ""
    ) -> None:
        """Connect.

        Raises:
            HandshakeRefused: the server did not answer with a WebSocket handshake (RFC 6455, 4.2.2).
        """
        self.endpoint = endpoint
        self._transcript = transcript
        self._socket = websocket.WebSocket(enable_multithread=True, skip_utf8_validation=True)
        try:
            self._socket.connect(
                url,
                socket=CountingSocket(urlsplit(url).port or 80),
                timeout=HANDSHAKE_DEADLINE,
                cookie=cookie or None,
                origin=origin or None,
                suppress_origin=not origin,
                redirect_limit=0,  # no browser follows one here
            )
            if self._socket.status != 101:
                raise websocket.WebSocketException(f"status {self._socket.status} instead of 101")
            if self.wire.beginning != b"HTTP/1.1":  # a browser refuses it then
                raise websocket.WebSocketException(f"it answers with {self.wire.beginning.decode('latin-1')}")
        except websocket.WebSocketBadStatusException as error:
            body = (error.resp_body or b"")[:200].decode("utf-8", "replace") if error.resp_body else ""
            self._socket.shutdown()
            raise HandshakeRefused(f"status {error.status_code}" + (f": {body}" if body else "")) from error
        except (websocket.WebSocketException, OSError, ValueError) as error:
            self._socket.shutdown()
            raise HandshakeRefused(f"{type(error).__name__}: {error}") from error
        self._socket.settimeout(None)
        transcript.add(endpoint, "in", "open", f"status {self._socket.status}")
        self._reader = threading.Thread(target=self._read, name=f"read {endpoint.member}/{endpoint.name}", daemon=True)
        self._reader.start()

    @property
    def wire(self) -> CountingSocket:
        """The TCP connection below."""
        wire = self._socket.sock
        assert isinstance(wire, CountingSocket)
        return wire

    def send(self, text: str | bytes) -> None:
        """Send one message; OSError or WebSocketException when the connection is gone."""
        binary = isinstance(text, bytes)
        shown = f"{len(text)} bytes" if binary else str(text)
        self._transcript.add(self.endpoint, "out", "binary" if binary else "text", shown)
        self._socket.send(text, websocket.ABNF.OPCODE_BINARY if binary else websocket.ABNF.OPCODE_TEXT)

    def close(self) -> None:
        """Say goodbye (RFC 6455, 5.5.1) and end the reading; never waits for the server."""
        with suppress(websocket.WebSocketException, OSError):
            self._socket.send((1000).to_bytes(2, "big"), websocket.ABNF.OPCODE_CLOSE)
        if self._socket.sock is not None:
            with suppress(OSError):
                self._socket.sock.shutdown(socket.SHUT_RDWR)
        self._reader.join(timeout=5)
        self._socket.shutdown()

    def _read(self) -> None:
        names = {websocket.ABNF.OPCODE_TEXT: "text", websocket.ABNF.OPCODE_BINARY: "binary"}
        names |= {websocket.ABNF.OPCODE_PING: "ping", websocket.ABNF.OPCODE_PONG: "pong"}
        why = ""
        try:
            while True:
                opcode, frame = self._socket.recv_data_frame(control_frame=True)
                data: bytes = frame.data if isinstance(frame.data, bytes) else bytes(str(frame.data), "utf-8")
                if opcode == websocket.ABNF.OPCODE_CLOSE:
                    code = int.from_bytes(data[:2], "big") if len(data) >= 2 else 1005
                    why = f"closed by the server with {code} {data[2:].decode('utf-8', 'replace')}".strip()
                    break
                # What is no UTF-8 becomes replacement characters, and so an altered text.
                shown = as_binary(data) if opcode == websocket.ABNF.OPCODE_BINARY else data.decode("utf-8", "replace")
                self._transcript.add(self.endpoint, "in", names.get(opcode, "other"), shown)
        except (websocket.WebSocketException, OSError, ValueError, AttributeError) as error:
            why = f"connection lost ({type(error).__name__})"
        self._transcript.add(self.endpoint, "in", "closed", why)
