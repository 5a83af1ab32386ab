"""Faults: what becomes of messages and connections while the broker, the server or the network fails, and afterwards.

All members talk, ten messages a second. Each fault is followed by ten calm seconds. Nothing of it happens to the
cell's own broker or server.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from functools import partial

from harness.cell.outcome import Observations
from harness.cell.questions import guarded, side_by_side, twice
from harness.cell.server import CellServer
from harness.cell.ways import Way, chat_of
from harness.chat.conversation import Chat
from harness.chat.traffic import Account, Traffic
from harness.clients.connection import HandshakeRefused
from harness.errors import CellFailure
from harness.libraries.base import Variant
from harness.probes.faults.stage import FAULTS, Fault, Scene, scene
from harness.results.questions import NOT_ASKED
from harness.results.result import Finding
from harness.system.processors import processors
from harness.system.waiting import Deadline, pause

#: Seconds after a fault in which all is calm, and those within which all has to be well again.
_CALM = 10.0
_SOON = 5.0
#: Seconds of traffic before a fault, and those that a broker is late that is not there when a server starts.
_BEFORE = 1.0
_ABSENT = 2.0
_NONE = "none"
_WELL = f"receive everything again within {_SOON:.0f} s"


def ask(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Have each fault happen to all ways at once; to those once more whose answers are not as expected."""
    chat.close()
    asked: dict[str, Callable[[], list[Finding]]] = {}
    for number, fault in enumerate(FAULTS, 1):
        lacking = fault.behind == "sentinel" and not server.library.sentinel
        if lacking or not server.wants(fault.name):
            continue
        if not fault.of_broker or server.library.uses_broker:
            asked[fault.name] = _Asked(fault, server, observed, f"fault {number}").once
    if server.library.uses_broker and server.wants("The broker comes after the server"):
        asked["The broker comes after the server"] = partial(_absent, server, observed)
    each = [partial(guarded, f"{name}: can it be asked about?", partial(twice, once)) for name, once in asked.items()]
    # More at once would hold up the servers so much that messages get lost which are lost nowhere else.
    yield from side_by_side(each, processors())


class _Asked:
    """One fault, which is asked about once, or twice."""

    def __init__(self, fault: Fault, server: CellServer, observed: Observations, name: str) -> None:
        self._fault, self._server, self._observed, self._name = fault, server, observed, name
        self._times = 0
        #: The ways that are asked; all at first.
        self._wanted: list[str] | None = None

    def once(self) -> list[Finding]:
        """Have it happen, and return what is found of every way; the second time of those that were not well."""
        self._times += 1
        name = self._name if self._times == 1 else f"{self._name} again"
        found: list[Finding] = []
        bad: list[str] = []
        with scene(self._server, self._observed, name, self._wants, self._fault.behind) as here:
            for way, of_way in _suffer(self._fault, here, self._observed):
                found += of_way
                if any(each.good is False for each in of_way):
                    bad.append(way.name)
        self._wanted = bad
        return found

    def _wants(self, way: Variant) -> bool:
        """Tell whether *way* is asked: the fault concerns it, and it was not well the first time."""
        concerned = way.uses_broker or not self._fault.of_broker
        return concerned and (self._wanted is None or way.name in self._wanted)


def _suffer(fault: Fault, here: Scene, observed: Observations) -> Iterator[tuple[Way, list[Finding]]]:
    """Have members talk in all ways, let the fault happen, and yield what is found of each."""
    talking: list[tuple[Way, Traffic, Traffic]] = []
    missing: dict[str, str] = {way.name: way.missing for way in here.ways if way.chat is None}
    with ExitStack() as stack:
        for way in here.ways:
            if way.chat is None:
                continue
            try:
                staying, returning = (_begun(stack, fault, here, way.chat, returns) for returns in (False, True))
                talking.append((way, staying, returning))
            except (CellFailure, HandshakeRefused) as failure:
                missing[way.name] = str(failure)
        pause(_BEFORE)
        fault.happen(here)
        over = time.monotonic()
        pause(_CALM)
    if here.broken:
        missing, talking = {way.name: f"the server cannot be started again: {here.broken}" for way in here.ways}, []
    for way in here.ways:
        if way.name in missing:
            question = way.asked(f"{fault.name}: messages lost silently")
            yield way, [Finding(question=question, expected=_NONE, seen=f"{NOT_ASKED}: {missing[way.name]}", good=None)]
    for way, staying, returning in talking:
        accounts = staying.account(over), returning.account(over)
        for traffic in (staying, returning):
            traffic.close()
        yield way, list(_findings(fault, way, *accounts, observed))


