"""Send the fifteen messages, with a fence behind each, and have the transcript judged."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from harness.chat import FENCE_DEADLINE, Chat
from harness.judge import Received, Sent, judge
from harness.libraries.base import SendFailed
from harness.members import Row, rows
from harness.result import Exchange, Fault

#: Seconds that a message may take before the fence is sent all the same.
PATIENCE = 1.0
#: The same once several messages did not come, so that a dead cell does not take minutes.
SHORT_PATIENCE = 0.1
#: Seconds after which what has not been sent yet is given up.
BUDGET = 60.0


@dataclass
class Exchanged:
    """How the exchanges went, in the result's terms."""

    exchanges: list[Exchange] = field(default_factory=list)
    #: Milliseconds until each recipient had the message, by exchange and member.
    latency_ms: dict[str, dict[str, float]] = field(default_factory=dict)
    #: The exchanges whose message came only when the fence behind it had been sent.
    held_back: list[int] = field(default_factory=list)
    seconds: float = 0.0


def run(chat: Chat) -> Exchanged:
    """Go through the fifteen exchanges. A failure to send is a fault of that exchange."""
    began = time.monotonic()
    outcome = Exchanged()
    table = rows()
    sent = [_Exchange(chat, outcome, row).run(began) for row in table]
    outcome.seconds = time.monotonic() - began
    # Fences from before the first exchange can still be on their way; they are nobody's message.
    others = set(chat.fences).difference(*(exchange.fences for exchange in sent))
    received = {
        line: Received(
            [text for text in chat.transcript.texts(line) if text not in others], chat.transcript.closed(line)
        )
        for line in chat.lines
    }
    faults = judge(sent, received)
    outcome.exchanges = [_as_result(chat, row, faults[row.number]) for row in table]
    return outcome


class _Exchange:
    def __init__(self, chat: Chat, outcome: Exchanged, row: Row) -> None:
        self.chat, self.outcome, self.row = chat, outcome, row
        self.text = f"Hello ({chat.token}) {row.audience}, this is {row.sender} with message {row.number}"
        self.expected = chat.library.expected(row)

    def run(self, began: float) -> Sent:
        row, chat = self.row, self.chat
        if chat.server.exit_status is not None:
            return self._sent(error=f"the server had ended with exit status {chat.server.exit_status}")
        if time.monotonic() - began > BUDGET:
            return self._sent(error=f"given up after {BUDGET:.0f} s of exchanges")
        hurry = self._absences() >= 3
        sent_at = time.monotonic()
        try:
            chat.library.say(chat, row, self.text)
        except SendFailed as error:
            return self._sent(error=str(error))
        in_time = chat.transcript.wait(self.expected, [self.text], SHORT_PATIENCE if hurry else PATIENCE)
        fences: tuple[str, ...] = ()
        # Without its own fence an exchange is proved by the next one's, or stays unproved.
        with suppress(SendFailed):
            deadline = PATIENCE if hurry else FENCE_DEADLINE
            fences = chat.fence_all(lambda text: chat.library.fence(chat, row, text), chat.lines, deadline)
        self._measure(sent_at, in_time)
        return self._sent(fences=fences)

    def _absences(self) -> int:
        """Return how many exchanges so far brought their message to nobody, or late."""
        silent = sum(str(number) not in self.outcome.latency_ms for number in range(1, self.row.number))
        return silent + len(self.outcome.held_back)

    def _measure(self, sent_at: float, in_time: bool) -> None:
        latency: dict[str, float] = {}
        for line in self.expected:
            arrival = self.chat.transcript.arrival(line, self.text)
            if arrival is not None:
                milliseconds = round(1000 * (arrival - sent_at), 2)
                latency[line.member] = max(milliseconds, latency.get(line.member, 0.0))
        if latency:
            self.outcome.latency_ms[str(self.row.number)] = dict(sorted(latency.items()))
        if not in_time and self._all_arrived():
            self.outcome.held_back.append(self.row.number)

    def _all_arrived(self) -> bool:
        return all(self.chat.transcript.arrival(line, self.text) is not None for line in self.expected)

    def _sent(self, fences: tuple[str, ...] = (), error: str = "") -> Sent:
        return Sent(self.row.number, self.text, self.expected, fences, error)


def _as_result(chat: Chat, row: Row, found: list[Fault]) -> Exchange:
    # The token is another one in each run; two runs that saw the same have to say the same.
    faults = [msgspec.structs.replace(fault, text=fault.text.replace(chat.token, "…")) for fault in found]
    return Exchange(
        number=row.number,
        channel=row.channel,
        sender=row.sender,
        audience=row.audience,
        recipients=list(row.recipients),
        transport=chat.library.transport(row),
        good=not faults,
        faults=faults,
    )
