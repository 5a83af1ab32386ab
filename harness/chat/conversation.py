"""A conversation with a running server: how its clients speak, who is connected, and what goes over the connections.

A :class:`Client` knows how programs talk to one kind of chat: it connects, says something in a channel, sends a fence
behind it, and tells the messages in a frame from what only belongs to the protocol. A :class:`Chat` holds the
connections of one conversation and uses the client for all of that.
"""

from __future__ import annotations

import itertools
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import get_args

import websocket

from harness.captured.output import shorten
from harness.chat import handshakes
from harness.chat.ledger import Ledger
from harness.chat.members import MEMBERS, Channel, ChannelRow
from harness.chat.parties import Listening, RunningServer
from harness.clients.connection import CLOSED_BY_SERVER, Connection, Endpoint, SendFailed, as_binary
from harness.clients.frame_format import FrameFormat
from harness.clients.http import HttpSession, status_of
from harness.clients.transcript import Message, Transcript
from harness.clients.websocket import WebSocketConnection
from harness.errors import CellFailure
from harness.system.threads import whole
from harness.system.waiting import Deadline, wait_until
from harness.verdict import Reason

#: Seconds until a subscription has to stand, and until a fence has to have arrived.
SUBSCRIBE_DEADLINE = 10.0
FENCE_DEADLINE = 5.0
#: Seconds until a fence that has not arrived is followed by another, where everything arrives at once; each further
#: one is waited for twice as long, up to the second figure.
FENCE_INTERVAL = 0.25
_LONGEST_INTERVAL = 4.0
#: How many times :data:`FENCE_DEADLINE` a fence may take while other messages still come.
_TRICKLING = 6


