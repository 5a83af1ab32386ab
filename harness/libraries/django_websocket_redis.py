"""django-websocket-redis: WebSockets in WSGI threads, with Redis to carry the messages.

Source of names and addresses: https://django-websocket-redis.readthedocs.io/en/latest/usage.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import ClassVar

from msgspec.structs import replace

from harness.cells import Cell
from harness.chat import isolation
from harness.chat.conversation import Chat
from harness.chat.members import GROUP, GROUP_MEMBERS, MEMBERS, ChannelRow
from harness.chat.parties import FOREIGN, Eavesdropper
from harness.clients.connection import Endpoint, SendFailed
from harness.libraries.base import Library, Variant
from harness.results.installed import Pin
from harness.results.questions import put_to
from harness.results.result import Finding
from harness.servers.catalogue import Application, Deployment, Server
from harness.system.threads import start

_FACILITY = "/ws/chat?"
_HEARTBEAT = "--heartbeat--"
#: What its documentation has, under "Safety considerations", for those who do not want everybody to be let in.
_ALLOWED = Variant("setting WS4REDIS_ALLOWED_CHANNELS", {"CHAT_ALLOWED": "members"}, guards=True)


class DjangoWebsocketRedis(Library):
    """Broadcasts go through the WebSocket, other messages are posted to the page."""

    name: ClassVar[str] = "django-websocket-redis"
    suffix: ClassVar[str] = ""
    settings: ClassVar[str] = "chatserver.settings"
    keeping: ClassVar[dict[str, str]] = {"CHAT_EXPIRE": "60"}
    servers: ClassVar[tuple[str, ...]] = ("runserver", "uwsgi")
    #: What a view can do; the sockets are the library's own, and run nothing of a project's.
    trials: ClassVar[frozenset[str]] = frozenset({"raise", "sleep", "burst"})
    no_echo: ClassVar[str] = "it sends a heartbeat before anything else"
    application: ClassVar[Application] = Application(wsgi="chatserver.uwsgi")
    pages: ClassVar[tuple[str, ...]] = ("/", "/chat/broadcast/", "/chat/user/", "/chat/group/")

    def requirements(self, cell: Cell) -> list[str]:
        return ["django-websocket-redis==0.6.0"]

    def pins(self, cell: Cell) -> list[Pin]:
        if cell.python == "3.9":
            reason = (
                "newer releases have no wheel for Python 3.9 and take minutes to compile; runserver never imports it"
            )
            return [Pin(requirement="gevent==25.9.1", reason=reason)]
        return []

    def deployments(self, cell: Cell, server: Server) -> list[Deployment]:
        if server.name != "uwsgi":
            return super().deployments(cell, server)
        return [
            Deployment(f"{number} worker{'s' * (number > 1)}{behind}", number, proxied=bool(behind))
            for behind in ("", ", behind NGINX")
            for number in (1, 2, 4)
        ]

    def variants(self, cell: Cell) -> list[Variant]:
        return [_ALLOWED]

    def paths(self) -> dict[str, str]:
        # As the three pages subscribe. All hear broadcasts, so that fences reach each of them.
        return {
            "broadcast": _FACILITY + "subscribe-broadcast&publish-broadcast&echo",
            "user": _FACILITY + "subscribe-broadcast&subscribe-user&echo",
            "group": _FACILITY + "subscribe-broadcast&subscribe-group&echo",
        }

    def expected(self, row: ChannelRow) -> frozenset[Endpoint]:
        names = tuple(self.paths()) if row.channel == "broadcast" else (row.channel,)
        return frozenset(Endpoint(member, name) for member in row.recipients for name in names)

    def shown(self, row: ChannelRow) -> frozenset[Endpoint]:
        return self.expected(row)  # each page has a connection of its own, for its channel

    def transport(self, row: ChannelRow) -> str:
        return "WebSocket" if row.channel == "broadcast" else "POST"

    def say(self, chat: Chat, row: ChannelRow, text: str) -> None:
        if row.channel == "broadcast":
            self.broadcast(chat, Endpoint(row.sender, "broadcast"), text)
        else:
            self.post(chat, row.sender, row.channel, row.audience, text)

    def fence(self, chat: Chat, row: ChannelRow, text: str) -> None:
        if row.channel == "broadcast":
            self.broadcast(chat, Endpoint(row.sender, "broadcast"), text)
        else:
            self.announce(chat, row.sender, text)

    def announce(self, chat: Chat, sender: str, text: str) -> None:
        self.post(chat, sender, "broadcast", "all", text)

    def ask_trial(self, chat: Chat, endpoint: Endpoint, trial: dict[str, object]) -> Callable[[], object]:
        def post() -> None:
            with suppress(SendFailed):  # as with a handler of a socket, what comes of it is seen elsewhere
                self.post(chat, endpoint.member, "broadcast", "all", json.dumps(trial))

        posting = Thread(target=post, name=f"trial {trial['trial']}", daemon=True)
        start(posting)
        return posting.join

    def heard(self, data: str) -> str | None:
        return None if data == _HEARTBEAT else data

    def standing(self, chat: Chat, member: str) -> int:
        channel = f"{chat.server.prefix}:user:{member}:chat"
        return chat.server.subscriptions([channel])[channel]

    def subscribed(self, chat: Chat) -> bool:
        endpoints = [endpoint for endpoint in chat.connections if not chat.transcript.closed(endpoint)]
        wanted = {f"{chat.server.prefix}:broadcast:chat": len(endpoints)}
        wanted[f"{chat.server.prefix}:group:{GROUP}:chat"] = sum(
            endpoint.name == "group" and endpoint.member in GROUP_MEMBERS for endpoint in endpoints
        )
        for member in MEMBERS:
            wanted[f"{chat.server.prefix}:user:{member}:chat"] = endpoints.count(Endpoint(member, "user"))
        standing = chat.server.subscriptions(list(wanted))
        return all(standing[channel] >= count for channel, count in wanted.items())

    def sets(self, chat: Chat) -> dict[str, Iterator[Finding]]:
        if not chat.variant:
            return {}  # of the usual way it is the isolation
        asked = self._strangers(chat)
        return {"members": (replace(each, question=put_to(each.question, chat.variant)) for each in asked)}

    def isolation(self, chat: Chat) -> Iterator[Finding]:
        yield from self._strangers(chat)
        yield from isolation.post_unknown(chat, "/chat/broadcast/")

    def _strangers(self, chat: Chat) -> Iterator[Finding]:
        """Ask what strangers, and pages of a foreign site, hear and say on WebSockets."""
        hear = _FACILITY + "subscribe-broadcast"
        stranger = partial(Eavesdropper, decided_by=self.decides["login"])
        eavesdroppers = [
            stranger("an unknown client that subscribes to user messages", hear + "&subscribe-user"),
            stranger("an unknown client that subscribes to group messages", hear + "&subscribe-group"),
            stranger(
                "Mary, who asks for John's channel", hear + "&subscribe-user=John&user=John&subscribe-user:John", "Mary"
            ),
            Eavesdropper(
                "a page of a foreign Origin, with John's cookie",
                hear + "&subscribe-user&subscribe-group",
                "John",
                origin=FOREIGN,
                decided_by=self.decides["origin"],
            ),
        ]
        yield from isolation.overhear(chat, eavesdroppers)
        speaking = _FACILITY + "subscribe-broadcast&publish-broadcast&echo"
        yield from isolation.publish_unknown(chat, speaking, decided_by=self.decides["login"])
