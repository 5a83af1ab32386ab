"""Judge one round of exchanges from what each connection received. Pure: no clock, no network.

A connection's messages stand in the order in which they came. After each exchange the sender sent one or more fences,
broadcasts that every connection must receive, so what came before the first of them on a connection is all that the
exchange brought there, and what is not there was not delivered. The same text may be said in more than one exchange:
which of them a message belongs to follows from the fences around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.clients.connection import Endpoint
from harness.clients.transcript import Message
from harness.results.result import Fault

Kind = Literal["missing", "extra", "duplicated", "altered", "out of order", "unproven", "closed", "not sent"]


@dataclass(frozen=True)
class SentExchange:
    """One exchange as it was sent: its text, the connections that must receive it, and its fences."""

    number: int
    text: str
    expected: frozenset[Endpoint]
    #: The texts of the fences behind it, in the order of sending.
    fences: tuple[str, ...] = ()
    #: The connections that each fence is for; one that is not here is for all.
    reach: Mapping[str, frozenset[Endpoint]] = field(default_factory=dict)
    #: The connections that no fence reaches: what did not come there is not proved, and that is no fault of anybody's.
    unreached: frozenset[Endpoint] = frozenset()
    #: Why it could not be sent; empty where it was.
    error: str = ""
    #: What frames that say so of it have to say, ``sender`` → ``John``; and those of its fences.
    says: Mapping[str, str] = field(default_factory=dict)
    fence_says: Mapping[str, str] = field(default_factory=dict)

    def fences_of(self, endpoint: Endpoint) -> tuple[str, ...]:
        """Return the fences that *endpoint* is to receive."""
        return tuple(each for each in self.fences if each not in self.reach or endpoint in self.reach[each])


@dataclass(frozen=True)
class Received:
    """What one connection received, in order, without the library's own messages; and why it closed, or nothing."""

    messages: Sequence[Message]
    closed: str = ""


def judge(sent: Sequence[SentExchange], received: Mapping[Endpoint, Received]) -> dict[int, list[Fault]]:
    """Return the faults of each exchange, by its number; an exchange without any is good.

    *sent* stands in the order of sending. All fences are different, and none of them is the text of an exchange.
    """
    faults = _Faults(sent)
    for exchange in sent:
        for endpoint in sorted(exchange.expected) if exchange.error else ():
            faults.add(exchange, "not sent", endpoint, exchange.error)
    for endpoint in sorted(received):
        _Connection(endpoint, received[endpoint], [each for each in sent if not each.error], faults).judge()
    return faults.by_number


class _Faults:
    """The faults that were found, each once."""

    def __init__(self, sent: Sequence[SentExchange]) -> None:
        self.by_number: dict[int, list[Fault]] = {exchange.number: [] for exchange in sent}

    def add(self, exchange: SentExchange, kind: Kind, endpoint: Endpoint, text: str = "") -> None:
        fault = Fault(kind=kind, member=endpoint.member, connection=endpoint.name, text=text)
        if fault not in self.by_number[exchange.number]:
            self.by_number[exchange.number].append(fault)

    def of(self, endpoint: Endpoint, kind: Kind) -> bool:
        """Tell whether *endpoint* has a fault of that *kind*."""
        wanted = (kind, endpoint.member, endpoint.name)
        return any(
            (each.kind, each.member, each.connection) == wanted for found in self.by_number.values() for each in found
        )