def _begun(stack: ExitStack, fault: Fault, here: Scene, chat: Chat, returns: bool) -> Traffic:
    """Return traffic that has begun; many servers start at once here, so whoever is not heard at first tries again.

    Raises:
        CellFailure: somebody's connection does not stand.
        HandshakeRefused: somebody is not let in.
    """
    try:
        return stack.enter_context(_traffic(fault, here, chat, returns))
    except (CellFailure, HandshakeRefused):
        return stack.enter_context(_traffic(fault, here, chat, returns))


def _traffic(fault: Fault, here: Scene, chat: Chat, returns: bool) -> Traffic:
    """Return traffic over connections of its own, whose texts no other traffic has."""
    reached = here.reached_through(chat) if fault.behind == "servers" else chat
    return Traffic(chat_of(reached, Variant(chat.variant, paths=chat.paths)), returns)


def _findings(
    fault: Fault, way: Way, staying: Account, returning: Account, observed: Observations
) -> Iterator[Finding]:
    question = way.asked(f"{fault.name}: messages lost silently")
    silently = staying.silently + returning.silently
    observed.counted[question] = f"{staying}; of those who come back {returning}"
    yield Finding(question=question, expected=_NONE, seen=_NONE if not silently else "some", good=not silently)
    twice = staying.twice + returning.twice
    question = way.asked(f"{fault.name}: messages that come twice")
    yield Finding(question=question, expected=_NONE, seen="some" if twice else _NONE, good=not twice)
    if fault.survives:
        yield _recovery(way.asked(f"{fault.name}: open connections"), staying)
    if fault.ends:
        yield _recovery(way.asked(f"{fault.name}: members who come back"), returning)


def _recovery(question: str, account: Account) -> Finding:
    """Return whether all was well again soon."""
    if account.well_after is None:
        stay_away = account.closed and account.gone
        seen = f"are closed: {account.why}" if stay_away else f"do not within {_CALM:.0f} s"
        return Finding(question=question, expected=_WELL, seen=seen, good=False)
    good = account.well_after <= _SOON
    return Finding(question=question, expected=_WELL, seen=_WELL if good else "take longer", good=good)


def _absent(server: CellServer, observed: Observations) -> list[Finding]:
    """Start the servers before their broker, and look at whether members get in once that is there."""
    with scene(server, observed, "fault absent", lambda way: way.uses_broker, broker=False) as here:
        pause(_ABSENT)
        here.broker.start()
        ways = here.ways
        with ThreadPoolExecutor(len(ways) or 1) as pool:  # all at once: each has the same time
            # Each is told to stop when this thread is.
            asked = [pool.submit(copy_context().run, _let_in, way.chat) for way in ways]
            found = [each.result() for each in asked]
    expected = f"are let in within {_SOON:.0f} s, and receive"
    answers = []
    for way, (took, why) in zip(ways, found, strict=True):
        question = way.asked("The broker comes after the server: members")
        good: bool | None = not why and took <= _SOON
        seen = expected if good else "are let in later" if not why else f"are not let in: {why}"
        if way.chat is None and way.untested:
            seen, good = f"{NOT_ASKED}: {way.missing}", None
        elif way.chat is None:
            seen = f"the server does not start: {way.missing}"
        answers.append(Finding(question=question, expected=expected, seen=seen, good=good))
    return answers


def _let_in(chat: Chat | None) -> tuple[float, str]:
    """Connect everybody, again and again; return how many seconds it took, or why it could not be."""
    if chat is None:
        return 0.0, "the server does not start"
    soon = Deadline(_CALM)
    while True:
        try:
            chat.connect()
        except CellFailure as failure:
            if soon.over:
                return soon.seconds, failure.text
            chat.close()
            pause(0.2)
        else:
            took = soon.seconds - soon.left
            chat.close()
            return took, ""
