"""Go through a round of exchanges, with a fence behind each message, and have the transcript judged."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Container, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import msgspec

from harness.chat.conversation import Chat
from harness.chat.fencing import FENCE_DEADLINE
from harness.chat.judge import Received, SentExchange, judge
from harness.chat.ledger import copies, in_any_letters, of_another_run, overheard
from harness.chat.members import ChannelRow
from harness.chat.rounds import Planned, Round
from harness.clients.connection import Endpoint, SendFailed
from harness.clients.transcript import Message
from harness.errors import CellFailure
from harness.results.result import Exchange, Fault
from harness.system.waiting import Deadline
from harness.verdict import Reason

#: Seconds that a message may take before the fence is sent all the same.
PATIENCE = 1.0
#: Once so many never came, a message gets the time of a fence, so that a dead cell does not take minutes.
_HURRY_AFTER = 3
#: Seconds that a round may take; what has not been sent by then is given up, and the server is too slow.
BUDGET = 180.0
#: Seconds after the last exchange of a round during which copies and leaks are still waited for.
HORIZON = 4.0
#: Why an exchange was not made that nobody had time for.
_GIVEN_UP = f"given up after {BUDGET:.0f} s of exchanges"


@dataclass
class Exchanged:
    """How a round went: what was sent, and what was measured on the way."""

    round: Round
    sent: list[SentExchange] = field(default_factory=list)
    #: Until each recipient had the message: exchange number → member → milliseconds.
    latency_ms: dict[str, dict[str, float]] = field(default_factory=dict)
    #: The numbers of the exchanges whose message came only after the fence behind it had been sent.
    late: list[int] = field(default_factory=list)
    #: What the round took, without what was waited for afterwards.
    seconds: float = 0.0
    #: When its last exchange was over (:func:`time.monotonic`).
    over: float = 0.0
    #: When each of *sent* was sent (:func:`time.monotonic`).
    sent_at: list[float] = field(default_factory=list)
    #: The exit status of the server, where it had ended by itself before the horizon.
    exit_status: int | None = None
    #: What was wrong with the connections at the end of the horizon.
    ending: list[Fault] = field(default_factory=list)
    #: Why connections were closed while strangers tried, of those that stand where none does.
    displaced: dict[Endpoint, str] = field(default_factory=dict)
    #: The rows in the order of the table, as they were judged last.
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def wrong(self) -> list[Exchange]:
        """The rows in which something was wrong."""
        return [exchange for exchange in self.exchanges if not exchange.good]

    @property
    def texts(self) -> set[str]:
        """The texts of its messages, and of the fences behind them."""
        return {text for exchange in self.sent for text in (exchange.text, *exchange.fences)}

    @property
    def slowest(self) -> float:
        """Until the last of its messages had reached the slowest recipient, in seconds."""
        return max((ms for each in self.latency_ms.values() for ms in each.values()), default=0.0) / 1000

    @property
    def answered(self) -> bool:
        """Whether anything of what was to be received has been."""
        return bool(self.latency_ms)

    @property
    def too_slow(self) -> bool:
        """Whether nothing is wrong but that there was no time for all of it."""
        faults = [fault for exchange in self.exchanges for fault in exchange.faults]
        return bool(faults) and all(fault.kind == "not sent" and fault.text == _GIVEN_UP for fault in faults)

    def __str__(self) -> str:
        return f"{len(self.exchanges) - len(self.wrong)} of {len(self.exchanges)}"


def run(chat: Chat, planned: Round) -> Exchanged:
    """Go through a round, and judge it. A failure to send is a fault of that exchange."""
    if chat.client.greets:
        _hear_out(chat)
    began, budget = time.monotonic(), Deadline(BUDGET)
    outcome = Exchanged(planned)
    for each in planned.exchanges:
        outcome.sent_at.append(time.monotonic())
        outcome.sent.append(_send(chat, outcome, each, budget))
    _settle(chat, outcome, budget)
    outcome.exit_status = chat.server.exit_status()
    outcome.over = time.monotonic()
    outcome.seconds = outcome.over - began
    judge_again(chat, outcome)
    return outcome


def _hear_out(chat: Chat) -> None:
    """Wait until a chat has told whoever came what it tells them, as what was said before: that is the chat's own."""
    patience, before = Deadline(HORIZON), -1
    while (come := chat.activity(chat.endpoints)) != before and not patience.over:
        before = come
        chat.transcript.wait(chat.endpoints, [], chat.client.quiet)  # nothing can end it but the time


def _settle(chat: Chat, outcome: Exchanged, budget: Deadline) -> None:
    """Wait until nothing more comes where something is still on its way: slow is not missing."""
    if not outcome.late and _absent(chat, outcome) == 0 and chat.fences_sent_again == 0:
        return
    before, arrived = -1, chat.activity(chat.endpoints)
    while arrived != before and not budget.over:
        chat.transcript.wait(chat.endpoints, [], 2 * chat.pace)  # nothing can end it but the time
        before, arrived = arrived, chat.activity(chat.endpoints)


