"""The head of the answer to a handshake, read as browsers read it; websocket-client is stricter, and forgets lines."""

from __future__ import annotations

import socket

import websocket
from websocket import _handshake
from websocket._socket import recv_line


def _read(sock: socket.socket) -> tuple[int | None, dict[str, str], str | None]:
    """Return status, headers and reason: what stands in several lines of one name belongs together.

    A proxy adds a ``Connection`` of its own, some go on in the next line, and names of old servers are in Latin-1.
    Source: RFC 9110, section 5.3; RFC 9112, section 5.2.

    Raises:
        WebSocketException: it does not begin as an answer.
    """
    status, reason, last = None, None, ""
    headers: dict[str, str] = {}
    while line := recv_line(sock).decode("latin-1").rstrip("\r\n"):
        if status is None:
            parts = line.split(" ", 2)
            if len(parts) < 2 or not parts[1].isdecimal():
                raise websocket.WebSocketException(f"Invalid status line: {line!r}")
            status, reason = int(parts[1]), parts[2] if len(parts) > 2 else None
        elif line[0] in " \t":
            if last:
                headers[last] = f"{headers[last]} {line.strip()}"
        elif ":" in line:
            name, _, value = line.partition(":")
            last = name.strip().lower()
            headers[last] = f"{headers[last]}, {value.strip()}" if last in headers else value.strip()
    return status, headers, reason


def read_as_browsers() -> None:
    """Have websocket-client read answers like that, in this process."""
    _handshake.read_headers = _read  # type: ignore[attr-defined]
