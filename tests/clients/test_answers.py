"""The head of the answer to a handshake, as browsers read it."""

from __future__ import annotations

import socket

import pytest
import websocket
from websocket import _handshake

from harness.clients import answers

answers.read_as_browsers()


def read(head: bytes) -> tuple[int | None, dict[str, str], str | None]:
    server, client = socket.socketpair()
    with server, client:
        server.sendall(head + b"\r\n")
        return _handshake.read_headers(client)


def test_several_lines_of_one_name():
    """What stands in several lines of one name, or goes on in the next line, belongs together."""
    head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nConnection: keep-alive\r\nX: a\r\n  b\r\n"
    assert read(head) == (101, {"connection": "Upgrade, keep-alive", "x": "a b"}, "Switching Protocols")


def test_what_is_no_header():
    """A letter of Latin-1 is one, and a line without a colon says nothing."""
    assert read(b"HTTP/1.1 101\r\nServer: Fr\xfchst\xfcck\r\nnothing\r\n") == (101, {"server": "Frühstück"}, None)


@pytest.mark.parametrize("line", [b"HTTP/1.1\r\n", b"HTTP/1.1 fine\r\n"])
def test_no_answer(line):
    """What does not begin as an answer does is none."""
    with pytest.raises(websocket.WebSocketException, match="Invalid status line"):
        read(line)