def judge_again(chat: Chat, outcome: Exchanged, until: float | None = None) -> None:
    """Judge what each connection has received until now: what comes late is then seen as well.

    Texts that nobody said count only *until* then (:func:`time.monotonic`): what a further question brings that is
    altered is the answer to that one. Copies and leaks of what was said count always, also in other letters.
    """
    own = outcome.texts
    came = {
        endpoint: chat.transcript.messages(endpoint)
        for endpoint in chat.owners
        if chat.owners[endpoint] and endpoint.name in chat.paths and endpoint.member == chat.owners[endpoint]
    }
    # Read after that: whatever has come was noted before it was sent.
    others = chat.ledger.texts() - own
    since = outcome.sent_at[0] if chat.client.greets and outcome.sent_at else 0.0
    received = {
        endpoint: Received(_heard(chat, messages, own, others, since, until), chat.transcript.closed(endpoint))
        for endpoint, messages in came.items()
    }
    faults = judge(outcome.sent, received)
    _add_leaks(chat, outcome, faults)
    rows = {row.number: row for row in chat.client.script.rows}
    for each in outcome.sent:
        if each.error and not each.expected:  # one that nobody has to hear is not right either where it was never said
            row = rows[each.number]
            fault = Fault(kind="not sent", member=row.sender, connection=row.channel, text=each.error)
            faults[each.number].append(fault)
    if outcome.sent:
        faults[outcome.sent[-1].number] += [*_copies(chat, own, until), *outcome.ending]
    sent = {each.number: each for each in outcome.sent}
    outcome.exchanges = [
        _as_result(chat, outcome.round, row, faults[row.number], sent[row.number]) for row in chat.client.script.rows
    ]


def right_by_now(chat: Chat, played: Iterable[Exchanged]) -> bool:
    """Tell whether everything in *played* is right by now: what is slow was missing when its round was over."""
    wrong = [each for each in played if each.wrong]
    for each in wrong:
        judge_again(chat, each)
    return not any(each.wrong for each in wrong)


def _heard(
    chat: Chat,
    messages: Iterable[Message],
    own: Collection[str],
    others: Container[str],
    since: float,
    until: float | None,
) -> list[Message]:
    """Return those of *messages* that are none of *others*, which were said beside the round; its *own* count always.

    What nobody said counts only from *since* on, and until *until*, but for its own in other letters; what another run
    says to somebody's own chat never.
    """
    return [
        message
        for message in messages
        if message.text not in others
        and not (chat.client.greets and of_another_run(message.text, chat.token))
        and (
            message.text in own
            or (since <= message.at and (until is None or message.at <= until))
            or any(in_any_letters(text, message.text) for text in own)
        )
    ]


def _add_leaks(chat: Chat, outcome: Exchanged, faults: dict[int, list[Fault]]) -> None:
    """Add to *faults* each message of the round that came to a member it was not for, whatever it was wrapped in.

    What strangers hear is a question of isolation's.
    """
    own = {exchange.number for exchange in outcome.sent}
    for leak in overheard(chat.ledger, chat.transcript.frames, chat.owners):
        if leak.said.exchange in own and leak.endpoint.member in chat.members:
            found = faults[leak.said.exchange]
            where = (leak.endpoint.member, leak.endpoint.name)
            if where not in {(each.member, each.connection) for each in found if each.kind == "extra"}:
                found.append(Fault(kind="extra", member=where[0], connection=where[1], text=leak.said.text))


def _copies(chat: Chat, own: Container[str], until: float | None) -> list[Fault]:
    """Return the copies of what was said beside the round's *own* texts; whatever it asked, it was to come once."""
    found = []
    for endpoint in chat.endpoints:
        texts = [each.text for each in chat.transcript.messages(endpoint) if until is None or each.at <= until]
        found += [
            Fault(kind="duplicated", member=endpoint.member, connection=endpoint.name, text=text)
            for text in copies(chat.ledger, (text for text in texts if text not in own))
        ]
    return found


def joined(rounds: Sequence[Exchanged]) -> list[Exchange]:
    """Return the rows of the table over all *rounds*: one is good when it is good in each."""
    rows: dict[int, Exchange] = {}
    for played in rounds:
        for exchange in played.exchanges:
            faults = [msgspec.structs.replace(each, round=played.round.number) for each in exchange.faults]
            known = rows.get(exchange.number)
            faults = [*(known.faults if known else []), *faults]
            rows[exchange.number] = msgspec.structs.replace(exchange, good=not faults, faults=faults)
    return list(rows.values())


def check(exchanged: Exchanged) -> None:
    """Make sure that all of the fifteen were right.

    Raises:
        CellFailure: one was not; it says what the first of them did.
    """
    if exchanged.too_slow:
        done = len([each for each in exchanged.sent if not each.error])
        text = f"{done} of {len(exchanged.sent)} exchanges took {exchanged.seconds:.0f} s; nothing of them was lost"
        raise CellFailure(Reason.TOO_SLOW, text)
    if exchanged.wrong:
        raise CellFailure(Reason.EXCHANGE_WRONG, what_was_wrong(exchanged))


