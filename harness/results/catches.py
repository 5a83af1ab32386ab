"""Catches: which answers of a cell that works lose messages, drop sockets, or let somebody in.

A catch is of the usual way of the library: what is installed and set as its documentation says. What another way does
is told among the questions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from harness.results.explained import Catch
from harness.results.result import Finding, Result
from harness.verdict import Verdict

_Kind = Literal["loses messages", "drops sockets", "lets somebody in"]
#: What the names of questions match → what becomes of a user whom their answer disappoints; the worst first.
_KINDS: tuple[tuple[str, _Kind], ...] = (
    (r"unknown-(hears|broadcasts|posts).*|mary-hears-john|foreign-origin|not-logged-in", "lets somebody in"),
    (r"after-.*-(receive|send)|handshake-(foreign-origin|without-cookie|session-that-has-ended).*", "lets somebody in"),
    (r"many-\d+-.*|unread-(others|afterwards)|.*-lost", "loses messages"),
    (r"idle-\d+|(nginx|haproxy)-idle|(broker|members|sentinel)-.*open|.*-(returning|crowd)", "drops sockets"),
    (r"early|burst-\d+|away|away-kept|payload-.*|long-page", "loses messages"),
)


def of(result: Result) -> list[Catch]:
    """Return the catches of *result*, the worst first; none where it does not work."""
    if result.verdicts.overall.verdict is not Verdict.WORKS:
        return []
    found: dict[str, tuple[int, Catch]] = {}
    for finding in answers(result):
        if finding.good is not False or finding.question.endswith(")"):
            continue
        for rank, (pattern, kind) in enumerate(_KINDS):
            if re.fullmatch(pattern, finding.id):
                text = f"{finding.question}: {finding.summary}"
                found.setdefault(finding.id, (rank, Catch(question=finding.id, kind=kind, text=text)))
                break
    return [catch for _, catch in sorted(found.values(), key=lambda each: each[0])]


def answers(result: Result) -> Iterator[Finding]:
    """Yield every answer that stands in *result*."""
    for asked in result.asked:
        yield from asked.findings
