"""A chat without a server and without a port: what is said goes straight to all who may hear it.

A :class:`Switchboard` stands for the server. It knows who is connected, hands on what is said, and misbehaves where one
of its switches says so. A :class:`Talker` is the client that speaks to it. A :class:`Clock` moves only when somebody
waits in vain, so that nothing here takes the time that it takes.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace

import requests

from harness.cell import questions
from harness.chat import conversation, exchanges, fencing, handshakes, isolation
from harness.chat.conversation import Chat, Client
from harness.chat.members import GROUP_MEMBERS, MEMBERS, ChannelRow
from harness.chat.parties import RunningServer
from harness.clients import transcript
from harness.clients.connection import Connection, Endpoint, HandshakeRefused, as_binary
from harness.clients.http import LoginForm
from harness.clients.transcript import Transcript
from harness.errors import CellFailure
from harness.probes import delivery
from harness.run import starts
from harness.system.waiting import Deadline
from harness.verdict import Reason

LOGIN = "/accounts/login/"
FORM = LoginForm(LOGIN, lambda member: {"name": member}, "session", "token", "token")
#: The usual connections of a member: one for each channel.
THREE = {"broadcast": "/ws/broadcast", "user": "/ws/user", "group": "/ws/group"}

#: Tells whether something is to happen to a text on its way to a connection.
When = Callable[[str, "Line"], bool]


def never(text: str, line: Line) -> bool:
    """Let everything pass."""
    return False


def fences(text: str, line: Line) -> bool:
    """Choose all fences."""
    return text.startswith("fence ")


def message(number: int, *members: str, name: str = "") -> When:
    """Choose the message of that number, on its way to *members*, or to all; to the connections of one *name*."""

    def chosen(text: str, line: Line) -> bool:
        wanted = text.endswith(f" message {number}") and (not members or line.endpoint.member in members)
        return wanted and name in ("", line.endpoint.name)

    return chosen


def any_of(*switches: When) -> When:
    """Choose what one of *switches* does."""
    return lambda text, line: any(each(text, line) for each in switches)


class Clock:
    """A clock that moves only when somebody waits in vain; what is to happen later happens on the way."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    @classmethod
    def reigning(cls, monkeypatch) -> Clock:
        """Return one that transcripts, chats, rounds, starts and questions go by for the rest of a test."""
        clock = cls()
        monkeypatch.setattr(transcript, "time", clock)
        monkeypatch.setattr(transcript, "threading", SimpleNamespace(Condition=partial(_Condition, clock)))
        for module in (fencing, exchanges, handshakes, isolation, starts):
            monkeypatch.setattr(module, "time", clock)
        for module in (fencing, exchanges, delivery):
            monkeypatch.setattr(module, "Deadline", partial(Deadline, clock=clock.monotonic))
        for module in (conversation, questions, delivery, starts):
            monkeypatch.setattr(module, "wait_until", clock.wait_until)
        monkeypatch.setattr(starts, "threading", SimpleNamespace(Event=partial(_Event, clock)))
        return clock

    def monotonic(self) -> float:
        return self.now

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Have something happen so many *seconds* from now."""
        heapq.heappush(self._later, (self.now + seconds, next(self._numbers), do))

    def wait(self, done: Callable[[], bool], seconds: float) -> bool:
        until = self.now + seconds
        while not done():
            if not self._later or self._later[0][0] > until:
                self.now = until
                return done()
            at, _, do = heapq.heappop(self._later)
            self.now = max(self.now, at)
            do()
        return True

    def wait_until(self, done: Callable[[], bool], limit: float | Deadline, every: float = 0.0) -> bool:
        return self.wait(done, limit.left if isinstance(limit, Deadline) else limit)


class _Condition(threading.Condition):
    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait_for(self, predicate: Callable[[], bool], timeout: float | None = None) -> bool:
        assert timeout is not None, "nobody waits for ever"
        return self._clock.wait(predicate, timeout)


class _Event:
    """Nothing ever happens but that the time passes that somebody waits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def wait(self, timeout: float) -> bool:
        return self._clock.wait(lambda: False, timeout)


