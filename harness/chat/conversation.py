"""A conversation with a running server: how its clients speak, who is connected, and what goes over the connections.

A :class:`Client` knows how programs talk to one kind of chat: it connects, says something in a channel, sends a fence
behind it, and tells the messages in a frame from what only belongs to the protocol. A :class:`Chat` holds the
connections of one conversation and uses the client for all of that.
"""

from __future__ import annotations

import itertools
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import get_args

import websocket

from harness.chat.members import MEMBERS, Channel, ChannelRow
from harness.clients.connection import Connection, Endpoint, HandshakeRefused, SendFailed
from harness.clients.http import HttpSession, LoginForm
from harness.clients.transcript import Transcript
from harness.clients.websocket import WebSocketConnection
from harness.errors import CellFailure
from harness.system.waiting import Deadline, wait_until
from harness.verdict import Reason

#: Seconds until a subscription has to stand, and until a fence has to have arrived.
SUBSCRIBE_DEADLINE = 10.0
FENCE_DEADLINE = 5.0
#: Seconds until a fence that has not arrived is followed by another.
FENCE_INTERVAL = 0.25


@dataclass(frozen=True)
class RunningServer:
    """A server as its clients have to know it."""

    #: Its TCP port on 127.0.0.1.
    port: int
    #: How members log in to it.
    form: LoginForm
    #: Returns the exit status of its process; None while it runs.
    exit_status: Callable[[], int | None] = lambda: None
    #: Returns how many subscriptions the broker has of each of some channels.
    subscriptions: Callable[[list[str]], dict[str, int]] = lambda channels: dict.fromkeys(channels, 0)
    #: What the names of this server's channels begin with at the broker.
    prefix: str = ""

    @property
    def base(self) -> str:
        """The HTTP address, such as ``http://127.0.0.1:8000``."""
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True)
class FrameFormat:
    """How plain frames carry a chat's broadcasts, for a crowd of sockets that has no time for a whole client."""

    #: The path of a connection that hears broadcasts.
    path: str
    #: Returns the messages in a frame that arrived.
    messages: Callable[[str], list[str]]
    #: Returns the frame that broadcasts a text.
    broadcast: Callable[[str], str] = str
    #: The frames that are sent as soon as a connection is open.
    opened: tuple[str, ...] = ()
    #: The frame that answers another one: its text → the answer's.
    answers: dict[str, str] = field(default_factory=dict)
    #: A frame that has to be sent again and again, and the seconds between two; None where there is none.
    every: tuple[str, float] | None = None


