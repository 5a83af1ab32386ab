"""How members are let in: a handshake that a busy server has given up is tried once more, and that is noted."""

from __future__ import annotations

import time
from collections.abc import Callable

from harness.clients.connection import HandshakeRefused
from harness.errors import CellFailure
from harness.verdict import Reason

#: Seconds after which a handshake that is dropped may have been given up by a server that was too busy for it: daphne
#: does so after 5 s (its option --websocket_connect_timeout). On a busy machine that says nothing of the library.
GIVEN_UP = 3.0


def make(opening: Callable[[], object], what: str, repeated: list[str]) -> None:
    """Open a connection by *opening*, called *what*; what was tried again is added to *repeated*.

    Raises:
        CellFailure: it is refused with a status, or dropped at once, or dropped twice.
    """
    began = time.monotonic()
    try:
        try:
            opening()
        except HandshakeRefused as error:
            took = time.monotonic() - began
            if took < GIVEN_UP or str(error).startswith("status "):
                raise
            repeated.append(f"{what} was tried again: after {took:.0f} s it met {error}")
            opening()
    except HandshakeRefused as error:
        raise CellFailure(Reason.HANDSHAKE_REFUSED, f"{what} failed: {error}") from error
