"""Two starts of a cell's server, with a round of exchanges on each: what works once of two does not work."""

from __future__ import annotations

import dataclasses
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from threading import Thread

from harness.cell.outcome import Observations
from harness.cell.server import CellServer, Ends
from harness.chat import ending, exchanges
from harness.chat.conversation import Chat
from harness.chat.exchanges import HORIZON, Exchanged
from harness.chat.ledger import Ledger
from harness.chat.rounds import SEEDS, Round, second_round
from harness.errors import CellFailure, HarnessError
from harness.results.result import Step
from harness.system import threads
from harness.system.waiting import Deadline, wait_until
from harness.verdict import Reason

#: Seconds between two looks at a start that is to end.
_A_MOMENT = 0.02


@dataclass
class Start:
    """One start of the server: the chat with it, and how the round went."""

    chat: Chat
    exchanged: Exchanged

    @property
    def left(self) -> float:
        """The seconds until the horizon of its round."""
        return max(0.0, self.exchanged.over + HORIZON - time.monotonic())


class SecondStart:
    """The second start of a server, which is made beside the first one, while that is asked.

    It has a port, a prefix and a database of its own. Its steps are shown, and count, once somebody takes it; until
    then nothing of it is seen, and when the block is left before that it has never been.
    """

    def __init__(self, server: CellServer, observed: Observations) -> None:
        """*server* has just been started; what is seen of the second start comes into *observed*."""
        self._first, self._observed, self._own = server, observed, Observations()
        apart = server.recorder.work / "again"
        apart.mkdir(exist_ok=True)
        self._server = server.with_own_members("again")  # before anybody writes to them
        self._server.recorder = dataclasses.replace(
            server.recorder, evidence=apart, watcher=_Nobody(), steps=[], seconds={}
        )
        self._stack = ExitStack()
        self._chat: Chat | None = None
        self._failure: Exception | None = None
        self._thread: Thread | None = None

    def __enter__(self) -> SecondStart:
        return self

    def begin(self) -> None:
        """Begin to start it."""
        self._thread = Thread(target=self._start, name="second start", daemon=True)
        threads.start(self._thread)

    def _start(self) -> None:
        name = f"{self._server.name} again"
        try:
            self._chat = self._stack.enter_context(self._server.serving(name, self._own, ends=Ends.WHILE_CLOSING))
        except Exception as failure:  # whatever it is: it goes on where the start is taken
            self._failure = failure

    @contextmanager
    def taken(self, ledger: Ledger) -> Iterator[Chat]:
        """Yield a chat in which all members are connected; stop the server when the block is left.

        *ledger* is that of the first start: where the two have a broker in common, what is said to one may reach the
        other, and is known there.

        Raises:
            CellFailure: it did not start, or somebody cannot log in or connect.
            HarnessError: it did not start, and that is not its own fault.
        """
        assert self._thread is not None, "it has begun"
        try:
            self._thread.join()
            self._show()
            if self._failure is not None:
                raise self._failure
            assert self._chat is not None
            if not self._first.library.keeps_apart:
                self._chat.ledger = ledger
            self._chat.log_in()
            # Who somebody is comes from their session, and not from who came first.
            self._chat.connect(backwards=True)
            yield self._chat
        finally:
            if not self._thread.is_alive():
                self._stack.close()
            self._observed.stopped.update(self._own.stopped)
            self._observed.stopping.extend(self._own.stopping)

    def _show(self) -> None:
        """Hand over to the first start's recorder what has been recorded until now, and what will be."""
        apart, recorder = self._server.recorder, self._first.recorder
        for step in apart.steps:
            recorder.watcher.begin(step.name)
            recorder.add(step, apart.seconds[step.name])
        for file in apart.evidence.iterdir():
            file.rename(recorder.evidence / file.name)
        self._observed.repeated.extend(self._own.repeated)
        self._server.recorder = recorder

    def __exit__(self, *raised: object) -> None:
        if self._thread is None:
            return
        self._kill()
        while self._thread.is_alive():  # perhaps there was nothing to kill yet
            self._thread.join(_A_MOMENT)
            self._kill()
        with suppress(CellFailure, HarnessError):  # such as that it was killed
            self._stack.close()

    def _kill(self) -> None:
        if self._server.process is not None:
            self._server.process.kill()


class _Nobody:
    """Who watches the steps that may never have been."""

    def begin(self, name: str) -> None: ...

    def end(self, step: Step, seconds: float) -> None: ...


def play(chat: Chat, server: CellServer, name: str, planned: Round) -> Exchanged:
    """Go through a round as the step *name*, which fails where something was wrong."""
    exchanged: Exchanged | None = None
    try:
        with server.recorder.own(name) as say:
            exchanged = exchanges.run(chat, planned)
            say(f"{exchanged} right")
            exchanges.check(exchanged)
    except CellFailure:
        if exchanged is None:
            raise
    return exchanged


def second_exchanges(chat: Chat, server: CellServer) -> Exchanged:
    """Go through the second round on *chat*."""
    seed = secrets.randbelow(SEEDS) if server.seed is None else server.seed
    return play(chat, server, "second round", second_round(chat.token, seed, chat.client.script))


def right_by_now(starts: Sequence[Start]) -> bool:
    """Tell whether all is right, at the horizon at the latest: what is slow was missing when its round was over."""
    horizon = Deadline(max((start.left for start in starts), default=0.0))
    return wait_until(lambda: all(exchanges.right_by_now(each.chat, [each.exchanged]) for each in starts), horizon, 0.2)


def wait_for_horizon(starts: Sequence[Start], until: float | None = None, tried: float | None = None) -> None:
    """Wait until the horizon of every start has been reached; then find out which connections still stand.

    *tried* is when strangers began to try, at the first start alone; None where they did not. *until* is the same where
    what they do to others is told apart.
    """
    threading.Event().wait(max((start.left for start in starts), default=0.0))
    for start in starts:
        ending.look_at_the_end(start.chat, start.exchanged, until, tried if start is starts[0] else None)


def judge_again(starts: Sequence[Start], until: float | None = None) -> None:
    """Judge every round by what has come until now; see :func:`harness.chat.exchanges.judge_again`."""
    for start in starts:
        exchanges.judge_again(start.chat, start.exchanged, until)


def check(starts: Sequence[Start]) -> None:
    """Make sure that each row was right in every round.

    Raises:
        CellFailure: one was not.
    """
    wrong = [start for start in starts if start.exchanged.wrong]
    if not wrong:
        return
    if len(wrong) < len(starts) and not wrong[0].exchanged.too_slow:
        nth = "first" if wrong[0] is starts[0] else "second"
        text = f"in the {nth} round {exchanges.what_was_wrong(wrong[0].exchanged)}"
        if wrong[0].exchanged.answered:  # another order, and texts that are said twice: the same each time
            raise CellFailure(Reason.EXCHANGE_WRONG, text)
        raise CellFailure(Reason.NOT_EVERY_TIME, f"right once of two times; {text}")
    exchanges.check(wrong[0].exchanged)
