"""Wait until a server answers: readiness is asked over HTTP, never slept for."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

from harness.errors import CellFailure
from harness.system.processes import Child
from harness.system.waiting import Deadline
from harness.verdict import Reason


class PortTaken(Exception):
    """Another process listens on the port that the server was to use."""


def wait_until_ready(server: Child, port: int, deadline: float, page: str = "/") -> float:
    """Ask for *page* until the server answers HTTP; return the seconds that took.

    Raises:
        PortTaken: somebody else listens there.
        CellFailure: the server ended, or does not answer in time.
    """
    while (waited := time.monotonic() - server.started) < deadline:
        if server.exit_status is not None:
            raise CellFailure(
                Reason.SERVER_DID_NOT_START,
                f"the server ended with exit status {server.exit_status} before it answered",
            )
        answer = _ask(server, port, page, deadline - waited)
        if answer is not None:
            if not server.listens_on(port):
                if server.exit_status is None and waited < 5:
                    time.sleep(0.05)  # it may be about to fail because the port is taken
                    continue
                raise PortTaken(f"port {port} is taken by another process")
            if answer.startswith(b"HTTP/"):
                return time.monotonic() - server.started
            raise CellFailure(Reason.SERVER_DID_NOT_START, "what the server answers is not HTTP")
        time.sleep(0.01)
    raise CellFailure(Reason.SERVER_DID_NOT_START, f"the server did not answer within {deadline:.0f} s")


def _ask(server: Child, port: int, page: str, seconds: float) -> bytes | None:
    """Return the first bytes of an answer to a plain request, or None while there is none."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(f"GET {page} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            data = _first(connection, server, Deadline(seconds))
            # To the end, or the server would note a broken pipe that is none of its own; but not
            # for long, as a server may keep the connection open although it was asked not to.
            connection.settimeout(0.2)
            with suppress(OSError):
                for _ in range(64):
                    if not connection.recv(65536):
                        break
            return data or None
    except OSError:
        return None


def _first(connection: socket.socket, server: Child, deadline: Deadline) -> bytes:
    """Return what comes first; nothing once *server* has ended, for a stranger may hold the port in silence."""
    connection.settimeout(0.1)
    while server.exit_status is None and not deadline.over:
        with suppress(TimeoutError):
            return connection.recv(65536)
    return b""
