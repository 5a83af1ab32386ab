"""How members are let in: a handshake that a busy server has given up is tried once more, and that is noted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from harness.captured.output import shorten
from harness.clients.connection import CLOSED_BY_SERVER, Endpoint, HandshakeRefused
from harness.errors import CellFailure
from harness.verdict import Reason

#: Seconds after which a handshake may have been given up by a server that was too busy for it: daphne does so after
#: 5 s (its option --websocket_connect_timeout), and answers 403 as if the application had refused it
#: (daphne/ws_protocol.py: check_timeouts, serverReject). On a busy machine that says nothing of the library.
GIVEN_UP = 3.0
#: The status by which it is given up; any other is an answer.
_REJECTED = "status 403"

#: Letters of what arrives instead that are shown.
_SHOWN = 80

Opened = TypeVar("Opened")


def make(opening: Callable[[], Opened], endpoint: Endpoint, repeated: list[str]) -> Opened:
    """Return the connection that *opening* opens for *endpoint*; what was tried again is added to *repeated*.

    Raises:
        HandshakeRefused: it is refused, or dropped at once, or given up twice.
    """
    began = time.monotonic()
    try:
        return opening()
    except HandshakeRefused as error:
        took, met = time.monotonic() - began, str(error)
        if took < GIVEN_UP or (met.startswith("status ") and not met.startswith(_REJECTED)):
            raise
        repeated.append(f"{_called(endpoint)} was tried again: after {took:.0f} s it met {met}")
    return opening()


@contextmanager
def needed(endpoint: Endpoint) -> Iterator[None]:
    """Take it for a failure of the cell if *endpoint* is not let in.

    Raises:
        CellFailure: it is not.
    """
    try:
        yield
    except HandshakeRefused as error:
        raise CellFailure(Reason.HANDSHAKE_REFUSED, f"{_called(endpoint)} failed: {error}") from error


def never_stood(endpoint: Endpoint, arrived: Sequence[str], closed: str, silent: str) -> CellFailure:
    """Return what is wrong with *endpoint*, which is open, and to which no fence has come.

    *arrived* is what has come instead, and *closed* why it is not open any more, or nothing; *silent* is what to say
    where nothing has come.
    """
    what = silent
    if arrived:
        what = f"what arrives on it is not what was sent, at first {shorten(arrived[0])[:_SHOWN]!r}"
        what += f"; then {closed}" if closed else ""
    refused = closed.startswith(CLOSED_BY_SERVER) and not arrived
    reason = Reason.HANDSHAKE_REFUSED if refused else Reason.EXCHANGE_WRONG
    return CellFailure(reason, f"{endpoint.member}'s {endpoint.name} connection was opened, but {what}")


def _called(endpoint: Endpoint) -> str:
    return f"the handshake of {endpoint.member}'s {endpoint.name} connection"
