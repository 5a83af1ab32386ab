"""Send the fifteen messages, with a fence behind each, and have the transcript judged."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from harness.chat.conversation import FENCE_DEADLINE, Chat
from harness.chat.judge import Received, SentExchange, judge
from harness.chat.members import ChannelRow, channel_table
from harness.clients.connection import SendFailed
from harness.errors import CellFailure
from harness.results.result import Exchange, Fault
from harness.verdict import Reason

#: Seconds that a message may take before the fence is sent all the same.
PATIENCE = 1.0
#: The same for message and fence once several never came, so that a dead cell does not take minutes.
SHORT_PATIENCE = 0.1
_HURRY_AFTER = 3
#: Seconds after which what has not been sent yet is given up.
BUDGET = 180.0


@dataclass
class Exchanged:
    """How the exchanges went: what was sent, and what was measured on the way."""

    sent: list[SentExchange] = field(default_factory=list)
    #: Milliseconds until each recipient had the message, by exchange and member.
    latency_ms: dict[str, dict[str, float]] = field(default_factory=dict)
    #: The exchanges whose message came only after the fence behind it had been sent.
    late: list[int] = field(default_factory=list)
    seconds: float = 0.0
    #: The rows as they were judged last.
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def wrong(self) -> list[Exchange]:
        """The rows in which something was wrong."""
        return [exchange for exchange in self.exchanges if not exchange.good]

    def __str__(self) -> str:
        return f"{len(self.exchanges) - len(self.wrong)} of {len(self.exchanges)}"


def run(chat: Chat) -> Exchanged:
    """Go through the fifteen exchanges, and judge them. A failure to send is a fault of that exchange."""
    began = time.monotonic()
    outcome = Exchanged()
    for row in channel_table():
        outcome.sent.append(_send(chat, outcome, row, began))
    outcome.seconds = time.monotonic() - began
    judge_again(chat, outcome)
    return outcome


def judge_again(chat: Chat, outcome: Exchanged) -> None:
    """Judge what each connection has received until now: what comes late is then seen as well."""
    # Other fences and private messages can be on their way, too; they are nobody's exchange.
    own = {fence for exchange in outcome.sent for fence in exchange.fences}
    others = chat.said.union(chat.fences) - own
    received = {
        endpoint: Received(
            [text for text in chat.transcript.texts(endpoint) if text not in others], chat.transcript.closed(endpoint)
        )
        for endpoint in chat.endpoints
    }
    faults = judge(outcome.sent, received)
    outcome.exchanges = [_as_result(chat, row, faults[row.number]) for row in channel_table()]


def check(chat: Chat, exchanged: Exchanged) -> None:
    """Make sure that all of the fifteen were right.

    Raises:
        CellFailure: one was not; it says what the first of them did.
    """
    if exchanged.wrong:
        raise CellFailure(Reason.EXCHANGE_WRONG, _what_was_wrong(chat, exchanged))


def _what_was_wrong(chat: Chat, exchanged: Exchanged) -> str:
    wrong = exchanged.wrong
    first = channel_table()[wrong[0].number - 1].with_fault(wrong[0].faults[0], "connection")
    text = f"{len(wrong)} of {len(exchanged.exchanges)} exchanges are wrong; first: {first}"
    if chat.server.exit_status() is not None:
        text += f"; the server had ended with exit status {chat.server.exit_status()}"
    return text


def _send(chat: Chat, outcome: Exchanged, row: ChannelRow, began: float) -> SentExchange:
    """Send one message, wait for it, and send the fence behind it."""
    text = row.message(chat.token)
    expected = chat.client.expected(row)
    if chat.server.exit_status() is not None:
        return SentExchange(
            row.number, text, expected, error=f"the server had ended with exit status {chat.server.exit_status()}"
        )
    if time.monotonic() - began > BUDGET:
        return SentExchange(row.number, text, expected, error=f"given up after {BUDGET:.0f} s of exchanges")
    # Only what never came is a reason to hurry: slow is not wrong. The last fence gets its time.
    hurry = _absent(chat, outcome) >= _HURRY_AFTER
    sent_at = time.monotonic()
    try:
        chat.client.say(chat, row, text)
    except SendFailed as error:
        return SentExchange(row.number, text, expected, error=str(error))
    in_time = chat.transcript.wait(expected, [text], SHORT_PATIENCE if hurry else PATIENCE)
    fences: tuple[str, ...] = ()
    # Without its own fence an exchange is proved by the next one's, or stays unproved.
    with suppress(SendFailed):
        deadline = PATIENCE if hurry and row.number < len(channel_table()) else FENCE_DEADLINE
        fences = chat.fence_all(lambda fence: chat.client.fence(chat, row, fence), chat.endpoints, deadline)
    arrivals = {endpoint: chat.transcript.arrival(endpoint, text) for endpoint in expected}
    latency: dict[str, float] = {}
    for endpoint, arrival in arrivals.items():
        if arrival is not None:
            latency[endpoint.member] = max(round(1000 * (arrival - sent_at), 2), latency.get(endpoint.member, 0.0))
    if latency:
        outcome.latency_ms[str(row.number)] = dict(sorted(latency.items()))
    if not in_time and None not in arrivals.values():
        outcome.late.append(row.number)
    return SentExchange(row.number, text, expected, fences)


def _absent(chat: Chat, outcome: Exchanged) -> int:
    """Return how many exchanges so far brought their message not even until now."""
    return sum(
        any(chat.transcript.arrival(endpoint, exchange.text) is None for endpoint in exchange.expected)
        for exchange in outcome.sent
        if not exchange.error
    )


def _as_result(chat: Chat, row: ChannelRow, found: list[Fault]) -> Exchange:
    # The token is another one in each run; two runs that saw the same have to say the same.
    faults = [msgspec.structs.replace(fault, text=fault.text.replace(chat.token, "…")) for fault in found]
    return Exchange(
        number=row.number,
        channel=row.channel,
        sender=row.sender,
        audience=row.audience,
        recipients=list(row.recipients),
        transport=chat.client.transport(row),
        good=not faults,
        faults=faults,
    )
