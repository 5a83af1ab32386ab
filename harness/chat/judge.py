"""Judge the exchanges from what each connection received. Pure: no clock, no network.

A connection's *received* texts stand in the order in which they came. After each exchange the
sender sent one or more fences, broadcasts that every connection must receive, so what came before
the first of them on a connection is all that the exchange brought there, and what is not there was
not delivered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.clients.connection import Endpoint
from harness.results.result import Fault

Kind = Literal["missing", "extra", "duplicated", "altered", "out of order", "unproven", "closed", "not sent"]


@dataclass(frozen=True)
class SentExchange:
    """One exchange as it was sent: its text, the connections that must receive it, and its fences."""

    number: int
    text: str
    expected: frozenset[Endpoint]
    fences: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Received:
    """What one connection received, in order, without the library's own noise; and why it closed."""

    texts: Sequence[str]
    closed: str = ""


@dataclass
class _Judging:
    sent: Sequence[SentExchange]
    faults: dict[int, list[Fault]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.faults = {exchange.number: [] for exchange in self.sent}
        self.exchange_of_text = {exchange.text: exchange.number for exchange in self.sent}
        self.exchange_of_fence = {fence: exchange.number for exchange in self.sent for fence in exchange.fences}
        self.numbers = [exchange.number for exchange in self.sent]

    def add(self, number: int, kind: Kind, endpoint: Endpoint, text: str = "") -> None:
        fault = Fault(kind=kind, member=endpoint.member, connection=endpoint.name, text=text)
        if fault not in self.faults[number]:
            self.faults[number].append(fault)


def judge(sent: Sequence[SentExchange], received: Mapping[Endpoint, Received]) -> dict[int, list[Fault]]:
    """Return the faults of each exchange, by its number; an exchange without any is good.

    *sent* stands in the order of sending, its texts and fences are all different.
    """
    judging = _Judging(sent)
    for exchange in sent:
        if exchange.error:
            for endpoint in sorted(exchange.expected):
                judging.add(exchange.number, "not sent", endpoint, exchange.error)
    for endpoint in sorted(received):
        _judge_endpoint(judging, endpoint, received[endpoint])
    return judging.faults


def _judge_endpoint(judging: _Judging, endpoint: Endpoint, received: Received) -> None:
    texts = received.texts
    first: dict[str, int] = {}
    for position, text in enumerate(texts):
        first.setdefault(text, position)
    unknown = _unknown(judging, texts)
    for index, exchange in enumerate(judging.sent):
        if exchange.error:
            continue
        number, count = exchange.number, texts.count(exchange.text)
        strangers = unknown.get(number, [])
        if endpoint in exchange.expected:
            if count == 0:
                _judge_absence(judging, number, endpoint, received, strangers)
            elif strangers:
                judging.add(number, "extra", endpoint, strangers[0])
        elif count or strangers:
            judging.add(number, "extra", endpoint, exchange.text if count else strangers[0])
        if count > 1:
            judging.add(number, "duplicated", endpoint, f"{count} times")
        if count and _late(judging, index, first, first[exchange.text]):
            judging.add(number, "out of order", endpoint, "after a fence that was sent later")
        for fence in exchange.fences:
            _judge_fence(judging, index, endpoint, fence, texts)
        if not _fenced(judging, index, first):
            judging.add(number, "unproven", endpoint, received.closed or "no fence arrived")


def _judge_fence(judging: _Judging, index: int, endpoint: Endpoint, fence: str, texts: Sequence[str]) -> None:
    """A fence is a broadcast as well: each has to come once, as long as a later one came at all."""
    count, number = texts.count(fence), judging.sent[index].number
    if count > 1:
        judging.add(number, "duplicated", endpoint, "a fence")
    if count == 0:
        order = [each for exchange in judging.sent for each in exchange.fences]
        later = set(order[order.index(fence) + 1 :])
        if later.intersection(texts):
            judging.add(number, "missing", endpoint, "a fence, though later ones came")


def _judge_absence(
    judging: _Judging, number: int, endpoint: Endpoint, received: Received, strangers: list[str]
) -> None:
    if strangers:
        judging.add(number, "altered", endpoint, strangers[0])
    elif received.closed:
        judging.add(number, "closed", endpoint, received.closed)
    else:
        judging.add(number, "missing", endpoint)


def _unknown(judging: _Judging, texts: Sequence[str]) -> dict[int, list[str]]:
    """Return the texts that nobody sent, each under the exchange it arrived in."""
    found: dict[int, list[str]] = {}
    current = 0
    for text in texts:
        fence = judging.exchange_of_fence.get(text)
        if fence is not None:
            # A fence of an exchange closes it: what follows belongs to the next.
            current = max(current, min(judging.numbers.index(fence) + 1, len(judging.numbers) - 1))
        elif text not in judging.exchange_of_text and judging.numbers:
            found.setdefault(judging.numbers[current], []).append(text)
    return found


def _late(judging: _Judging, index: int, first: Mapping[str, int], position: int) -> bool:
    """Tell whether a fence sent after the exchange arrived before its text."""
    later = (fence for exchange in judging.sent[index:] for fence in exchange.fences)
    return any(first[fence] < position for fence in later if fence in first)


def _fenced(judging: _Judging, index: int, first: Mapping[str, int]) -> bool:
    return any(fence in first for exchange in judging.sent[index:] for fence in exchange.fences)
