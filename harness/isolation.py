"""Isolation: does anybody hear what is not for them, or speak without being let in?"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import websocket

from harness.errors import CellFailure
from harness.judge import Line
from harness.members import GROUP, GROUP_MEMBERS, Row
from harness.result import Finding
from harness.sockets import HandshakeRefused

if TYPE_CHECKING:
    from harness.chat import Chat

_SENDER = "admin"


@dataclass(frozen=True)
class Eavesdropper:
    """Somebody who opens a connection to hear what is not for them."""

    who: str
    path: str
    member: str = ""
    origin: str = ""


def overhear(chat: Chat, eavesdroppers: Sequence[Eavesdropper]) -> list[Finding]:
    """Let *eavesdroppers* listen while private messages are sent; one finding for each.

    A fence on each of their connections, after the messages, proves what they did not receive.
    """
    lines = {Line("eavesdropper", str(number)): each for number, each in enumerate(eavesdroppers, 1)}
    refused: dict[Line, str] = {}
    for line, each in lines.items():
        try:
            chat.open(line, each.path, each.member, each.origin)
            chat.stand([line])
        except (HandshakeRefused, CellFailure) as error:
            refused[line] = str(error)
    rows = [Row(0, "user", _SENDER, member, (member,)) for member in ("admin", *GROUP_MEMBERS)]
    rows.append(Row(0, "group", "John", GROUP, GROUP_MEMBERS))
    private = {f"private {row.channel} message to {row.audience} ({chat.token})": row for row in rows}
    for text, row in private.items():
        chat.library.say(chat, row, text)
        # One at a time, so that no message is kept back behind another.
        chat.transcript.wait(chat.library.expected(row), [text], 0.5)
    open_lines = [line for line in lines if line not in refused]
    fences = chat.fence_all(lambda text: chat.library.fence(chat, rows[-1], text), open_lines)
    findings = [_finding(chat, line, each, refused.get(line), private, fences) for line, each in lines.items()]
    chat.close(line for line in lines if line in chat.sockets)
    return findings


def _finding(
    chat: Chat, line: Line, each: Eavesdropper, refused: str | None, private: dict[str, Row], fences: Sequence[str]
) -> Finding:
    question = f"What hears {each.who}?"
    foreign = bool(each.origin)
    expected = "the connection is refused" if foreign else "nothing of another member's"
    if refused is not None:
        return Finding(question=question, expected=expected, seen=f"refused: {refused}", good=True)
    heard = [
        row.audience
        for text, row in private.items()
        if chat.transcript.arrival(line, text) and (foreign or each.member not in row.recipients)
    ]
    if heard:
        seen = f"the private messages to {', '.join(heard)}"
        return Finding(question=question, expected=expected, seen=seen, good=False)
    if not any(chat.transcript.arrival(line, fence) for fence in fences):
        seen = "nothing, but no fence arrived either: not proved"
        return Finding(question=question, expected=expected, seen=seen, good=None)
    seen = "accepted, but nothing private" if foreign else "nothing private"
    return Finding(question=question, expected=expected, seen=seen, good=not foreign)


def publish_unknown(chat: Chat, path: str) -> Finding:
    """Let an unknown client broadcast through a WebSocket."""
    question = "Can an unknown client broadcast through a WebSocket?"
    expected = "no member receives it"
    line = Line("stranger", "broadcast")
    text = f"broadcast of a stranger ({chat.token})"
    try:
        stranger = chat.open(line, path)
        chat.stand([line])
        stranger.send(text)
    except (HandshakeRefused, CellFailure, websocket.WebSocketException, OSError) as error:
        with suppress(KeyError):
            chat.close([line])
        return Finding(question=question, expected=expected, seen=f"refused: {error}", good=True)

    # The stranger's own fences: only they are behind the message on its way.
    def again(fence: str) -> None:
        with suppress(websocket.WebSocketException, OSError):
            stranger.send(fence)

    fences = chat.fence_all(again, chat.lines, seconds=1.0)
    heard = sorted({each.member for each in chat.lines if chat.transcript.arrival(each, text)})
    chat.close([line])
    if heard:
        return Finding(question=question, expected=expected, seen=f"received by {', '.join(heard)}", good=False)
    through = any(chat.transcript.arrival(each, fence) for each in chat.lines for fence in fences)
    seen = "not received" if not through else "the message was not received, but later ones were"
    return Finding(question=question, expected=expected, seen=seen, good=not through)


def post_unknown(chat: Chat, path: str) -> Finding:
    """Let an unknown client post a message to a page."""
    question = "Can an unknown client post a message to a page?"
    expected = "it is sent to the login page"
    answer = chat.browser("stranger").post(path, {"message": f"posted by a stranger ({chat.token})"})
    seen = f"status {answer.status_code}"
    return Finding(question=question, expected=expected, seen=seen, good=answer.status_code in (302, 403))