class Client(ABC):
    """How programs speak to one kind of chat; nothing of it depends on a conversation that is under way."""

    @abstractmethod
    def paths(self) -> dict[str, str]:
        """Return the connections that each member holds: their names → their paths on the server."""

    def path_for(self, channel: Channel, paths: Mapping[str, str] | None = None) -> str:
        """Return the path of the connection that receives *channel*, among *paths*; the usual ones where it is None."""
        paths = paths or self.paths()
        return paths.get(channel) or next(iter(paths.values()))

    def connect(self, chat: Chat, endpoint: Endpoint, path: str, member: str, origin: str) -> Connection:
        """Open the connection *endpoint* with the cookies of *member*; of nobody where that is empty.

        Raises:
            HandshakeRefused: the server did not open it.
        """
        url = f"ws://127.0.0.1:{chat.server.port}{path}"
        # One of each member offers what browsers offer; the others show what a server does that compresses nothing.
        return WebSocketConnection(
            endpoint,
            url,
            chat.transcript,
            cookie=chat.cookie(member),
            origin=origin,
            compression=endpoint.member in MEMBERS and endpoint.name == next(iter(chat.paths)),
        )

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
            raise SendFailed(f"POST /chat/{channel}/ answers with {status_of(answer)}")

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

    def read(self, data: str) -> list[Message]:
        """Return all messages in one frame with what it says of their sender and channel, where it says that."""
        return [Message(text) for text in self.messages(data)]

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
    #: Everything that is said to the server, also by other chats with it.
    ledger: Ledger = field(default_factory=Ledger)
    #: How many fences were sent, and how many of them because an earlier one was outstanding.
    fences_sent: int = 0
    fences_sent_again: int = 0
    #: What was tried again, a sentence each.
    repeated: list[str] = field(default_factory=list)
    #: Seconds that a fence is waited for before another is sent; more where this server takes longer.
    pace: float = FENCE_INTERVAL
    #: Whose cookies each connection was opened with, also of those that are closed; empty for nobody's.
    owners: dict[Endpoint, str] = field(default_factory=dict)
    #: Those who listen to what is not for them; None while nobody does.
    listening: Listening | None = None
    #: Further chats with its server: their frames are kept with its own.
    others: list[Chat] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.transcript = Transcript(self.client.read)
        self.paths = self.paths or self.client.paths()
        self._fence_numbers = itertools.count(1)

    def path_for(self, channel: Channel) -> str:
        """Return the path of the connection that receives *channel*, in the way of this conversation."""
        return self.client.path_for(channel, self.paths)

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
        with ThreadPoolExecutor(len(MEMBERS)) as pool:
            with whole():
                logging_in = [pool.submit(self.session(name).log_in, name) for name in MEMBERS]
            for done in logging_in:
                done.result()

    def open(self, endpoint: Endpoint, path: str, member: str = "", origin: str = "") -> Connection:
        """Open a connection under the name *endpoint*, with the cookies of *member*.

        *origin* is the site whose page opens it; the server's own unless given.

        Raises:
            HandshakeRefused: the server did not open it.
        """
        self.owners[endpoint] = member
        self.connections[endpoint] = self.client.connect(self, endpoint, path, member, origin or self.server.base)
        return self.connections[endpoint]

    def connect(self) -> None:
        """Open every connection of every member, and know that each receives.

        Raises:
            CellFailure: a handshake is refused, or a connection opens and never receives.
        """
        for member in MEMBERS:
            for name, path in self.paths.items():
                opening = partial(self.open, Endpoint(member, name), path, member)
                handshakes.make(opening, f"the handshake of {member}'s {name} connection", self.repeated)
        self.wait_subscribed(self.endpoints)

    def say(self, row: ChannelRow, text: str, exchange: int | None = None) -> None:
        """Say *text* as *row* says; *exchange* is the number of the exchange that it is the message of.

        Raises:
            SendFailed: the server does not take it.
        """
        hearers = None if row.channel == "broadcast" else row.recipients
        self.client.say(self, row, self.ledger.add(text, row.sender, hearers, exchange))

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

    def post(self, sender: str, channel: Channel, audience: str, text: str, hearers: Iterable[str] | None) -> None:
        """Post *text* to the page of *channel*; *hearers* are the members who may hear it, None where all may.

        Raises:
            SendFailed: the page does not answer with 200.
        """
        self.client.post(self, sender, channel, audience, self.ledger.add(text, sender, hearers))

    def new_fence(self, sender: str = "") -> str:
        """Return the text of a further fence of *sender*'s, which is about to be sent."""
        self.fences_sent += 1
        return self.ledger.add(f"fence {next(self._fence_numbers)} ({self.token})", sender)

    def wait_subscribed(self, endpoints: Sequence[Endpoint], seconds: float = SUBSCRIBE_DEADLINE) -> None:
        """Wait until each of *endpoints* is subscribed: a 101 alone proves nothing.

        Raises:
            CellFailure: a connection is closed instead, or receives nothing.
        """
        wait_until(
            lambda: self.client.subscribed(self) or any(map(self.transcript.closed, endpoints)), seconds, every=0.002
        )
        try:
            texts = self.announce_fence(endpoints, seconds)
        except SendFailed as error:
            raise CellFailure(Reason.EXCHANGE_WRONG, f"nothing can be broadcast: {error}") from error
        for endpoint in endpoints:
            if not self.transcript.has_one(endpoint, texts):
                raise self._never_stood(endpoint)

    def _never_stood(self, endpoint: Endpoint) -> CellFailure:
        """Return why *endpoint* is open, and no fence has come to it."""
        known = self.ledger.texts()
        closed = self.transcript.closed(endpoint)
        arrived = [text for text in self.transcript.texts(endpoint) if text not in known]
        text = f"{endpoint.member}'s {endpoint.name} connection was opened, but "
        if arrived:
            text += f"what arrives on it is not what was sent, at first {shorten(arrived[0])[:80]!r}"
            text += f"; then {closed}" if closed else ""
        else:
            text += closed or "nothing arrives on it"
        refused = closed.startswith(CLOSED_BY_SERVER) and not arrived
        return CellFailure(Reason.HANDSHAKE_REFUSED if refused else Reason.EXCHANGE_WRONG, text)

    def fence_all(
        self,
        send: Callable[[str], object],
        endpoints: Iterable[Endpoint],
        seconds: float = FENCE_DEADLINE,
        limit: Deadline | None = None,
    ) -> tuple[str, ...]:
        """Send fences until every open one of *endpoints* has one; return the texts of those sent.

        One is sent again, ever more slowly, while it is outstanding and nothing else comes either: some libraries keep
        a message back until the next arrives, and some are only slow. They are given up once nothing has come for so
        many *seconds*, or at the *limit*.
        """
        wanted, limit = list(endpoints), limit or Deadline(seconds * _TRICKLING)
        texts: list[str] = []
        interval, silent, began = self.pace, 0.0, time.monotonic()
        while True:
            texts.append(self.new_fence())
            self.fences_sent_again += len(texts) > 1
            send(texts[-1])
            arrived, left = self._progress(wanted, texts), min(interval, seconds - silent)
            while not self.transcript.wait(wanted, texts, left):
                before, arrived = arrived, self._progress(wanted, texts)
                if limit.over:
                    return tuple(texts)
                if arrived == before:  # nothing comes any more
                    break
                silent = 0.0
            else:
                self._learn(texts[0], wanted, began)
                return tuple(texts)
            silent += left
            if silent >= seconds:
                return tuple(texts)
            interval = min(2 * interval, _LONGEST_INTERVAL)

    def announce_fence(
        self, endpoints: Iterable[Endpoint] | None = None, seconds: float = FENCE_DEADLINE
    ) -> tuple[str, ...]:
        """Announce fences to *endpoints*, the members' where that is None; see :meth:`fence_all`.

        Raises:
            SendFailed: the server does not take one.
        """
        wanted = self.endpoints if endpoints is None else endpoints
        return self.fence_all(partial(self.client.announce, self, MEMBERS[0]), wanted, seconds)

    def _progress(self, wanted: Iterable[Endpoint], fences: Sequence[str]) -> int:
        """Return how much has come: everything but *fences*, and who has one. That one comes again says nothing."""
        return self.activity(wanted, fences) + sum(self.transcript.has_one(each, fences) for each in wanted)

    def activity(self, endpoints: Iterable[Endpoint], beside: Iterable[str] = ()) -> int:
        """Return how many messages *endpoints* have received but pulses and those *beside* them."""
        return self.transcript.activity(endpoints, beside=self.ledger.pulses.union(beside))

    def _learn(self, fence: str, endpoints: Sequence[Endpoint], began: float) -> None:
        """Be more patient from now on where the *fence* that was sent when this *began* came to one after the other.

        One long gap is that of a message that was kept back; where there are several the server is slow.
        """
        at = sorted(each for endpoint in endpoints if (each := self.transcript.arrival(endpoint, fence)) is not None)
        gaps = sorted(later - earlier for earlier, later in pairwise([began, *at]))
        if len(gaps) > 1:
            self.pace = max(self.pace, min(2 * gaps[-2], _LONGEST_INTERVAL))

    def close(self, endpoints: Iterable[Endpoint] | None = None) -> None:
        """Close those of *endpoints* that are connected; None closes all connections."""
        for endpoint in list(self.connections if endpoints is None else endpoints):
            if endpoint in self.connections:
                self.connections.pop(endpoint).close()
