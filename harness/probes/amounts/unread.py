"""Somebody who does not read for a while: what becomes of that one, of the others, and of the server's memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from harness.cell.outcome import Observations
from harness.cell.questions import side_by_side
from harness.cell.ways import Way
from harness.chat import raw
from harness.clients.connection import Endpoint, HandshakeRefused, SendFailed
from harness.errors import CellFailure
from harness.results.questions import NOT_ASKED
from harness.results.result import Finding
from harness.system.processors import processors
from harness.system.waiting import Deadline, pause, wait_until

#: Messages that are sent meanwhile, the letters of each, the seconds of it, and the bytes that may have arrived there.
_UNREAD = 1000
_LENGTH = 10_000
_PAUSE = 10.0
_BUFFER = 65_536
#: Bytes of memory that a server may take for one who does not read.
_MEMORY = 50_000_000
#: After how many messages it is waited for that the others have them, and the seconds for that.
_PACE = 20
_EACH = 0.2
#: Seconds for one message, and for all that was not read.
_PATIENCE = 2.0
_MANY_PATIENCE = 30.0
_ALL = "all are received"
#: What the questions here begin with.
QUESTION = f"While somebody does not read for {_PAUSE:.0f} s"


def ask(ways: list[Way], observed: Observations) -> Iterator[Finding]:
    """Ask about somebody who does not read, of several *ways* at once, each of which has a server of its own."""
    asked = [_Unread(way) for way in ways if way.chat]
    # Each sends ten megabytes.
    yield from side_by_side([partial(each.findings, observed) for each in asked], 2 * processors())


class _Unread:
    """Mary of one way, who does not read while John sends a lot; admin reads all of it."""

    def __init__(self, way: Way) -> None:
        assert way.chat is not None
        self._way, self._chat = way, way.chat
        self._mary, self._john, self._admin = (Endpoint(member, "unread") for member in ("Mary", "John", "admin"))
        self._missing, self._sent = "", 0
        self._memory, self._fenced = 0, False

    def _begin(self) -> None:
        """Connect, and have Mary read nothing more."""
        chat = self._chat
        try:
            self._line = raw.connect(chat, self._mary, buffer=_BUFFER)
            for endpoint in (self._john, self._admin):
                chat.open(endpoint, chat.path_for("broadcast"), endpoint.member)
            chat.wait_subscribed([self._mary, self._john, self._admin])
        except (HandshakeRefused, CellFailure) as failure:
            self._missing = str(failure)
            return
        self._memory = self._taken()
        self._line.pause()

    def _say(self) -> None:
        """Have John send everything, no faster than admin reads it."""
        chat = self._chat
        self._texts = [f"unread {number} ({chat.token}) ".ljust(_LENGTH, ".") for number in range(_UNREAD)]
        with suppress(SendFailed):
            for text in self._texts:
                chat.broadcast(self._john, text)
                self._sent += 1
                if self._sent % _PACE == 0:  # some libraries keep one back until the next comes
                    chat.transcript.wait([self._admin], [text], _EACH)
            self._fenced = self._fence(self._admin)

    def findings(self, observed: Observations) -> Iterator[Finding]:
        """Have John talk while Mary does not read; return what became of both, of admin, and of the server."""
        self._begin()
        what = QUESTION
        if self._missing:
            yield self._way.found(f"{what}: the others", _ALL, f"{NOT_ASKED}: {self._missing}", None)
            return
        over = Deadline(_PAUSE)
        self._say()
        pause(over.left)
        chat, sent = self._chat, self._texts[: self._sent]
        grown = self._taken() - self._memory
        others = len(set(sent).intersection(chat.transcript.texts(self._admin)))
        observed.counted[self._way.asked(f"{what}: the others")] = f"{others} of {len(sent)}"
        if len(sent) < _UNREAD:
            # It may be that nobody can send so much at once, whoever reads or does not.
            yield self._way.found(f"{what}: the others", _ALL, "not proved: their sender's connection ends", None)
            chat.close([self._mary, self._john, self._admin])
            return
        good: bool | None = others == _UNREAD
        if not good and not self._fenced:
            yield self._way.found(f"{what}: the others", _ALL, "not proved: what was sent behind it did not come", None)
        else:
            yield self._way.found(f"{what}: the others", _ALL, _ALL if good else "some are lost", good)
        if self._way.process is not None:
            good, expected = grown < _MEMORY, f"takes less than {_MEMORY / 1e6:.0f} MB for it"
            yield self._way.found(
                f"{what}: its server", expected, expected if good else f"takes {grown / 1e6:.0f} MB", good
            )
        self._line.go_on()
        fenced = self._fence(self._mary)

        def received() -> int:
            return len(set(sent).intersection(chat.transcript.texts(self._mary)))

        wait_until(lambda: received() == len(sent) or chat.transcript.closed(self._mary), _PATIENCE, every=0.1)
        number, closed = received(), chat.transcript.closed(self._mary)
        question = self._way.asked(f"{what}: what is received afterwards")
        observed.counted[question] = f"{number} of {len(sent)}"
        expected = "all of it, or the connection is closed"
        if number == len(sent):
            seen, good = "all of it", True
        elif closed:
            seen, good = f"not all: {closed}", True
        elif fenced:
            seen, good = "not all, silently", False
        else:
            seen, good = "not proved: what was sent behind it did not come", None
        yield Finding(question=question, expected=expected, seen=seen, good=good, chance=True)
        chat.close([self._mary, self._john, self._admin])

    def _fence(self, endpoint: Endpoint) -> bool:
        """Have John say something behind it all; tell whether *endpoint* has it."""
        chat, broadcast = self._chat, self._chat.client.broadcast
        with suppress(SendFailed):
            fences = chat.fence_all(lambda fence: broadcast(chat, self._john, fence), [endpoint], _MANY_PATIENCE)
            return chat.transcript.has_one(endpoint, fences)
        return False

    def _taken(self) -> int:
        """Return how many bytes of memory the server has."""
        return self._way.process.memory() if self._way.process else 0
