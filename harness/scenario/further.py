"""What is asked of somebody's own chat once its exchanges are right: what people do beside speaking in turn.

The answers are no part of the verdict: what has been judged is not judged again, whatever becomes of the connections.
What somebody said and nobody heard is asked once more after a pause: a chat may limit how often somebody speaks.
"""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

from harness.captured.output import shorten
from harness.chat import isolation
from harness.chat.conversation import Chat
from harness.chat.fencing import FENCE_DEADLINE
from harness.chat.members import ChannelRow
from harness.clients.connection import Endpoint, HandshakeRefused, SendFailed
from harness.errors import CellFailure
from harness.results.result import Finding
from harness.system.threads import whole
from harness.system.waiting import Deadline, wait_until

_SCRIPTS = "Do texts in any script arrive as they were sent?"
_AT_ONCE = "Do messages that are sent at the same time all arrive?"
_RETURNING = "Does a member who leaves and comes back hear again?"
#: A text in several scripts, with marks that belong to the letter before, and with what is quoted somewhere on its way.
_TEXT = "Grüße, Αθήνα, Москва, 東京, हिन्दी, ไทยที่, שלום, 🙂👩\u200d👧, \"quoted\" 'text' \\ 1 < 2 & 3 100%"
#: Seconds that a message may take, at least, and those that are waited for copies of it.
_PATIENCE = 2.0
_LATER = 0.5
#: Seconds before something is asked once more, until whoever comes back has to be let in, and between two tries.
_PAUSE = 2.0
_COMING_BACK = 3.0
_AGAIN = 0.2
#: How many speak at the same time at most, how often they do, and how many exchanges are gone through on returning.
_SPEAKERS = 10
_TIMES = 3
_ROWS = 5
#: Letters of what arrives instead that are shown.
_SHOWN = 80


class _Wrong(Exception):
    """What is wrong. *again* tells whether it may be for want of a pause: nobody has received what is not there."""

    def __init__(self, text: str, again: bool = False) -> None:
        super().__init__(text)
        self.again = again


class _Unclear(Exception):
    """An answer that is neither good nor bad, such as that the question could not be put: the message is the answer."""


def ask(chat: Chat, repelled: bool = False) -> Iterator[Finding]:
    """Ask whether any text arrives, what is said at the same time, and what is said to somebody who comes back.

    *repelled* tells whether strangers have been refused: some servers then refuse everybody for a while.
    """
    asked = _Asked(chat, repelled)
    for question, asking in ((_SCRIPTS, asked.scripts), (_AT_ONCE, asked.at_once), (_RETURNING, asked.returning)):
        seen, good, again = _answer(asked, asking)
        if again:
            wait_until(lambda: False, _PAUSE)
            seen, good, again = _answer(asked, asking)
        yield Finding(question=question, expected="yes", seen=seen, good=good)


def _answer(asked: _Asked, asking: Callable[[], None]) -> tuple[str, bool | None, bool]:
    """Return what was seen, whether that is good, and whether it is to be asked again."""
    try:
        asked.let_in_again()
        asking()
    except _Unclear as error:
        return str(error), None, False
    except _Wrong as error:
        return f"no: {error}", False, error.again
    except (SendFailed, HandshakeRefused, CellFailure) as error:
        return f"no: {error}", False, True
    return "yes", True, False


