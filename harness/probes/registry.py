"""The probes by their names, and how those that are asked for are put to a cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.cell import questions
from harness.cell.outcome import Observations
from harness.cell.server import CellServer
from harness.chat.conversation import Chat
from harness.errors import UsageError
from harness.libraries.base import Library
from harness.probes import delivery, payloads, transports
from harness.results.result import Finding, Probe


@dataclass(frozen=True)
class Kind:
    """What a probe asks, and of which libraries there is something to ask."""

    ask: Callable[[Chat, CellServer, Observations], Iterator[Finding]]
    applies: Callable[[Library], bool] = lambda _: True
    #: Whether it is also asked of a cell whose exchanges went wrong: it says more of what is wrong then.
    always: bool = False
    #: Whether it wants the machine for itself, for minutes; ``all`` leaves it out.
    alone: bool = False


def _browser(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    from harness.probes import browser  # what drives browsers takes long to import, and few ask for it

    return browser.ask(chat, server, observed)


def _load(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    from harness.probes import load

    return load.ask(chat, server, observed)


def _stress(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    from harness.probes import stress

    return stress.ask(chat, server, observed)


#: Each probe by its name, in the order in which they are run.
PROBES: dict[str, Kind] = {
    "payloads": Kind(payloads.ask),
    "delivery": Kind(delivery.ask),
    "transports": Kind(transports.ask, lambda library: library.polls),
    "browser": Kind(_browser, lambda library: library.browsed, always=True),
    "load": Kind(_load, alone=True),
    "stress": Kind(_stress, alone=True),
}


def chosen(names: Sequence[str]) -> list[str]:
    """Return the probes that *names* stand for; ``all`` is all that do not want the machine for themselves.

    Raises:
        UsageError: there is no such probe.
    """
    unknown = [name for name in names if name not in PROBES and name != "all"]
    if unknown:
        raise UsageError(f"there is no probe called {unknown[0]!r}", f"known: {', '.join(PROBES)}, all")
    return [name for name, kind in PROBES.items() if name in names or ("all" in names and not kind.alone)]


def run(names: Sequence[str], chat: Chat, server: CellServer, observed: Observations) -> list[Probe]:
    """Ask every probe in *names* that there is something to ask of."""
    answered = []
    for name in names:
        kind = PROBES[name]
        if not kind.applies(server.library) or (observed.channels is not None and not kind.always):
            continue
        answered.append(Probe(name=name, findings=[]))
        questions.ask(
            f"probe {name}", PROBES[name].ask(chat, server, observed), answered[-1].findings, chat, server.recorder
        )
    return answered
