"""What is asked of somebody's own chat once its exchanges are right: what people do beside speaking in turn.

The answers are no part of the verdict: what has been judged is not judged again, whatever becomes of the connections.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from harness.captured.output import shorten
from harness.chat.conversation import Chat
from harness.chat.fencing import FENCE_DEADLINE
from harness.chat.members import ChannelRow
from harness.clients.connection import Endpoint, HandshakeRefused, SendFailed
from harness.errors import CellFailure
from harness.results.result import Finding
from harness.system.threads import whole
from harness.system.waiting import Deadline

_SCRIPTS = "Do texts in any script arrive as they were sent?"
_AT_ONCE = "Do messages that are sent at the same time all arrive?"
_RETURNING = "Does a member who leaves and comes back hear again?"
#: A text in several scripts, with what is quoted somewhere on its way.
_TEXT = "Grüße, Αθήνα, Москва, 東京, 🙂, \"quoted\" 'text' \\ <b>&amp;</b> 100%"
#: Seconds that a message may take.
_PATIENCE = 2.0
#: How many speak at the same time at most, and how often they do.
_SPEAKERS = 10
_TIMES = 3
#: Letters of what arrives instead that are shown.
_SHOWN = 80


def ask(chat: Chat) -> Iterator[Finding]:
    """Ask whether any text arrives, what is said at the same time, and what is said to somebody who comes back."""
    rows = _speaking(chat)
    if not rows:
        return
    for question, asking in ((_SCRIPTS, _scripts), (_AT_ONCE, _at_once), (_RETURNING, _returning)):
        try:
            _let_in_again(chat)
            seen = asking(chat, rows)
        except (SendFailed, HandshakeRefused, CellFailure) as error:
            seen = f"no: {error}"
        if seen:
            yield Finding(question=question, expected="yes", seen=seen, good=seen == "yes")


def _let_in_again(chat: Chat) -> None:
    """Open the members' connections again that are closed: what the question before has done is its answer.

    Raises:
        HandshakeRefused: one is not let in.
        CellFailure: one that is let in receives nothing.
    """
    closed = [each for each in chat.endpoints if chat.transcript.closed(each)]
    for endpoint in closed:
        chat.close([endpoint])
        chat.open(endpoint, chat.addresses[endpoint], endpoint.member)
    if closed:
        chat.wait_subscribed(closed)


def _speaking(chat: Chat) -> dict[str, ChannelRow]:
    """Return the row of each member that most connections are to receive; nothing of whom nobody hears."""
    found: dict[str, ChannelRow] = {}
    for row in sorted(chat.client.script.rows, key=lambda each: -len(chat.client.expected(each))):
        if chat.client.expected(row):
            found.setdefault(row.sender, row)
    return found


def _scripts(chat: Chat, rows: Mapping[str, ChannelRow]) -> str:
    row, text = next(iter(rows.values())), f"{_TEXT} ({chat.token})"
    before = {each: len(chat.transcript.messages(each)) for each in chat.endpoints}
    chat.say(row, text)
    chat.transcript.wait(chat.client.expected(row), [text], _PATIENCE)
    with suppress(SendFailed):
        chat.fence_behind(row, FENCE_DEADLINE, Deadline(FENCE_DEADLINE))
    for endpoint in sorted(chat.client.expected(row)):
        if chat.transcript.arrivals(endpoint, text) == 1:
            continue
        known = chat.ledger.texts() - {text}
        arrived = [each for each in chat.transcript.texts(endpoint)[before[endpoint] :] if each not in known]
        what = f"as {shorten(arrived[0])[:_SHOWN]!r}" if arrived and arrived[0] != text else "twice"
        how = what if arrived else chat.transcript.closed(endpoint) or "not at all"
        return f"no: {_TEXT} arrives on {_called(endpoint)} {how}"
    return "yes"


def _at_once(chat: Chat, rows: Mapping[str, ChannelRow]) -> str:
    speaking = dict(list(rows.items())[:_SPEAKERS])
    if len(speaking) < 2:
        return ""
    said: dict[str, ChannelRow] = {}
    for number in range(_TIMES):
        texts = {f"at the same time {number} from {member} ({chat.token})": row for member, row in speaking.items()}
        _say_together(chat, texts)
        deadline = Deadline(_PATIENCE)
        for text, row in texts.items():
            chat.transcript.wait(chat.client.expected(row), [text], deadline.left)
        said |= texts
    with suppress(SendFailed):  # what cannot be said any more was not received either
        chat.announce_fence()
    lost = twice = others = 0
    for text, row in said.items():
        expected = chat.client.expected(row)
        times = {each: chat.transcript.arrivals(each, text) for each in chat.endpoints}
        lost += sum(not times.get(each) for each in expected)
        twice += sum(times.get(each, 0) > 1 for each in expected)
        others += sum(bool(many) for each, many in times.items() if each not in expected)
    counted = ((lost, "did not"), (twice, "came twice"), (others, "came to others"))
    told = ", ".join(f"{number} {what}" for number, what in counted if number)
    wanted = sum(len(chat.client.expected(row)) for row in said.values())
    return f"no: of {wanted} messages that were to arrive {told}" if told else "yes"


def _say_together(chat: Chat, texts: Mapping[str, ChannelRow]) -> None:
    """Say all of *texts* at the same time.

    Raises:
        SendFailed: the server does not take one.
    """
    start = threading.Barrier(len(texts))

    def say(text: str, row: ChannelRow) -> None:
        start.wait()
        chat.say(row, text)

    with ThreadPoolExecutor(len(texts)) as pool:
        with whole():
            saying = [pool.submit(say, text, row) for text, row in texts.items()]
        for each in saying:
            each.result()


def _returning(chat: Chat, rows: Mapping[str, ChannelRow]) -> str:
    heard = [(row, each) for row in rows.values() for each in chat.client.expected(row) if each.member != row.sender]
    if not heard:
        return ""
    row, hearing = max(heard, key=lambda each: each[1])
    left = [each for each in chat.endpoints if each.member == hearing.member]
    stay = chat.client.expected(row).difference(left)
    paths = {each: chat.addresses[each] for each in left}
    chat.close(left)
    if missed := _missing(chat, row, "while somebody is away", stay):
        return f"no: what is said meanwhile is {missed}"
    for endpoint, path in paths.items():
        chat.open(endpoint, path, hearing.member)
    chat.wait_subscribed(left)
    missed = _missing(chat, row, "when everybody is back", chat.client.expected(row))
    return f"no: what is said then is {missed}" if missed else "yes"


def _missing(chat: Chat, row: ChannelRow, what: str, expected: Collection[Endpoint]) -> str:
    """Say a text, *what*, as *row* does; return how somebody of *expected* has not received it once, or nothing."""
    text = f"{what} ({chat.token})"
    chat.say(row, text)
    chat.transcript.wait(expected, [text], _PATIENCE)
    chat.announce_fence()
    for endpoint in sorted(expected):
        if (times := chat.transcript.arrivals(endpoint, text)) != 1:
            return f"{'received twice' if times else 'not received'} on {_called(endpoint)}"
    return ""


def _called(endpoint: Endpoint) -> str:
    return f"{endpoint.member}'s {endpoint.name}"
