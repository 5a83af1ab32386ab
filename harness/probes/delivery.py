"""Delivery: what happens to messages that come too early, all at once, or to a sleeper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.cell.outcome import Observations
from harness.cell.server import CellServer
from harness.cell.ways import Way, all_ways
from harness.chat.conversation import Chat
from harness.clients.connection import Endpoint, HandshakeRefused, SendFailed
from harness.errors import CellFailure
from harness.results.result import Finding
from harness.system.waiting import Deadline, wait_until
from harness.verdict import Reason

#: How many connections are opened to find out about the moment after the handshake.
_EARLY = 100
#: After how many of them that never hear anything the others are not tried.
_DEAF = 3
#: How many messages make a burst, how many bursts there are, and the seconds each may take.
_BURST = 50
_BURSTS = 10
_BURST_PATIENCE = 2.0
#: How many bursts have to be kept back until that is known; waiting for them is what takes the time.
_KEPT_BACK = 3
_BURST_DEADLINE = 20.0
#: Seconds that an unused connection has to live; some libraries end it after 5.
_IDLE = 12.0
_STAYS = "stays open, and receives what comes then"
#: Seconds that a message may take, and for which it may be overtaken by the fence behind it.
_PATIENCE = 2.0
_OVERTAKEN = 0.15
_EARLY_QUESTION = "A message sent right after somebody's handshake"
_BURST_QUESTION = f"A burst of {_BURST} messages"
_ORDER_QUESTION = "The order of a burst"
_IDLE_QUESTION = f"A connection that is idle for {_IDLE:.0f} s"
_REPLAY_QUESTION = "A message sent while somebody was away, with keeping"


def ask(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Ask about the handshake's gap, a burst, its order, an idle connection, and replay."""
    chat.close()
    if server.wants(_EARLY_QUESTION):
        yield _early(chat, observed)
    if server.wants(_BURST_QUESTION, _ORDER_QUESTION):
        yield from _bursts(chat, observed)
    if server.wants(_IDLE_QUESTION):
        yield from _idle(chat, server, observed)
    if server.wants(f"{_REPLAY_QUESTION} off"):
        yield _replay(chat, "off")
    chat.close()
    if server.library.keeping and server.wants(f"{_REPLAY_QUESTION} on"):
        # What is kept there is not for those who come to the cell's own server later.
        apart = server.apart("keeping")
        with apart.serving(f"{server.name} keeping", observed, server.library.keeping) as other:
            other.log_in()
            yield _replay(other, "on")


def _open(chat: Chat, member: str, name: str) -> Endpoint:
    endpoint = Endpoint(member, name)
    try:
        chat.open(endpoint, chat.path_for("broadcast"), member)
    except HandshakeRefused as error:
        raise CellFailure(Reason.HANDSHAKE_REFUSED, str(error)) from error
    return endpoint


def _early(chat: Chat, observed: Observations) -> Finding:
    """Ask about the moment after the handshake, beside a witness who has been subscribed for long."""
    question = _EARLY_QUESTION
    sender, witness = _open(chat, chat.speaker, "early sender"), _open(chat, chat.listener, "early witness")
    chat.wait_subscribed([sender, witness])
    tried = lost = fenced = unheard = 0
    while tried < _EARLY and tried - fenced < _DEAF:
        text = f"early {tried} ({chat.token})"
        receiver = _open(chat, chat.listener, f"early {tried}")
        tried += 1
        chat.broadcast(sender, text)
        chat.transcript.wait([receiver], [text], 0.05)
        # Behind a fence nothing of it can still be under way, unless messages overtake each other.
        fences = chat.fence_all(lambda fence: chat.client.broadcast(chat, sender, fence), [receiver, witness])
        fenced += chat.transcript.has_one(receiver, fences)
        chat.transcript.wait([receiver, witness], [text], _OVERTAKEN)
        lost += chat.transcript.arrival(receiver, text) is None
        unheard += chat.transcript.arrival(witness, text) is None
        chat.close([receiver])
    chat.close([sender, witness])
    observed.counted[question] = f"{lost} of {tried} lost"
    if fenced < tried:
        seen = "not proved: what was sent later did not come either"
        return Finding(question=question, expected="is received", seen=seen, good=None)
    if not lost:
        seen = "is received"
    elif unheard:  # whatever became of it, it is not for want of a subscription
        seen = "can be lost, even by those subscribed"
    else:
        seen = "can be lost: it is not subscribed yet"
    return Finding(question=question, expected="is received", seen=seen, good=not lost, chance=True)