def what_was_wrong(exchanged: Exchanged, found: Sequence[Exchange] | None = None) -> str:
    """Say how many exchanges of a round are wrong, and what the first of them is.

    *found* are the exchanges over several rounds, of which this is one; None stands for those of this one.
    """
    found = exchanged.exchanges if found is None else found
    wrong = [each for each in found if not each.good]
    rows = {each.row.number: each.row for each in exchanged.round.exchanges}
    first = rows[wrong[0].number].with_fault(wrong[0].faults[0], "connection")
    text = f"{len(wrong)} of {len(found)} exchanges are wrong; first: {first}"
    ended = f"the server had ended with exit status {exchanged.exit_status}"
    return text if exchanged.exit_status is None or ended in text else f"{text}; {ended}"


def _send(chat: Chat, outcome: Exchanged, planned: Planned, budget: Deadline) -> SentExchange:
    """Send one message, wait for it, and send the fence behind it."""
    row, text, client = planned.row, planned.text, chat.client
    sent = SentExchange(
        row.number,
        text,
        client.expected(row),
        says=client.says(row, text),
        fence_says=client.says(row, text, fence=True),
        error=_cannot(chat, budget),
    )
    if sent.error:
        return sent
    # Only what never came is a reason to hurry: slow is not wrong. The last fence gets its time.
    hurry = _absent(chat, outcome) >= _HURRY_AFTER
    threading.Event().wait(client.turn_in(row.sender))
    sent_at = time.monotonic()
    try:
        chat.say(row, text, row.number)
    except SendFailed as error:
        return replace(sent, error=str(error))
    patience = chat.pace if hurry else max(PATIENCE, chat.pace)
    in_time = chat.transcript.wait(sent.expected, [text], patience, since=sent_at)
    # Without its own fence an exchange is proved by the next one's, or stays unproved.
    with suppress(SendFailed):
        quiet = PATIENCE if hurry and planned is not outcome.round.exchanges[-1] else FENCE_DEADLINE
        proof = chat.fence_behind(row, quiet, budget)
        sent = replace(sent, fences=proof.texts, reach=proof.reach, unreached=proof.unreached)
    _measure(chat, outcome, sent, sent_at, in_time)
    return sent


def _cannot(chat: Chat, budget: Deadline) -> str:
    """Return why nothing can be sent any more, or nothing."""
    if (status := chat.server.exit_status()) is not None:
        return f"the server had ended with exit status {status}"
    return _GIVEN_UP if budget.over else ""


def _measure(chat: Chat, outcome: Exchanged, sent: SentExchange, sent_at: float, in_time: bool) -> None:
    """Note how long a message took to each recipient, and whether it was late."""
    arrivals = {endpoint: chat.transcript.arrival(endpoint, sent.text, sent_at) for endpoint in sent.expected}
    latency: dict[str, float] = {}
    for endpoint, arrival in arrivals.items():
        if arrival is not None:
            latency[endpoint.member] = max(round(1000 * (arrival - sent_at), 2), latency.get(endpoint.member, 0.0))
    if latency:
        outcome.latency_ms[str(sent.number)] = dict(sorted(latency.items()))
    if not in_time and None not in arrivals.values():
        outcome.late.append(sent.number)


def _absent(chat: Chat, outcome: Exchanged) -> int:
    """Return how many exchanges so far have not brought their message, or any fence, everywhere, not even until now."""
    standing = [each for each in chat.reached(chat.endpoints) if not chat.transcript.closed(each)]
    return sum(
        any(chat.transcript.arrival(endpoint, exchange.text, at) is None for endpoint in exchange.expected)
        or (
            bool(exchange.fences)
            and not all(chat.transcript.has_one(each, exchange.fences_of(each) or exchange.fences) for each in standing)
        )
        for exchange, at in zip(outcome.sent, outcome.sent_at, strict=False)  # the newest is not sent yet
        if not exchange.error
    )


def _without(text: str, tokens: Sequence[str]) -> str:
    for token in tokens:
        text = text.replace(token, "…")
    return text


def _as_result(chat: Chat, planned: Round, row: ChannelRow, found: list[Fault], sent: SentExchange) -> Exchange:
    # The token is another one in each run; two runs that saw the same have to say the same.
    tokens = sorted({planned.token or chat.token, chat.token}, key=len, reverse=True)
    faults = [msgspec.structs.replace(fault, text=_without(fault.text, tokens)) for fault in found]
    return Exchange(
        number=row.number,
        channel=row.channel,
        sender=row.sender,
        audience=row.audience,
        recipients=list(row.recipients),
        transport=chat.client.transport(row),
        good=not faults,
        faults=faults,
        waited=[f"{each.member}'s {each.name}" for each in sorted(sent.unreached - sent.expected)],
    )
