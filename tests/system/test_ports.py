"""TCP ports of loopback: those that are free, and those that somebody has."""

from __future__ import annotations

import socket

from harness.system.ports import can_bind, free_port


def test_free():
    """A free port can be listened on, and is another one for each who has it."""
    port = free_port()
    assert 1024 < port < 65536
    assert can_bind(port)
    with socket.create_server(("127.0.0.1", port)):
        assert free_port() != port


def test_taken():
    """A port on which somebody listens is not free, until it is left."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert not can_bind(port)
    assert can_bind(port)


def test_left_in_a_hurry():
    """A port whose connections have only just ended is free: nobody listens any more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = listener.accept()
            accepted.close()  # the side that closes first keeps the port for a while
            assert client.recv(1) == b""
    assert can_bind(port)
