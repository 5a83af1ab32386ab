"""Endings: how connections end, and what the client, the other members and the server's side see of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

from harness.cell.outcome import Observations
from harness.cell.questions import guarded, side_by_side, twice
from harness.cell.server import CellServer
from harness.cell.ways import Way, through, ways_apart
from harness.chat import raw
from harness.chat.conversation import Chat
from harness.clients.connection import CLOSED_BY_SERVER, Endpoint, HandshakeRefused, SendFailed
from harness.clients.websocket import WebSocketConnection
from harness.errors import CellFailure
from harness.libraries.base import TRIALS, Library
from harness.results.questions import NOT_ASKED
from harness.results.result import Finding
from harness.system.proxy import Proxy
from harness.system.waiting import wait_until
from harness.verdict import Reason

#: Seconds for what ought to happen at once.
_PROMPTLY = 5.0
#: Seconds within which a refusal has to come, and those within which a silent client has to be missed.
_REFUSAL = 1.0
_MISSED = 60.0
_TWICE = 2
#: Who vanishes without a word: nobody else's connections are counted with those.
_GONE = "admin"
_OPEN = "stays open"
_RAISES, _SERVER_CLOSES = "A handler raises", "The server closes with 4400 and a reason"
_CLIENT_CLOSES = "A client closes with 4001: its disconnect handler"
_REFUSED = "A connection that is refused"
_RESET, _SILENT = "A client's connection is reset", "A client vanishes without a word"
_ENOUGH = {"trial": "close", "code": 4400, "reason": "enough"}
_WITH_REASON = "4400 and the reason “enough”"
#: What becomes of a connection whose handler raises, where that is the handler of an event and not of the connection.
_TOLD_OR_OPEN = "stays open, or is closed with 1011"


class Notes:
    """What the server's side has written down of its connections; see ``myapp/trials.py``."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def of(self, who: str, event: str = "disconnect") -> dict[str, Any] | None:
        """Return what was noted of the connection *who*; None as long as nothing is."""
        lines = self.file.read_text("utf-8").splitlines() if self.file.exists() else []
        notes = (json.loads(line) for line in lines)
        return next((note for note in notes if (note["who"], note["event"]) == (who, event)), None)


class _Side:
    """How the server's side shows that it knows of a connection's end: by a handler's note, or by a subscription."""

    def __init__(self, library: Library, notes: Notes) -> None:
        self._library, self._notes = library, notes
        self._noted = "note" in library.trials
        self._what, self._does = ("its disconnect handler", "run") if self._noted else ("its subscription", "end")

    def connect(self, chat: Chat, endpoint: Endpoint, name: str) -> WebSocketConnection:
        """Open a connection called *name* by which that shows.

        Raises:
            HandshakeRefused: the server did not open it.
            CellFailure: it is not subscribed.
        """
        if self._noted:
            line = raw.connect(chat, endpoint, query=f"trial={name}")
            # Where there is a protocol on top, the server has it only once it has heard of that.
            chat.wait_subscribed([endpoint])
            return line
        before = self.unknown(chat, endpoint.member, [])
        line = raw.connect(chat, endpoint, path=chat.path_for("user"))
        if not wait_until(lambda: self.unknown(chat, endpoint.member, []) > before, _PROMPTLY, every=0.05):
            raise CellFailure(Reason.HANDSHAKE_REFUSED, f"{endpoint.member}'s connection is not subscribed")
        return line

    def unknown(self, chat: Chat, member: str, names: list[str]) -> int:
        """Return how many of *member*'s connections, which are called *names*, are still taken to be there."""
        if self._noted:
            return sum(self._notes.of(name) is None for name in names)
        return self._library.standing(chat, member)

    def found(self, way: Way, question: str, seconds: float, good: bool, times: int = 0) -> Finding:
        """Return what is found of *question*; *times* is how often of two it was not as expected, if that is known."""
        expected = f"{self._does}s within {seconds:.0f} s"
        seen = f"does not {self._does} within {seconds:.0f} s" + (f" ({times} of {_TWICE})" if times else "")
        return way.found(f"{question}: {self._what}", expected, expected if good else seen, good, chance=times == 1)


