"""Catches: which answers of a cell that works lose messages, drop sockets, or let somebody in.

A catch is of the usual way of the library: what is installed and set as its documentation says. What another way does
is told among the questions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from harness.results.deep import DeepSet
from harness.results.explained import Catch, Kind
from harness.results.questions import always, apart, identifier
from harness.results.result import Finding, Result
from harness.verdict import Verdict, with_catch


class Severity(StrEnum):
    """How much a catch weighs when libraries are compared."""

    SEVERE = "severe"
    MODERATE = "moderate"
    MILD = "mild"


@dataclass(frozen=True)
class Trouble:
    """What the catches of several questions have in common: what a user of the chat meets."""

    #: Its short name, which addresses use.
    id: str
    #: What a user meets, as the second half of a sentence.
    says: str
    severity: Severity
    kind: Kind
    #: What the names of its questions match.
    questions: str
    #: Whether it was also to be expected of the cells nearby that were not asked.
    spreads: bool = True
    #: Whether it is anything for an issue upstream.
    upstream: bool = True


#: Every trouble, the worst first. A question belongs to the first that it matches.
TROUBLES = (
    Trouble(
        "strangers",
        "somebody who is not logged in gets in",
        Severity.SEVERE,
        "lets somebody in",
        r"unknown-(hears|broadcasts|posts).*|made-up-(hears|broadcasts).*|not-logged-in|handshake-without-cookie.*",
    ),
    Trouble("others", "private messages reach others", Severity.SEVERE, "lets somebody in", r"mary-hears-john"),
    Trouble(
        "foreign",
        "a page of a foreign origin is let in with a member's cookie",
        Severity.SEVERE,
        "lets somebody in",
        r"(handshake-)?foreign-origin.*",
    ),
    Trouble(
        "ended",
        "a session that has ended goes on",
        Severity.SEVERE,
        "lets somebody in",
        r"after-.*-(receive|send)|handshake-session-that-has-ended.*",
    ),
    Trouble(
        "lost",
        "messages are lost without a word when many are sent at once",
        Severity.SEVERE,
        "loses messages",
        r"many-\d+-.*|unread-others",
    ),
    Trouble(
        "crash",
        "the server crashes while strangers try, or is asked further",
        Severity.SEVERE,
        "drops sockets",
        r"outlasts",
    ),
    Trouble(
        "displaced",
        "members' connections are closed while strangers try",
        Severity.SEVERE,
        "drops sockets",
        r"displaced",
    ),
    Trouble("idle", "idle connections are closed", Severity.SEVERE, "drops sockets", r"idle-\d+"),
    # What decides it, a limit in the client of the broker, is another one in the next cell.
    Trouble(
        "crowd",
        "not all of a hundred sockets hear a broadcast",
        Severity.SEVERE,
        "loses messages",
        r"load-100(-1-(worker|process)(-redis)?)?",
        spreads=False,
    ),
    Trouble(
        "texts",
        "some texts do not get through",
        Severity.MODERATE,
        "loses messages",
        r"payload-(?!handshake).*|long-page",
    ),
    Trouble("burst", "a burst of messages is kept back", Severity.MODERATE, "loses messages", r"burst-\d+"),
    # Not ends-closing: what is just being closed holds some servers up, which is a race that is provoked here.
    Trouble("stop", "the server does not end in time", Severity.MODERATE, "does not stop", r"sigterm-server|ends-open"),
    Trouble(
        "outage-lost",
        "messages are lost while the broker is away or hangs",
        Severity.MODERATE,
        "loses messages",
        r"(broker|sentinel)-.*-lost",
    ),
    Trouble(
        "broker",
        "it does not recover when the broker was away",
        Severity.MODERATE,
        "loses messages",
        r"(broker|sentinel)-(?!half-open).*-returning",
    ),
    # Whoever finds a connection dead by a time-out of its own does so after a while; whoever has none never does.
    Trouble(
        "half-open",
        "it recovers late, or not, from half-open connections to the broker",
        Severity.MODERATE,
        "loses messages",
        r"broker-half-open-(open|returning)",
    ),
    Trouble(
        "outage",
        "connections are closed when the broker goes away",
        Severity.MILD,
        "drops sockets",
        r"(broker|members|sentinel)-.*open",
    ),
    Trouble(
        "restart",
        "a restart loses messages or members",
        Severity.MILD,
        "loses messages",
        r".*-lost|.*-(returning|crowd)",
    ),
    Trouble(
        "slow",
        "who does not read for a while loses messages",
        Severity.MILD,
        "loses messages",
        r"unread-afterwards",
    ),
    Trouble(
        "proxy",
        "a proxy that waits for five seconds closes what is idle",
        Severity.MILD,
        "drops sockets",
        r"(nginx|haproxy)-idle",
        # Who pings every twenty seconds keeps connections open behind a proxy as proxies are by default.
        upstream=False,
    ),
    Trouble(
        "early",
        "a message can be lost right after a handshake, or while somebody is away",
        Severity.MILD,
        "loses messages",
        r"early|away|away-kept",
    ),
)


def of(result: Result, deep: Iterable[DeepSet] = ()) -> list[Catch]:
    """Return the catches of *result*, the worst first; none where it does not work.

    Of the *deep* sets the result itself has the worst answers alone.
    """
    if result.verdicts.overall.verdict is not Verdict.WORKS:
        return []
    found: dict[str, tuple[int, Catch]] = {}
    for finding in answers(result, deep):
        trouble = trouble_of(finding.id) if finding.good is False else None
        # Under load the smallest deployment is the usual way; what else stands in brackets is another one.
        if trouble is not None and (trouble.id == "crowd" or not apart(finding.question)[1]):
            text = f"{finding.question}: {finding.summary}"
            catch = Catch(question=finding.id, kind=trouble.kind, text=text)
            found.setdefault(finding.id, (TROUBLES.index(trouble), catch))
    return [catch for _, catch in sorted(found.values(), key=lambda each: each[0])]


def label(result: Result) -> str:
    """Return the verdict of *result* as it is shown; one that has a catch is no plain yes."""
    return with_catch(result.verdicts.overall.label, bool(of(result)))


def spreads(catch: Catch, known: bool = False) -> bool:
    """Tell whether *catch* is also to be expected of the cells nearby that were not asked.

    What did not come each time may not come there at all. *known* tells whether what turns it is, and is there as well.
    """
    trouble = trouble_of(catch.question)
    return trouble is not None and (trouble.spreads or known) and always(catch.text)


def brings(mended: str, brought: str) -> bool:
    """Tell whether a cure of the question *mended*, or of the verdict where that is empty, may bring trouble *brought*.

    Both are the short names of questions. It may bring what is milder than what it mends.
    """
    was, comes = trouble_of(mended) if mended else None, trouble_of(brought)
    order = list(Severity)
    if not mended or comes is None:
        return not mended
    return was is not None and order.index(comes.severity) > order.index(was.severity)


def added(mine: Mapping[str, Finding], theirs: Mapping[str, Finding]) -> list[Catch]:
    """Return what a user runs into with *theirs* and not with *mine*, answers by their questions, the worst first.

    That is what *mine* answers as expected and *theirs* do not, of all that a trouble is about.
    """
    found: list[tuple[int, Catch]] = []
    for name, finding in theirs.items():
        trouble = trouble_of(identifier(name))
        if finding.good is False and trouble is not None and name in mine and mine[name].good:
            catch = Catch(question=identifier(name), kind=trouble.kind, text=f"{name}: {finding.summary}")
            found.append((TROUBLES.index(trouble), catch))
    return [catch for _, catch in sorted(found, key=lambda each: each[0])]


@cache
def trouble_of(question: str) -> Trouble | None:
    """Return the trouble that the question of the short name *question* is about; None where it is about none."""
    return next((each for each in TROUBLES if re.fullmatch(each.questions, question)), None)


def troubles(found: Iterable[Catch]) -> list[Trouble]:
    """Return what the catches *found* are about, the worst first."""
    there = {trouble_of(each.question) for each in found}
    return [each for each in TROUBLES if each in there]


def by_way(findings: Iterable[Finding]) -> dict[str, dict[str, Finding]]:
    """Return *findings* by the ways that they were put to, the usual one empty, then by the questions without these."""
    found: dict[str, dict[str, Finding]] = {}
    for finding in findings:
        question, way = apart(finding.question)
        found.setdefault(way, {})[question] = finding
    return found


def answers(result: Result, deep: Iterable[DeepSet] = ()) -> Iterator[Finding]:
    """Yield every answer that stands in *result*, and all of the *deep* sets, of which it has the worst alone."""
    for findings in [*(each.findings for each in result.asked), *(each.findings for each in deep)]:
        yield from findings
