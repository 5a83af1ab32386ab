"""Isolation: does anybody hear what is not for them, or speak without being let in?

Every question yields its finding when it is answered, so that what was found before something
broke is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.errors import CellFailure
from harness.judge import Line
from harness.libraries.base import SendFailed
from harness.members import GROUP, GROUP_MEMBERS, MEMBERS, Row
from harness.pages import LOGIN
from harness.result import Finding
from harness.sockets import HandshakeRefused

if TYPE_CHECKING:
    from harness.chat import Chat

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

    refused: dict[Line, str] = field(default_factory=dict)
    private: dict[str, Row] = field(default_factory=dict)
    fences: Sequence[str] = ()


def overhear(chat: Chat, eavesdroppers: Sequence[Eavesdropper]) -> Iterator[Finding]:
    """Let *eavesdroppers* listen while private messages are sent; one finding for each.

    A fence on each of their connections, after the messages, proves what they did not receive.
    """
    lines = {Line("eavesdropper", str(number)): each for number, each in enumerate(eavesdroppers, 1)}
    listening = _Listening()
    for line, each in lines.items():
        try:
            chat.open(line, each.path, each.member, each.origin)
            with suppress(CellFailure):  # one that hears no broadcast may hear what is private
                chat.stand([line], seconds=_QUIET)
        except HandshakeRefused as error:
            listening.refused[line] = str(error)
    rows = [Row(0, "user", _SENDER, member, (member,)) for member in ("admin", *GROUP_MEMBERS)]
    rows.append(Row(0, "group", "John", GROUP, GROUP_MEMBERS))
    listening.private = {f"private {row.channel} message to {row.audience} ({chat.token})": row for row in rows}
    for text, row in listening.private.items():
        chat.say(row, text)
        # One at a time, so that no message is kept back behind another.
        chat.transcript.wait(chat.library.expected(row), [text], 0.5)
    hearing = [line for line in lines if line not in listening.refused]
    listening.fences = chat.fence_all(lambda text: chat.library.fence(chat, rows[-1], text), hearing, _QUIET)
    for line, each in lines.items():
        yield _finding(chat, line, each, listening)
    chat.close(line for line in lines if line in chat.sockets)


def _finding(chat: Chat, line: Line, each: Eavesdropper, listening: _Listening) -> Finding:
    foreign = bool(each.origin)
    good: bool | None = True
    # Whatever it is wrapped in, a private text that arrives has been heard.
    arrived = chat.transcript.texts(line)
    heard = [
        row.audience
        for text, row in listening.private.items()
        if any(text in other for other in arrived) and (foreign or each.member not in row.recipients)
    ]
    fenced = any(fence in arrived for fence in listening.fences)
    if heard:
        good, seen = False, f"the private messages to {', '.join(heard)}"
    elif line in listening.refused:
        seen = f"refused: {listening.refused[line]}"
    elif chat.transcript.closed(line):
        seen = "its connection is closed again"
    elif not fenced:
        good, seen = None, "nothing, but no broadcast arrives either: not proved"
    else:
        good, seen = not foreign, "accepted, but nothing private" if foreign else "nothing private"
    expected = "the connection is refused" if foreign else "nothing of another member's"
    return Finding(question=f"What hears {each.who}?", expected=expected, seen=seen, good=good)


def publish_unknown(chat: Chat, path: str) -> Iterator[Finding]:
    """Let an unknown client broadcast through a WebSocket."""
    line = Line("stranger", "broadcast")
    text = chat.note(f"broadcast of a stranger ({chat.token})")
    try:
        chat.open(line, path)
    except HandshakeRefused as error:
        yield _publishing(f"refused: {error}", good=True)
        return
    with suppress(CellFailure):
        chat.stand([line], seconds=_QUIET)
    _speak(chat, line, text)
    # The stranger's own fences: only they are behind the message on its way.
    fences = chat.fence_all(lambda fence: _speak(chat, line, fence), chat.lines, _QUIET)
    closed = chat.transcript.closed(line)
    chat.close([line])
    heard = sorted({each.member for each in chat.lines for other in chat.transcript.texts(each) if text in other})
    if heard:
        yield _publishing(f"received by {', '.join(heard)}", good=False)
    elif any(chat.transcript.arrival(each, fence) for each in chat.lines for fence in fences):
        yield _publishing("the message was not received, but later ones were", good=False)
    elif closed:
        yield _publishing("not received; the connection is closed", good=True)
    else:
        yield _publishing(f"not received within {_QUIET:.0f} s", good=True)


def _publishing(seen: str, good: bool) -> Finding:
    question = "Can an unknown client broadcast through a WebSocket?"
    return Finding(question=question, expected="no member receives it", seen=seen, good=good)


def _speak(chat: Chat, line: Line, text: str) -> None:
    with suppress(SendFailed):
        chat.library.speak(chat, line, text)


def post_unknown(chat: Chat, path: str) -> Iterator[Finding]:
    """Let an unknown client post a message to a page, with the token that Django gives to anybody."""
    text = chat.note(f"posted by a stranger ({chat.token})")
    stranger = chat.browser("stranger")
    stranger.get(LOGIN)
    answer = stranger.post(path, {"message": text})
    chat.fence_all(lambda fence: chat.library.announce(chat, MEMBERS[0], fence), chat.lines)
    heard = sorted({each.member for each in chat.lines for other in chat.transcript.texts(each) if text in other})
    refused = answer.status_code == 403 or (answer.status_code == 302 and LOGIN in answer.headers.get("Location", ""))
    seen = "it is sent to the login page" if answer.status_code == 302 and refused else f"status {answer.status_code}"
    if heard:
        seen += f", and the message is received by {', '.join(heard)}"
    yield Finding(
        question="Can an unknown client post a message to a page?",
        expected="it is sent to the login page",
        seen=seen,
        good=refused and not heard,
    )
