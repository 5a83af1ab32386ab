"""Ask a set of questions of a running cell, one step for the set; what was found before it broke off is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import msgspec

from harness.cell.steps import Recorder
from harness.chat.conversation import Chat
from harness.clients.connection import HandshakeRefused, SendFailed
from harness.errors import CellFailure
from harness.results.questions import NOT_ASKED
from harness.results.result import BROKEN_OFF, Finding, as_expected
from harness.system.waiting import stopped, stopped_by, wait_until
from harness.verdict import Reason

#: Seconds that a server may take to end after what it broke off.
_DYING = 0.5
#: What breaks off a set of questions, and is no fault of the harness.
_BREAKS = (SendFailed, CellFailure, HandshakeRefused, ConnectionError, TimeoutError)


def ask(name: str, asking: Iterable[Finding], findings: list[Finding], chat: Chat, recorder: Recorder) -> None:
    """Ask a set of questions as the step *name*; what is found is in *findings*, also when it is broken off."""
    with suppress(CellFailure), recorder.own(name) as say:
        broken_off = _collect(asking, findings, chat)
        say(as_expected(findings))
        if broken_off:
            raise CellFailure(Reason.EXCHANGE_WRONG, f"broken off: {broken_off}")


def twice(asking: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Ask, and ask once more where an answer is not as expected; such an answer says how often of two it came."""
    first, broken_off = _as_far_as(asking)
    second: dict[str, Finding] = {}
    if not broken_off and not stopped() and any(each.good is False for each in first):
        # What breaks off the second time was answered once all the same.
        second = {each.question: each for each in _as_far_as(asking)[0]}
    for each in first:
        again = second.get(each.question)
        if each.good is not False or again is None or again.good is None:
            yield each
        else:
            times = 1 + (again.good is False)
            yield msgspec.structs.replace(each, seen=f"{each.seen} ({times} of 2)", chance=times == 1)
    if broken_off:
        raise broken_off


def _as_far_as(asking: Callable[[], Iterable[Finding]]) -> tuple[list[Finding], Exception | None]:
    """Return what is found before that breaks off, and what broke it off."""
    found: list[Finding] = []
    try:
        found.extend(asking())
    except _BREAKS as error:
        return found, error
    return found, None


def guarded(question: str, asking: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Ask; where that cannot be done say why, as the answer to *question*, for others can still be asked."""
    try:
        yield from asking()
    except _BREAKS as error:
        yield Finding(question=question, expected="an answer", seen=f"{NOT_ASKED}: {error}", good=None)


def side_by_side(asking: Sequence[Callable[[], Iterable[Finding]]], at_once: int) -> Iterator[Finding]:
    """Ask several things beside each other, at most *at_once*, and yield the answers in their order.

    When that is broken off nothing waits any longer; what is asked is waited for, for it may have started servers.
    """
    stop = threading.Event()
    pool = ThreadPoolExecutor(max(at_once, 1))

    def ask(each: Callable[[], Iterable[Finding]]) -> list[Finding]:
        with stopped_by(stop):
            return list(each())

    try:
        for found in pool.map(ask, asking):
            yield from found
    except BaseException:
        stop.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _collect(asking: Iterable[Finding], findings: list[Finding], chat: Chat) -> str:
    """Add to *findings* what *asking* finds; return what broke it off, which is a finding as well."""
    broken_off = ""
    try:
        findings.extend(asking)
    except _BREAKS as error:
        broken_off = str(error) or type(error).__name__
    question = BROKEN_OFF[0]
    # A server that dies drops its connections a moment before it is gone.
    if broken_off:
        wait_until(lambda: chat.server.exit_status() is not None, _DYING)
    if (status := chat.server.exit_status()) is not None:
        broken_off = f"the server had ended with exit status {status}"
        question = BROKEN_OFF[1]
    if broken_off:
        findings.append(Finding(question=question, expected="yes", seen=broken_off, good=False))
    return broken_off
