"""Numbered traffic of all members while something goes wrong, and the account of what came of it.

The members broadcast in turn. A message that a member's connection does not receive is lost *visibly* where its sender
had an error, or where one of the two connections was closed then or later: somebody knows that something may be
missing. Everything else is lost *silently*.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from harness.chat.conversation import Chat
from harness.clients.connection import Endpoint, HandshakeRefused, SendFailed
from harness.errors import CellFailure
from harness.system.threads import start
from harness.system.waiting import Deadline, wait_until

#: Seconds between two messages of all members together, and those between two attempts to come back.
EACH = 0.1
_AGAIN = 0.5
#: Seconds in which something has to come of what is still under way, and those that all of it may take.
_LAST = 2.0
_TRICKLING = 30.0
#: Seconds before the end in which nothing may have gone wrong, or nobody knows that all is well.
_SURE = 1.0


@dataclass(frozen=True)
class Turn:
    """One member's turn: what was said, when (:func:`time.monotonic`), or why nothing could be."""

    member: str
    at: float
    text: str = ""
    error: str = ""


@dataclass(frozen=True)
class Account:
    """What came of the traffic: each message counts once for each member who has to receive it."""

    #: How many were sent without an error.
    sent: int
    received: int
    twice: int
    #: How many were lost visibly, and how many silently.
    lost: int
    silently: int
    #: How many connections were closed, and why the first of them was.
    closed: int
    why: str
    #: Whether somebody's connection was closed in the end.
    gone: bool
    #: How many seconds after the end of the fault everything arrived again; None where that was not seen.
    well_after: float | None

    def __str__(self) -> str:
        dropped = f"; {self.closed} closed, the first {self.why}" if self.closed else ""
        twice = f", {self.twice} twice" if self.twice else ""
        return (
            f"{self.received} of {self.sent} received{twice}, {self.lost} lost with an error or a close, "
            f"{self.silently} silently{dropped}"
        )


