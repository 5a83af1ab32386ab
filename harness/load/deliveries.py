"""Count what arrived, exactly: pure bookkeeping, no clock and no network.

Every text that is sent has a number, and for each number it is known which socket had it, how often and when.
A *fence* is a text like any other that only has to come after what it proves.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.results.loads import Message


@dataclass
class Broadcast:
    """A text that was broadcast, and what each socket received of it. Times are in seconds of one clock."""

    text: str
    #: When it was sent; not a number where that is not known.
    at: float
    #: How often each socket has received it, 255 at the most.
    counts: bytearray
    #: When each socket received it first; not a number where it has not.
    first: array[float]
    #: How many sockets have received it, and how many copies came beyond that.
    arrived: int = 0
    duplicated: int = 0
    #: When the last socket so far received it first.
    last: float = math.nan
    #: When the wait for it was given up; what comes after that is late.
    given_up: float = math.inf
    late: int = 0


@dataclass
class Tally:
    """What a crowd of sockets, numbered from 0, has received."""

    #: How many sockets there are.
    size: int
    sent: list[Broadcast] = field(default_factory=list)
    #: For each socket 1 once it has received anything, which shows that it is subscribed.
    standing: bytearray = field(default_factory=bytearray)
    #: For each socket 1 once the server has closed it.
    closed: bytearray = field(default_factory=bytearray)
    #: The number of the newest text that each socket has; -1 for none.
    newest: array[int] = field(default_factory=lambda: array("q"))
    foreign: int = 0
    #: How many sockets are subscribed and open, which is how many a message can reach.
    reachable: int = 0
    #: How many sockets were closed.
    closings: int = 0
    #: How many texts and closings have arrived at all: who waits sees by it that something still moves.
    activity: int = 0

    def __post_init__(self) -> None:
        self.standing, self.closed = bytearray(self.size), bytearray(self.size)
        self.newest = array("q", [-1]) * self.size

    def begin(self, text: str, at: float) -> int:
        """Note that *text* is being sent *at* this time; return its number."""
        blank = array("d", [math.nan]) * self.size
        self.sent.append(Broadcast(text, at, bytearray(self.size), blank))
        return len(self.sent) - 1

    def arrive(self, number: int, socket: int, at: float) -> bool:
        """Note that *socket* has received the text *number*; tell whether all that it can reach have it now."""
        self.activity += 1
        sent = self.sent[number]
        if sent.counts[socket]:
            sent.duplicated += 1
            sent.counts[socket] = min(sent.counts[socket] + 1, 255)
            return sent.arrived >= self.reachable
        sent.counts[socket] = 1
        if number > self.newest[socket]:
            self.newest[socket] = number
        sent.first[socket] = at
        sent.last = at
        sent.arrived += 1
        if at > sent.given_up:
            sent.late += 1
        if not self.standing[socket]:
            self.standing[socket] = 1
            self.reachable += not self.closed[socket]
        return sent.arrived >= self.reachable

    def close(self, socket: int) -> None:
        """Note that the other side has closed *socket*."""
        if not self.closed[socket]:
            self.closed[socket] = 1
            self.closings += 1
            self.activity += 1
            self.reachable -= self.standing[socket]

    def reached(self, number: int) -> bool:
        """Tell whether every socket that is subscribed and open has the text *number*."""
        sent = self.sent[number]
        if sent.arrived < self.reachable:
            return False
        if not self.closings:
            return True
        # Those that have it may have closed since, while others still wait.
        return all(
            sent.counts[socket] or self.closed[socket] or not self.standing[socket] for socket in range(self.size)
        )

    def having(self, number: int) -> int:
        """Return how many open sockets have the text *number*, or one that was sent after it."""
        return sum(newest >= number and not closed for newest, closed in zip(self.newest, self.closed, strict=True))

    def judged(self, number: int, standing: bytearray) -> Message:
        """Return what became of the text *number* among the sockets that were *standing* when it was sent."""
        sent = self.sent[number]
        delivered = lost = unproved = closed = 0
        for socket in range(self.size):
            if sent.counts[socket]:
                delivered += 1
            elif not standing[socket]:
                continue
            elif self.newest[socket] > number:
                lost += 1
            elif self.closed[socket]:
                closed += 1
            else:
                unproved += 1
        took = (sent.last - sent.at) * 1000
        return Message(
            delivered=delivered,
            lost=lost,
            unproved=unproved,
            closed=closed,
            late=sent.late,
            duplicated=sent.duplicated,
            last_ms=None if math.isnan(took) else round(took, 3),
        )

    def latencies(self, number: int) -> Iterator[float]:
        """Yield the seconds that the text *number* took to each socket that has it."""
        sent = self.sent[number]
        return (at - sent.at for at in sent.first if not math.isnan(at))
