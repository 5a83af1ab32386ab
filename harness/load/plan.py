"""What the client of one load step is asked to do."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from harness.results.loads import BOUND_MS
from harness.results.result import Model

#: How many messages each step broadcasts, one after the other.
MESSAGES = 5
#: The messages a second of each point, while the rate is raised.
RATES = (5, 10, 20, 50, 100, 200, 500, 1000, 2000)
#: Seconds that each rate is held.
RATE_SECONDS = 2.0

#: Who publishes.
_PUBLISHER = "John"


class Visitor(Model, frozen=True, kw_only=True):
    """Whose sockets there are: a member with the cookies of a login, or nobody known."""

    name: str
    cookie: str


class Plan(Model, frozen=True, kw_only=True):
    """What the client of one step is asked to do."""

    cell: str
    library: str
    folders: list[str] = msgspec.field(default_factory=list)
    url: str
    origin: str
    visitors: list[Visitor]
    publisher: Visitor
    sockets: int
    messages: int = MESSAGES
    #: The rates of which each is held for a while instead of sending single messages.
    rates: list[int] = msgspec.field(default_factory=list)
    bound_ms: float = BOUND_MS
    #: Seconds that a handshake may take.
    handshake: float = 10.0
    #: How many handshakes are under way at once. Django's development server has 10 wait to be accepted; whoever comes
    #: when these are many is let in after seconds, and it is not asked how a server takes a rush.
    at_once: int = 8
    #: Seconds after which the client ends by itself, with what it has by then.
    deadline: float


def publisher_of(visitors: Iterable[Visitor]) -> Visitor:
    """Return the one of *visitors* who publishes what all of them are to have."""
    return next(each for each in visitors if each.name == _PUBLISHER)