@dataclass(eq=False)
class Line:
    """A connection at the switchboard, of *member*, or of nobody known where that is empty."""

    board: Switchboard
    endpoint: Endpoint
    path: str
    member: str
    origin: str
    transcript: Transcript
    #: What is kept back until something else is on its way here: to come before that, and to come behind it.
    before: list[str | bytes] = field(default_factory=list)
    behind: list[str | bytes] = field(default_factory=list)

    def send(self, text: str | bytes) -> None:
        """Broadcast *text*, as a connection of a real client does."""
        self.transcript.add(self.endpoint, "out", "text", str(text))
        if self not in self.board.lines:
            raise BrokenPipeError("gone")
        if why := self.board.fails(self.member, str(text)):
            raise ConnectionError(why)
        self.board.arrived(self, text)

    def close(self) -> None:
        """Leave."""
        self.end("closed here")

    def end(self, why: str) -> None:
        """End the connection, which the transcript says the reason of."""
        if self in self.board.lines:
            self.board.lines.remove(self)
            self.transcript.add(self.endpoint, "in", "closed", why)

    def hear(self, text: str | bytes) -> None:
        """Receive *text*, if there still is anybody."""
        if self in self.board.lines:
            binary = isinstance(text, bytes)
            data = as_binary(text) if binary else text
            self.transcript.add(self.endpoint, "in", "binary" if binary else "text", data)

    def may_hear(self, channel: str, audience: str) -> bool:
        if channel != "broadcast" and not self.path.startswith(("/ws/chat", f"/ws/{channel}")):
            return False
        return channel == "broadcast" or (
            self.member == audience if channel == "user" else self.member in GROUP_MEMBERS
        )


@dataclass
class Switchboard:
    """The server: it hands on what is said. Each switch chooses texts on their way to a connection."""

    clock: Clock | None = None
    lines: list[Line] = field(default_factory=list, repr=False)
    #: All that was said, by whom, whether or not anybody heard it.
    said: list[tuple[str, str, str, str | bytes]] = field(default_factory=list)
    #: It never arrives.
    drops: When = never
    #: It arrives twice.
    doubles: When = never
    #: It arrives as something else.
    alters: When = never
    #: It arrives although it is for others.
    leaks: When = never
    #: It is kept back until the next text, and comes before that.
    stalls: When = never
    #: It is kept back until the next text, and comes behind that.
    reorders: When = never
    #: The connection is closed instead.
    closes: When = never
    #: It comes *delay* seconds later, by the clock; or from a thread of its own as soon as there is a *gate*, once
    #: that is open.
    delays: When = never
    delay: float = 0.0
    gate: threading.Event | None = None
    #: Why a connection is refused, by its name, its path, whose it is and its origin; nothing where it is not.
    refuses: Callable[[Endpoint, str, str, str], str] = lambda endpoint, path, member, origin: ""
    #: Why something cannot be said, by who says it and the text.
    fails: Callable[[str, str], str] = lambda member, text: ""
    #: What happens once something was said.
    then: Callable[[str], None] = lambda text: None
    #: Whether those who are unknown are heard, on a connection and by a form.
    hears_strangers: bool = False
    posts_for_strangers: bool = False
    #: What pages answer with; 200 where nothing stands here.
    statuses: dict[str, int] = field(default_factory=dict)
    #: Who is not let in.
    locked_out: str = ""
    exit_status: int | None = None

    @property
    def server(self) -> RunningServer:
        """The server as its clients know it; nothing listens on its port."""
        return RunningServer(port=1, form=FORM, exit_status=lambda: self.exit_status)

    def chat(self, client: Client | None = None) -> Chat:
        """Return a chat in which nobody is logged in or connected yet."""
        return Chat(client or Talker(self), self.server, token="abc", sessions=Sessions(self))

    def talk(self, client: Client | None = None) -> Chat:
        """Return a chat in which all members are logged in and connected."""
        chat = self.chat(client)
        chat.log_in()
        chat.connect()
        return chat

    def connect(self, chat: Chat, endpoint: Endpoint, path: str, member: str, origin: str) -> Line:
        known = chat.cookie(member).removeprefix("session=")
        if why := self.refuses(endpoint, path, known, origin):
            raise HandshakeRefused(why)
        line = Line(self, endpoint, path, known, origin, chat.transcript)
        self.lines.append(line)
        chat.transcript.add(endpoint, "in", "open", "status 101")
        return line

    def arrived(self, line: Line, text: str | bytes) -> None:
        """Take what was sent on a connection: a broadcast, unless a protocol has it otherwise."""
        self.say("broadcast", "all", line.member, text)

    def say(self, channel: str, audience: str, member: str, text: str | bytes) -> None:
        """Hand on what *member* says, or somebody unknown."""
        self.said.append((channel, audience, member, text))
        if member or self.hears_strangers:
            for line in list(self.lines):
                if line.may_hear(channel, audience) or self.leaks(str(text), line):
                    self._carry(text, line)
        self.then(str(text))

    def _carry(self, text: str | bytes, line: Line) -> None:
        shown = str(text)
        if self.closes(shown, line):
            line.end("closed by the server with 1011")
        elif self.drops(shown, line):
            pass
        elif self.stalls(shown, line):
            line.before.append(text)
        elif self.reorders(shown, line):
            line.behind.append(text)
        elif self.delays(shown, line):
            self._later(partial(line.hear, text))
        else:
            arriving = [f"{text}?" if self.alters(shown, line) else text] * (1 + self.doubles(shown, line))
            before, line.before = line.before, []
            behind, line.behind = line.behind, []
            for each in [*before, *arriving, *behind]:
                line.hear(each)

    def _later(self, do: Callable[[], None]) -> None:
        if self.gate is None:
            assert self.clock is not None
            self.clock.later(self.delay, do)
            return
        gate = self.gate

        def wait() -> None:
            gate.wait(10)
            do()

        threading.Thread(target=wait, daemon=True).start()


