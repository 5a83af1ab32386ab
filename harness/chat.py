"""A live chat in a cell: the members' browsers and connections, and what goes over them."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.broker import Broker
from harness.cells import Cell
from harness.errors import CellFailure
from harness.judge import Line
from harness.libraries.base import SendFailed
from harness.members import MEMBERS, Row
from harness.pages import Browser
from harness.processes import Child
from harness.result import Reason
from harness.sockets import Connection, HandshakeRefused, Transcript

if TYPE_CHECKING:
    from harness.libraries.base import Library

#: Seconds until a subscription has to stand, and until a fence has to have arrived.
SUBSCRIBE_DEADLINE = 10.0
FENCE_DEADLINE = 5.0
#: Seconds until a fence that has not arrived is followed by another.
FENCE_INTERVAL = 0.25


@dataclass
class Chat:
    """What a library's client needs to speak: where the server is, and who is connected."""

    library: Library
    cell: Cell
    port: int
    broker: Broker
    prefix: str
    server: Child
    token: str = field(default_factory=lambda: secrets.token_hex(3))
    browsers: dict[str, Browser] = field(default_factory=dict)
    sockets: dict[Line, Connection] = field(default_factory=dict)
    #: The connections that each member holds; the library's own unless a variant has others.
    links: dict[str, str] = field(default_factory=dict)
    #: The variant that carries it; empty for the library's usual way.
    way: str = ""
    #: The text of every fence that was sent.
    fences: list[str] = field(default_factory=list)
    fences_sent_again: int = 0
    #: Every text that the harness sent and that is neither a fence nor one of the fifteen.
    said: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.transcript = Transcript(self.library.messages)
        self.links = self.links or self.library.links()
        self._fence_numbers = itertools.count(1)

    @property
    def base(self) -> str:
        """The server's HTTP address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def lines(self) -> list[Line]:
        """The members' connections."""
        return [line for line in self.sockets if line.member in MEMBERS]

    def browser(self, member: str) -> Browser:
        """Return the browser of *member*; one that has not been used yet is not logged in."""
        return self.browsers.setdefault(member, Browser(self.base))

    def cookie(self, member: str) -> str:
        """Return the cookies of *member* as a request header has them; nothing for nobody."""
        return self.browser(member).cookie if member else ""

    def log_in(self) -> None:
        """Log in all members, side by side.

        Raises:
            CellFailure: somebody is not let in.
        """
        browsers = [self.browser(member) for member in MEMBERS]
        with ThreadPoolExecutor(len(MEMBERS)) as pool:
            for done in [pool.submit(each.log_in, name) for each, name in zip(browsers, MEMBERS, strict=True)]:
                done.result()

    def open(self, line: Line, path: str, member: str = "", origin: str = "") -> Connection:
        """Open a connection under the name *line*, with the cookies of *member*.

        Raises:
            HandshakeRefused: the server did not open it.
        """
        self.sockets[line] = self.library.connect(self, line, path, member, origin or self.base)
        return self.sockets[line]

    def connect(self) -> None:
        """Open every connection of every member, and know that each receives.

        Raises:
            CellFailure: a handshake is refused, or a connection opens and never receives.
        """
        for member in MEMBERS:
            for name, path in self.links.items():
                try:
                    self.open(Line(member, name), path, member)
                except HandshakeRefused as error:
                    text = f"the handshake of {member}'s {name} connection failed: {error}"
                    raise CellFailure(Reason.HANDSHAKE_REFUSED, text) from error
        self.stand(self.lines)

    def note(self, text: str) -> str:
        """Remember that *text* is the harness's own, whoever may receive it."""
        self.said.add(text)
        return text

    def say(self, row: Row, text: str) -> None:
        """Send a message beside the fifteen.

        Raises:
            SendFailed: the server does not take it.
        """
        self.library.say(self, row, self.note(text))

    def stand(self, lines: Sequence[Line], seconds: float = SUBSCRIBE_DEADLINE) -> None:
        """Wait until each of *lines* is subscribed: a 101 alone proves nothing.

        Raises:
            CellFailure: a connection is closed instead, or receives nothing.
        """
        deadline = time.monotonic() + seconds
        while not self.library.subscribed(self) and time.monotonic() < deadline:
            if any(self.transcript.closed(line) for line in lines):
                break
            time.sleep(0.002)
        try:
            texts = self.fence_all(lambda text: self.library.announce(self, MEMBERS[0], text), lines, seconds)
        except SendFailed as error:
            raise CellFailure(Reason.EXCHANGE_WRONG, f"nothing can be broadcast: {error}") from error
        for line in lines:
            if not any(self.transcript.arrival(line, text) for text in texts):
                closed = self.transcript.closed(line)
                text = f"{line.member}'s {line.name} connection was opened, but {closed or 'nothing arrives on it'}"
                raise CellFailure(Reason.HANDSHAKE_REFUSED if closed else Reason.EXCHANGE_WRONG, text)

    def fence_all(
        self, send: Callable[[str], None], lines: Iterable[Line], seconds: float = FENCE_DEADLINE
    ) -> tuple[str, ...]:
        """Send fences until every open one of *lines* has one; return the texts of those sent.

        One is sent again while it is outstanding, for some libraries keep a message back until
        the next arrives.
        """
        wanted = list(lines)
        texts: list[str] = []
        deadline = time.monotonic() + seconds
        while True:
            texts.append(f"fence {next(self._fence_numbers)} ({self.token})")
            self.fences.append(texts[-1])
            self.fences_sent_again += len(texts) > 1
            send(texts[-1])
            if self.transcript.wait(wanted, texts, FENCE_INTERVAL) or time.monotonic() > deadline:
                return tuple(texts)

    def close(self, lines: Iterable[Line] | None = None) -> None:
        """Close connections; all unless told which."""
        for line in list(self.sockets if lines is None else lines):
            self.sockets.pop(line).close()


@contextmanager
def opened(chat: Chat) -> Iterator[Chat]:
    """Close every connection when the block is left."""
    try:
        yield chat
    finally:
        chat.close()