@dataclass
class _Bursts:
    """What came of several bursts, each of them of so many messages that are sent at once."""

    bursts: int = 0
    #: Messages that had not come when no further one had been sent, and those of them that never came.
    kept_back: int = 0
    lost: int = 0
    #: How many bursts had not come whole.
    waited: int = 0
    #: Copies.
    twice: int = 0
    in_order: bool = True
    #: Whether a fence behind each burst has come, so that what had not come by then is lost.
    proved: bool = True

    @property
    def counted(self) -> str:
        """The figures in one line."""
        number = _BURST * self.bursts
        return f"of {number} in {self.bursts} bursts {self.kept_back} kept back, {self.lost} of them lost"

    @property
    def answer(self) -> tuple[str, bool | None]:
        """What was seen, and whether it is good; None where it is not proved."""
        if self.twice:
            return "some are received twice", False
        if not self.proved:
            return f"not all within {_BURST_DEADLINE:.0f} s", None
        if self.lost:
            return "some are lost", False
        if self.kept_back:
            return "some are held back until more messages come", False
        return "all are received at once", True


def _bursts(chat: Chat, observed: Observations) -> Iterator[Finding]:
    try:
        yield from _burst(chat, observed)
    except SendFailed as error:
        expected = "all are received at once"
        yield Finding(question=_BURST_QUESTION, expected=expected, seen=str(error), good=False, chance=True)
        chat.close()


def _burst(chat: Chat, observed: Observations) -> list[Finding]:
    question = _BURST_QUESTION
    sender, receiver = _open(chat, chat.speaker, "burst sender"), _open(chat, chat.listener, "burst")
    chat.wait_subscribed([sender, receiver])
    came = _Bursts()
    while came.bursts < _BURSTS and came.proved and came.waited < _KEPT_BACK:
        _send_burst(chat, sender, receiver, came)
    chat.close([sender, receiver])
    observed.counted[question] = came.counted
    seen, good = came.answer
    order = "kept" if came.in_order else "not kept"
    return [
        Finding(question=question, expected="all are received at once", seen=seen, good=good, chance=True),
        Finding(question=_ORDER_QUESTION, expected="kept", seen=order, good=came.in_order, chance=True),
    ]


def _send_burst(chat: Chat, sender: Endpoint, receiver: Endpoint, came: _Bursts) -> None:
    """Send one burst, and add to *came* what came of it."""
    texts = [f"burst {came.bursts}, message {number} ({chat.token})" for number in range(_BURST)]
    for text in texts:
        chat.broadcast(sender, text)
    # Nothing is sent meanwhile: what comes then was not kept back until something else came.
    wait_until(lambda: len(set(_of(chat, receiver, texts))) == _BURST, _BURST_PATIENCE)
    missing = _BURST - len(set(_of(chat, receiver, texts)))
    came.kept_back += missing
    came.waited += missing > 0
    for number in range(_BURST):  # each further message can free one that was kept back
        if chat.transcript.arrival(receiver, texts[-1]) is not None:
            break
        later = f"after burst {came.bursts}, {number} ({chat.token})"
        chat.broadcast(sender, later)
        chat.transcript.wait([sender], [later], 0.02)
    # What is still under way behind a fence that has come is lost.
    fences = chat.fence_all(lambda fence: chat.client.broadcast(chat, sender, fence), [receiver], _BURST_DEADLINE)
    came.proved = chat.transcript.has_one(receiver, fences)
    received = _of(chat, receiver, texts)
    came.lost += _BURST - len(set(received))
    came.twice += len(received) - len(set(received))
    came.in_order &= received == sorted(received, key=texts.index)
    came.bursts += 1