@dataclass
class Talker(Client):
    """Speaks to a switchboard: broadcasts through its connection, everything else by a form.

    A channel without a connection of its own is heard on the first one.
    """

    board: Switchboard
    places: dict[str, str] = field(default_factory=lambda: dict(THREE))

    def paths(self) -> dict[str, str]:
        return self.places

    def name_for(self, channel: str) -> str:
        return channel if channel in self.places else next(iter(self.places))

    def connect(self, chat: Chat, endpoint: Endpoint, path: str, member: str, origin: str) -> Connection:
        # Of several servers that one whose pages the chat's members are logged in to.
        return getattr(chat.sessions, "board", self.board).connect(chat, endpoint, path, member, origin)

    def expected(self, row: ChannelRow) -> frozenset[Endpoint]:
        names = tuple(self.places) if row.channel == "broadcast" else (self.name_for(row.channel),)
        return frozenset(Endpoint(member, name) for member in row.recipients for name in names)

    def transport(self, row: ChannelRow) -> str:
        return "WebSocket" if row.channel == "broadcast" else "POST"

    def say(self, chat: Chat, row: ChannelRow, text: str) -> None:
        if row.channel == "broadcast":
            self.broadcast(chat, Endpoint(row.sender, self.name_for("broadcast")), text)
        else:
            self.post(chat, row.sender, row.channel, row.audience, text)

    def fence(self, chat: Chat, row: ChannelRow, text: str) -> None:
        if row.channel == "broadcast":
            self.broadcast(chat, Endpoint(row.sender, self.name_for("broadcast")), text)
        else:
            self.announce(chat, row.sender, text)

    def announce(self, chat: Chat, sender: str, text: str) -> None:
        self.post(chat, sender, "broadcast", "all", text)


class Sessions(dict):
    """The sessions of a chat: whoever has none yet gets one with the pages of a switchboard."""

    def __init__(self, board: Switchboard) -> None:
        super().__init__()
        self.board = board

    def setdefault(self, member: str, default: object = None) -> Visit:
        if member not in self:
            self[member] = Visit(self.board)
        return self[member]


@dataclass
class Visit:
    """Somebody's session with the pages: they answer those who are logged in, and send others to the login."""

    board: Switchboard
    member: str = ""
    #: What was asked for.
    asked: list[str] = field(default_factory=list)

    @property
    def cookie(self) -> str:
        return f"session={self.member}" if self.member else ""

    def cookie_at(self, path: str) -> str:
        return self.cookie

    def log_in(self, member: str) -> None:
        if member == self.board.locked_out:
            raise CellFailure(Reason.PAGE_FAILED, f"{member} cannot log in: the login page answers with status 200")
        self.member = member

    def get(self, path: str) -> requests.Response:
        self.asked.append(f"GET {path}")
        return self._answer(path)

    def post(self, path: str, form: dict[str, str]) -> requests.Response:
        self.asked.append(f"POST {path}")
        channel = path.split("/")[2]
        if self.board.fails(self.member, form["message"]):
            return answer(500)
        if self.member or self.board.posts_for_strangers:
            self.board.say(channel, form.get(channel, "all"), self.member or "John", form["message"])
        return self._answer(path)

    def _answer(self, path: str) -> requests.Response:
        if path in self.board.statuses:
            return answer(self.board.statuses[path], f"Hello {self.member}")
        return answer(200, f"Hello {self.member}") if self.member or path == LOGIN else answer(302, location=LOGIN)


def answer(status: int, text: str = "", location: str = "") -> requests.Response:
    """Return an answer of a page as the sessions of real ones have it."""
    made = requests.Response()
    made.status_code, made._content = status, text.encode()
    made.encoding = "utf-8"
    if location:
        made.headers["Location"] = location
    return made


def endpoints(*names: str) -> list[Endpoint]:
    """Return all members' connections of these *names*, or of all three."""
    return [Endpoint(member, name) for member in MEMBERS for name in (names or THREE)]
