"""What the harness has to know of a library: the interface that each module here fills."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, get_args

import websocket

from harness.cells import Cell
from harness.errors import CellFailure
from harness.judge import Line
from harness.members import Channel, Row
from harness.result import Finding, Pin
from harness.servers import Application, Deployment, Server
from harness.sockets import Connection, Socket

if TYPE_CHECKING:
    from harness.chat import Chat


class SendFailed(Exception):
    """A message could not be handed to the server; the message says what the server answered."""


@dataclass(frozen=True)
class Variant:
    """Another way of the library to carry the same chat: its server's settings and its connections."""

    name: str
    environment: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Wire:
    """How a socket of a crowd speaks, which has no time for more: what it broadcasts and reads are plain frames."""

    #: The path of its connection.
    path: str
    #: Returns the messages in a frame that arrived.
    messages: Callable[[str], list[str]]
    #: Returns the frame that broadcasts a text.
    broadcast: Callable[[str], str] = str
    #: What is sent once the connection is open, what is answered to a frame, and what is said every so many seconds.
    opened: tuple[str, ...] = ()
    answers: dict[str, str] = field(default_factory=dict)
    every: tuple[str, float] | None = None


@dataclass(frozen=True)
class Rooms:
    """Pages of rooms, each of which is heard by those who have it open; *path* comes before the room's name."""

    name: str
    path: str
    environment: dict[str, str] = field(default_factory=dict)


def two_rooms(places: tuple[str, str], heard: bool, leaked: bool, proved: bool) -> list[Finding]:
    """Return what came of a message in the first of two *places*; in the second one it must not be seen.

    *proved* tells whether the second has something that was behind all of the message that was on its way.
    """
    once, nowhere = "is seen once by all who are in it", "is not seen"
    seen = "is seen" if leaked else nowhere if proved else "not proved: nothing is seen there"
    return [
        Finding(question=f"A message {places[0]}", expected=once, seen=once if heard else "is not", good=heard),
        Finding(
            question=f"The same message {places[1]}",
            expected=nowhere,
            seen=seen,
            good=False if leaked else True if proved else None,
        ),
    ]