@dataclass
class _Connection:
    """Judges what one connection received; exchanges are known by their places in *sent*."""

    endpoint: Endpoint
    received: Received
    sent: Sequence[SentExchange]
    faults: _Faults
    #: The exchanges whose message has come.
    had: set[int] = field(default_factory=set)
    #: The exchanges of which a fence has come.
    fenced: set[int] = field(default_factory=set)
    #: How often each fence has come.
    fences: dict[str, int] = field(default_factory=dict)
    #: The messages that nobody sent, by the exchange in which they came.
    strangers: dict[int, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.said_in: dict[str, list[int]] = {}
        for place, exchange in enumerate(self.sent):
            self.said_in.setdefault(exchange.text, []).append(place)
        #: The places of the fences that it is to receive, and of those that are for others.
        self.fence_of: dict[str, int] = {}
        self.fence_of_others: dict[str, int] = {}
        for place, exchange in enumerate(self.sent):
            own = exchange.fences_of(self.endpoint)
            for fence in exchange.fences:
                (self.fence_of if fence in own else self.fence_of_others)[fence] = place

    def judge(self) -> None:
        """Add to the faults what is wrong here."""
        leaked: list[str] = []
        window = 0  # the exchange that is under way: the first fence of one closes it
        for message in self.received.messages:
            place = self.fence_of.get(message.text)
            if place is not None:
                self.fences[message.text] = self.fences.get(message.text, 0) + 1
                if message.text not in self.sent[place].reach:  # what reaches only some may be sent by somebody else
                    self._hold_against(place, message, self.sent[place].fence_says)
                if place not in self.fenced:
                    for later in sorted(each for each in self.had | self.fenced if each > place):
                        self._fault(later, "out of order", "before a fence that was sent earlier")
                    self.fenced.add(place)
                window = max(window, place + 1)
            elif message.text in self.said_in:
                self._take(window, message)
            elif message.text in self.fence_of_others:
                leaked.append(message.text)
            elif self.sent:  # what comes behind everything is counted with the last
                self.strangers.setdefault(min(window, len(self.sent) - 1), []).append(message.text)
        for place in range(len(self.sent)):
            self._conclude(place)
        if not self.faults.of(self.endpoint, "extra"):  # where messages leak, so do fences: that is said already
            for fence in leaked:
                self._fault(self.fence_of_others[fence], "extra", fence)

    def _take(self, window: int, message: Message) -> None:
        """Find out to which exchange *message* belongs, which came while the one at *window* was under way."""
        places = self.said_in[message.text]
        open_ones = [place for place in places if self._expects(place) and place not in self.had]
        if window in open_ones:
            place = window
        elif late := [place for place in open_ones if place < window]:
            place = late[0]
            self._fault(place, "out of order", "after a fence that was sent later")
        elif (
            window in places
            and not self._expects(window)
            and (self.sent[window].fences_of(self.endpoint) or not open_ones)
        ):
            self._fault(window, "extra", message.text)
            return
        elif open_ones:
            place = open_ones[0]  # the fences between have not come; that is a fault of its own
        else:
            place = max((each for each in places if each <= window), default=places[0])
            copied = [each for each in places if each <= window and self._expects(each)]
            self._fault(copied[-1] if copied else place, "duplicated" if copied else "extra", message.text)
            return
        self.had.add(place)
        self._hold_against(place, message, self.sent[place].says)

    def _hold_against(self, place: int, message: Message, wanted: Mapping[str, str]) -> None:
        """Compare what *message* says, beside its text, with what it has to say."""
        for what, right in wanted.items():
            if (said := message.says.get(what, right)) != right:
                self._fault(place, "altered", f"its {what} is {said or 'not there'}, and has to be {right}")

    def _conclude(self, place: int) -> None:
        exchange, strangers = self.sent[place], self.strangers.get(place, [])
        if self._expects(place) and place not in self.had:
            if strangers:
                self._fault(place, "altered", strangers[0])
            elif self.received.closed:
                self._fault(place, "closed", self.received.closed)
            else:
                again = place != self.said_in[exchange.text][0]
                self._fault(place, "missing", "the text had been said before" if again else "")
        elif strangers:
            self._fault(place, "extra", strangers[0])
        for fence in exchange.fences_of(self.endpoint):
            self._conclude_fence(place, fence)
        if self.endpoint in exchange.unreached:
            return
        if not any(fence in self.fences for later in self.sent[place:] for fence in later.fences):
            self._fault(place, "unproven", self.received.closed or "no fence arrived")

    def _conclude_fence(self, place: int, fence: str) -> None:
        """A fence is a broadcast as well: each has to come once, as long as a later one came at all."""
        if self.fences.get(fence, 0) > 1:
            self._fault(place, "duplicated", "a fence")
        if fence not in self.fences:
            order = list(self.fence_of)
            if any(later in self.fences for later in order[order.index(fence) + 1 :]):
                self._fault(place, "missing", "a fence, though later ones came")

    def _expects(self, place: int) -> bool:
        return self.endpoint in self.sent[place].expected

    def _fault(self, place: int, kind: Kind, text: str = "") -> None:
        self.faults.add(self.sent[place], kind, self.endpoint, text)
