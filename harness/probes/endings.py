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
from harness.cell.ways import Way, ways_apart
from harness.chat import raw
from harness.chat.conversation import Chat
from harness.clients.connection import CLOSED_BY_SERVER, Endpoint, HandshakeRefused, SendFailed
from harness.clients.websocket import WebSocketConnection
from harness.libraries.base import TRIALS
from harness.results.result import Finding
from harness.system.proxy import Proxy
from harness.system.waiting import wait_until

#: Seconds for what ought to happen at once.
_PROMPTLY = 5.0
#: Seconds within which a refusal has to come, and those within which a silent client has to be missed.
_REFUSAL = 1.0
_MISSED = 60.0
_TWICE = 2
_OPEN = "stays open"
_RAISES, _SERVER_CLOSES = "A handler raises", "The server closes with 4400 and a reason"
_CLIENT_CLOSES = "A client closes with 4001: its disconnect handler"
_REFUSED, _RESET = "A connection that is refused", "A client's connection is reset: its disconnect handler"
_ENOUGH = {"trial": "close", "code": 4400, "reason": "enough"}


class Notes:
    """What the server's side has written down of its connections; see ``myapp/trials.py``."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def of(self, who: str, event: str = "disconnect") -> dict[str, Any] | None:
        """Return what was noted of the connection *who*; None as long as nothing is."""
        lines = self.file.read_text("utf-8").splitlines() if self.file.exists() else []
        notes = (json.loads(line) for line in lines)
        return next((note for note in notes if (note["who"], note["event"]) == (who, event)), None)


def ask(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Ask every way how its connections end, on servers that also do what they are asked to."""
    notes = Notes(server.recorder.work / "trials.jsonl")
    with ways_apart(server, observed, "endings", {TRIALS: str(notes.file)}) as ways:
        # Nobody has to wait for the silent, who take a minute.
        asked = [partial(_of, way, notes) for way in ways]
        silent = partial(_silent, [(way, way.chat) for way in ways if way.chat], notes)
        yield from side_by_side([*asked, silent], len(ways) + 1)


def _of(way: Way, notes: Notes) -> Iterator[Finding]:
    if way.chat is None:
        yield way.not_asked("Can endings be asked about?", "yes")
        return
    one = _Asked(way, way.chat, notes)
    asking: dict[str, Callable[[], Iterable[Finding]]] = {
        f"{_RAISES}: its client": one.raised,
        _CLIENT_CLOSES: one.closed_by_client,
        f"{_SERVER_CLOSES}: its client": one.closed_by_server,
        _REFUSED: one.refused,
        _RESET: one.reset,
    }
    for question, each in asking.items():
        yield from guarded(way.asked(question), partial(twice, each))


