"""Probes: further questions to a cell that take longer, and are asked only when told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import CellFailure, UsageError
from harness.libraries.base import SendFailed
from harness.probes import delivery, payloads, transports
from harness.result import BROKEN_OFF, Finding, Probe, Reason, as_expected
from harness.sockets import HandshakeRefused

if TYPE_CHECKING:
    from harness.chat import Chat
    from harness.libraries.base import Library
    from harness.serve import Served, Site
    from harness.steps import Recorder


@dataclass(frozen=True)
class Kind:
    """What a probe asks, and of which libraries there is something to ask."""

    ask: Callable[[Chat, Site, Served], Iterator[Finding]]
    applies: Callable[[Library], bool] = lambda _: True
    #: Whether it is also asked of a cell whose exchanges went wrong: it says more of what is wrong then.
    always: bool = False
    #: Whether it wants the machine for itself, for minutes; ``all`` leaves it out.
    alone: bool = False


def _browser(chat: Chat, site: Site, served: Served) -> Iterator[Finding]:
    from harness.probes import browser  # what drives browsers takes long to import, and few ask for it

    return browser.ask(chat, site, served)


def _load(chat: Chat, site: Site, served: Served) -> Iterator[Finding]:
    from harness.probes import load

    return load.ask(chat, site, served)


#: Each probe by its name, in the order in which they are run.
PROBES: dict[str, Kind] = {
    "payloads": Kind(payloads.ask),
    "delivery": Kind(delivery.ask),
    "transports": Kind(transports.ask, lambda library: library.polls),
    "browser": Kind(_browser, lambda library: library.browsed, always=True),
    "load": Kind(_load, alone=True),
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


def run(names: Sequence[str], chat: Chat, site: Site, served: Served) -> list[Probe]:
    """Ask every probe in *names* that there is something to ask of."""
    answered = []
    for name in names:
        kind = PROBES[name]
        if not kind.applies(site.library) or (served.channels is not None and not kind.always):
            continue
        answered.append(Probe(name=name, findings=[]))
        ask(f"probe {name}", PROBES[name].ask(chat, site, served), answered[-1].findings, chat, site.recorder)
    return answered


def ask(name: str, asking: Iterable[Finding], findings: list[Finding], chat: Chat, recorder: Recorder) -> None:
    """Ask a set of questions as the step *name*; what is found is in *findings*, also when it is broken off."""
    with suppress(CellFailure), recorder.own(name) as say:
        broken_off = _collect(asking, findings, chat)
        say(as_expected(findings))
        if broken_off:
            raise CellFailure(Reason.EXCHANGE_WRONG, f"broken off: {broken_off}")


def _collect(asking: Iterable[Finding], findings: list[Finding], chat: Chat) -> str:
    """Add to *findings* what *asking* finds; return what broke it off, which is a finding as well."""
    broken_off = ""
    try:
        findings.extend(asking)
    except (SendFailed, CellFailure, HandshakeRefused) as error:
        broken_off = str(error)
    question = BROKEN_OFF[0]
    if chat.server.exit_status is not None:
        broken_off = f"the server had ended with exit status {chat.server.exit_status}"
        question = BROKEN_OFF[1]
    if broken_off:
        findings.append(Finding(question=question, expected="yes", seen=broken_off, good=False))
    return broken_off