@dataclass
class Traffic:
    """Traffic in *chat* from when the block is entered until it is left.

    With *returns* whoever's connection is closed comes back; without, there is one connection for each member.
    """

    chat: Chat
    returns: bool
    turns: list[Turn] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._name = "returning" if self.returns else "staying"
        self.endpoints = [Endpoint(member, self._name) for member in self.chat.members]
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._failed: list[Exception] = []

    def __enter__(self) -> Self:
        """Connect everybody, and begin.

        Raises:
            CellFailure: somebody's connection does not stand.
            HandshakeRefused: somebody is not let in.
        """
        try:
            for endpoint in self.endpoints:
                self._open(endpoint)
            self.chat.wait_subscribed(self.endpoints)
        except (CellFailure, HandshakeRefused):
            self.close()
            raise
        for number, endpoint in enumerate(self.endpoints):
            self._threads.append(threading.Thread(target=self._talk, args=(endpoint, number), daemon=True))
            start(self._threads[-1])
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        if self._failed:  # which is nobody's fault but the harness's
            raise self._failed[0]

    def close(self) -> None:
        """Close the connections, once the account has been made."""
        self.chat.close(self.endpoints)

    def _open(self, endpoint: Endpoint) -> None:
        self.chat.open(endpoint, self.chat.path_for("broadcast"), endpoint.member)

    def _talk(self, endpoint: Endpoint, number: int) -> None:
        """Say something each time it is this member's turn."""
        self._ended.wait(EACH * number)
        count = 0
        try:
            while True:
                turn = self._turn(endpoint, count)
                self.turns.append(turn)
                count += 1
                if self._ended.wait(EACH * len(self.endpoints) if not turn.error else _AGAIN):
                    return
        except Exception as error:  # a thread that dies in silence would leave an account of half of it
            self._failed.append(error)

    def _turn(self, endpoint: Endpoint, count: int) -> Turn:
        now = time.monotonic()
        if self.chat.transcript.closed(endpoint):
            if not self.returns:
                return Turn(endpoint.member, now, error="closed")
            try:
                self.chat.close([endpoint])
                self._open(endpoint)
            except (HandshakeRefused, CellFailure) as error:
                return Turn(endpoint.member, now, error=f"does not come back: {error}")
            now = time.monotonic()
        text = f"{self._name} {count} of {endpoint.member} ({self.chat.token})"
        try:
            self.chat.broadcast(endpoint, text)
        except SendFailed as error:
            return Turn(endpoint.member, now, text, str(error))
        return Turn(endpoint.member, now, text)

    def account(self, since: float) -> Account:
        """Return what came of it, once the block is left; the fault was over *since* then (:func:`time.monotonic`)."""
        said = [turn for turn in self.turns if not turn.error]
        self._wait_for(said)
        closings = {each: self._closings(each) for each in self.endpoints}
        lost = silently = received = twice = 0
        for turn in said:
            for endpoint in self.endpoints:
                times = self.chat.transcript.arrivals(endpoint, turn.text)
                received += times > 0
                twice += times > 1
                if not times and self._known(turn, endpoint, closings):
                    lost += 1
                elif not times:
                    silently += 1
        all_closings = sorted(each for closed in closings.values() for each in closed)
        return Account(
            sent=len(said) * len(self.endpoints),
            received=received,
            twice=twice,
            lost=lost,
            silently=silently,
            closed=sum(bool(closed) for closed in closings.values()),
            why=all_closings[0][1] if all_closings else "",
            gone=any(map(self.chat.transcript.closed, self.endpoints)),
            well_after=self._well_after(since),
        )

    def _wait_for(self, said: Sequence[Turn]) -> None:
        """Wait until everything that was *said* has arrived; no longer than something still does.

        Some libraries keep a message back until the next comes, so something is said behind it all.
        """
        standing = [each for each in self.endpoints if not self.chat.transcript.closed(each)]
        if standing:
            broadcast = self.chat.client.broadcast
            with suppress(SendFailed):
                self.chat.fence_all(lambda fence: broadcast(self.chat, standing[0], fence), standing, _LAST)
        limit = Deadline(_TRICKLING)
        while not limit.over:
            before = self.chat.activity(self.endpoints)
            if wait_until(lambda: all(map(self._arrived_at_all, said)), _LAST, every=0.1):
                return
            if self.chat.activity(self.endpoints) == before:
                return

    def _arrived_at_all(self, turn: Turn) -> bool:
        return all(self._arrived(turn, each) for each in self.endpoints)

    def _arrived(self, turn: Turn, endpoint: Endpoint) -> bool:
        return self.chat.transcript.arrival(endpoint, turn.text) is not None

    def _closings(self, endpoint: Endpoint) -> list[tuple[float, str]]:
        """Return when a connection was closed, and why."""
        frames = [frame for frame in list(self.chat.transcript.frames) if frame.endpoint == endpoint]
        return [(frame.at, frame.data) for frame in frames if frame.kind == "closed"]

    def _known(self, turn: Turn, endpoint: Endpoint, closings: dict[Endpoint, list[tuple[float, str]]]) -> bool:
        """Tell whether somebody knows that a message may be lost: its sender, or who did not receive it."""
        sender = next(each for each in self.endpoints if each.member == turn.member)
        later = any(at >= turn.at for each in (sender, endpoint) for at, _ in closings[each])
        return later or not self._stood(endpoint, turn.at)

    def _stood(self, endpoint: Endpoint, at: float) -> bool:
        """Tell whether a connection was open at that moment, and had received something: it is subscribed then."""
        stood = False
        for frame in list(self.chat.transcript.frames):
            if frame.endpoint == endpoint and frame.direction == "in" and frame.at <= at:
                stood = frame.kind not in ("open", "closed")
        return stood

    def _well_after(self, since: float) -> float | None:
        """Return how many seconds after the end of the fault everything that was said arrived, and went on doing so."""
        turns = sorted((turn for turn in self.turns if turn.at >= since), key=lambda turn: turn.at)
        failed = [turn.at for turn in turns if turn.error or not self._arrived_at_all(turn)]
        if not turns:
            return None
        if not failed:
            return 0.0
        well = [turn.at for turn in turns if turn.at > failed[-1]]
        sure = well and turns[-1].at - failed[-1] >= _SURE
        return well[0] - since if sure else None