class Client(ABC):
    """How programs speak to one kind of chat; nothing of it depends on a conversation that is under way."""

    @abstractmethod
    def paths(self) -> dict[str, str]:
        """Return the connections that each member holds: their names → their paths on the server."""

    def path_for(self, channel: Channel) -> str:
        """Return the path of the connection that hears *channel*."""
        paths = self.paths()
        return paths.get(channel) or next(iter(paths.values()))

    def connect(self, chat: Chat, endpoint: Endpoint, path: str, member: str, origin: str) -> Connection:
        """Open the connection *endpoint* with the cookies of *member*; of nobody where that is empty.

        Raises:
            HandshakeRefused: the server did not open it.
        """
        url = f"ws://127.0.0.1:{chat.server.port}{path}"
        return WebSocketConnection(endpoint, url, chat.transcript, cookie=chat.cookie(member), origin=origin)

    @abstractmethod
    def expected(self, row: ChannelRow) -> frozenset[Endpoint]:
        """Return the connections that must receive *row*'s message."""

    def shown(self, row: ChannelRow) -> frozenset[Endpoint]:
        """Return the pages, by member and channel, that must show *row*'s message; each member has one of each."""
        return frozenset(Endpoint(member, page) for member in row.recipients for page in get_args(Channel))

    @abstractmethod
    def transport(self, row: ChannelRow) -> str:
        """Return how *row*'s message travels: ``WebSocket`` or ``POST``."""

    @abstractmethod
    def say(self, chat: Chat, row: ChannelRow, text: str) -> None:
        """Send *text* as *row* says.

        Raises:
            SendFailed: the server does not take it.
        """

    @abstractmethod
    def fence(self, chat: Chat, row: ChannelRow, text: str) -> None:
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

    def broadcast(self, chat: Chat, endpoint: Endpoint, text: str | bytes) -> None:
        """Broadcast *text* through the connection *endpoint*.

        Raises:
            SendFailed: the connection is gone.
        """
        self.send(chat, endpoint, text)

    def send(self, chat: Chat, endpoint: Endpoint, data: str | bytes) -> None:
        """Send *data* as it is through the connection *endpoint*.

        Raises:
            SendFailed: the connection is gone.
        """
        try:
            chat.connections[endpoint].send(data)
        except (websocket.WebSocketException, OSError) as error:
            raise SendFailed(f"{endpoint.member}'s connection is gone ({type(error).__name__})") from error

    def post(self, chat: Chat, sender: str, channel: Channel, audience: str, text: str) -> None:
        """Post *text* to the page of *channel*, whose view hands it to the library.

        Raises:
            SendFailed: the page does not answer with 200.
        """
        form = {"message": text} if channel == "broadcast" else {"message": text, channel: audience}
        try:
            answer = chat.session(sender).post(f"/chat/{channel}/", form)
        except CellFailure as error:
            raise SendFailed(error.text) from error
        if answer.status_code != 200:
            raise SendFailed(f"POST /chat/{channel}/ answers with status {answer.status_code}")

    def sends_binary(self) -> bool:
        """Tell whether the harness can send binary messages in this protocol."""
        return True

    def heard(self, data: str) -> str | None:
        """Return the message in *data*, a text that arrived; None where it is the library's own."""
        return data

    def messages(self, data: str) -> list[str]:
        """Return all messages in one frame, for protocols that put several into one."""
        message = self.heard(data)
        return [] if message is None else [message]

    def frame_format(self) -> FrameFormat:
        """Return how the sockets of a load run speak; each hears what is broadcast, and one broadcasts."""
        return FrameFormat(self.path_for("broadcast"), self.messages)

    def subscribed(self, chat: Chat) -> bool:
        """Tell whether the broker has the subscription of every open connection; True where it cannot be asked."""
        return True


