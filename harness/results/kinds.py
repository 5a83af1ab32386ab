"""Kinds of unexpected answers to the deep sets, worst first: what several questions have in common.

Whether messages go to whom they must not, or are lost without a word in ordinary amounts, comes first; then what drops
connections, holds them up, or does not recover; then the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of questions of one set."""

    #: Its name, by which the prose of a library knows an issue of it.
    name: str
    #: The set, and what a question of this kind has in it.
    set: str
    pattern: str

    def has(self, name: str, question: str) -> bool:
        """Tell whether *question* of the set *name* is of this kind."""
        return name == self.set and re.search(self.pattern, question) is not None


#: Each kind, worst first. A question is of the first kind that has it.
KINDS = (
    Kind("ended-sessions", "sessions", "^After "),
    Kind("foreign-origin", "sessions", "foreign Origin"),
    Kind("strangers", "sessions", "without a cookie|session that has ended"),
    Kind("bursts", "amounts", "messages by one handler"),
    Kind("lost-in-faults", "faults", "lost silently"),
    Kind("no-recovery", "faults", "come back|comes after the server"),
    Kind("dropped-in-faults", "faults", "open connections"),
    Kind("twice-in-faults", "faults", "come twice"),
    Kind("blocked", "blocking", "round trips"),
    Kind("unread", "amounts", "does not read"),
    Kind("unnoticed", "endings", "is reset|vanishes"),
    Kind("raised", "endings", "handler raises"),
    Kind("replaced", "deployment", "SIGTERM|replaced"),
    Kind("proxied", "deployment", ""),
    Kind("leaks", "leaks", ""),
    Kind("faults", "faults", ""),
    Kind("codes", "endings", ""),
    Kind("handshakes", "sessions", ""),
    Kind("largest", "amounts", ""),
    Kind("rules", "conformance", ""),
    Kind("own-socket", "blocking", ""),
)


def kind_of(name: str, question: str) -> Kind | None:
    """Return the kind of *question* of the set *name*; None where it is of none."""
    return next((kind for kind in KINDS if kind.has(name, question)), None)
