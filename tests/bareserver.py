"""A server of one WebSocket, byte by byte: it shakes hands by RFC 6455, and then says what a test wants."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


def frame(kind: int, data: bytes = b"", fin: bool = True) -> bytes:
    """Return a frame as servers send it, without a mask (RFC 6455, 5.2)."""
    assert len(data) < 126
    return bytes([kind | (0x80 if fin else 0), len(data)]) + data


def handshake(request: bytes) -> bytes:
    """Return the answer that opens a WebSocket."""
    key = re.search(rb"Sec-WebSocket-Key: (\S+)", request)
    assert key is not None
    accept = base64.b64encode(hashlib.sha1(key[1] + _GUID).digest()).decode()
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    return "\r\n".join([*lines, f"Sec-WebSocket-Accept: {accept}", "", ""]).encode()


class Heard:
    """What the client said: its request, and its frames without their masks."""

    def __init__(self) -> None:
        self.request = b""
        self.frames: list[tuple[int, bytes]] = []
        self.changed = threading.Condition()

    def wait(self, number: int) -> list[tuple[int, bytes]]:
        """Wait until there are so many frames; return all."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.frames) >= number, 5)
        return self.frames


@contextmanager
def serving(
    *said: bytes, answer: Callable[[bytes], bytes] = handshake, stays: bool = True
) -> Iterator[tuple[int, Heard]]:
    """Serve one connection: answer its request, say *said*, and listen until it ends where the server *stays*."""
    heard = Heard()

    def serve() -> None:
        connection, _ = listener.accept()
        connection.settimeout(5)
        with connection:
            while b"\r\n\r\n" not in heard.request:
                heard.request += connection.recv(65536)
            connection.sendall(answer(heard.request))
            for each in said:
                connection.sendall(each)
            if stays:
                _listen(connection, heard)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        yield listener.getsockname()[1], heard
        server.join(5)
        assert not server.is_alive()


def _listen(connection: socket.socket, heard: Heard) -> None:
    data = b""
    try:
        while piece := connection.recv(65536):
            data += piece
            while len(data) >= 6 and len(data) >= 6 + (data[1] & 0x7F):
                kind, size, mask = data[0] & 0x0F, data[1] & 0x7F, data[2:6]
                payload, data = data[6 : 6 + size], data[6 + size :]
                with heard.changed:
                    heard.frames.append((kind, bytes(each ^ mask[at % 4] for at, each in enumerate(payload))))
                    heard.changed.notify_all()
    except OSError:
        return
