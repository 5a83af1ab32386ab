"""Readiness is asked: of the right server, and without trusting how it closes."""

from __future__ import annotations

import os
import sys

import pytest

from harness.cell import readiness as pages
from harness.errors import CellFailure
from harness.system import processes
from harness.system.ports import free_port
from harness.verdict import Reason

ANSWER = "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"
SERVER = """
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
    kept = []
    while True:
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.sendall(b"{answer}")
        {then}
"""


def started(tmp_path, port: int, answer: str = ANSWER, then: str = "connection.close()"):
    command = [sys.executable, "-c", SERVER.format(answer=answer, then=then), str(port)]
    return processes.started(command, dict(os.environ), tmp_path, tmp_path / "log")


@pytest.mark.parametrize("then", ["connection.close()", "kept.append(connection)"], ids=["closes", "keeps open"])
def test_ready(tmp_path, then):
    """A server that answers is ready, also when it keeps the connection open against all request."""
    port = free_port()
    with started(tmp_path, port, then=then) as server:
        assert pages.wait_until_ready(server, port, 10) < 10


def test_not_http(tmp_path):
    """What does not speak HTTP is not ready, and never will be."""
    port = free_port()
    with started(tmp_path, port, answer="220 mail") as server, pytest.raises(CellFailure) as raised:
        pages.wait_until_ready(server, port, 10)
    assert raised.value.reason is Reason.SERVER_DID_NOT_START


def test_port_of_somebody_else(tmp_path):
    """A stranger who answers on the port is not the server."""
    port = free_port()
    sleeper = [sys.executable, "-c", "import signal; signal.pause()"]
    with (
        started(tmp_path, port),
        processes.started(sleeper, dict(os.environ), tmp_path, tmp_path / "other") as server,
    ):
        server.started -= 4.5  # it is given five seconds to end because of it
        with pytest.raises(pages.PortTaken):
            pages.wait_until_ready(server, port, 20)
