"""Many messages that one handler sends at once: a channel layer keeps only so many for a consumer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from harness.cell.outcome import Observations
from harness.cell.questions import guarded, side_by_side, twice
from harness.cell.server import CellServer
from harness.cell.ways import Way
from harness.chat.conversation import Chat
from harness.clients.connection import CLOSED_BY_SERVER, Endpoint, SendFailed
from harness.results.result import Finding
from harness.system.waiting import wait_until

_MANY = 300
#: Seconds for all of them, and for the fence behind them.
_PATIENCE = 2.0
_FENCED = 10.0
_ALL = "all are received"
#: What the questions here begin with.
QUESTION = f"{_MANY} messages by one handler"


def ask(ways: list[Way], server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Have a handler of each way send many messages."""
    for way in ways:
        if way.chat is None:
            yield way.not_asked(_question("its sender"), _ALL)
    asking = [(way, partial(_burst, way, way.chat, server, observed)) for way in ways if way.chat]
    each = [partial(guarded, way.asked(_question("its sender")), partial(twice, burst)) for way, burst in asking]
    yield from side_by_side(each, len(each))


def _question(who: str) -> str:
    return f"{QUESTION}: {who}"


def _burst(way: Way, chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Have one handler of Mary's send many messages, and look at what she and John receive of them."""
    mary, john = _enter(chat, "Mary"), _enter(chat, "John")
    chat.wait_subscribed([mary, john])
    said = f"of many $N ({chat.token}, {chat.fences_sent})"
    wanted = {said.replace("$N", str(number)) for number in range(_MANY)}
    trial = {"trial": "burst", "count": _MANY, "message": server.library.said(said)}
    server.library.ask_trial(chat, mary, trial)()

    def arrived(endpoint: Endpoint) -> int:
        return len(wanted.intersection(chat.transcript.texts(endpoint)))

    wait_until(lambda: arrived(mary) == arrived(john) == _MANY, _PATIENCE, every=0.05)
    # Behind a fence of the same sender nothing of it can still be under way.
    fences: tuple[str, ...] = ()
    with suppress(SendFailed):
        fences = chat.fence_all(lambda fence: chat.client.broadcast(chat, mary, fence), [mary, john], _FENCED)
    for who, endpoint in (("its sender", mary), ("the others", john)):
        number, closed = arrived(endpoint), chat.transcript.closed(endpoint)
        question = way.asked(_question(who))
        observed.counted[question] = f"{number} of {_MANY} received"
        yield _received(question, number, closed, chat.transcript.has_one(endpoint, fences))
    chat.close([mary, john])


def _received(question: str, number: int, closed: str, fenced: bool) -> Finding:
    """Return what is found of so many messages received, on a connection that may be *closed*."""
    good: bool | None = number == _MANY
    if good:
        seen = _ALL
    elif closed:
        seen = f"some are lost, and the connection is {closed.replace(CLOSED_BY_SERVER, 'closed')}"
    elif fenced:
        seen = "some are lost without a word"
    else:
        seen, good = f"not proved: what was sent behind them did not come within {_FENCED:.0f} s", None
    return Finding(question=question, expected=_ALL, seen=seen, good=good, chance=True)


def _enter(chat: Chat, member: str) -> Endpoint:
    """Open the usual connection of *member*.

    Raises:
        HandshakeRefused: the server did not open it.
    """
    endpoint = Endpoint(member, "amounts")
    chat.open(endpoint, chat.path_for("broadcast"), member)
    return endpoint
