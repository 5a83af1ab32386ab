"""Leaks: what a server still holds after many connections have come and gone, measured against the first time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

import msgspec
import psutil

from harness.cell.outcome import Observations
from harness.cell.server import CellServer
from harness.chat import raw
from harness.chat.conversation import Chat
from harness.clients.visits import visit
from harness.errors import CellFailure
from harness.results.questions import NOT_ASKED
from harness.results.result import Finding
from harness.system.waiting import Deadline
from harness.verdict import Reason

#: How many sockets are opened and closed, how often, and how many of them at once.
_SOCKETS = 2000
_TIMES = 5
_AT_ONCE = 100
#: The share of them that has to be let in: who is not in the end leaves nothing either.
_LET_IN = 0.9
#: Seconds until the server has noticed that they are gone.
_SETTLES = 20.0
#: Seconds after each time, and how often more, where it looks as if something were left: clients are pinged every 20 or
#: 25 s, and what is held until the next ping is not leaked.
_PAUSE = 35.0
_AGAIN = 2
#: Seconds in which nothing changes once it is still.
_STILL = 2.0
#: How much of each may be more after the last time than after the first: a pool may have grown by a few.
_MORE = {
    "file descriptors": 10,
    "threads": 5,
    "connections to the broker": 10,
    "keys in the broker": 10,
}
#: Bytes of memory that may be more: half a kB for each socket would be. Memory that fills up to a level is no leak: as
#: long as something leaks, a third of that comes after the time in the middle.
_MEMORY = 4_000_000
_NONE = "no more than after the first time"


@dataclass(frozen=True)
class _Held:
    """What a server holds: each kind of thing → how much of it; memory in bytes."""

    things: dict[str, int]
    memory: int

    def told(self, name: str) -> str:
        """Return in words how much it holds of *name*."""
        return f"{self.memory / 1e6:.0f} MB" if name == "memory" else str(self.things[name])


def ask(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Open and close many sockets several times on a server of its own, and look at what it holds after each time."""
    apart = server.apart("leaks")
    with apart.serving(f"{server.name} leaks", observed) as own:
        own.log_in()
        held: list[_Held] = []
        slowly: list[_Held] = []
        for _ in range(_TIMES):
            if refused := _come_and_go(own):
                yield Finding(question=_question("sockets"), expected=_NONE, seen=f"{NOT_ASKED}: {refused}", good=None)
                return
            held.append(_settled(apart, held[:1]))
        if any(each.good is False for each in _findings(held)):
            with suppress(CellFailure):  # then what was seen the first time is all that is known
                slowly.extend(_slowly(apart, own))
    for name in ("memory", *held[0].things):
        counted = [" → ".join(each.told(name) for each in times) for times in (held, slowly) if times]
        observed.counted[_question(name)] = f"; with {_PAUSE:.0f} s after each time ".join(counted)
    yield from _sure(list(_findings(held)), slowly)


def _question(what: str) -> str:
    return f"What is left of {_SOCKETS} sockets that came and went, {_TIMES} times: {what}"


def _come_and_go(chat: Chat) -> str:
    """Open and close the sockets once, half of them without goodbye; return why too many were not let in."""
    visitors = raw.visitors(chat, _AT_ONCE)
    for _ in range(_SOCKETS // _AT_ONCE):
        found = visit(visitors)
        if found.opened < _LET_IN * len(visitors):
            return f"{found.opened} of {len(visitors)} were let in; {found.refused}"
    return ""


def _slowly(server: CellServer, chat: Chat) -> Iterator[_Held]:
    """Yield what the server holds once it has had time, and after each further time that sockets come and go.

    What is held for a while, as a timer for each connection is, is no leak, but looks like one while ever more come.
    """
    time.sleep(_PAUSE)
    yield _held(server)
    for _ in range(_AGAIN):
        if _come_and_go(chat):
            return
        time.sleep(_PAUSE)
        yield _held(server)


def _sure(found: list[Finding], slowly: list[_Held]) -> Iterator[Finding]:
    """Return what is *found*, of which only that is left that was there again *slowly*."""
    if len(slowly) <= _AGAIN:
        yield from found
        return
    # Each time again some of it has to be left: what goes up and down does not grow.
    share = 1 / (_TIMES - 1)
    steps = [(_too_much(*each, share), each[1].memory - each[0].memory) for each in pairwise(slowly)]
    again = {_question(name): all(much[name] for much, _ in steps) for name in steps[0][0]}
    again[_question("memory")] = all(grown > _MEMORY * share for _, grown in steps)
    for each in found:
        if each.good is not False:
            yield each
        elif again[each.question]:
            yield msgspec.structs.replace(each, seen=f"{each.seen} (2 of 2)")
        else:
            yield msgspec.structs.replace(each, seen=_NONE, good=True)


def _settled(server: CellServer, first: list[_Held]) -> _Held:
    """Return what the server holds once that does not change any more; if it can, no more than the *first* time."""
    limit, last = Deadline(_SETTLES), _held(server)
    while not limit.over:
        time.sleep(_STILL)
        before, last = last, _held(server)
        few = not first or not any(_too_much(first[0], last).values())
        if last.things == before.things and few:
            break
    return last


def _held(server: CellServer) -> _Held:
    """Return what the server holds now.

    Raises:
        CellFailure: it has ended.
    """
    assert server.process is not None
    if (status := server.process.exit_status) is not None:
        raise CellFailure(Reason.EXCHANGE_WRONG, f"the server ended with exit status {status}")
    things = {"file descriptors": 0, "threads": 0}
    for each in server.process.family():
        with suppress(psutil.Error):
            things["file descriptors"] += each.num_fds()
            things["threads"] += each.num_threads()
    # Of somebody else's broker it is not known whose connections those are.
    if server.library.uses_broker and server.broker.embedded:
        things["connections to the broker"] = int(server.broker.client.info("clients")["connected_clients"])
        things["keys in the broker"] = sum(1 for _ in server.broker.client.scan_iter(match=f"*{server.prefix}*"))
    return _Held(things, server.process.memory())


def _too_much(first: _Held, last: _Held, share: float = 1.0) -> dict[str, bool]:
    """Tell of each kind of thing whether it is more by the *last* time than a *share* of what may be."""
    more = {name: last.things[name] - first.things[name] for name in last.things}
    return {name: more[name] > few * share for name, few in _MORE.items() if name in more}


def _findings(held: list[_Held]) -> Iterator[Finding]:
    first, middle, last = held[0], held[len(held) // 2], held[-1]
    for name, much in _too_much(first, last).items():
        more = last.things[name] - first.things[name]
        yield Finding(question=_question(name), expected=_NONE, seen=f"{more} more" if much else _NONE, good=not much)
    grown = last.memory - first.memory
    leaks = grown > _MEMORY and last.memory - middle.memory > _MEMORY / 3
    seen = f"{grown / 1e6:.0f} MB more" if leaks else _NONE
    yield Finding(question=_question("memory"), expected=_NONE, seen=seen, good=not leaks, chance=True)
