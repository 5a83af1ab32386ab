"""Many short connections: they are let in by the book, counted, and leave with and without goodbye."""

from __future__ import annotations

import socket
import threading
from collections import Counter

import pytest
from bareserver import handshake

from harness.clients.visits import Visitor, knock, visit
from harness.system.ports import free_port
from harness.system.waiting import wait_until


class Doors:
    """Lets in so many, answers the others with 403, and knows how each of those that were let in has left."""

    def __init__(self, lets_in: int = 1000) -> None:
        self.lets_in, self.requests, self.left, self.heard = lets_in, [], Counter(), []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection: socket.socket) -> None:
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(65536)
            self.requests.append(request)
            if len(self.requests) > self.lets_in:
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            connection.sendall(handshake(request))
            heard = b""
            try:
                while data := connection.recv(65536):
                    heard += data
                self.left["goodbye" if heard[-8:-6] == b"\x88\x82" else "end"] += 1
            except ConnectionResetError:
                self.left["reset"] += 1
            self.heard.append(heard)


@pytest.fixture
def doors():
    made = Doors()
    yield made
    made.listening.close()


def test_visits(doors):
    """All are let in, with what they say of themselves; every other one leaves without goodbye."""
    visitor = Visitor(doors.port, "/ws/chat?x", "session=1", "http://127.0.0.1", ("hello",))
    assert visit([visitor] * 10) == visit([visitor] * 10)
    assert wait_until(lambda: sum(doors.left.values()) == 20, 5)
    assert doors.left == {"goodbye": 10, "reset": 10}
    assert all(b"GET /ws/chat?x HTTP/1.1\r\n" in each for each in doors.requests)
    assert all(b"\r\nCookie: session=1\r\n" in each and b"\r\nOrigin: " in each for each in doors.requests)


def test_some_are_refused(doors):
    """How many were let in is counted, and what the first of the others met is told."""
    doors.lets_in = 3
    found = visit([Visitor(doors.port, "/ws/chat")] * 5)
    assert (found.opened, found.refused) == (3, "ConnectionRefusedError: status 403")


def test_nobody_listens():
    """Where nobody listens nobody is let in."""
    found = visit([Visitor(free_port(), "/")])
    assert found.opened == 0
    assert found.refused.startswith("ConnectionRefusedError")


def test_a_knock():
    """Whoever knocks says what is unusual, and learns what is answered, without staying."""
    doors = Doors(lets_in=1)
    status, headers = knock(Visitor(doors.port, "/ws", method="POST", headers=("X-More: yes",)))
    assert (status, headers["upgrade"]) == ("101", "websocket")
    assert doors.requests[0].startswith(b"POST /ws HTTP/1.1\r\n")
    assert b"\r\nX-More: yes\r\n\r\n" in doors.requests[0]
    assert knock(Visitor(doors.port, "/ws")) == ("403", {"content-length": "0"})
    doors.listening.close()


def test_nobody_answers():
    """A knock that brings no answer is an error, whether nobody is there or somebody hangs up."""
    with pytest.raises(ConnectionRefusedError):
        knock(Visitor(free_port(), "/ws"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        hanging_up = threading.Thread(target=lambda: listening.accept()[0].close(), daemon=True)
        hanging_up.start()
        with pytest.raises(ConnectionResetError):
            knock(Visitor(listening.getsockname()[1], "/ws"))
