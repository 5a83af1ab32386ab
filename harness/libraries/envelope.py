"""What the libraries have in common whose chat wraps each message in JSON; see ``myapp/chat.py``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from harness.chat import isolation
from harness.chat.conversation import Chat, Client
from harness.chat.members import ChannelRow
from harness.chat.parties import FOREIGN, Eavesdropper
from harness.clients.connection import Endpoint
from harness.clients.frame_format import FrameFormat
from harness.clients.transcript import Message
from harness.libraries.base import Library
from harness.results.result import Finding

#: Where a member's connection lives.
MEMBERS_PATH = "/ws/members/"


class JsonClient(Client):
    """One connection for each member, that hears all the member may hear and sends whatever is said."""

    def paths(self) -> dict[str, str]:
        return {"chat": MEMBERS_PATH}

    def expected(self, row: ChannelRow) -> frozenset[Endpoint]:
        return frozenset(Endpoint(member, "chat") for member in row.recipients)

    def transport(self, row: ChannelRow) -> str:
        return "WebSocket"

    def say(self, chat: Chat, row: ChannelRow, text: str) -> None:
        self.send(chat, Endpoint(row.sender, "chat"), self.wrapped(row.channel, row.audience, text))

    def fence(self, chat: Chat, row: ChannelRow, text: str) -> None:
        self.broadcast(chat, Endpoint(row.sender, "chat"), text)

    def announce(self, chat: Chat, sender: str, text: str) -> None:
        # A page's view may publish in ways of its own; the fifteen are not to depend on them.
        open_ones = (each for each in chat.endpoints if not chat.transcript.closed(each))
        own = next((each for each in open_ones if each.member == sender), None)
        if own is None:
            self.post(chat, sender, "broadcast", "all", text)
        else:
            self.broadcast(chat, own, text)

    def broadcast(self, chat: Chat, endpoint: Endpoint, text: str | bytes) -> None:
        self.send(chat, endpoint, text if isinstance(text, bytes) else self.wrapped("broadcast", "all", text))

    def wrapped(self, channel: str, audience: str, text: str) -> str:
        """Return the JSON that a browser sends to say *text*."""
        return json.dumps(self.fields(channel, audience, text))

    def fields(self, channel: str, audience: str, text: str | bytes) -> dict[str, str | bytes]:
        """Return what a browser sends to say *text*."""
        return {"channel": channel, "audience": audience, "message": text}

    def frame_format(self) -> FrameFormat:
        return FrameFormat(
            self.path_for("broadcast"), self.messages, lambda text: self.wrapped("broadcast", "all", text)
        )

    def heard(self, data: str) -> str | None:
        return _fields(data).get("message", data)

    def read(self, data: str) -> list[Message]:
        # What carries one message says of it who sent it, and where.
        texts, fields = self.messages(data), _fields(self.unwrapped(data))
        known = len(texts) == 1 and fields.get("message") == texts[0]
        if not known:
            return [Message(text) for text in texts]
        return [Message(texts[0], {each: fields[each] for each in ("sender", "channel") if fields.get(each)})]

    def unwrapped(self, data: str) -> str:
        """Return the JSON in *data*, for protocols that put something around it."""
        return data


def _fields(data: str) -> dict[str, str]:
    """Return the fields of a message as texts; none where *data* is something else."""
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return {name: str(value) for name, value in fields.items()} if isinstance(fields, dict) else {}


class JsonChat(JsonClient, Library):
    """A library whose chat has one connection for each member, and the usual pages."""

    pages: ClassVar[tuple[str, ...]] = ("/", "/chat/broadcast/", "/chat/user/", "/chat/group/")

    def said(self, text: str) -> str:
        return self.wrapped("broadcast", "all", text)

    def isolation(self, chat: Chat) -> Iterator[Finding]:
        path = chat.paths["chat"]
        stranger = partial(Eavesdropper, decided_by=self.decides["login"])
        foreign = partial(Eavesdropper, origin=FOREIGN, decided_by=self.decides["origin"])
        eavesdroppers = [
            stranger("an unknown client", path),
            stranger("Mary, who asks for John's channel", f"{path}?user=John", "Mary"),
            foreign("a page of a foreign Origin, with John's cookie", path, "John"),
        ]
        yield from isolation.overhear(chat, eavesdroppers)
        yield from isolation.publish_unknown(chat, path, decided_by=self.decides["login"])
        yield from isolation.post_unknown(chat, "/chat/broadcast/")
