"""WebSocket connections of the members, made with websocket-client, and what went over them."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import websocket

from harness.errors import HarnessError
from harness.judge import Line

#: Seconds for a handshake.
HANDSHAKE_DEADLINE = 10.0


@dataclass(frozen=True)
class Frame:
    """One frame, with the moment (:func:`time.monotonic`) at which it was sent or received."""

    at: float
    line: Line
    direction: str
    kind: str
    data: str


class HandshakeRefused(Exception):
    """The server did not open the WebSocket; the message says what it answered."""


def as_binary(data: bytes) -> str:
    """Return how a binary message stands in the transcript: never the same as a text."""
    return "(binary) " + data.decode("latin-1")


class Transcript:
    """All frames of all connections in one order, and the means to wait for one."""

    def __init__(self, messages: Callable[[str], Iterable[str]]) -> None:
        """*messages* returns the messages in a frame that arrived: none where it is the library's own."""
        self._changed = threading.Condition()
        self._messages = messages
        self.began = time.monotonic()
        self.frames: list[Frame] = []
        self._first: dict[tuple[Line, str], float] = {}
        self._texts: dict[Line, list[str]] = {}
        self._closed: dict[Line, str] = {}

    def add(self, line: Line, direction: str, kind: str, data: str) -> None:
        """Record a frame, and wake whoever waits."""
        now = time.monotonic()
        with self._changed:
            self.frames.append(Frame(now, line, direction, kind, data))
            if direction == "in" and kind in ("text", "binary"):
                for message in self._messages(data) if kind == "text" else [data]:
                    self._texts.setdefault(line, []).append(message)
                    self._first.setdefault((line, message), now)
            if kind == "open":  # perhaps again, under a name that was closed before
                self._closed.pop(line, None)
            if kind == "closed":
                self._closed.setdefault(line, data)
            self._changed.notify_all()

    def wait(self, lines: Iterable[Line], texts: Iterable[str], seconds: float) -> bool:
        """Wait until each of *lines* that is open has received one of *texts*; tell whether it has."""
        wanted, any_of = list(lines), tuple(texts)

        def arrived() -> bool:
            return all(line in self._closed or any((line, text) in self._first for text in any_of) for line in wanted)

        with self._changed:
            return self._changed.wait_for(arrived, timeout=seconds)

    def wait_closed(self, line: Line, seconds: float) -> bool:
        """Wait until *line* is closed; tell whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: line in self._closed, timeout=seconds)

    def arrival(self, line: Line, text: str) -> float | None:
        """Return when *line* first received *text*, or None."""
        return self._first.get((line, text))

    def texts(self, line: Line) -> list[str]:
        """Return what *line* received, in order, without noise."""
        with self._changed:
            return list(self._texts.get(line, ()))

    def closed(self, line: Line) -> str:
        """Return why *line* is closed, or nothing while it is open."""
        return self._closed.get(line, "")

    def write(self, path: Path, scrub: Callable[[str], str]) -> None:
        """Write every frame as a line of JSON, with its seconds since the first connection.

        Raises:
            HarnessError: *path* cannot be written.
        """
        write_frames(self.frames, self.began, path, scrub)


def write_frames(frames: Iterable[Frame], began: float, path: Path, scrub: Callable[[str], str]) -> None:
    """Add each of *frames* to *path* as a line of JSON, with its seconds since *began*.

    Raises:
        HarnessError: *path* cannot be written.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            for frame in frames:
                entry = {
                    "seconds": round(frame.at - began, 6),
                    "member": frame.line.member,
                    "connection": frame.line.name,
                    "direction": frame.direction,
                    "kind": frame.kind,
                    "data": scrub(frame.data),
                }
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    except OSError as error:
        raise HarnessError(f"{path.name} cannot be written: {error.strerror}", "make room on the disk") from error


class Connection(Protocol):
    """What the harness asks of a connection, whatever protocol it speaks."""

    def send(self, text: str | bytes) -> None:
        """Send one message; OSError or WebSocketException when the connection is gone."""

    def close(self) -> None:
        """Say goodbye and end the reading; never waits for the server."""


class Wire(socket.socket):
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


class Socket:
    """One WebSocket connection, read by a thread of its own."""

    def __init__(self, line: Line, url: str, transcript: Transcript, cookie: str = "", origin: str = "") -> None:
        """Connect.

        Raises:
            HandshakeRefused: the server did not answer with a WebSocket handshake (RFC 6455, 4.2.2).
        """
        self.line = line
        self._transcript = transcript
        self._socket = websocket.WebSocket(enable_multithread=True, skip_utf8_validation=True)
        try:
            self._socket.connect(
                url,
                socket=Wire(urlsplit(url).port or 80),
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
        transcript.add(line, "in", "open", f"status {self._socket.status}")
        self._reader = threading.Thread(target=self._read, name=f"read {line.member}/{line.name}", daemon=True)
        self._reader.start()

    @property
    def wire(self) -> Wire:
        """The TCP connection below."""
        wire = self._socket.sock
        assert isinstance(wire, Wire)
        return wire

    def send(self, text: str | bytes) -> None:
        """Send one message; OSError or WebSocketException when the connection is gone."""
        binary = isinstance(text, bytes)
        shown = f"{len(text)} bytes" if binary else str(text)
        self._transcript.add(self.line, "out", "binary" if binary else "text", shown)
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
                self._transcript.add(self.line, "in", names.get(opcode, "other"), shown)
        except (websocket.WebSocketException, OSError, ValueError, AttributeError) as error:
            why = f"connection lost ({type(error).__name__})"
        self._transcript.add(self.line, "in", "closed", why)
