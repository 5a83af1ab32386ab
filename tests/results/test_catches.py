"""Catches: what a user of a cell that works runs into, the worst first, and what is none."""

from __future__ import annotations

import msgspec
import pytest
import samples
from made import alike, deep_set

from harness.results import catches
from harness.results.explained import Catch
from harness.results.questions import put_to
from harness.results.result import Finding, Judgement, Probe
from harness.verdict import Reason


def with_findings(*asked: str, good: bool | None = False, result=None):
    findings = [Finding(question=each, expected="all", seen="otherwise", good=good) for each in asked]
    return msgspec.structs.replace(
        result or samples.of("py313-django61-channels4"),
        isolation=[],
        sets=[],
        probes=[Probe(name="asked", findings=findings)],
    )


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What reaches an unknown client?", "lets somebody in"),
        ("What reaches a page of a foreign Origin, with John's cookie?", "lets somebody in"),
        ("After a logout in another tab: can the open connection send?", "lets somebody in"),
        ("A handshake with a session that has ended", "lets somebody in"),
        ("300 messages by one handler: the others", "loses messages"),
        ("The broker is away for 2 s: messages lost silently", "loses messages"),
        ("emoji by WebSocket", "loses messages"),
        ("A burst of 50 messages", "loses messages"),
        ("A connection that is idle for 12 s", "drops sockets"),
        ("A broadcast to 100 sockets", "loses messages"),
        ("A broadcast to 100 sockets (1 worker)", "loses messages"),
        ("A broadcast to 100 sockets (1 process, Redis layer)", "loses messages"),
        ("The broker is away for 2 s: open connections", "drops sockets"),
        ("The broker is away for 2 s: members who come back", "loses messages"),
        ("SIGTERM under traffic: the server", "does not stop"),
        ("Does the server end while connections are open?", "does not stop"),
    ],
)
def test_kinds(question, kind):
    """Each question whose answer lets somebody in, loses messages or drops sockets is a catch of that kind."""
    (found,) = catches.of(with_findings(question))
    assert (found.kind, found.text) == (kind, f"{question}: otherwise")


@pytest.mark.parametrize(
    "question",
    [
        "The order of a burst",
        "Does the server end while connections are closing?",
        "The rules of WebSockets: framing",
        "A connection that is idle for 12 s (sync consumer, Redis layer)",
        "SIGTERM under traffic: open connections",
        "A broadcast to 100 sockets (2 workers)",
        "A broadcast to 100 sockets (1 worker, behind NGINX)",
    ],
)
def test_what_is_none(question):
    """What costs nobody a message or a socket is no catch, nor what only another way of the library does."""
    assert catches.of(with_findings(question)) == []


def test_the_worst_first():
    """Who is let in comes before what is lost, and that before what is dropped."""
    found = catches.of(
        with_findings(
            "emoji by POST",
            "A connection that is idle for 12 s",
            "300 messages by one handler: the others",
            "What reaches an unknown client?",
        )
    )
    assert [each.question for each in found] == ["unknown-hears", "many-300-others", "idle-12", "payload-emoji-post"]


def test_only_of_cells_that_work():
    """A cell that does not work has no catch, and neither has an answer that is as expected or was not to be had."""
    judgement = Judgement.of(Reason.EXCHANGE_WRONG, "wrong")
    verdicts = alike(judgement)
    result = msgspec.structs.replace(samples.of("py313-django61-channels4"), verdicts=verdicts)
    assert catches.of(with_findings("emoji by POST", result=result)) == []
    for good in (True, None):
        assert catches.of(with_findings("emoji by POST", good=good)) == []


@pytest.mark.parametrize(
    ("question", "trouble", "severity"),
    [
        ("Can an unknown client broadcast through a WebSocket?", "strangers", "severe"),
        ("After a logout in another tab: does the open connection receive messages?", "ended", "severe"),
        ("300 messages by one handler: its sender", "lost", "severe"),
        ("A connection that is idle for 12 s", "idle", "severe"),
        ("emoji by WebSocket", "texts", "moderate"),
        ("The broker is away for 2 s: messages lost silently", "outage-lost", "moderate"),
        ("The broker is away for 2 s: members who come back", "broker", "moderate"),
        ("The broker's connections are half-open: members who come back", "half-open", "moderate"),
        ("The broker's connections are half-open: open connections", "half-open", "moderate"),
        ("The broker is away for 2 s: open connections", "outage", "mild"),
        ("SIGTERM under traffic: messages lost silently", "restart", "mild"),
        ("Does the server outlast the questions?", "crash", "severe"),
        ("Do members stay connected while strangers try?", "displaced", "severe"),
        ("Behind NGINX with a time-out of 5 s: a connection that is idle for 8 s", "proxy", "mild"),
    ],
)
def test_troubles(question, trouble, severity):
    """Each catch is of one trouble, which says how much it weighs."""
    (found,) = catches.of(with_findings(question))
    about = catches.trouble_of(found.question)
    assert (about.id, about.severity) == (trouble, severity)


def test_of_the_deep_sets():
    """What a deep set answers is a catch as well, also what no longer fits into the result."""
    result = with_findings("emoji by WebSocket")
    finding = Finding(question="300 messages by one handler: its sender", expected="all", seen="some", good=False)
    deep = deep_set("py313-django61-channels4", "amounts", [finding])
    assert [each.question for each in catches.of(result, [deep])] == ["many-300-its-sender", "payload-emoji-websocket"]


@pytest.mark.parametrize(
    ("mended", "brought", "may"),
    [
        ("", "idle-12", True),
        ("idle-12", "burst-50", True),
        ("burst-50", "idle-12", False),
        ("burst-50", "sigterm-server", False),
        ("is-it-there", "burst-50", False),
        ("idle-12", "is-it-there", False),
    ],
)
def test_what_a_cure_may_bring(mended, brought, may):
    """A cure may bring what is milder than what it mends; of what is about no trouble nobody knows how bad it is."""
    assert catches.brings(mended, brought) is may


@pytest.mark.parametrize(("seen", "spread"), [("some", True), ("some (2 of 2)", True), ("some (1 of 2)", False)])
def test_what_came_by_chance(seen, spread):
    """What came each time is to be expected nearby as well, and what did not is not."""
    lost = Catch(question="sigterm-lost", kind="loses messages", text=f"SIGTERM: messages lost silently: {seen}")
    assert catches.spreads(lost) is spread


def test_answers_by_their_ways():
    """Answers stand under the way that they were put to, and there under the question as it is put to the usual one."""
    usual, other = (
        Finding(question=put_to("An echo", way), expected="comes back", seen="comes back", good=True)
        for way in ("", "sync consumer (one)")
    )
    assert catches.by_way([usual, other]) == {"": {"An echo": usual}, "sync consumer (one)": {"An echo": other}}