def _of(chat: Chat, endpoint: Endpoint, texts: list[str]) -> list[str]:
    wanted = set(texts)
    return [text for text in chat.transcript.texts(endpoint) if text in wanted]


def _idle(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Ask of every way at once whether a connection of it outlives a silence; what ends it is often the layer."""
    with all_ways(chat, server, observed, "idle") as ways:
        idle = [(way, *_begin_to_idle(way)) for way in ways]
        silence = Deadline(_IDLE)
        for way, endpoint, _ in idle:
            if way.chat and endpoint:
                way.chat.transcript.wait_closed(endpoint, silence.left)
        for way, endpoint, missing in idle:
            question = way.asked(_IDLE_QUESTION)
            if way.chat and endpoint:
                yield _woken(way.chat, endpoint, question)
            else:
                yield Finding(question=question, expected=_STAYS, seen=f"not asked: {missing}", good=None)


def _begin_to_idle(way: Way) -> tuple[Endpoint | None, str]:
    """Return a connection that is subscribed; or None, and why there is none.

    Raises:
        CellFailure: the usual way has none, though it carries the chat.
    """
    if way.chat is None:
        return None, way.missing
    try:
        endpoint = _open(way.chat, way.chat.listener, "idle")
        way.chat.wait_subscribed([endpoint])
    except CellFailure as failure:
        if not way.name:
            raise
        return None, str(failure)
    return endpoint, ""


def _woken(chat: Chat, endpoint: Endpoint, question: str) -> Finding:
    """Say something to a connection that has been idle, and find out what becomes of it."""
    text = f"good morning ({chat.token})"
    if not chat.transcript.closed(endpoint):
        chat.announce(chat.speaker, text)
        chat.transcript.wait([endpoint], [text], _PATIENCE)
    closed, arrived = chat.transcript.closed(endpoint), chat.transcript.arrival(endpoint, text)
    chat.close([endpoint])
    if closed:
        return Finding(question=question, expected=_STAYS, seen=closed, good=False)
    seen = _STAYS if arrived else "stays open, but does not receive"
    return Finding(question=question, expected=_STAYS, seen=seen, good=arrived is not None)


def _replay(chat: Chat, keeping: str) -> Finding:
    question = f"{_REPLAY_QUESTION} {keeping}"
    kept = keeping == "on"
    expected = "the last one is received on return" if kept else "is not received on return"
    first, last = (f"while you were away {number} ({chat.token})" for number in (1, 2))
    # Somebody who is there hears both before anybody returns: what comes later than that has been kept.
    present = _open(chat, chat.speaker, f"present, keeping {keeping}")
    chat.wait_subscribed([present])
    for text in (first, last):
        chat.announce(chat.speaker, text)
    # No fence is sent behind them: what is kept may be only the last that was said.
    chat.transcript.wait([present], [last], _PATIENCE)
    chat.close([present])
    returned = _open(chat, chat.listener, f"returned, keeping {keeping}")
    chat.transcript.wait([returned], [last], _PATIENCE if kept else 0.2)
    # A fence shows that the connection receives at all; keeping replays it on later connections.
    fences = chat.fence_all(lambda fence: chat.client.announce(chat, chat.speaker, fence), [returned])
    fenced = chat.transcript.has_one(returned, fences)
    got = [text for text in (first, last) if chat.transcript.arrival(returned, text)]
    chat.close([returned])
    if not fenced:
        seen = "nothing is received on return, not even what is sent then"
        return Finding(question=question, expected=expected, seen=seen, good=None)
    if got == [first]:
        seen = "an older one is received on return"
    else:
        seen = ("is not received on return", "the last one is received on return", "both are received on return")[
            len(got)
        ]
    return Finding(question=question, expected=expected, seen=seen, good=got == [last] if kept else not got)