@dataclass
class Chat:
    """One conversation: the members' sessions and connections, and what goes over them."""

    client: Client
    server: RunningServer
    #: Stands in every text, so that no two conversations say the same.
    token: str = field(default_factory=lambda: secrets.token_hex(3))
    sessions: dict[str, HttpSession] = field(default_factory=dict)
    connections: dict[Endpoint, Connection] = field(default_factory=dict)
    #: The connections that each member holds, names → paths; the client's own unless a variant has others.
    paths: dict[str, str] = field(default_factory=dict)
    #: The name of the variant that carries it; empty for the library's usual way.
    variant: str = ""
    #: The text of every fence that was sent.
    fences: list[str] = field(default_factory=list)
    fences_sent_again: int = 0
    #: Every text that the harness sent and that is neither a fence nor one of the fifteen.
    said: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.transcript = Transcript(self.client.messages)
        self.paths = self.paths or self.client.paths()
        self._fence_numbers = itertools.count(1)

    @property
    def endpoints(self) -> list[Endpoint]:
        """The members' connections."""
        return [endpoint for endpoint in self.connections if endpoint.member in MEMBERS]

    def session(self, member: str) -> HttpSession:
        """Return the session of *member* with the pages; one that has not been used yet is not logged in."""
        return self.sessions.setdefault(member, HttpSession(self.server.base, self.server.form))

    def cookie(self, member: str) -> str:
        """Return the cookies of *member* as a request header has them; nothing for nobody."""
        return self.session(member).cookie if member else ""

    def log_in(self) -> None:
        """Log in all members, side by side.

        Raises:
            CellFailure: somebody is not let in.
        """
        sessions = [self.session(member) for member in MEMBERS]
        with ThreadPoolExecutor(len(MEMBERS)) as pool:
            for done in [pool.submit(each.log_in, name) for each, name in zip(sessions, MEMBERS, strict=True)]:
                done.result()

    def open(self, endpoint: Endpoint, path: str, member: str = "", origin: str = "") -> Connection:
        """Open a connection under the name *endpoint*, with the cookies of *member*.

        *origin* is the site whose page opens it; the server's own unless given.

        Raises:
            HandshakeRefused: the server did not open it.
        """
        self.connections[endpoint] = self.client.connect(self, endpoint, path, member, origin or self.server.base)
        return self.connections[endpoint]

    def connect(self) -> None:
        """Open every connection of every member, and know that each receives.

        Raises:
            CellFailure: a handshake is refused, or a connection opens and never receives.
        """
        for member in MEMBERS:
            for name, path in self.paths.items():
                try:
                    self.open(Endpoint(member, name), path, member)
                except HandshakeRefused as error:
                    text = f"the handshake of {member}'s {name} connection failed: {error}"
                    raise CellFailure(Reason.HANDSHAKE_REFUSED, text) from error
        self.wait_subscribed(self.endpoints)

    def remember(self, text: str) -> str:
        """Note that *text* is the harness's own, whoever may receive it; return it."""
        self.said.add(text)
        return text

    def say(self, row: ChannelRow, text: str) -> None:
        """Send a message beside the fifteen.

        Raises:
            SendFailed: the server does not take it.
        """
        self.client.say(self, row, self.remember(text))

    def wait_subscribed(self, endpoints: Sequence[Endpoint], seconds: float = SUBSCRIBE_DEADLINE) -> None:
        """Wait until each of *endpoints* is subscribed: a 101 alone proves nothing.

        Raises:
            CellFailure: a connection is closed instead, or receives nothing.
        """
        wait_until(
            lambda: self.client.subscribed(self) or any(map(self.transcript.closed, endpoints)), seconds, every=0.002
        )
        try:
            texts = self.fence_all(lambda text: self.client.announce(self, MEMBERS[0], text), endpoints, seconds)
        except SendFailed as error:
            raise CellFailure(Reason.EXCHANGE_WRONG, f"nothing can be broadcast: {error}") from error
        for endpoint in endpoints:
            if not self.transcript.has_one(endpoint, texts):
                closed = self.transcript.closed(endpoint)
                text = f"{endpoint.member}'s {endpoint.name} connection was opened, but "
                text += closed or "nothing arrives on it"
                raise CellFailure(Reason.HANDSHAKE_REFUSED if closed else Reason.EXCHANGE_WRONG, text)

    def fence_all(
        self, send: Callable[[str], None], endpoints: Iterable[Endpoint], seconds: float = FENCE_DEADLINE
    ) -> tuple[str, ...]:
        """Send fences until every open one of *endpoints* has one; return the texts of those sent.

        One is sent again while it is outstanding, for some libraries keep a message back until
        the next arrives.
        """
        wanted = list(endpoints)
        texts: list[str] = []
        deadline = Deadline(seconds)
        while True:
            texts.append(f"fence {next(self._fence_numbers)} ({self.token})")
            self.fences.append(texts[-1])
            self.fences_sent_again += len(texts) > 1
            send(texts[-1])
            if self.transcript.wait(wanted, texts, FENCE_INTERVAL) or deadline.over:
                return tuple(texts)

    def close(self, endpoints: Iterable[Endpoint] | None = None) -> None:
        """Close those of *endpoints* that are connected; None closes all connections."""
        for endpoint in list(self.connections if endpoints is None else endpoints):
            if endpoint in self.connections:
                self.connections.pop(endpoint).close()
