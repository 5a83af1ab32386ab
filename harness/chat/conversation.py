"""A conversation with a running server: how its clients speak, who is connected, and what goes over the connections.

A :class:`Client` knows how programs talk to one kind of chat: it connects, says something in a channel, sends a fence
behind it, and tells the messages in a frame from what only belongs to the protocol. A :class:`Chat` holds the
connections of one conversation and uses the client for all of that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import get_args

import websocket

from harness.chat import handshakes
from harness.chat.fencing import FENCE_DEADLINE, Fenced, FenceWay, Proof
from harness.chat.members import FIFTEEN, Channel, ChannelRow, Script
from harness.chat.parties import Listening, RunningServer
from harness.clients.connection import Connection, Endpoint, SendFailed, as_binary
from harness.clients.frame_format import FrameFormat
from harness.clients.http import HttpSession, status_of
from harness.clients.transcript import Message, Transcript
from harness.clients.websocket import Offer, WebSocketConnection
from harness.errors import CellFailure
from harness.system.threads import whole
from harness.system.waiting import Deadline, wait_until
from harness.verdict import Reason

#: Seconds until a subscription has to stand.
SUBSCRIBE_DEADLINE = 10.0


class Client(ABC):
    """How programs speak to one kind of chat; nothing of it depends on a conversation that is under way."""

    #: Who talks, and what is said.
    script: Script = FIFTEEN
    #: Seconds that are watched after a message on connections that no fence reaches.
    quiet: float = 1.0
    #: Whether messages can be posted to the pages of this project's chat.
    has_pages: bool = True
    #: Whether what arrives before anything is said is the chat's own: a welcome, or what was said yesterday.
    greets: bool = False

    @abstractmethod
    def paths(self) -> dict[str, str]:
        """Return the connections that each member holds: their names → their paths on the server."""

    def held(self, member: str, paths: Mapping[str, str]) -> dict[str, str]:
        """Return those of *paths* that *member* holds connections to."""
        return dict(paths)

    def log_in(self, chat: Chat, member: str) -> None:
        """Let *member* in at the site, where that is done before a connection is opened.

        Raises:
            CellFailure: it does not work.
        """
        chat.session(member).log_in(member)

    def path_for(self, channel: str, paths: Mapping[str, str] | None = None) -> str:
        """Return the path of the connection that receives *channel*, among *paths*; the usual ones where it is None."""
        paths = paths or self.paths()
        return paths.get(channel) or next(iter(paths.values()))

    def connect(self, chat: Chat, endpoint: Endpoint, path: str, member: str, origin: str) -> Connection:
        """Open the connection *endpoint* with the cookies of *member*; of nobody where that is empty.

        Raises:
            HandshakeRefused: the server did not open it.
        """
        url = f"{chat.server.sockets}{path}"
        # One of each member offers what browsers offer; the others show what a server does that compresses nothing.
        return WebSocketConnection(
            endpoint,
            url,
            chat.transcript,
            cookie=chat.session(member).cookie_at(path) if member else "",
            origin=origin,
            offer=Offer(compression=endpoint.member in chat.members and endpoint.name == next(iter(chat.paths))),
        )

    @abstractmethod
    def expected(self, row: ChannelRow) -> frozenset[Endpoint]:
        """Return the connections that must receive *row*'s message."""

    def shown(self, row: ChannelRow) -> frozenset[Endpoint]:
        """Return the pages, by member and channel, that must show *row*'s message; each member has one of each."""
        return frozenset(Endpoint(member, page) for member in row.recipients for page in get_args(Channel))

    def hearers(self, row: ChannelRow) -> tuple[str, ...] | None:
        """Return the members who may hear *row*'s message; None where everybody may."""
        return None if row.channel == "broadcast" else row.recipients

    @abstractmethod
    def transport(self, row: ChannelRow) -> str:
        """Return how *row*'s message travels: ``WebSocket`` or ``POST``."""

    def turn_in(self, member: str) -> float:
        """Return in how many seconds *member* may speak again, where a chat limits how often they do."""
        return 0.0

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

    def fences(self, row: ChannelRow) -> Sequence[FenceWay]:
        """Return how fences are sent behind *row*'s message, one way after the other.

        Where no single one reaches every connection, each further one is sent once the one before has arrived.
        """
        return [FenceWay(lambda chat, text: self.fence(chat, row, text))]

    def announcing(self, sender: str) -> Sequence[FenceWay]:
        """Return how fences reach everybody, from *sender* if that can be, whatever was said before."""
        return [FenceWay(lambda chat, text: self.announce(chat, sender, text))]

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

    def post(self, chat: Chat, sender: str, channel: str, audience: str, text: str) -> None:
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
            raise SendFailed(f"POST /chat/{channel}/ answers with {status_of(answer)}")

    def sends_binary(self) -> bool:
        """Tell whether the harness can send binary messages in this protocol."""
        return True

    def heard(self, data: str) -> str | None:
        """Return the message in *data*, a text that arrived; None where it is the library's own."""
        return data

    def messages(self, data: str) -> list[str]:
        """Return all messages in one frame, for protocols that put several into one."""
        return [] if (message := self.heard(data)) is None else [message]

    def read(self, data: str) -> list[Message]:
        """Return all messages in one frame with what else it says, where it does; see :meth:`says`."""
        return [Message(text) for text in self.messages(data)]

    def says(self, row: ChannelRow, text: str, fence: bool = False) -> Mapping[str, str]:
        """Return what frames have to say, if they do, of *row*'s message, the *text*, or of a *fence* behind it."""
        return {"sender": row.sender, "channel": "broadcast" if fence else row.channel}

    def frame_format(self) -> FrameFormat:
        """Return how the sockets of a load run speak; each hears what is broadcast, and one broadcasts."""
        return FrameFormat(self.path_for("broadcast"), self.messages)

    def silence(self, chat: Chat, endpoint: Endpoint) -> str:
        """Say what arrives on *endpoint*, on which no message does."""
        return "nothing arrives on it"

    def subscribed(self, chat: Chat) -> bool:
        """Tell whether the broker has the subscription of every open connection; True where it cannot be asked."""
        return True