@dataclass
class _Asked:
    """Asks of one chat: a question raises what is wrong, if anything is."""

    chat: Chat
    repelled: bool
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        """Find the row of each member that most connections are to receive; whom nobody hears has none."""
        #: The addresses of the connections that members hold, also of those that are closed.
        self._held = {each: self.chat.addresses[each] for each in self._members}
        self._rows: dict[str, ChannelRow] = {}
        for row in sorted(self.chat.client.script.rows, key=lambda each: -len(self._expected(each))):
            if self._expected(row):
                self._rows.setdefault(row.sender, row)

    def _expected(self, row: ChannelRow) -> frozenset[Endpoint]:
        return self.chat.client.expected(row)

    @property
    def _patience(self) -> float:
        return max(_PATIENCE, 4 * self.chat.pace)

    @property
    def _members(self) -> list[Endpoint]:
        """The connections that members hold, without those that are only there for fences."""
        return [each for each in self.chat.endpoints if each.name in self.chat.paths]

    def let_in_again(self) -> None:
        """Open the members' connections again that are closed: what the question before has done is its answer.

        Raises:
            HandshakeRefused: one is not let in.
            CellFailure: one that is let in receives nothing.
        """
        self.chat.close([each for each in self.chat.endpoints if each.name not in self.chat.paths])
        there = self.chat.connections
        if gone := [each for each in self._held if each not in there or self.chat.transcript.closed(each)]:
            self.chat.close(gone)
            self._enter(gone)

    def _enter(self, endpoints: Sequence[Endpoint]) -> None:
        """Let the members of *endpoints* in again, which takes some servers a while.

        Raises:
            HandshakeRefused: one is not let in.
            CellFailure: one that is let in receives nothing.
        """
        deadline = Deadline(_COMING_BACK)
        for endpoint in endpoints:
            while not self._entered(endpoint, deadline):
                wait_until(lambda: False, _AGAIN)
        self.chat.wait_subscribed(endpoints)

    def _entered(self, endpoint: Endpoint, deadline: Deadline) -> bool:
        """Tell whether *endpoint* is let in; False where it may be tried again.

        Raises:
            HandshakeRefused: it is not, until the *deadline*.
            _Unclear: nobody would be.
        """
        try:
            self.chat.open(endpoint, self._held[endpoint], endpoint.member)
        except HandshakeRefused as error:
            if not deadline.over:
                return False
            if self.repelled or isolation.for_anybody(str(error)):
                raise _Unclear(f"not asked: nobody is let in any more: {error}") from error
            raise
        return True

    def scripts(self) -> None:
        """Say something in several scripts."""
        row = next(iter(self._rows.values()), None)
        if row is None:
            raise _Unclear("not asked: nobody hears anything")
        text = self._new(_TEXT)
        before = {each: len(self.chat.transcript.messages(each)) for each in self._members}
        self._say([row], [text])
        for endpoint in sorted(self._expected(row)):
            if (times := self.chat.transcript.arrivals(endpoint, text)) == 1:
                continue
            # Others may speak as well: what it was made of has the token in it.
            there = self.chat.ledger.unsaid(self.chat.transcript.texts(endpoint)[before[endpoint] :])
            arrived = [each for each in there if self.chat.token in each]
            if any(html.unescape(each) == text for each in arrived):
                raise _Unclear("they arrive escaped for HTML")
            how = f"as {shorten(arrived[0])[:_SHOWN]!r}" if arrived else self.chat.transcript.closed(endpoint)
            what = f"{_TEXT} arrives on {_called(endpoint)} {'twice' if times else how or 'not at all'}"
            raise _Wrong(what, again=self._heard_by_nobody(row, text) and not how)

    def at_once(self) -> None:
        """Have several members speak at the same time, several times."""
        speaking = list(self._rows.values())[:_SPEAKERS]
        if len(speaking) < 2:
            raise _Unclear("not asked: only one member speaks to anybody")
        said: list[tuple[str, ChannelRow]] = []
        for _ in range(_TIMES):
            texts = [self._new(f"at the same time, from {row.sender}") for row in speaking]
            self._say(speaking, texts)
            said += zip(texts, speaking, strict=True)
        self._wait_for_copies()
        came = _Came()
        for text, row in said:
            came.add(self.chat, row, text, self._members)
        if str(came):
            unheard = sum(len(self._expected(row)) for text, row in said if self._heard_by_nobody(row, text))
            raise _Wrong(f"of {came.wanted} messages that were to arrive {came}", again=came.lost == unheard > 0)

    def returning(self) -> None:
        """Have a member leave, another one speak meanwhile, and several once the first is back."""
        leaving = self._who_leaves()
        left = [each for each in self._members if each.member == leaving]
        self.chat.close(left)
        meanwhile = [row for row in self._rows.values() if row.sender != leaving][:_ROWS]
        self._all_hear(meanwhile, "while somebody is away", "what is said meanwhile", set(left))
        self._enter(left)
        own = [row for row in self._rows.values() if row.sender == leaving]
        self._all_hear([*meanwhile, *own], "when everybody is back", "what is said then", set())

    def _who_leaves(self) -> str:
        """Return a member who hears others; not the first, who announces fences, and rather one whom many stand behind.

        Raises:
            _Unclear: there is none.
        """
        hear = {each.member for row in self._rows.values() for each in self._expected(row) if each.member != row.sender}
        if not (there := [each for each in self.chat.members[1:] if each in hear]):
            raise _Unclear("not asked: nobody but the first member hears others")
        return there[0]

    def _all_hear(self, rows: Sequence[ChannelRow], what: str, which: str, without: set[Endpoint]) -> None:
        """Have each of *rows* said once, which all but *without* are to receive, once.

        Raises:
            _Wrong: somebody does not.
        """
        texts = [self._new(f"{what}, from {row.sender}") for row in rows]
        for row, text in zip(rows, texts, strict=True):
            self._say([row], [text], without)
        self._wait_for_copies()
        for row, text in zip(rows, texts, strict=True):
            for endpoint in self._members:
                times = self.chat.transcript.arrivals(endpoint, text)
                if times != int(endpoint in self._expected(row) - without):
                    how = "received twice" if times > 1 else "received" if times else "not received"
                    wrong = f"{which} is {how} on {_called(endpoint)}, from {row.sender}"
                    raise _Wrong(wrong, again=self._heard_by_nobody(row, text))

    def _heard_by_nobody(self, row: ChannelRow, text: str) -> bool:
        """Tell whether not even one of those who are to receive *text* has, as *row* had it said."""
        return not any(self.chat.transcript.arrivals(each, text) for each in self._expected(row))

    def _new(self, what: str) -> str:
        """Return a text that has not been said before."""
        return f"{what} ({self.chat.token}, {next(self._numbers)})"

    def _say(self, rows: Sequence[ChannelRow], texts: Sequence[str], without: Iterable[Endpoint] = ()) -> None:
        """Say *texts* as *rows* do, at the same time, and wait until they, or fences behind them, are there.

        Raises:
            SendFailed: the server does not take one.
        """
        start = threading.Barrier(len(texts))

        def say(row: ChannelRow, text: str) -> None:
            start.wait()
            self.chat.say(row, text)

        with ThreadPoolExecutor(len(texts)) as pool:
            with whole():
                saying = [pool.submit(say, row, text) for row, text in zip(rows, texts, strict=True)]
            for each in saying:
                each.result()
        deadline = Deadline(self._patience)
        there = [self._expected(row).difference(without) for row in rows]
        came = [self.chat.transcript.wait(who, [text], deadline.left) for who, text in zip(there, texts, strict=True)]
        for row, arrived in zip(rows, came, strict=True):
            if not arrived:  # behind its own fence it will not come any more
                with suppress(SendFailed):
                    self.chat.fence_behind(row, FENCE_DEADLINE, Deadline(FENCE_DEADLINE))

    def _wait_for_copies(self) -> None:
        with suppress(SendFailed):  # what cannot be said any more was not received either
            self.chat.announce_fence()
        wait_until(lambda: False, _LATER)


@dataclass
class _Came:
    """What came of messages: each counts once for each connection."""

    wanted: int = 0
    lost: int = 0
    twice: int = 0
    others: int = 0
    altered: int = 0

    def add(self, chat: Chat, row: ChannelRow, text: str, endpoints: Iterable[Endpoint]) -> None:
        """Count the message *text* of *row* on *endpoints*."""
        expected, says = chat.client.expected(row), chat.client.says(row, text)
        for endpoint in endpoints:
            came = [each for each in chat.transcript.messages(endpoint) if each.text == text]
            if endpoint in expected:
                self.wanted += 1
                self.lost += not came
                self.twice += len(came) > 1
                self.altered += any(
                    each.says.get(what, right) != right for each in came for what, right in says.items()
                )
            else:
                self.others += bool(came)

    def __str__(self) -> str:
        counted = (
            (self.lost, "did not"),
            (self.twice, "came twice"),
            (self.others, "came to others"),
            (self.altered, "said something else of who sent it"),
        )
        return ", ".join(f"{number} {what}" for number, what in counted if number)


def _called(endpoint: Endpoint) -> str:
    return f"{endpoint.member}'s {endpoint.name}"
