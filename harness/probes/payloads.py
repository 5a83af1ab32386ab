"""Payloads: which texts get through, by WebSocket and by POST."""

from __future__ import annotations

from collections.abc import Iterator

from harness.captured.output import shorten
from harness.cell.outcome import Observations
from harness.cell.server import CellServer
from harness.chat.conversation import Chat
from harness.clients.connection import NO_WEBSOCKET, Endpoint, HandshakeRefused, SendFailed, as_binary
from harness.clients.websocket import WebSocketConnection
from harness.errors import CellFailure
from harness.results.result import Finding

#: What is sent, by what a reader would call it.
PAYLOADS: dict[str, str | bytes] = {
    "non-ASCII text": "Grüße nach Αθήνα и в Москву, 東京",
    "emoji": "🙂 👩\u200d👩\u200d👧 🏳️\u200d🌈",
    "quotes": "\"double\" 'single' `back` \\ slash",
    "markup": "<b onclick='x()'>&amp; *bold* |pipe| ``code``</b>",
    "empty text": "",
    "40 kB": "forty kilobytes " * 2560,
    "200 kB": "two hundred kB. " * 12800,
    "binary": bytes(range(256)),
}
#: How a connection is closed can be a race of a close frame and a reset; the frames are evidence.
_CLOSED = "the {}'s connection is closed"
_NO_TEXT = "what the {} receives is invalid WebSocket data, which browsers reject"
_NOT_ASKED = "not asked: the harness cannot send it in this protocol"
#: What is sent once more in fragments, as a browser sends it, and in how many.
_FRAGMENTED = "200 kB"
_FRAGMENTS = 3
#: Seconds that a payload may take.
_PATIENCE = 2.0


def ask(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Send each payload on connections of its own, from one member to another."""
    for number, (what, payload) in enumerate(PAYLOADS.items(), 1):
        if isinstance(payload, bytes) and not chat.client.sends_binary():
            yield Finding(question=f"{what} by WebSocket", expected=_expected(payload), seen=_NOT_ASKED, good=None)
            continue
        if server.wants(f"{what} by WebSocket"):
            yield _by_websocket(chat, number, what, payload)
        if what == _FRAGMENTED and server.wants(f"{what} in fragments"):
            yield _by_websocket(chat, len(PAYLOADS) + 1, f"{what} in fragments", payload, _FRAGMENTS)
        if isinstance(payload, str) and chat.client.has_pages and server.wants(f"{what} by POST"):
            yield _by_post(chat, number, what, payload)


def _by_websocket(chat: Chat, number: int, what: str, payload: str | bytes, fragments: int = 1) -> Finding:
    sender, receiver = Endpoint("sender", f"payload {number}"), Endpoint("receiver", f"payload {number}")
    path = chat.path_for("broadcast")
    question = f"{what} by WebSocket"
    try:
        chat.open(sender, path, chat.speaker)
        chat.open(receiver, path, chat.listener)
        chat.wait_subscribed([sender, receiver])
        before = len(chat.transcript.texts(receiver))
        if fragments > 1:
            connection = chat.connections[sender]
            if not isinstance(connection, WebSocketConnection):
                return Finding(question=question, expected=_expected(payload), seen=_NOT_ASKED, good=None)
            connection.fragments = fragments
        chat.broadcast(sender, payload)
        _wait(chat, receiver, payload)
        if not chat.transcript.closed(sender):
            connection = chat.connections[sender]
            if isinstance(connection, WebSocketConnection):
                connection.fragments = 1
            chat.fence_all(lambda fence: chat.client.broadcast(chat, sender, fence), [sender, receiver], _PATIENCE)
        return _finding(chat, question, payload, receiver, before, sender)
    except (HandshakeRefused, CellFailure, SendFailed) as error:
        gone = chat.transcript.wait_closed(sender, _PATIENCE)
        seen = _CLOSED.format("sender") if gone else str(error)
        return Finding(question=question, expected=_expected(payload), seen=f"does not arrive; {seen}", good=False)
    finally:
        chat.close([sender, receiver])


def _by_post(chat: Chat, number: int, what: str, payload: str) -> Finding:
    receiver = Endpoint("receiver", f"posted payload {number}")
    question = f"{what} by POST"
    try:
        chat.open(receiver, chat.path_for("user"), chat.listener)
        chat.wait_subscribed([receiver])
        before = len(chat.transcript.texts(receiver))
        chat.post(chat.speaker, "user", chat.listener, payload, hearers=[chat.listener])
        _wait(chat, receiver, payload)
        chat.fence_all(
            lambda text: chat.client.post(chat, chat.speaker, "broadcast", "all", text), [receiver], _PATIENCE
        )
        return _finding(chat, question, payload, receiver, before)
    except (HandshakeRefused, CellFailure, SendFailed) as error:
        return Finding(question=question, expected=_expected(payload), seen=f"refused: {error}", good=False)
    finally:
        chat.close([receiver])


def _wait(chat: Chat, receiver: Endpoint, payload: str | bytes) -> None:
    """Let the payload arrive before a fence is sent behind it."""
    if payload:
        chat.transcript.wait([receiver], [_as_text(payload)], _PATIENCE)


def _expected(payload: str | bytes) -> str:
    return "arrives unaltered" if payload else "arrives, or is ignored"


def _as_text(payload: str | bytes) -> str:
    return as_binary(payload) if isinstance(payload, bytes) else payload


def _finding(
    chat: Chat, question: str, payload: str | bytes, receiver: Endpoint, before: int, sender: Endpoint | None = None
) -> Finding:
    came = chat.transcript.texts(receiver)[before:]
    fences = chat.ledger.texts() - {_as_text(each) for each in PAYLOADS.values()}
    arrived = [text for text in came if text not in fences]
    wanted = _as_text(payload)
    good: bool | None = arrived == [wanted]
    closed = chat.transcript.closed(sender) if sender else ""
    if arrived == [wanted]:
        seen = "arrives unaltered"
    elif wanted in arrived:
        extra = next(each for each in arrived if each != wanted) if set(arrived) > {wanted} else ""
        more = f"and with it {shorten(extra)[:80]!r}, which nobody sent" if extra else "more than once"
        good, seen = False, f"arrives, {more}"
    elif arrived:
        good, seen = False, f"arrives as {shorten(arrived[0])[:80]!r}" + (" and more" if len(arrived) > 1 else "")
    elif wanted == "" and not closed:
        good, seen = None, "nothing arrives"
    else:
        good, seen = False, "does not arrive"
    for who, why in (("sender", closed), ("receiver", chat.transcript.closed(receiver))):
        if why:
            text = _NO_TEXT if why.startswith(NO_WEBSOCKET) else _CLOSED
            good, seen = False, f"{seen}; {text.format(who)}"
    return Finding(question=question, expected=_expected(payload), seen=seen, good=good)
