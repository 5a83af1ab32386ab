"""The probes by their names, and how those that are asked for are put to a cell."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module

import msgspec
from filelock import FileLock

from harness import HERE, PACKAGE, __version__
from harness.captured.output import shorten
from harness.cell import questions
from harness.cell.identify import digest
from harness.cell.outcome import Observations
from harness.cell.server import CellServer
from harness.chat.conversation import Chat
from harness.errors import UsageError
from harness.libraries.base import Library
from harness.probes import (
    amounts,
    blocking,
    delivery,
    deployment,
    endings,
    faults,
    leaks,
    payloads,
    sessions,
    transports,
)
from harness.results import deep
from harness.results.result import Finding, Probe, Step

#: Letters of an answer to a deep set.
_SEEN = 300


@dataclass(frozen=True)
class Kind:
    """What a probe asks, and of which libraries there is something to ask."""

    ask: Callable[[Chat, CellServer, Observations], Iterator[Finding]]
    own: Callable[[Library], bool] = lambda _: True
    #: Why it is not asked of the others.
    otherwise: str = "there is nothing to ask"
    #: Whether it needs a hand inside the application; else somebody's own chat is asked as well.
    hand: bool = True
    #: Whether it is also asked of a cell whose exchanges went wrong: it says more of what is wrong then.
    always: bool = False
    #: Whether it wants the machine for itself, for minutes; ``all`` leaves it out.
    alone: bool = False
    #: Whether it belongs to the sets of ``deep``, which ``all`` leaves out.
    deep: bool = False

    def lacks(self, library: Library) -> str:
        """Return why it cannot be asked of *library*; empty where it can."""
        return library.lacks(self.hand) or ("" if self.own(library) else self.otherwise)

    def applies(self, library: Library) -> bool:
        """Tell whether there is something to ask of *library*."""
        return not self.lacks(library)

    @property
    def usual(self) -> bool:
        """Whether ``all`` asks it: it takes no minutes."""
        return not (self.alone or self.deep)


def _imported(name: str) -> Callable[[Chat, CellServer, Observations], Iterator[Finding]]:
    """Return what asks the probe *name*, which takes long to import, and which few ask for."""

    def ask(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
        found: Iterator[Finding] = import_module(f"{PACKAGE}.probes.{name}").ask(chat, server, observed)
        return found

    return ask


#: Each probe by its name, in the order in which they are run.
PROBES: dict[str, Kind] = {
    "payloads": Kind(payloads.ask, hand=False),
    "delivery": Kind(delivery.ask, hand=False),
    "transports": Kind(transports.ask, lambda library: library.polls),
    "browser": Kind(_imported("browser"), lambda library: library.browsed, always=True),
    "endings": Kind(
        endings.ask,
        # Without a hand inside nothing is asked but whether strangers are refused.
        lambda library: bool(library.trials) or (library.lacks(hand=True) != "" and library.has_login),
        "there is no login",
        hand=False,
        deep=True,
    ),
    "amounts": Kind(amounts.ask, deep=True),
    "faults": Kind(faults.ask, hand=False, deep=True),
    "sessions": Kind(sessions.ask, deep=True),
    "deployment": Kind(deployment.ask, deep=True),
    "conformance": Kind(_imported("conformance"), deep=True),
    "blocking": Kind(blocking.ask, deep=True, alone=True),
    "leaks": Kind(leaks.ask, deep=True, alone=True),
    "load": Kind(
        _imported("load"),
        lambda library: library.by_cookies,
        "members are let in by more than cookies",
        hand=False,
        alone=True,
    ),
    "stress": Kind(_imported("stress"), alone=True),
}


def chosen(names: Sequence[str]) -> list[str]:
    """Return the probes that *names* stand for.

    ``deep`` is the sets of that kind, ``all`` is all others that do not want the machine for themselves.

    Raises:
        UsageError: there is no such probe.
    """
    unknown = [name for name in names if name not in PROBES and name not in ("all", "deep")]
    if unknown:
        raise UsageError(f"there is no probe called {unknown[0]!r}", f"known: {', '.join(PROBES)}, all, deep")

    def wanted(name: str, kind: Kind) -> bool:
        usual = "all" in names and kind.usual
        return name in names or usual or ("deep" in names and kind.deep)

    return [name for name, kind in PROBES.items() if wanted(name, kind)]


def run(names: Sequence[str], chat: Chat, server: CellServer, observed: Observations) -> list[Probe]:
    """Ask every probe in *names* that there is something to ask of."""
    answered = []
    # What an older harness had answered is not mixed with what this one asks.
    made_with = {**server.packages, "harness": f"{__version__} {digest(HERE)[:16]}"}
    progress = deep.Progress(server.reports, server.cell.name, made_with)
    for name in names:
        kind = PROBES[name]
        if not kind.applies(server.library) or (observed.channels is not None and not kind.always):
            continue
        if kind.deep:
            answered.append(_deep(name, chat, server, observed, progress))
            continue
        answered.append(Probe(name=name, findings=[]))
        asking = _asking(name, chat, server, observed)
        questions.ask(f"probe {name}", asking, answered[-1].findings, chat, server.recorder)
    if any(PROBES[name].deep for name in names):
        progress.end()
    return answered


def _asking(name: str, chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Ask the probe *name*; where one question of it is asked alone, no further than to its answer."""
    findings = PROBES[name].ask(chat, server, observed)
    for finding in findings:
        yield finding
        if server.only is not None and server.only.answers(finding):
            break
    if isinstance(findings, Generator):
        findings.close()  # which stops the servers that it has started


def _clean(finding: Finding, server: CellServer) -> Finding:
    """Return what was found without a path of the machine, and no longer than a table has room for."""
    return msgspec.structs.replace(finding, seen=shorten(server.recorder.scrub(finding.seen))[:_SEEN])


def _deep(name: str, chat: Chat, server: CellServer, observed: Observations, progress: deep.Progress) -> Probe:
    """Ask a deep set, or take what a run that was broken off had answered; return what stands of it in the result."""
    if (before := progress.answered(name)) is not None:
        server.recorder.add(Step(name=f"probe {name}", outcome="ok", text="answered before it was broken off"), 0.0)
        return before.summary
    findings: list[Finding] = []
    # What measures time or memory waits for what else does so on this machine.
    with FileLock(server.reports.load_lock) if PROBES[name].alone else nullcontext():
        began, started = time.monotonic(), datetime.now(UTC)
        # What is counted there stands with the set, not in the result.
        counted, observed.counted = observed.counted, {}
        try:
            # Each start of a server would be a step.
            with server.recorder.passing(f"{server.name} "):
                asking = _asking(name, chat, server, observed)
                questions.ask(f"probe {name}", asking, findings, chat, server.recorder)
        finally:
            counted, observed.counted = observed.counted, counted
    answered = deep.DeepSet(
        cell=server.cell.name,
        library=server.library.name,
        server=server.setup.server.name,
        name=name,
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - began, 1),
        versions=server.packages,
        findings=[_clean(each, server) for each in findings],
        counted={question: server.recorder.scrub(text) for question, text in counted.items()},
    )
    progress.add(answered)
    return answered.summary