class _Asked:
    """The questions to one way; each opens connections of its own."""

    def __init__(self, way: Way, chat: Chat, notes: Notes) -> None:
        self._way, self._chat, self._notes = way, chat, notes
        self._opened = 0

    def raised(self) -> Iterator[Finding]:
        """Have a handler raise, and look at its client, the other members, and the server's side."""
        what = _RAISES
        mary, line = self._enter("Mary")
        john, _ = self._enter("John")
        self._chat.wait_subscribed([mary, john])
        line.send(json.dumps({"trial": "raise"}))
        closed = self._closed(mary)
        yield self._way.found(
            f"{what}: its client", "is closed with 1011", closed, closed.startswith("is closed with 1011")
        )
        text = f"after a handler raised ({self._chat.token})"
        with suppress(SendFailed):  # then nobody can say anything any more
            self._chat.announce("admin", text)
        self._chat.transcript.wait([john], [text], _PROMPTLY)
        heard = self._chat.transcript.arrival(john, text) is not None
        seen = "receive what comes then" if heard else "receive nothing any more"
        yield self._way.found(f"{what}: the other members", "receive what comes then", seen, heard)
        noted = self._noted(mary) if closed != _OPEN else None
        seen = "runs" if noted else f"does not run within {_PROMPTLY:.0f} s"
        seen = f"does not apply: the connection {_OPEN}" if closed == _OPEN else seen
        good = None if closed == _OPEN else bool(noted)
        yield self._way.found(f"{what}: the disconnect handler of its connection", "runs", seen, good)
        self._chat.close([mary, john])

    def closed_by_client(self) -> list[Finding]:
        """Close with a code of an application's own, and look at what the server's side gets of it."""
        mary, line = self._enter("Mary")
        line.say_goodbye(4001, "enough")
        seen = self._code(mary)
        self._chat.close([mary])
        return [self._way.found(_CLIENT_CLOSES, "gets 4001", seen, seen == "gets 4001")]

    def closed_by_server(self) -> Iterator[Finding]:
        """Have the server's side close with a code and a reason, and look at what both sides get."""
        what = _SERVER_CLOSES
        mary, line = self._enter("Mary")
        line.send(json.dumps(_ENOUGH))
        closed = self._closed(mary)
        yield self._way.found(
            f"{what}: its client", "is closed with 4400 enough", closed, closed == "is closed with 4400 enough"
        )
        seen = self._code(mary)
        yield self._way.found(f"{what}: its disconnect handler", "gets 4400", seen, seen == "gets 4400")
        self._chat.close([mary])

    def refused(self) -> list[Finding]:
        """Come without a login, and look at how soon and with what the handshake is refused."""
        question, expected = _REFUSED, f"has an HTTP status within {_REFUSAL:.0f} s"
        began = time.monotonic()
        try:
            nobody, _ = self._enter("")
        except HandshakeRefused as error:
            status, took = str(error).partition(":")[0], time.monotonic() - began
            good = status.startswith("status ") and took < _REFUSAL
            late = "" if took < _REFUSAL else ", later than that"
            return [self._way.found(question, expected, status if good else f"{error}{late}", good)]
        seen = f"is accepted first, and {self._closed(nobody)}"
        self._chat.close([nobody])
        return [self._way.found(question, expected, seen, False)]

    def reset(self) -> list[Finding]:
        """Vanish with a reset, and look at when the server's side knows."""
        mary, line = self._enter("Mary")
        self._chat.wait_subscribed([mary])
        line.vanish()
        noted = self._noted(mary)
        expected = f"runs within {_PROMPTLY:.0f} s"
        seen = expected if noted else f"does not run within {_PROMPTLY:.0f} s"
        self._chat.close([mary])
        return [self._way.found(_RESET, expected, seen, bool(noted))]

    def _enter(self, member: str) -> tuple[Endpoint, WebSocketConnection]:
        """Open a connection that trials can be asked of.

        Raises:
            HandshakeRefused: the server did not open it.
        """
        self._opened += 1
        endpoint = Endpoint(member or "nobody", f"ending {self._opened}")
        path = f"{self._chat.path_for('broadcast')}?trial={self._name(endpoint)}"
        line = self._chat.open(endpoint, path, member)
        assert isinstance(line, WebSocketConnection)
        return endpoint, line

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


def _silent(asked: list[tuple[Way, Chat]], notes: Notes) -> Iterator[Finding]:
    """Have two clients of each way vanish without a word, all at once, and look at when the server's side knows.

    There are two, for what is not as expected has to be seen twice, and each takes its minute.
    """
    question, expected = "A client vanishes without a word: its disconnect handler", f"runs within {_MISSED:.0f} s"
    with ExitStack() as stack:
        unknown: dict[str, list[str]] = {}
        for way, chat in asked:
            proxy = stack.enter_context(Proxy(chat.server.port))
            with suppress(HandshakeRefused):  # which is told by the other questions
                unknown[way.name] = [_connect_through(chat, proxy.port, number) for number in range(_TWICE)]
            proxy.swallow()

        def all_known() -> bool:
            for way, names in unknown.items():
                unknown[way] = [name for name in names if not notes.of(name)]
            return not any(unknown.values())

        wait_until(all_known, _MISSED, every=0.2)
    for way, _ in asked:
        if way.name in unknown:
            times = len(unknown[way.name])
            seen = f"does not run within {_MISSED:.0f} s ({times} of {_TWICE})" if times else expected
            yield way.found(question, expected, seen, not times, chance=times == 1)


def _connect_through(chat: Chat, port: int, number: int) -> str:
    """Open a connection of Mary's that goes through *port*; return what the server's side calls it."""
    endpoint = Endpoint("Mary", f"silent {port} {number}")
    name = f"{chat.token}-silent-{port}-{number}"
    raw.connect(chat, endpoint, query=f"?trial={name}", port=port)
    return name