class Library(ABC):
    """One library: how to install, serve, connect, subscribe, speak, and recognise what arrives."""

    #: The name in reports, and of its file of prose.
    name: ClassVar[str]
    #: The name on PyPI; the same unless given.
    package: ClassVar[str] = ""
    #: What follows ``pyXX-djangoYY-`` in a cell's name; empty for the bare name.
    suffix: ClassVar[str]
    #: The settings module of the server side.
    settings: ClassVar[str]
    #: The pages that every member must be able to read.
    pages: ClassVar[tuple[str, ...]]
    #: Where servers other than ``manage.py runserver`` find the chat.
    application: ClassVar[Application] = Application()
    #: The servers that the library's documentation names; the first is the one of the bare cell.
    servers: ClassVar[tuple[str, ...]] = ("runserver",)
    #: Seconds for the server to answer its first request.
    ready_deadline: ClassVar[float] = 60.0
    #: Whether Django's own development server is a server of its own here, and judged beside that of the sockets.
    django_server: ClassVar[bool] = False
    #: Whether variants are tried although the usual way does not work: they are other transports then.
    variants_always: ClassVar[bool] = False
    #: Whether its pages are those of :file:`chatserver/templates`, which a browser can be driven through.
    browsed: ClassVar[bool] = True
    #: Whether the same chat can be polled, to compare what that costs.
    polls: ClassVar[bool] = False
    #: What makes the server keep messages for those who come later; empty where it cannot.
    keeping: ClassVar[dict[str, str]] = {}

    @property
    def distribution(self) -> str:
        """The name on PyPI."""
        return self.package or self.name

    @abstractmethod
    def requirements(self, cell: Cell) -> list[str]:
        """Return what a user of the library would ask the installer for."""

    def pins(self, cell: Cell) -> list[Pin]:
        """Return what is held back on *cell*'s Python and Django in any case, each with its reason."""
        return []

    def best_pins(self, cell: Cell) -> list[Pin]:
        """Return the best known pins: what the ``pins`` profile of *cell* holds back as well."""
        return []

    def server(self, cell: Cell) -> str:
        """Return the server of the bare cell."""
        return self.servers[0]

    def project(self, root: Path) -> Path:
        """Return the folder that holds the server side's ``manage.py``; *root* is the checkout."""
        return root

    def environment(self, redis_url: str, prefix: str, database: Path) -> dict[str, str]:
        """Return the environment variables that the server side reads."""
        return {"CHAT_REDIS_URL": redis_url, "CHAT_PREFIX": prefix, "CHAT_DATABASE": str(database)}

    def serve(self, python: Path, port: int, server: Server) -> list[str]:
        """Return the command that starts *server* on *port* of 127.0.0.1."""
        return server.command(python, port, self.application)

    def variants(self, cell: Cell) -> list[Variant]:
        """Return the further ways to carry the chat that *cell* is tried with, beside its verdict."""
        return []

    @abstractmethod
    def links(self) -> dict[str, str]:
        """Return the connections that each member holds: their names and their paths."""

    def link(self, channel: Channel) -> str:
        """Return the path of the connection that hears *channel*."""
        links = self.links()
        return links.get(channel) or next(iter(links.values()))

    def connect(self, chat: Chat, line: Line, path: str, member: str, origin: str) -> Connection:
        """Open the connection *line* with the cookies of *member*.

        Raises:
            HandshakeRefused: the server did not open it.
        """
        return Socket(line, f"ws://127.0.0.1:{chat.port}{path}", chat.transcript, chat.cookie(member), origin)

    @abstractmethod
    def expected(self, row: Row) -> frozenset[Line]:
        """Return the connections that must receive *row*'s message."""

    def shown(self, row: Row) -> frozenset[Line]:
        """Return the pages, by member and channel, that must show *row*'s message; each member has one of each."""
        return frozenset(Line(member, page) for member in row.recipients for page in get_args(Channel))

    def rooms(self, cell: Cell) -> list[Rooms]:
        """Return the pages of rooms that the chat has, for each way to carry them."""
        return []

    @abstractmethod
    def transport(self, row: Row) -> str:
        """Return how *row*'s message travels: ``WebSocket`` or ``POST``."""

    @abstractmethod
    def say(self, chat: Chat, row: Row, text: str) -> None:
        """Send *text* as *row* says.

        Raises:
            SendFailed: the server does not take it.
        """

    @abstractmethod
    def fence(self, chat: Chat, row: Row, text: str) -> None:
        """Broadcast *text*, by the same sender and the same way as *row*'s message went.

        Raises:
            SendFailed: the server does not take it.
        """

    @abstractmethod
    def announce(self, chat: Chat, sender: str, text: str) -> None:
        """Broadcast *text* in whichever way does not depend on a connection of *sender*'s.

        Raises:
            SendFailed: the server does not take it.
        """

    def speak(self, chat: Chat, line: Line, text: str | bytes) -> None:
        """Broadcast *text* through the connection *line*.

        Raises:
            SendFailed: the connection is gone.
        """
        self.send(chat, line, text)

    def send(self, chat: Chat, line: Line, data: str | bytes) -> None:
        """Send *data* as it is through the connection *line*.

        Raises:
            SendFailed: the connection is gone.
        """
        try:
            chat.sockets[line].send(data)
        except (websocket.WebSocketException, OSError) as error:
            raise SendFailed(f"{line.member}'s connection is gone ({type(error).__name__})") from error

    def post(self, chat: Chat, sender: str, channel: Channel, audience: str, text: str) -> None:
        """Post *text* to the page of *channel*, whose view hands it to the library.

        Raises:
            SendFailed: the page does not answer with 200.
        """
        form = {"message": text} if channel == "broadcast" else {"message": text, channel: audience}
        try:
            answer = chat.browser(sender).post(f"/chat/{channel}/", form)
        except CellFailure as error:
            raise SendFailed(error.text) from error
        if answer.status_code != 200:
            raise SendFailed(f"POST /chat/{channel}/ answers with status {answer.status_code}")

    def sends_binary(self, cell: Cell) -> bool:
        """Tell whether the harness can send the library binary messages in *cell*."""
        return True

    def heard(self, data: str) -> str | None:
        """Return the message in *data*, a text that arrived; None where it is the library's own."""
        return data

    def messages(self, data: str) -> list[str]:
        """Return all messages in one frame, for protocols that put several into one."""
        message = self.heard(data)
        return [] if message is None else [message]

    def wire(self, cell: Cell) -> Wire:
        """Return how the sockets of a load run speak; each hears what is broadcast, and one broadcasts."""
        return Wire(self.link("broadcast"), self.messages)

    def deployments(self, cell: Cell, server: Server) -> list[Deployment]:
        """Return the ways to deploy *server* that a load run compares."""
        return [Deployment("1 process")]

    def subscribed(self, chat: Chat) -> bool:
        """Tell whether the broker has the subscription of every open connection; True where it cannot."""
        return True

    def sets(self, chat: Chat) -> dict[str, Iterator[Finding]]:
        """Return further questions of the library's own, by the name of their set; asked in each of its ways."""
        return {}

    def isolation(self, chat: Chat) -> Iterator[Finding]:
        """Ask whether anybody hears what is not for them; each finding is yielded when it is known."""
        yield from ()
