"""What the client of one load step is asked to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from harness.cells import Cell
from harness.clients.frame_format import FrameFormat
from harness.libraries import registry
from harness.results.loads import BOUND_MS, Step
from harness.results.model import Model

#: How many messages each step broadcasts, one after the other.
MESSAGES = 5
#: In how many of the seconds for which a crowd is held nobody speaks: servers and clients of brokers that give up on
#: what is quiet do so after five or ten.
SILENT_SECONDS = 12.0
#: The messages a second of each point, while the rate is raised.
RATES = (5, 10, 20, 50, 100, 200, 500, 1000, 2000)
#: Seconds that each rate is held.
RATE_SECONDS = 2.0


class Visitor(Model, frozen=True, kw_only=True):
    """Somebody whose sockets there are."""

    #: A member, or empty for somebody who is not logged in.
    name: str
    #: The cookies of the login, as a request header has them; empty for somebody who is not logged in.
    cookie: str


class Target(Model, frozen=True, kw_only=True):
    """The server that a client in a process of its own speaks to."""

    #: The name of the cell whose server it is, and the suffix of its library.
    cell: str
    library: str
    #: Folders of further library modules.
    folders: list[str] = msgspec.field(default_factory=list)
    #: The address of the WebSocket, and the site whose pages open it.
    url: str
    origin: str

    def frame_format(self) -> FrameFormat:
        """Return how the library's broadcasts travel in that cell.

        Raises:
            HarnessError: a library cannot be loaded.
            KeyError: it is not known here.
        """
        known = registry.discover(tuple(Path(each) for each in self.folders))
        return known[self.library].client(Cell.parse(self.cell)).frame_format()


class Plan(Target, frozen=True, kw_only=True):
    """What the client of one step is asked to do."""

    #: Whose sockets they are, in turn, and who broadcasts.
    visitors: list[Visitor]
    publisher: Visitor
    #: How many sockets are opened, and how many messages are broadcast to them.
    sockets: int
    messages: int = MESSAGES
    #: Seconds over which the messages are spread, and for which the crowd has to stand; 0 where one follows the other.
    #: In the last *silent* of them nobody speaks, and then comes the last message.
    hold: float = 0.0
    silent: float = 0.0
    #: The rates, in messages a second, that are held one after the other; empty where single messages are sent.
    rates: list[int] = msgspec.field(default_factory=list)
    #: Milliseconds within which 99 of 100 deliveries of a rate have to be made.
    bound_ms: float = BOUND_MS
    #: Seconds that a handshake may take.
    handshake: float = 10.0
    #: How many handshakes are under way at once. Django's development server lets 10 wait to be accepted; who comes
    #: when more are waiting is let in seconds later, and how a server takes a rush is not what is measured.
    at_once: int = 8
    #: Seconds after which the client ends by itself, with what it has measured by then.
    deadline: float
    #: The file that the server prints to; empty where nobody wants to know.
    log: str = ""


class Outcome(Model, frozen=True, kw_only=True):
    """What the client of one step leaves behind."""

    step: Step
    #: How many bytes the server had printed when the crowd left: what it says of that is no part of the step.
    printed: int


def publisher_of(visitors: Sequence[Visitor]) -> Visitor:
    """Return the one of *visitors* who publishes what all of them are to have: the second, if there is one."""
    return visitors[:2][-1]
