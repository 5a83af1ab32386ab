"""Probes: further questions to a cell that take longer, and are asked only when told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from harness.errors import CellFailure, UsageError
from harness.libraries.base import SendFailed
from harness.probes import delivery, payloads
from harness.result import Finding, Probe

if TYPE_CHECKING:
    from harness.chat import Chat
    from harness.serve import Served, Site

#: Each probe by its name, in the order in which they are run.
PROBES: dict[str, Callable[[Chat, Site, Served], list[Finding]]] = {
    "payloads": payloads.ask,
    "delivery": delivery.ask,
}


def chosen(names: Sequence[str]) -> list[str]:
    """Return the probes that *names* stand for; ``all`` is all of them.

    Raises:
        UsageError: there is no such probe.
    """
    unknown = [name for name in names if name not in PROBES and name != "all"]
    if unknown:
        raise UsageError(f"there is no probe called {unknown[0]!r}", f"known: {', '.join(PROBES)}, all")
    return [name for name in PROBES if name in names or "all" in names]


def run(names: Sequence[str], chat: Chat, site: Site, served: Served) -> list[Probe]:
    """Ask every probe in *names*; what breaks one off is its last finding."""
    answered = []
    for name in names:
        with site.recorder.own(f"probe {name}") as say:
            try:
                findings = PROBES[name](chat, site, served)
            except (SendFailed, CellFailure) as error:
                question = "Does the server outlast the questions?"
                findings = [Finding(question=question, expected="yes", seen=f"broken off: {error}", good=False)]
            say(f"{sum(finding.good is True for finding in findings)} of {len(findings)} as expected")
            answered.append(Probe(name=name, findings=findings))
    return answered
