"""A worker's shard of a crowd: its counting, without the sockets themselves."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.clients.frame_format import FrameFormat
from harness.load.deliveries import Tally
from harness.load.frames import FrameDecoder
from harness.load.latency import latency
from harness.load.locust.protocol import Announce, MessageClosed, PublishedAt, ShardReport, State
from harness.load.plan import Plan, Visitor
from harness.results.loads import Client


def _nothing(seconds: float | None) -> None:
    """Ignore a delivery."""


@dataclass
class Shard:
    """The sockets of one of several workers, numbered from 0 as they come."""

    plan: Plan
    #: Which of the shards it is, from 0 on, and how many there are.
    index: int
    count: int
    frame_format: FrameFormat
    #: The name of this process' clock; see :func:`harness.load.locust.protocol.clock`.
    clock: str
    #: Is told of each delivery of a message, once: how many seconds it took, or None where this clock does not know.
    delivered: Callable[[float | None], None] = _nothing
    tally: Tally = field(init=False)
    decoder: FrameDecoder = field(init=False)
    refused: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)
    connected: int = 0
    #: How many connections the publisher has had; 0 where another shard has it.
    published_by: int = 0
    _taken: int = 0
    #: Which sockets stood when a message was announced, by its number.
    _standing: dict[int, bytearray] = field(default_factory=dict)
    #: Whether the clock is the publisher's, by the number of what it sent; unknown until that is told.
    _timed: dict[int, bool] = field(default_factory=dict)
    #: When texts arrived of which it is not known yet when they were sent.
    _early: list[float] = field(default_factory=list)
    _since: int | None = None

    def __post_init__(self) -> None:
        # Whoever spreads the sockets over the workers takes turns, but may begin with any of them.
        self.tally = Tally(-(-self.plan.sockets // self.count))
        self.decoder = FrameDecoder(self.frame_format)

    def take(self) -> tuple[int, Visitor] | None:
        """Return the number of the next socket and whose it is; None when this shard has no more."""
        if self._taken == self.tally.size:
            return None
        number, self._taken = self._taken, self._taken + 1
        visitors = self.plan.visitors
        return number, visitors[(number * self.count + self.index) % len(visitors)]

    def opened(self, why: str) -> None:
        """Note that a socket was opened, or *why* it was not."""
        if why:
            self.refused[why] += 1
        else:
            self.connected += 1

    def gone(self, socket: int, how: str) -> None:
        """Note that the other side has closed *socket*."""
        self.closed[how] += 1
        self.tally.close(socket)

    def arrived(self, socket: int, data: bytes, now: float) -> tuple[bytes | None, bool]:
        """Count the texts in a frame that arrived on *socket*.

        Returns:
            The frame that has to be sent back, or None; and whether a text has reached all that it can reach.
        """
        numbers = self.decoder.known.get(data)
        if numbers is None:
            answer = self.decoder.answers.get(data)
            if answer is not None:
                return answer, False
            numbers, foreign = self.decoder.decode(data)
            self.tally.foreign += foreign
        reached = False
        for number in numbers:
            reached = self._arrive(number, socket, now) or reached
        return None, reached

    def _arrive(self, number: int, socket: int, now: float) -> bool:
        sent = self.tally.sent[number]
        before = sent.arrived
        reached = self.tally.arrive(number, socket, now)
        if number in self._standing and sent.arrived > before:
            timed = self._timed.get(number)
            if timed is None:
                self._early.append(now)
            else:
                self.delivered(now - sent.at if timed else None)
        return reached

    def announce(self, order: Announce) -> None:
        """Note a text that is about to be broadcast, so that it is recognised when it arrives."""
        tally = self.tally
        self._since = order.since
        if order.message:
            self._standing[order.number] = bytearray(
                a and not b for a, b in zip(tally.standing, tally.closed, strict=True)
            )
        assert order.number == len(tally.sent), "one is missing"
        tally.begin(order.text, float("nan"))
        self.decoder.numbers[order.text] = order.number

    def publish(self, number: int) -> tuple[str, PublishedAt]:
        """Return the frame of the text *number*, which is sent now, and the note of when that was."""
        sent = self.tally.sent[number]
        frame = self.frame_format.broadcast(sent.text)
        note = PublishedAt(number=number, at=time.perf_counter(), clock=self.clock)
        self.sent(note)
        return frame, note

    def sent(self, note: PublishedAt) -> None:
        """Note when a text was sent; its deliveries are timed only if that was by this process' clock."""
        if note.number in self._timed:
            return
        here = self._timed[note.number] = note.clock == self.clock
        if here:
            self.tally.sent[note.number].at = note.at
        early, self._early = self._early, []
        for at in early:
            self.delivered(at - note.at if here else None)

    def message_closed(self, order: MessageClosed) -> None:
        """Note that a message is waited for no longer; if it was given up, what comes of it from now on is late."""
        if order.given_up:
            self.tally.sent[order.number].given_up = time.perf_counter()

    def state(self) -> State:
        """Return how far this shard is."""
        tally, last = self.tally, len(self.tally.sent) - 1
        return State(
            connected=self.connected,
            refused=self.refused.total(),
            closed=self.closed.total(),
            reachable=tally.reachable,
            activity=tally.activity,
            announced=last,
            reached=last >= 0 and tally.reached(last),
            having=0 if self._since is None else tally.having(self._since),
        )

    def report(self, usage: Callable[[float], Client]) -> ShardReport:
        """Return what has been measured until now; *usage* returns what this process took, given a p99 (ms)."""
        tally = self.tally
        took = [each for number in self._standing if self._timed.get(number) for each in tally.latencies(number)]
        spread = latency(took)
        return ShardReport(
            connected=self.connected,
            refused=dict(self.refused),
            stood=sum(tally.standing),
            messages=[tally.judged(number, standing) for number, standing in self._standing.items()],
            foreign=tally.foreign,
            closed=dict(self.closed),
            publisher_closed=max(0, self.published_by - 1),
            latency=spread,
            timed=all(self._timed.values()),
            client=usage(spread.p99 if spread else self.plan.bound_ms),
        )
