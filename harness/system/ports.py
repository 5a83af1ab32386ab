"""TCP ports of loopback."""

from __future__ import annotations

import socket
import struct


def free_port() -> int:
    """Return a TCP port on loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def reset_at_end(line: socket.socket) -> None:
    """Have the kernel send a reset, and no end, when *line* is closed (socket(7): SO_LINGER)."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def can_bind(port: int) -> bool:
    """Tell whether nobody listens on *port* of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
