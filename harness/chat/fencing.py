"""Fences: numbered texts that prove that what came before them on a connection has arrived, or never will."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from harness.chat.ledger import Ledger
from harness.clients.connection import Connection, Endpoint
from harness.clients.transcript import Transcript
from harness.system.waiting import Deadline

#: Seconds until a fence has to have arrived.
FENCE_DEADLINE = 5.0
#: Seconds until a fence that has not arrived is followed by another, where everything arrives at once; each further
#: one is waited for twice as long, up to the second figure.
FENCE_INTERVAL = 0.25
_LONGEST_INTERVAL = 4.0
#: How many times :data:`FENCE_DEADLINE` a fence may take while other messages still come.
_TRICKLING = 6


@dataclass(frozen=True)
class FenceWay:
    """One way to send fences in a chat: how, and whom each of them has to reach."""

    send: Callable[[Any, str], object]
    #: Tells whether a connection is to receive them; all are unless given.
    reaches: Callable[[Any, Endpoint], bool] = lambda chat, endpoint: True
    #: The members who may hear them; None where everybody may.
    hearers: frozenset[str] | None = None
    #: Whether they come behind the message on its own road, so that they prove what came of it.
    proves: bool = True


@dataclass(frozen=True)
class Proof:
    """The fences that were sent behind one message."""

    texts: tuple[str, ...] = ()
    #: The connections that each is for; of one that is for all there is nothing here.
    reach: dict[str, frozenset[Endpoint]] = field(default_factory=dict)
    #: The connections that none of them is for: these were watched for as long as it is quiet.
    unreached: frozenset[Endpoint] = frozenset()


@dataclass(kw_only=True)
class Fenced:
    """Connections that fences are sent to, however that is done: what arrives on them is in :attr:`transcript`."""

    #: Stands in every text, so that no two conversations say the same.
    token: str = field(default_factory=lambda: secrets.token_hex(3))
    connections: dict[Endpoint, Connection] = field(default_factory=dict)
    #: Everything that is said to the server, also by other chats with it.
    ledger: Ledger = field(default_factory=Ledger)
    #: How many fences were sent, and how many of them because an earlier one was outstanding.
    fences_sent: int = 0
    fences_sent_again: int = 0
    #: Seconds that a fence is waited for before another is sent; more where this server takes longer.
    pace: float = FENCE_INTERVAL
    #: What goes over the connections; whoever adds them to it makes it.
    transcript: Transcript = field(init=False)
    _fence_numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    def new_fence(self, sender: str = "", hearers: Iterable[str] | None = None) -> str:
        """Return the text of a further fence of *sender*'s, which is about to be sent to *hearers*, None for all."""
        self.fences_sent += 1
        return self.ledger.add(f"fence {next(self._fence_numbers)} ({self.token})", sender, hearers)

    def fence_all(
        self,
        send: Callable[[str], object],
        endpoints: Iterable[Endpoint],
        seconds: float = FENCE_DEADLINE,
        limit: Deadline | None = None,
        hearers: Iterable[str] | None = None,
    ) -> tuple[str, ...]:
        """Send fences until every open one of *endpoints* has one; return the texts of those sent.

        *hearers* are the members who may hear them, None for all.

        One is sent again, ever more slowly, while it is outstanding and nothing else comes either: some libraries keep
        a message back until the next arrives, and some are only slow. They are given up once nothing has come for so
        many *seconds*, or at the *limit*.
        """
        wanted, limit = list(endpoints), limit or Deadline(seconds * _TRICKLING)
        texts: list[str] = []
        interval, silent, began = self.pace, 0.0, time.monotonic()
        while True:
            texts.append(self.new_fence(hearers=hearers))
            self.fences_sent_again += len(texts) > 1
            send(texts[-1])
            arrived, left = self._progress(wanted, texts), min(interval, seconds - silent)
            while not self.transcript.wait(wanted, texts, left):
                before, arrived = arrived, self._progress(wanted, texts)
                if limit.over:
                    return tuple(texts)
                if arrived == before:  # nothing comes any more
                    break
                silent = 0.0
            else:
                self._learn(texts[0], wanted, began)
                return tuple(texts)
            silent += left
            if silent >= seconds:
                return tuple(texts)
            interval = min(2 * interval, _LONGEST_INTERVAL)

    def _progress(self, wanted: Iterable[Endpoint], fences: Sequence[str]) -> int:
        """Return how much has come: everything but *fences*, and who has one. That one comes again says nothing."""
        return self.activity(wanted, fences) + sum(self.transcript.has_one(each, fences) for each in wanted)

    def activity(self, endpoints: Iterable[Endpoint], beside: Iterable[str] = ()) -> int:
        """Return how many messages *endpoints* have received but pulses and those *beside* them.

        What nobody said does not count: a chat may say something of its own for ever.
        """
        return self.transcript.activity(endpoints, self.ledger.texts().difference(self.ledger.pulses, beside))

    def _learn(self, fence: str, endpoints: Sequence[Endpoint], began: float) -> None:
        """Be more patient from now on where the *fence* that was sent when this *began* came to one after the other.

        One long gap is that of a message that was kept back; where there are several the server is slow.
        """
        at = sorted(each for endpoint in endpoints if (each := self.transcript.arrival(endpoint, fence)) is not None)
        gaps = sorted(later - earlier for earlier, later in pairwise([began, *at]))
        if len(gaps) > 1:
            self.pace = max(self.pace, min(2 * gaps[-2], _LONGEST_INTERVAL))

    def close(self, endpoints: Iterable[Endpoint] | None = None) -> None:
        """Close those of *endpoints* that are connected; None closes all connections."""
        for endpoint in list(self.connections if endpoints is None else endpoints):
            if endpoint in self.connections:
                self.connections.pop(endpoint).close()
