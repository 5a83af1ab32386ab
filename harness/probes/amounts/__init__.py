"""Amounts: many messages by one handler, a reader that does not read, the largest message, and many groups."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from harness.cell.outcome import Observations
from harness.cell.questions import guarded, twice
from harness.cell.server import CellServer, Ends
from harness.cell.ways import Way, ways_apart
from harness.chat.conversation import Chat
from harness.libraries.base import TRIALS
from harness.probes.amounts import bursts, groups, largest, unread
from harness.results.result import Finding


def ask(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Ask every way on servers of their own; whose server takes no trials is asked less."""
    if "burst" in server.library.trials:
        notes = server.recorder.work / "trials.jsonl"
        with ways_apart(server, observed, "amounts", {TRIALS: str(notes)}) as ways:
            if server.wants(bursts.QUESTION):
                yield from bursts.ask(ways, server, observed)
            if {"weigh", "grow"} <= server.library.trials and server.wants("The largest", "A message that is larger"):
                yield from guarded("The largest message from a client", partial(largest.ask, ways))
            if server.wants(unread.QUESTION):
                yield from unread.ask(ways, observed)
    else:
        with server.apart("amounts").serving(f"{server.name} amounts", observed, ends=Ends.AT_ONCE) as own:
            own.log_in()
            yield from unread.ask([Way("", own)], observed)
    if server.wants("A member of 1000 groups"):
        yield from guarded("A member of 1000 groups", partial(twice, partial(groups.ask, server, observed)))
