"""django-socketio: events and channels over the Socket.IO of 2011.

Source: https://github.com/stephenmcd/django-socketio and the Socket.IO 0.6 that gevent-socketio 0.2
speaks: messages are framed as ``~m~LENGTH~m~TEXT``, JSON as ``~j~…``, heartbeats as ``~h~NUMBER``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

import websocket

from harness.cells import Cell
from harness.chat.conversation import Chat
from harness.chat.members import GROUP, GROUP_MEMBERS
from harness.clients.connection import Connection, Endpoint, HandshakeRefused
from harness.clients.hixie import HixieSocket
from harness.clients.polling import PollingConnection
from harness.libraries.base import Variant
from harness.libraries.envelope import JsonChat
from harness.results.installed import Pin

_WEBSOCKET = "/socket.io/websocket"
_HIXIE, _POLLING = "hixie-76:", "xhr-polling:"
_FRAME = re.compile(r"~m~(\d+)~m~")


class DjangoSocketIo(JsonChat):
    """Browsers subscribe to channels by name; one process with greenlets holds everybody."""

    name: ClassVar[str] = "django-socketio"
    suffix: ClassVar[str] = "socketio"
    settings: ClassVar[str] = "myapp.djangosocketio.settings"
    servers: ClassVar[tuple[str, ...]] = ("runserver_socketio",)
    django_server: ClassVar[bool] = True
    uses_broker: ClassVar[bool] = False
    variants_always: ClassVar[bool] = True

    def requirements(self, cell: Cell) -> list[str]:
        return ["django-socketio==0.3.9"]

    def best_pins(self, cell: Cell) -> list[Pin]:
        if cell.python_version >= (3,):
            return []
        reason = "the last that gevent-socketio 0.2.1 can call; it speaks no WebSocket newer than the draft hixie-76"
        return [Pin(requirement="gevent-websocket==0.2.3", reason=reason)]

    def paths(self) -> dict[str, str]:
        return {"chat": _WEBSOCKET}

    def variants(self, cell: Cell) -> list[Variant]:
        return [
            Variant("WebSocket of the draft hixie-76, which no browser speaks any more", paths={"chat": _HIXIE}),
            Variant("xhr-polling", paths={"chat": _POLLING}),
        ]

    def connect(self, chat: Chat, endpoint: Endpoint, path: str, member: str, origin: str) -> Connection:
        address, _, question = path.partition("?")
        question = f"?{question}" if question else ""
        cookie = chat.cookie(member)
        if address == _HIXIE:
            where = f"{_WEBSOCKET}{question}"
            opened: Connection = HixieSocket(endpoint, chat.server.port, where, chat.transcript, cookie, origin, answer)
        elif address == _POLLING:
            opened = PollingConnection(endpoint, chat.server.port, question, chat.transcript, cookie, origin, answer)
        else:
            opened = super().connect(chat, endpoint, path, member, origin)
        asked = [each.removeprefix("user=") for each in question.removeprefix("?").split("&") if each]
        channels = ["broadcast", *(f"user.{name}" for name in (member, *asked) if name)]
        if not member or member in GROUP_MEMBERS:
            channels.append(f"group.{GROUP}")
        try:
            for channel in channels:
                opened.send(framed("__subscribe__") + framed(f"chat.{channel}"))
        except (OSError, websocket.WebSocketException) as error:
            opened.close()
            raise HandshakeRefused(f"it is open, but nothing can be subscribed to ({type(error).__name__})") from error
        return opened

    def send(self, chat: Chat, endpoint: Endpoint, data: str | bytes) -> None:
        text = data.decode() if isinstance(data, bytes) else data
        super().send(chat, endpoint, framed(f"~j~{text}"))

    def sends_binary(self) -> bool:
        return False

    def unwrapped(self, data: str) -> str:
        found = [text for text in unframed(data) if text.startswith("~j~")]
        return found[0].removeprefix("~j~") if len(found) == 1 else data

    def messages(self, data: str) -> list[str]:
        """Return the messages in one frame, which can hold several."""
        found = list(unframed(data))
        if not found:
            return super().messages(data)
        return [
            message
            for text in found
            if text.startswith("~j~")
            for message in super(DjangoSocketIo, self).messages(text.removeprefix("~j~"))
        ]


def framed(text: str) -> str:
    """Return *text* as Socket.IO 0.6 frames it."""
    return f"~m~{len(text)}~m~{text}"


def unframed(data: str) -> Iterator[str]:
    """Return the messages that are framed in *data*."""
    while match := _FRAME.match(data):
        size = int(match[1])
        yield data[match.end() : match.end() + size]
        data = data[match.end() + size :]


def answer(data: str) -> str | None:
    """Return what a client answers to *data* by itself: the heartbeats that are in it."""
    beats = [framed(text) for text in unframed(data) if text.startswith("~h~")]
    return "".join(beats) or None
