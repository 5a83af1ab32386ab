"""A WebSocket stands only when a browser would think so as well."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import threading

import pytest

from harness.clients.connection import Endpoint, HandshakeRefused
from harness.clients.transcript import Transcript
from harness.clients.websocket import WebSocketConnection

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


def open_socket(first_line: str) -> None:
    """Open a WebSocket to a server that shakes hands rightly, but for its first line."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            key = re.search(rb"Sec-WebSocket-Key: (\S+)", connection.recv(65536))
            assert key is not None
            accept = base64.b64encode(hashlib.sha1(key[1] + GUID).digest()).decode()
            headers = ["Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}"]
            connection.sendall("\r\n".join([first_line, *headers, "", ""]).encode())
            connection.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve)
        server.start()
        try:
            url = f"ws://127.0.0.1:{listener.getsockname()[1]}/"
            WebSocketConnection(Endpoint("John", "user"), url, Transcript(lambda text: [])).close()
        finally:
            server.join()


def test_handshake():
    """An answer by the book opens the connection."""
    open_socket("HTTP/1.1 101 Switching Protocols")


@pytest.mark.parametrize("first_line", ["HTTP/1.0 101 Switching Protocols", "HTTP/1.1 200 OK", "ICY 101 OK"])
def test_handshake_that_no_browser_takes(first_line):
    """An older HTTP, another status, or another protocol opens nothing."""
    with pytest.raises(HandshakeRefused):
        open_socket(first_line)