@dataclass
class Chat(Fenced):
    """One conversation: the members' sessions and connections, and what goes over them."""

    client: Client
    server: RunningServer
    sessions: dict[str, HttpSession] = field(default_factory=dict)
    #: The connections that each member holds, names → paths; the client's own unless a variant has others.
    paths: dict[str, str] = field(default_factory=dict)
    #: The name of the variant that carries it; empty for the library's usual way.
    variant: str = ""
    #: What was tried again, a sentence each.
    repeated: list[str] = field(default_factory=list)
    #: Whose cookies each connection was opened with, also of those that are closed; empty for nobody's.
    owners: dict[Endpoint, str] = field(default_factory=dict)
    #: The path to which each was opened.
    addresses: dict[Endpoint, str] = field(default_factory=dict)
    #: Those who listen to what is not for them; None while nobody does.
    listening: Listening | None = None
    #: Further chats with its server: their frames are kept with its own.
    others: list[Chat] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.transcript = Transcript(self.client.read)
        self.paths = self.paths or self.client.paths()

    def path_for(self, channel: str) -> str:
        """Return the path of the connection that receives *channel*, in the way of this conversation."""
        return self.client.path_for(channel, self.paths)

    @property
    def members(self) -> tuple[str, ...]:
        """Who talks in it."""
        return self.client.script.members

    @property
    def speaker(self) -> str:
        """Who speaks where one member does, and another one listens."""
        return self.members[-2:][0]

    @property
    def listener(self) -> str:
        """Who listens where one member speaks."""
        return self.members[-1]

    @property
    def endpoints(self) -> list[Endpoint]:
        """The members' connections."""
        return [each for each in self.connections if each.member in self.members]

    def session(self, member: str) -> HttpSession:
        """Return the session of *member* with the pages; one that has not been used yet is not logged in."""
        return self.sessions.setdefault(
            member, HttpSession(self.server.base, self.server.form, self.server.certificates)
        )

    def cookie(self, member: str) -> str:
        """Return the cookies of *member* as a request header has them; nothing for nobody."""
        return self.session(member).cookie if member else ""

    def log_in(self) -> None:
        """Log in all members, side by side.

        Raises:
            CellFailure: somebody is not let in.
        """
        with ThreadPoolExecutor(len(self.members)) as pool:
            with whole():
                logging_in = [pool.submit(self.client.log_in, self, name) for name in self.members]
            for done in logging_in:
                done.result()

    def open(self, endpoint: Endpoint, path: str, member: str = "", origin: str = "") -> Connection:
        """Open a connection under the name *endpoint*, with the cookies of *member*.

        *origin* is the site whose page opens it; the server's own unless given.

        Raises:
            HandshakeRefused: the server did not open it.
        """
        self.owners[endpoint], self.addresses[endpoint] = member, path
        opening = partial(self.client.connect, self, endpoint, path, member, origin or self.server.base)
        self.connections[endpoint] = handshakes.make(opening, endpoint, self.repeated)
        return self.connections[endpoint]

    def connect(self, backwards: bool = False) -> None:
        """Open every connection of every member, *backwards* in the opposite order, and know that each receives.

        Raises:
            CellFailure: a handshake is refused, or a connection opens and never receives.
        """
        wanted = [(each, *held) for each in self.members for held in self.client.held(each, self.paths).items()]
        for member, name, path in reversed(wanted) if backwards else wanted:
            with handshakes.needed(endpoint := Endpoint(member, name)):
                self.open(endpoint, path, member)
        self.wait_subscribed(self.endpoints)

    def say(self, row: ChannelRow, text: str, exchange: int | None = None) -> None:
        """Say *text* as *row* says; *exchange* is the number of the exchange that it is the message of.

        Raises:
            SendFailed: the server does not take it.
        """
        self.client.say(self, row, self.ledger.add(text, row.sender, self.client.hearers(row), exchange))

    def broadcast(self, endpoint: Endpoint, text: str | bytes) -> None:
        """Broadcast *text* through the connection *endpoint*.

        Raises:
            SendFailed: the connection is gone.
        """
        self.ledger.add(as_binary(text) if isinstance(text, bytes) else text, self.owners.get(endpoint, ""))
        self.client.broadcast(self, endpoint, text)

    def announce(self, sender: str, text: str) -> None:
        """Broadcast *text* in whichever way does not depend on a connection of *sender*'s.

        Raises:
            SendFailed: the server does not take it.
        """
        self.client.announce(self, sender, self.ledger.add(text, sender))

    def post(self, sender: str, channel: str, audience: str, text: str, hearers: Iterable[str] | None) -> None:
        """Post *text* to the page of *channel*; *hearers* are the members who may hear it, None where all may.

        Raises:
            SendFailed: the page does not answer with 200.
        """
        self.client.post(self, sender, channel, audience, self.ledger.add(text, sender, hearers))

    def wait_subscribed(self, endpoints: Sequence[Endpoint], seconds: float | None = None) -> None:
        """Wait until each of *endpoints* is subscribed: a 101 alone proves nothing.

        Raises:
            CellFailure: a connection is closed instead, or receives nothing.
        """
        seconds = SUBSCRIBE_DEADLINE if seconds is None else seconds
        wait_until(lambda: self.client.subscribed(self) or any(map(self.transcript.closed, endpoints)), seconds, 0.002)
        try:
            texts = self.announce_fence(endpoints, seconds)
        except SendFailed as error:
            raise CellFailure(Reason.EXCHANGE_WRONG, f"nothing can be broadcast: {error}") from error
        if len(reached := self.reached(endpoints)) < len(endpoints):  # of the others nothing can be known
            wait_until(lambda: False, self.client.quiet)
        for endpoint in reached:
            if not self.transcript.has_one(endpoint, texts):
                raise self._never_stood(endpoint)

    def _never_stood(self, endpoint: Endpoint) -> CellFailure:
        """Return why *endpoint* is open, and no fence has come to it."""
        closed = self.transcript.closed(endpoint)
        arrived = self.ledger.unsaid(self.transcript.texts(endpoint))
        return handshakes.never_stood(endpoint, arrived, closed, closed or self.client.silence(self, endpoint))

    def announce_fence(
        self, endpoints: Iterable[Endpoint] | None = None, seconds: float = FENCE_DEADLINE
    ) -> tuple[str, ...]:
        """Announce fences to *endpoints*, the members' where that is None; see :meth:`fence_all`.

        Raises:
            SendFailed: the server does not take one.
        """
        wanted, fences = self.endpoints if endpoints is None else list(endpoints), list[str]()
        for way in self.client.announcing(self.members[0]):
            if reached := [each for each in wanted if way.reaches(self, each)]:
                fences += self.fence_all(partial(way.send, self), reached, seconds, hearers=way.hearers)
        return tuple(fences)

    def reached(self, endpoints: Iterable[Endpoint]) -> list[Endpoint]:
        """Return those of *endpoints* that a fence reaches: of the others nothing can be proved."""
        ways = self.client.announcing(self.members[0])
        return [each for each in endpoints if any(way.reaches(self, each) for way in ways)]

    def fence_behind(self, row: ChannelRow, seconds: float, limit: Deadline) -> Proof:
        """Send fences behind *row*'s message until every connection of the members that can have one has it.

        Raises:
            SendFailed: the server does not take one.
        """
        everybody = frozenset(self.endpoints)
        proof = Proof(unreached=everybody)
        for way in self.client.fences(row):
            reached = frozenset(each for each in everybody if way.reaches(self, each))
            texts = self.fence_all(partial(way.send, self), sorted(reached), seconds, limit, way.hearers)
            proof = Proof(
                (*proof.texts, *texts),
                proof.reach if reached == everybody else proof.reach | dict.fromkeys(texts, reached),
                proof.unreached - (reached if way.proves else frozenset()),
            )
        if proof.unreached:
            self.transcript.wait(proof.unreached, [], self.client.quiet)  # nothing can end it but the time
        return proof
