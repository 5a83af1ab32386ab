"""What the libraries have in common whose chat wraps each message in JSON; see ``myapp/chat.py``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from harness import isolation
from harness.judge import Line
from harness.libraries.base import Library, Wire
from harness.members import Row
from harness.result import Finding

if TYPE_CHECKING:
    from harness.cells import Cell
    from harness.chat import Chat

#: Where a member's connection lives.
MEMBERS_PATH = "/ws/members/"


class JsonChat(Library):
    """One connection for each member, that hears all the member may hear and sends whatever is said."""

    pages: ClassVar[tuple[str, ...]] = ("/", "/chat/broadcast/", "/chat/user/", "/chat/group/")

    def links(self) -> dict[str, str]:
        return {"chat": MEMBERS_PATH}

    def expected(self, row: Row) -> frozenset[Line]:
        return frozenset(Line(member, "chat") for member in row.recipients)

    def transport(self, row: Row) -> str:
        return "WebSocket"

    def say(self, chat: Chat, row: Row, text: str) -> None:
        self.send(chat, Line(row.sender, "chat"), self.wrapped(row.channel, row.audience, text))

    def fence(self, chat: Chat, row: Row, text: str) -> None:
        self.speak(chat, Line(row.sender, "chat"), text)

    def announce(self, chat: Chat, sender: str, text: str) -> None:
        # A page's view may publish in ways of its own; the fifteen are not to depend on them.
        own = next((line for line in chat.lines if line.member == sender and not chat.transcript.closed(line)), None)
        if own is None:
            self.post(chat, sender, "broadcast", "all", text)
        else:
            self.speak(chat, own, text)

    def speak(self, chat: Chat, line: Line, text: str | bytes) -> None:
        self.send(chat, line, text if isinstance(text, bytes) else self.wrapped("broadcast", "all", text))

    def wrapped(self, channel: str, audience: str, text: str) -> str:
        """Return the JSON that a browser sends to say *text*."""
        return json.dumps(self.fields(channel, audience, text))

    def fields(self, channel: str, audience: str, text: str | bytes) -> dict[str, str | bytes]:
        """Return what a browser sends to say *text*."""
        return {"channel": channel, "audience": audience, "message": text}

    def wire(self, cell: Cell) -> Wire:
        return Wire(self.link("broadcast"), self.messages, lambda text: self.wrapped("broadcast", "all", text))

    def heard(self, data: str) -> str | None:
        try:
            return str(json.loads(data)["message"])
        except (ValueError, KeyError, TypeError):
            return data

    def isolation(self, chat: Chat) -> Iterator[Finding]:
        path = chat.links["chat"]
        eavesdroppers = [
            isolation.Eavesdropper("an unknown client", path),
            isolation.Eavesdropper("Mary, who asks for John's channel", f"{path}?user=John", "Mary"),
            isolation.Eavesdropper(
                "a page of a foreign Origin, with John's cookie", path, "John", origin="http://elsewhere.invalid"
            ),
        ]
        yield from isolation.overhear(chat, eavesdroppers)
        yield from isolation.publish_unknown(chat, path)
        yield from isolation.post_unknown(chat, "/chat/broadcast/")
