"""What goes through the proxy, and what becomes of it when the network is told to fail."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing

import pytest

from harness.system.ports import free_port
from harness.system.proxy import Proxy
from harness.system.waiting import wait_until


class Echo:
    """A server that sends back what it gets, and knows how each connection ended."""

    def __init__(self):
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.got, self.ends = [], []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        with connection:
            try:
                while data := connection.recv(100_000):
                    self.got.append(data)
                    connection.sendall(data)
                self.ends.append("end")
            except ConnectionResetError:
                self.ends.append("reset")


@pytest.fixture
def echo():
    server = Echo()
    yield server
    server.listening.close()


@pytest.fixture
def proxy(echo):
    with Proxy(echo.port) as made:
        yield made


def connected(proxy):
    return closing(socket.create_connection(("127.0.0.1", proxy.port), timeout=5))


def asked(client, data=b"hello"):
    client.sendall(data)
    return received(client, len(data))


def refused(proxy):
    try:
        with connected(proxy) as client:
            return client.recv(1) == b""
    except ConnectionResetError:
        return True


def received(client, size):
    found = b""
    while len(found) < size:
        data = client.recv(100_000)
        if not data:
            break
        found += data
    return found


def test_forwarded(proxy, echo):
    """Everything goes through in both directions, however much it is, and so does the end."""
    with connected(proxy) as client:
        assert asked(client) == b"hello"
        large = bytes(range(256)) * 8000
        threading.Thread(target=client.sendall, args=(large,), daemon=True).start()
        assert received(client, len(large)) == large
    assert wait_until(lambda: echo.ends == ["end"], 5)


def test_cut(proxy, echo):
    """A cut resets both ends, and nobody gets in until it is mended."""
    with connected(proxy) as client:
        assert asked(client) == b"hello"
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert wait_until(lambda: echo.ends == ["reset"], 5)
    assert refused(proxy)
    proxy.mend()
    with connected(proxy) as client:
        assert asked(client) == b"hello"


@pytest.mark.parametrize("gone", ["client", "server"])
def test_half_open(proxy, echo, gone):
    """Of a half-open connection one end is gone, and the other one is not told."""
    with connected(proxy) as client:
        assert asked(client) == b"hello"
        proxy.half_open(gone)
        if gone == "client":
            with pytest.raises(ConnectionResetError):
                client.recv(1)
            assert echo.ends == []
        else:
            assert wait_until(lambda: echo.ends == ["reset"], 5)
            client.sendall(b"is anybody there?")
            client.settimeout(0.2)
            with pytest.raises(TimeoutError):
                client.recv(1)


def test_half_open_says_nothing(proxy, echo, caplog):
    """What is sent to an end that is gone is lost without a word, however often: it is no fault of the harness."""
    with connected(proxy) as client:
        client.sendall(b"before")
        assert client.recv(100) == b"before"
        proxy.half_open("server")
        lost = proxy.lost
        for number in range(20):
            client.sendall(b"more")
            assert wait_until(lambda number=number: proxy.lost >= lost + 4 * (number + 1), 5.0)
    assert caplog.messages == []


def test_swallowed(proxy, echo):
    """What is swallowed on one way arrives on the other, and does not come later."""
    with connected(proxy) as client:
        assert asked(client) == b"hello"
        proxy.swallow("client")
        client.sendall(b"lost on its way back")
        assert wait_until(lambda: proxy.lost == 20, 5)
        assert echo.got[-1] == b"lost on its way back"
        proxy.swallow()
        client.sendall(b"lost at once")
        assert wait_until(lambda: proxy.lost == 32, 5)
        proxy.mend()
        assert asked(client, b"here again") == b"here again"
    assert b"lost at once" not in echo.got


def test_delayed(proxy):
    """What is delayed comes later and in its order, also what is sent once the delay is over."""
    with connected(proxy) as client:
        assert asked(client) == b"hello"
        proxy.delay(0.1)
        began = time.monotonic()
        client.sendall(b"one")
        assert wait_until(lambda: time.monotonic() - began > 0.02, 5)
        proxy.mend()
        client.sendall(b"two")
        assert received(client, 6) == b"onetwo"
        assert time.monotonic() - began > 0.1


def test_nobody_listens():
    """Where no server listens the client is reset."""
    with Proxy(free_port()) as proxy:
        assert refused(proxy)


def test_a_reader_that_does_not_read(proxy, echo):
    """Whoever does not read is not read for: the sender has to wait, as without a proxy."""
    with connected(proxy) as client:
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.sendall(b"x" * 100_000_000)


def test_order_after_a_delay(echo):
    """What is sent around the end of a delay comes in its order, however much of it there is."""
    with Proxy(echo.port) as proxy, closing(socket.create_connection(("127.0.0.1", proxy.port))) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        proxy.delay(0.2)
        sent = b""
        for number in range(200):
            piece = b"%03d " % number
            client.sendall(piece)
            sent += piece
            if number == 100:
                proxy.mend()
        client.settimeout(5)
        received = b""
        while len(received) < len(sent):
            received += client.recv(65536)
        assert received == sent
