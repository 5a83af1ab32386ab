"""Where a server is that runs already, and whether it may be spoken to."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from harness.errors import UsageError

_PORTS = {"ws": 80, "wss": 443}


@dataclass(frozen=True)
class Address:
    """An address of a WebSocket: ``ws://127.0.0.1:8000/ws/chat/lobby/``."""

    host: str
    port: int
    #: With the query; empty where there is none.
    path: str
    secure: bool

    @property
    def place(self) -> str:
        """The host with the port."""
        return f"{self.host}:{self.port}"


def parse(url: str) -> Address:
    """Return the address that *url* is.

    Raises:
        UsageError: it is none of a WebSocket.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{url!r} is no address: {error}", "write it like ws://127.0.0.1:8000/ws/chat/") from error
    if parts.scheme in ("http", "https"):
        other = url.replace("http", "ws", 1)
        raise UsageError(f"{url} is the address of a page, not of a WebSocket", f"did you mean {other}?")
    if parts.scheme not in _PORTS or not host:
        raise UsageError(f"{url!r} is no address of a WebSocket", "write it like ws://127.0.0.1:8000/ws/chat/")
    if parts.username or parts.password:
        raise UsageError("nobody logs in by the address of a WebSocket", "use --login with --user, or --header")
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return Address(host, _PORTS[parts.scheme] if port is None else port, path, parts.scheme == "wss")


def check_own(address: Address, owned: str | None) -> None:
    """Make sure that nobody else's machine is spoken to: only this one, or the host that is said to be *owned*.

    Raises:
        UsageError: it is another one, or cannot be found.
    """
    if owned is not None and owned == address.host:
        return
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as error:
        raise UsageError(f"the host {address.host} cannot be found ({error})", "check the address") from error
    if not all(ipaddress.ip_address(each.partition("%")[0]).is_loopback for each in found):
        hint = f"if it is yours, say so: --i-own-this-host {address.host}"
        if owned is not None:
            hint = f"--i-own-this-host names {owned}, and the address {address.host}"
        raise UsageError(f"{address.host} is not this machine, and is not spoken to", hint)


def check_there(address: Address) -> None:
    """Make sure that something listens at *address*.

    Raises:
        UsageError: nothing does.
    """
    try:
        socket.create_connection((address.host, address.port), 5).close()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UsageError(
            f"nothing answers at {address.place} ({why})", "start the server, or check the port"
        ) from error
