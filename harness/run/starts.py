"""Two starts of a cell's server, with a round of exchanges on each: what works once of two does not work."""

from __future__ import annotations

import dataclasses
import secrets
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from harness.cell.outcome import Observations
from harness.cell.server import CellServer, Ends
from harness.chat import exchanges
from harness.chat.conversation import Chat
from harness.chat.exchanges import HORIZON, Exchanged
from harness.chat.rounds import second_round
from harness.errors import CellFailure
from harness.results.result import Exchange
from harness.verdict import Reason

#: How many seeds there are for the order of the second round.
SEEDS = 1 << 16


@dataclass
class Start:
    """One start of the server: the chat with it, and how the round went."""

    chat: Chat
    exchanged: Exchanged

    @property
    def left(self) -> float:
        """The seconds until the horizon of its round."""
        return max(0.0, self.exchanged.over + HORIZON - time.monotonic())


@contextmanager
def started_again(server: CellServer, observed: Observations) -> Iterator[Chat]:
    """Start the server once more beside the first start, with a port, a prefix and a database of its own.

    Raises:
        CellFailure: it does not start, or somebody cannot log in or connect.
    """
    prefix, database = f"{server.prefix}-again", server.recorder.work / "chat-again.sqlite3"
    first = server.recorder.work / "chat.sqlite3"
    if first.exists():
        shutil.copyfile(first, database)
    env = {**server.env, **server.library.environment(server.broker.url, prefix, database)}
    again = dataclasses.replace(server, prefix=prefix, env=env)
    with again.serving(f"{server.name} again", observed, ends=Ends.WHILE_CLOSING) as chat:
        chat.log_in()
        chat.connect()
        yield chat


def second_exchanges(chat: Chat, server: CellServer) -> Exchanged:
    """Go through the second round on *chat*."""
    seed = secrets.randbelow(SEEDS) if server.seed is None else server.seed
    with server.recorder.own("second round") as say:
        exchanged = exchanges.run(chat, second_round(chat.token, seed))
        say(f"{exchanged} right")
    return exchanged


def wait_for_horizon(starts: Sequence[Start]) -> None:
    """Wait until the horizon of every start has been reached; then find out which connections still stand."""
    threading.Event().wait(max((start.left for start in starts), default=0.0))
    for start in starts:
        exchanges.look_at_the_end(start.chat, start.exchanged)


def judge_again(starts: Sequence[Start], until: float | None = None) -> None:
    """Judge every round by what has come until now; see :func:`harness.chat.exchanges.judge_again`."""
    for start in starts:
        exchanges.judge_again(start.chat, start.exchanged, until)


def joined(rounds: Sequence[Exchanged]) -> list[Exchange]:
    """Return the rows of the table over all rounds: one is good when it is good in each."""
    rows = []
    for found in zip(*(each.exchanges for each in rounds), strict=True):
        faults = [
            msgspec.structs.replace(fault, round=played.round.number)
            for played, exchange in zip(rounds, found, strict=True)
            for fault in exchange.faults
        ]
        rows.append(msgspec.structs.replace(found[0], good=not faults, faults=faults))
    return rows


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
