"""What every connection has in common: whose it is, what can be done with it, and what can go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

#: Seconds for a handshake.
HANDSHAKE_DEADLINE = 10.0
#: What the transcript's word on a connection begins with that the server closed.
CLOSED_BY_SERVER = "closed by the server"
#: And of one that a browser would have ended for what arrived on it.
NO_WEBSOCKET = "what arrives is no WebSocket, and a browser ends it"


@dataclass(frozen=True, order=True)
class Endpoint:
    """One connection of one member, called by its *name*: ``Endpoint("John", "broadcast")``.

    A page of a browser that shows what its connection receives is an endpoint as well.
    """

    member: str
    name: str


class HandshakeRefused(Exception):
    """The server did not open the connection; the message says what it answered."""


class SendFailed(Exception):
    """A message could not be handed to the server; the message says what the server answered."""


class Connection(Protocol):
    """What the harness asks of a connection, whatever protocol it speaks."""

    def send(self, text: str | bytes) -> None:
        """Send one message; OSError or WebSocketException when the connection is gone."""

    def close(self) -> None:
        """Say goodbye and stop reading; never waits for the server."""


def as_binary(data: bytes) -> str:
    """Return how a binary message stands in the transcript: never the same as a text."""
    return "(binary) " + data.decode("latin-1")