def ask(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Ask every way how its connections end, on servers that also do what they are asked to."""
    notes = Notes(server.recorder.work / "trials.jsonl")
    settings = {TRIALS: str(notes.file)} if server.library.trials else {}
    side = _Side(server.library, notes)
    with ways_apart(server, observed, "endings", settings) as ways:
        # Nobody has to wait for the silent, who take a minute.
        asked = [partial(_of, way, server, notes, side) for way in ways]
        if not server.library.lacks(hand=True) and server.wants(_SILENT):
            asked.append(partial(_silent, [(way, way.chat) for way in ways if way.chat], side))
        yield from side_by_side(asked, len(asked))


def _of(way: Way, server: CellServer, notes: Notes, side: _Side) -> Iterator[Finding]:
    if way.chat is None:
        yield way.not_asked("Can endings be asked about?", "yes")
        return
    library = server.library
    one = _Asked(way, way.chat, library, notes, side)
    asking: dict[str, Callable[[], Iterable[Finding]]] = {}
    if "note" in library.trials:
        asking = {f"{_RAISES}: its client": one.raised, _CLIENT_CLOSES: one.closed_by_client}
    if "close" in library.trials:
        asking[f"{_SERVER_CLOSES}: its client"] = one.closed_by_server
    if library.has_login:  # else nobody is refused
        asking[_REFUSED] = one.refused
    if not library.lacks(hand=True):
        asking[_RESET] = one.reset
    for question, each in asking.items():
        if not server.wants(question.partition(":")[0]):
            continue
        yield from guarded(way.asked(question), partial(twice, each))


class _Asked:
    """The questions to one way; each opens connections of its own."""

    def __init__(self, way: Way, chat: Chat, library: Library, notes: Notes, side: _Side) -> None:
        self._way, self._chat, self._library, self._notes, self._side = way, chat, library, notes, side
        #: Whether the codes with which connections close are the application's.
        self._codes = "close" in library.trials
        self._opened = 0

    def raised(self) -> Iterator[Finding]:
        """Have a handler raise, and look at its client, the other members, and the server's side."""
        what = _RAISES
        mary, line = self._enter("Mary")
        john, _ = self._enter("John")
        self._chat.wait_subscribed([mary, john])
        line.send(self._library.trial_frame({"trial": "raise"}))
        closed, told = self._closed(mary), "is closed with 1011"
        good = closed.startswith(told) or (closed == _OPEN and not self._codes)
        yield self._way.found(f"{what}: its client", told if self._codes else _TOLD_OR_OPEN, closed, good)
        text = f"after a handler raised ({self._chat.token})"
        with suppress(SendFailed):  # then nobody can say anything any more
            self._chat.announce("admin", text)
        self._chat.transcript.wait([john], [text], _PROMPTLY)
        heard = self._chat.transcript.arrival(john, text) is not None
        seen = "receive what comes then" if heard else "receive nothing any more"
        yield self._way.found(f"{what}: the other members", "receive what comes then", seen, heard)
        ran: bool | None = None
        seen = f"does not apply: the connection {_OPEN}"
        if closed != _OPEN:
            ran = self._noted(mary) is not None
            seen = "runs" if ran else f"does not run within {_PROMPTLY:.0f} s"
        yield self._way.found(f"{what}: the disconnect handler of its connection", "runs", seen, ran)
        self._chat.close([mary, john])

    def closed_by_client(self) -> list[Finding]:
        """Close with a code of an application's own, and look at what the server's side gets of it."""
        mary, line = self._enter("Mary")
        line.say_goodbye(4001, "enough")
        seen = self._code(mary)
        self._chat.close([mary])
        if self._codes:
            return [self._way.found(_CLIENT_CLOSES, "gets 4001", seen, seen == "gets 4001")]
        ran = seen.startswith("gets")
        return [self._way.found(_CLIENT_CLOSES, "runs", "runs" if ran else seen, ran)]

    def closed_by_server(self) -> Iterator[Finding]:
        """Have the server's side close with a code and a reason, and look at what both sides get."""
        what = _SERVER_CLOSES
        mary, line = self._enter("Mary")
        line.send(json.dumps(_ENOUGH))
        closed = self._closed(mary).replace("4400 enough", _WITH_REASON)
        expected = f"is closed with {_WITH_REASON}"
        yield self._way.found(f"{what}: its client", expected, closed, closed == expected)
        seen = self._code(mary)
        yield self._way.found(f"{what}: its disconnect handler", "gets 4400", seen, seen == "gets 4400")
        self._chat.close([mary])

    def refused(self) -> list[Finding]:
        """Come without a login, and look at how soon and with what the handshake is refused."""
        http, question = self._library.refuses_by_status, _REFUSED
        expected = f"{'has an HTTP status' if http else 'is told so'} within {_REFUSAL:.0f} s"
        nobody, began = self._endpoint("nobody"), time.monotonic()
        try:
            self._chat.open(nobody, self._chat.path_for("broadcast"), "")
        except HandshakeRefused as error:
            status, took = str(error).partition(":")[0], time.monotonic() - began
            good = (status.startswith("status ") or not http) and took < _REFUSAL
            late = "" if took < _REFUSAL else ", later than that"
            return [self._way.found(question, expected, status if good else f"{error}{late}", good)]
        seen = f"is accepted first, and {self._closed(nobody)}"
        self._chat.close([nobody])
        return [self._way.found(question, expected, seen, False)]

    def reset(self) -> list[Finding]:
        """Vanish with a reset, and look at when the server's side knows."""
        mary, side = self._endpoint("Mary"), self._side
        name = self._name(mary)
        side.connect(self._chat, mary, name).vanish()
        known = wait_until(lambda: not side.unknown(self._chat, "Mary", [name]), _PROMPTLY, every=0.05)
        self._chat.close([mary])
        return [side.found(self._way, _RESET, _PROMPTLY, bool(known))]

    def _enter(self, member: str) -> tuple[Endpoint, WebSocketConnection]:
        """Open a connection that trials can be asked of.

        Raises:
            HandshakeRefused: the server did not open it.
        """
        endpoint = self._endpoint(member)
        return endpoint, raw.connect(self._chat, endpoint, query=f"trial={self._name(endpoint)}")

    def _endpoint(self, member: str) -> Endpoint:
        self._opened += 1
        return Endpoint(member, f"ending {self._opened}")

    def _name(self, endpoint: Endpoint) -> str:
        """Return what the server's side calls a connection: no other way has one of that name."""
        return f"{self._chat.token}-{endpoint.name.rpartition(' ')[2]}"

    def _closed(self, endpoint: Endpoint) -> str:
        self._chat.transcript.wait_closed(endpoint, _PROMPTLY)
        why = self._chat.transcript.closed(endpoint)
        return why.replace(CLOSED_BY_SERVER, "is closed") if why else _OPEN

    def _noted(self, endpoint: Endpoint) -> dict[str, Any] | None:
        return wait_until(lambda: self._notes.of(self._name(endpoint)), _PROMPTLY, every=0.05)

    def _code(self, endpoint: Endpoint) -> str:
        noted = self._noted(endpoint)
        return f"gets {noted['code']}" if noted else f"does not run within {_PROMPTLY:.0f} s"


def _silent(asked: list[tuple[Way, Chat]], side: _Side) -> Iterator[Finding]:
    """Have two clients of each way vanish without a word, all at once, and look at when the server's side knows.

    There are two, for what is not as expected has to be seen twice, and each takes its minute.
    """
    with ExitStack() as stack:
        unknown: dict[str, Callable[[], int]] = {}
        missing: dict[str, str] = {}
        for way, chat in asked:
            proxy = stack.enter_context(Proxy(chat.server.port))
            # A chat of their own: the other questions, which are asked meanwhile, must not wait for the silent.
            there = through(chat, proxy.port)
            names = [f"{there.token}-silent-{number}" for number in range(_TWICE)]
            try:
                for name in names:
                    side.connect(there, Endpoint(_GONE, name), name)
                unknown[way.name] = partial(side.unknown, there, _GONE, names)
            except (HandshakeRefused, CellFailure) as failure:
                missing[way.name] = str(failure)
            proxy.swallow()
        wait_until(lambda: not any(left() for left in unknown.values()), _MISSED, every=0.2)
        times = {name: left() for name, left in unknown.items()}
    for way, _ in asked:
        if way.name in times:
            yield side.found(way, _SILENT, _MISSED, not times[way.name], times[way.name])
        else:
            yield way.found(_SILENT, "is noticed", f"{NOT_ASKED}: {missing[way.name]}", None)
