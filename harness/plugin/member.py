"""Members of a test: each holds one connection, says something, and remembers what it heard."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.clients.connection import Endpoint, as_binary
from harness.clients.transcript import Message, Transcript
from harness.clients.websocket import Offer, WebSocketConnection

#: What is said: an object that becomes JSON, a text, or bytes.
Frame = Any
#: What members are called, in the order in which they come.
_NAMES = ("ann", "bob", "eve", "dan", "joe", "kim", "lea", "max")
#: What every fence has in it.
FENCE = re.compile(r"fence-[0-9a-f]{12}")
#: Seconds for a message to arrive.
PATIENCE = 5.0


def canonical(frame: Frame) -> str:
    """Return *frame* as a text that is the same for all frames that say the same."""
    if isinstance(frame, bytes):
        return as_binary(frame)
    if not isinstance(frame, str):
        return json.dumps(frame, sort_keys=True, ensure_ascii=False)
    try:
        value = json.loads(frame)
    except ValueError:
        return frame
    # A text that happens to be a number is a text.
    return canonical(value) if isinstance(value, dict | list) else frame


def _read(data: str) -> list[Message]:
    fence = FENCE.search(data)
    # A frame with more than a fence in it is told as it is, so that nothing in it is overlooked.
    return [Message(fence[0] if fence and len(FENCE.findall(data)) == 1 and not _lists(data) else canonical(data))]


def _lists(data: str) -> bool:
    """Tell whether *data* is JSON with a list of several things in it, such as a history."""
    try:
        value = json.loads(data)
    except ValueError:
        return False
    inside = value.values() if isinstance(value, dict) else [value]
    return any(isinstance(each, list) and len(each) > 1 for each in inside)


@dataclass
class Hall:
    """All members of one test, and what goes over their connections."""

    #: ``ws://127.0.0.1:8000``, and the site whose pages open connections.
    url: str
    origin: str
    transcript: Transcript = field(default_factory=lambda: Transcript(_read))
    members: list[Member] = field(default_factory=list)
    #: The frame that was said last, by whomever.
    last_said: Frame = None
    last_speaker: Member | None = None
    #: How many frames had come when what was heard was last asserted.
    seen: int = 0

    def enter(
        self,
        path: str,
        number: int,
        cookies: Sequence[str],
        headers: Mapping[str, str],
        subprotocols: Sequence[str],
        origin: str | None,
    ) -> list[Member]:
        """Connect so many members more to *path*; *cookies* are those of each, as request headers have them.

        Raises:
            HandshakeRefused: the server does not let one in.
        """
        came = []
        for place in range(number):
            name = _NAMES[len(self.members)] if len(self.members) < len(_NAMES) else f"member{len(self.members) + 1}"
            endpoint = Endpoint(name, path)
            connection = WebSocketConnection(
                endpoint,
                self.url + path,
                self.transcript,
                cookie=cookies[place] if cookies else "",
                origin=self.origin if origin is None else origin,
                offer=Offer(compression=True, subprotocols=subprotocols, headers=headers),
            )
            came.append(Member(name, endpoint, connection, self))
            self.members.append(came[-1])
        return came

    def leave(self) -> None:
        """Close all connections."""
        for member in self.members:
            member.close()

    def new_fence(self) -> str:
        """Return the text of a fence that no other is like."""
        return f"fence-{secrets.token_hex(6)}"


@dataclass(eq=False)
class Member:
    """Somebody who is connected."""

    name: str
    endpoint: Endpoint
    connection: WebSocketConnection
    hall: Hall

    def say(self, frame: Frame) -> None:
        """Send *frame*: an object as JSON, a text or bytes as they are.

        Raises:
            OSError: the connection is gone.
        """
        self.hall.last_said, self.hall.last_speaker = frame, self
        self._send(frame)

    def _send(self, frame: Frame) -> None:
        self.connection.send(frame if isinstance(frame, str | bytes) else json.dumps(frame, ensure_ascii=False))

    def say_fence(self, frame: Frame) -> None:
        """Send a *frame* that is a fence: no other is made like it."""
        self._send(frame)

    @property
    def heard(self) -> list[Frame]:
        """What has arrived until now, in order, without fences: JSON as objects, all else as texts."""
        return [
            value_of(each.text) for each in self.hall.transcript.messages(self.endpoint) if not FENCE.search(each.text)
        ]

    def hears(self, frame: Frame, within: float = PATIENCE) -> bool:
        """Wait until *frame* has arrived, at most so many seconds; tell whether it has."""
        return self.hall.transcript.wait([self.endpoint], [canonical(frame)], within) and not self._gone_without(frame)

    def _gone_without(self, frame: Frame) -> bool:
        # Nobody waits for a connection that is closed.
        return self.hall.transcript.arrival(self.endpoint, canonical(frame)) is None

    @property
    def closed(self) -> str:
        """Why the connection is closed, such as ``closed by the server with 4001``; nothing while it is open."""
        return self.hall.transcript.closed(self.endpoint)

    def close(self) -> None:
        """Leave; never waits for the server."""
        self.connection.close()

    def __repr__(self) -> str:
        return f"<{self.name} on {self.endpoint.name}>"


def value_of(text: str) -> Frame:
    """Return what *text* says: an object where it is JSON."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, dict | list) else text


def shown(hall: Hall, since: int = 0) -> list[str]:
    """Return who said and heard what, in order and with times, from the frame *since* on: a line each."""
    frames = hall.transcript.frames[since:]
    began = frames[0].at if frames else time.monotonic()
    verbs = {"out": "says", "in": "hears"}
    lines = []
    for each in frames:
        if each.kind in ("text", "binary"):
            fence = FENCE.search(each.data)
            text = f"the fence {fence[0]}" if fence else each.data
            lines.append(f"{each.at - began:8.3f} s  {each.endpoint.member} {verbs[each.direction]} {text[:200]}")
        elif each.kind in ("open", "closed"):
            lines.append(f"{each.at - began:8.3f} s  {each.endpoint.member}: {each.kind}, {each.data}")
    return lines
