"""Isolation: does anybody hear what is not for them, or speak without being let in?

Every question yields its finding when it is answered, so that what was found before something
broke is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from harness.chat.conversation import Chat
from harness.chat.members import GROUP, GROUP_MEMBERS, MEMBERS, ChannelRow
from harness.clients.connection import Endpoint, HandshakeRefused, SendFailed
from harness.errors import CellFailure
from harness.results.result import Finding

_SENDER = "admin"
#: Seconds that are watched where no fence can prove that nothing comes.
_QUIET = 1.0


@dataclass(frozen=True)
class Eavesdropper:
    """Somebody who opens a connection to hear what is not for them."""

    who: str
    path: str
    member: str = ""
    origin: str = ""


@dataclass
class _Listening:
    """How the eavesdroppers fared: whose connection was refused, and what was sent meanwhile."""

    refused: dict[Endpoint, str] = field(default_factory=dict)
    private: dict[str, ChannelRow] = field(default_factory=dict)
    fences: Sequence[str] = ()


def overhear(chat: Chat, eavesdroppers: Sequence[Eavesdropper]) -> Iterator[Finding]:
    """Let *eavesdroppers* listen while private messages are sent; one finding for each.

    A fence on each of their connections, after the messages, proves what they did not receive.
    """
    endpoints = {Endpoint("eavesdropper", str(number)): each for number, each in enumerate(eavesdroppers, 1)}
    listening = _Listening()
    for endpoint, each in endpoints.items():
        try:
            chat.open(endpoint, each.path, each.member, each.origin)
            with suppress(CellFailure):  # one that hears no broadcast may hear what is private
                chat.wait_subscribed([endpoint], seconds=_QUIET)
        except HandshakeRefused as error:
            listening.refused[endpoint] = str(error)
    rows = [ChannelRow(0, "user", _SENDER, member, (member,)) for member in ("admin", *GROUP_MEMBERS)]
    rows.append(ChannelRow(0, "group", "John", GROUP, GROUP_MEMBERS))
    listening.private = {f"private {row.channel} message to {row.audience} ({chat.token})": row for row in rows}
    for text, row in listening.private.items():
        chat.say(row, text)
        # One at a time, so that no message is kept back behind another.
        chat.transcript.wait(chat.client.expected(row), [text], 0.5)
    hearing = [endpoint for endpoint in endpoints if endpoint not in listening.refused]
    listening.fences = chat.fence_all(lambda text: chat.client.fence(chat, rows[-1], text), hearing, _QUIET)
    for endpoint, each in endpoints.items():
        yield _finding(chat, endpoint, each, listening)
    chat.close(endpoints)


def _finding(chat: Chat, endpoint: Endpoint, each: Eavesdropper, listening: _Listening) -> Finding:
    foreign = bool(each.origin)
    good: bool | None = True
    # Whatever it is wrapped in, a private text that arrives has been heard.
    arrived = chat.transcript.texts(endpoint)
    heard = [
        row.audience
        for text, row in listening.private.items()
        if any(text in other for other in arrived) and (foreign or each.member not in row.recipients)
    ]
    fenced = any(fence in arrived for fence in listening.fences)
    if heard:
        good, seen = False, f"the private messages to {', '.join(heard)}"
    elif endpoint in listening.refused:
        seen = f"refused: {listening.refused[endpoint]}"
    elif chat.transcript.closed(endpoint):
        seen = "its connection is closed again"
    elif not fenced:
        good, seen = None, "nothing, but no broadcast arrives either: not proved"
    else:
        good, seen = not foreign, "accepted, but nothing private" if foreign else "nothing private"
    expected = "the connection is refused" if foreign else "nothing of another member's"
    return Finding(question=f"What hears {each.who}?", expected=expected, seen=seen, good=good)


def publish_unknown(chat: Chat, path: str) -> Iterator[Finding]:
    """Let an unknown client broadcast through a WebSocket."""
    endpoint = Endpoint("stranger", "broadcast")
    text = chat.remember(f"broadcast of a stranger ({chat.token})")
    try:
        chat.open(endpoint, path)
    except HandshakeRefused as error:
        yield _publishing(f"refused: {error}", good=True)
        return
    with suppress(CellFailure):
        chat.wait_subscribed([endpoint], seconds=_QUIET)
    _speak(chat, endpoint, text)
    # The stranger's own fences: only they are behind the message on its way.
    fences = chat.fence_all(lambda fence: _speak(chat, endpoint, fence), chat.endpoints, _QUIET)
    closed = chat.transcript.closed(endpoint)
    chat.close([endpoint])
    heard = sorted({each.member for each in chat.endpoints for other in chat.transcript.texts(each) if text in other})
    if heard:
        yield _publishing(f"received by {', '.join(heard)}", good=False)
    elif any(chat.transcript.has_one(each, fences) for each in chat.endpoints):
        yield _publishing("the message was not received, but later ones were", good=False)
    elif closed:
        yield _publishing("not received; the connection is closed", good=True)
    else:
        yield _publishing(f"not received within {_QUIET:.0f} s", good=True)


def _publishing(seen: str, good: bool) -> Finding:
    question = "Can an unknown client broadcast through a WebSocket?"
    return Finding(question=question, expected="no member receives it", seen=seen, good=good)


def _speak(chat: Chat, endpoint: Endpoint, text: str) -> None:
    with suppress(SendFailed):
        chat.client.broadcast(chat, endpoint, text)


def post_unknown(chat: Chat, path: str) -> Iterator[Finding]:
    """Let an unknown client post a message to a page, with the token that Django gives to anybody."""
    text = chat.remember(f"posted by a stranger ({chat.token})")
    stranger = chat.session("stranger")
    login = chat.server.form.path
    stranger.get(login)
    answer = stranger.post(path, {"message": text})
    chat.fence_all(lambda fence: chat.client.announce(chat, MEMBERS[0], fence), chat.endpoints)
    heard = sorted({each.member for each in chat.endpoints for other in chat.transcript.texts(each) if text in other})
    refused = answer.status_code == 403 or (answer.status_code == 302 and login in answer.headers.get("Location", ""))
    seen = "it is sent to the login page" if answer.status_code == 302 and refused else f"status {answer.status_code}"
    if heard:
        seen += f", and the message is received by {', '.join(heard)}"
    yield Finding(
        question="Can an unknown client post a message to a page?",
        expected="it is sent to the login page",
        seen=seen,
        good=refused and not heard,
    )
