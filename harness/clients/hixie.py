"""The WebSocket of 2010, draft-hixie-thewebsocketprotocol-76: no library that is kept speaks it any more.

Source: https://datatracker.ietf.org/doc/html/draft-hixie-thewebsocketprotocol-76 (1.3, 4.1, 5.3).
"""

from __future__ import annotations

import hashlib
import random
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

from harness.clients.connection import CLOSED_BY_SERVER, HANDSHAKE_DEADLINE, Endpoint, HandshakeRefused
from harness.clients.counting import CountingSocket
from harness.clients.transcript import Transcript

_LIMIT = 65536


#: What answers the library's own messages, such as heartbeats: their answer, or None.
Reply = Callable[[str], str | None]


class HixieSocket:
    """A connection in which every message is a text between 0x00 and 0xFF."""

    def __init__(
        self, endpoint: Endpoint, port: int, path: str, transcript: Transcript, cookie: str, origin: str, reply: Reply
    ) -> None:
        """Connect.

        Raises:
            HandshakeRefused: the server does not answer as the draft says.
        """
        self._endpoint, self._transcript, self._reply = endpoint, transcript, reply
        self._lock = threading.Lock()
        try:
            self._wire = CountingSocket(port)
            try:
                self._rest = _shake_hands(self._wire, port, path, cookie, origin)
            except (OSError, HandshakeRefused):
                self._wire.close()
                raise
        except OSError as error:
            raise HandshakeRefused(f"{type(error).__name__}: {error}") from error
        self._wire.settimeout(None)
        transcript.add(endpoint, "in", "open", "status 101, draft 76")
        self._reader = threading.Thread(target=self._read, name=f"read {endpoint.member}/{endpoint.name}", daemon=True)
        self._reader.start()

    def send(self, text: str | bytes) -> None:
        """Send one message; OSError when the connection is gone."""
        data = text.encode() if isinstance(text, str) else text
        self._transcript.add(self._endpoint, "out", "text", data.decode("utf-8", "replace"))
        with self._lock:
            self._wire.sendall(b"\x00" + data + b"\xff")

    def close(self) -> None:
        """Say goodbye and end the reading; never waits for the server."""
        with suppress(OSError):
            self._wire.sendall(b"\xff\x00")
        with suppress(OSError):
            self._wire.shutdown(socket.SHUT_RDWR)
        self._reader.join(timeout=5)
        self._wire.close()

    def _read(self) -> None:
        data, why = self._rest, "connection lost"
        try:
            while True:
                while (end := data.find(b"\xff")) >= 0:
                    frame, data = data[:end], data[end + 1 :]
                    if not frame.startswith(b"\x00"):
                        why = CLOSED_BY_SERVER
                        return
                    self._arrived(frame[1:].decode("utf-8", "replace"))
                if not (piece := self._wire.recv(_LIMIT)):
                    return
                data += piece
        except OSError as error:
            why = f"connection lost ({type(error).__name__})"
        finally:
            self._transcript.add(self._endpoint, "in", "closed", why)

    def _arrived(self, text: str) -> None:
        self._transcript.add(self._endpoint, "in", "text", text)
        answer = self._reply(text)
        if answer is not None:
            self.send(answer)


def _shake_hands(wire: socket.socket, port: int, path: str, cookie: str, origin: str) -> bytes:
    """Do the handshake; return what came behind it."""
    (first, one), (second, two) = _key(), _key()
    third = random.randbytes(8)
    headers = [
        f"GET {path} HTTP/1.1",
        "Upgrade: WebSocket",
        "Connection: Upgrade",
        f"Host: 127.0.0.1:{port}",
        f"Origin: {origin}",
        *([f"Cookie: {cookie}"] if cookie else []),
        f"Sec-WebSocket-Key1: {first}",
        f"Sec-WebSocket-Key2: {second}",
    ]
    wire.settimeout(HANDSHAKE_DEADLINE)
    wire.sendall("\r\n".join([*headers, "", ""]).encode() + third)
    answer = b""
    while b"\r\n\r\n" not in answer or len(answer.partition(b"\r\n\r\n")[2]) < 16:
        piece = wire.recv(_LIMIT)
        if not piece or len(answer) > _LIMIT:
            break
        answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b"\r\n")[0].decode("latin-1")
    if " 101 " not in status:
        raise HandshakeRefused(f"it answers {status!r}" if status else "the connection is closed without an answer")
    if body[:16] != challenge(one, two, third):
        raise HandshakeRefused("the answer to the challenge is wrong")
    return body[16:]


def challenge(one: int, two: int, third: bytes) -> bytes:
    """Return what proves that a server read the three keys."""
    return hashlib.md5(struct.pack("!II", one, two) + third, usedforsecurity=False).digest()


def _key() -> tuple[str, int]:
    """Return a key, and the number that is hidden in it."""
    spaces = random.randint(1, 12)
    number = random.randint(0, (2**32 - 1) // spaces)
    letters = list(str(number * spaces))
    strange = [chr(code) for code in (*range(0x21, 0x30), *range(0x3A, 0x7F))]
    for _ in range(random.randint(1, 12)):
        letters.insert(random.randint(0, len(letters)), random.choice(strange))
    for _ in range(spaces):
        letters.insert(random.randint(1, len(letters) - 1), " ")
    return "".join(letters), number
