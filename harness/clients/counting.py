"""TCP connections that count what goes over them, with or without TLS."""

from __future__ import annotations

import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

from harness.clients.connection import HANDSHAKE_DEADLINE
from harness.system.waiting import Deadline


class Counting(socket.socket):
    """A connection that counts what goes over it, and remembers how the answer began."""

    bytes_in = bytes_out = 0
    beginning = b""
    #: Until when all that is read has to have come; None once there is no such moment.
    deadline: Deadline | None = None

    @property
    def bytes_both_ways(self) -> int:
        """What has gone over it until now."""
        return self.bytes_in + self.bytes_out

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Receive as a socket does; TimeoutError when the deadline of the whole has passed."""
        if self.deadline is not None:
            self.settimeout(max(self.deadline.left, 0.001))
        data: bytes = super().recv(size, flags)
        self.bytes_in += len(data)
        if len(self.beginning) < 8:
            self.beginning += data[: 8 - len(self.beginning)]
        return data

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Receive as a socket does; files made of sockets read this way."""
        size = super().recv_into(buffer, nbytes or len(memoryview(buffer)), flags)
        self.bytes_in += size
        return size

    def send(self, data: Any, flags: int = 0) -> int:
        """Send as a socket does."""
        sent = super().send(data, flags)
        self.bytes_out += sent
        return sent

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send as a socket does."""
        super().sendall(data, flags)
        self.bytes_out += len(data)


class CountingSocket(Counting):
    """A TCP connection that counts what goes over it."""

    def __init__(self, port: int, buffer: int = 0, host: str = "127.0.0.1") -> None:
        """Connect to *port* of the address *host*; OSError when nothing listens there.

        *buffer* is how many bytes may have arrived without being read; 0 leaves that to the system.
        """
        super().__init__(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if buffer:  # before it is connected: the size goes into the handshake of TCP (tcp(7), SO_RCVBUF)
            self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.deadline = Deadline(HANDSHAKE_DEADLINE)
        self.settimeout(HANDSHAKE_DEADLINE)
        try:
            self.connect((host, port))
        except OSError:
            self.close()
            raise
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def under(self, tls: ssl.SSLContext, host: str) -> TlsSocket:
        """Return the connection under TLS, with a server that proves to be *host*; this one is not used any more."""
        tls.sslsocket_class = TlsSocket
        secure = tls.wrap_socket(self, server_hostname=host)
        assert isinstance(secure, TlsSocket)
        secure.deadline = self.deadline
        return secure


class TlsSocket(Counting, ssl.SSLSocket):  # type: ignore[misc]  # it takes the same, and says so in other words
    """The same under TLS; what is counted is what is said, without what encrypts it."""


def line_to(url: str, buffer: int, tls: ssl.SSLContext | None) -> Counting:
    """Return a connection to the server of *url*; *tls* says with which certificates, None for those of the system.

    *buffer* is how many bytes may have arrived without being read; 0 leaves that to the system.

    Raises:
        OSError: there is none, or it does not prove to be who it is asked for.
    """
    parts = urlsplit(url)
    host, secure = parts.hostname or "127.0.0.1", parts.scheme == "wss"
    port = parts.port or (443 if secure else 80)
    addresses = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for number, address in enumerate(addresses, 1):
        try:
            line = CountingSocket(port, buffer, address)
            break
        except OSError:
            if number == len(addresses):
                raise
    return line.under(tls or ssl.create_default_context(), host) if secure else line
