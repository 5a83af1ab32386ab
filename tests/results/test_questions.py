"""The short names of questions: which they are, and that no two questions of a cell share one."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
from shared import ROOT

from harness.probes.payloads import PAYLOADS
from harness.results import deep
from harness.results.document import read_result
from harness.results.folder import Reports
from harness.results.questions import apart, identifier
from harness.results.result import Finding, Result

RECORDED = sorted((ROOT / "reports" / "results").glob("*.json"))
#: The most characters of a name.
LONGEST = 50


def findings(result: Result) -> list[Finding]:
    """Return everything further that a cell was asked; of the deep sets, what stands in its result."""
    asked = [result.isolation, *(each.findings for each in (*result.sets, *result.probes))]
    return [finding for found in asked for finding in found]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded(path):
    """In a recorded result each question has a short name of letters, digits and hyphens that no other one has."""
    found = findings(read_result(path))
    names = [finding.id for finding in found]
    assert [name for name in names if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)] == []
    assert [name for name in names if len(name) > LONGEST] == []
    assert [name for name, times in Counter(names).items() if times > 1] == []


@pytest.mark.parametrize("cell", [path.name for path in sorted((ROOT / "reports" / "deep").iterdir())])
def test_deep(cell):
    """Of the deep sets of a cell each question has such a name as well, and the recorded file has the one of today."""
    sets = deep.of_cell(Reports(ROOT / "reports"), cell)
    names = [finding.id for each in sets for finding in each.findings]
    assert [name for name in names if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)] == []
    assert [name for name in names if len(name) > LONGEST] == []
    assert [name for name, times in Counter(names).items() if times > 1] == []
    files = [json.loads((ROOT / "reports" / "deep" / cell / f"{each.name}.json").read_bytes()) for each in sets]
    assert [finding["id"] for each in files for finding in each["findings"]] == names


def test_some_are_recorded():
    """The recorded results have questions of all kinds: the test above ran on something."""
    names = {finding.id for path in RECORDED for finding in findings(read_result(path))}
    assert names > {"unknown-hears", "early", "burst-order", "exchanges-in-browsers", "load-1000"}
    assert len(names) > 100


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What reaches an unknown client?", "unknown-hears"),
        ("What reaches an unknown client that subscribes to user messages?", "unknown-hears-user"),
        ("What reaches Mary, who asks for John's channel?", "mary-hears-john"),
        ("A message sent while somebody was away, with keeping off", "away"),
        ("A message sent while somebody was away, with keeping on", "away-kept"),
        ("A message of 140 kB, pasted into a page", "long-page"),
        ("A burst of 50 messages", "burst-50"),
        ("A connection that is idle for 12 s", "idle-12"),
        ("Messages a second to 100 sockets, as long as p99 is within 250 ms (1 process)", "load-rate-100-1-process"),
        (
            "1000 subscribers as threads, a message to those who have subscribed (2 workers)",
            "stress-1000-threads-live-2-workers",
        ),
        (
            "100 subscribers as greenlets, a message that was kept for them (1 process)",
            "stress-100-greenlets-kept-1-process",
        ),
        ("200 kB by POST", "payload-200-kb-post"),
        ("200 kB in fragments by WebSocket", "payload-200-kb-fragments-websocket"),
        ("An echo (async consumer, Redis layer)", "echo-async-redis"),
        ("A message in a room's page (sync consumer, Redis Pub/Sub layer)", "room-page-sync-redis-pub-sub"),
        ("A message in a room (sync consumer, Redis Pub/Sub layer)", "room-sync-redis-pub-sub"),
        ("A broadcast to 250 sockets (2 workers, behind NGINX)", "load-250-2-workers-behind-nginx"),
        ("Does the server end while connections are open?", "ends-open"),
        ("Does the server end while connections are closing?", "ends-closing"),
        ("300 messages by one handler: its sender (async consumer, NATS layer)", "many-300-its-sender-async-nats"),
        ("The broker is away for 2 s: messages lost silently", "broker-away-lost"),
        ("After a logout in another tab: can the open connection send?", "after-logout-send"),
        ("The rules of WebSockets: reserved bits", "rules-reserved-bits"),
    ],
)
def test_names(question, name):
    """Known questions have names of their own, with what is counted in them and the way in which they were asked."""
    assert identifier(question) == name


def test_payloads():
    """Each payload has a name by each way, and none is that of another."""
    names = [identifier(f"{what} by {way}") for what in PAYLOADS for way in ("WebSocket", "POST")]
    assert all(name.startswith("payload-") for name in names)
    assert len(set(names)) == 2 * len(PAYLOADS)


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Does it rain in the garden, or is the sun out there?", "does-rain-garden-or-sun-out"),
        ("Wie grüßt man hier?", "wie-gr-t-man-hier"),
        ("?!", "question"),
    ],
)
def test_questions_of_others(question, name):
    """The question of a library that the harness does not know is called by the first words that say something."""
    assert identifier(question) == name


def test_recorded_under_another_name():
    """A finding has the name that its question has today, whatever it was called when it was recorded."""
    told = {"question": "An echo (x)", "expected": "comes back", "seen": "comes back", "good": True}
    assert Finding(**told).id == "echo-x"
    assert Finding(**told, id="formerly").id == "echo-x"


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ("What hears an unknown client?", "What reaches an unknown client?"),
        ("What does an unknown client hear?", "What reaches an unknown client?"),
        ("What hears Mary, who asks for John's channel?", "What reaches Mary, who asks for John's channel?"),
        ("What does Mary, who asks for John's channel, hear?", "What reaches Mary, who asks for John's channel?"),
        ("Whoever is not logged in", "An anonymous visitor"),
        ("Can an unknown client post a message to a page?", "Can an unknown client post a message to a page?"),
    ],
)
def test_words(then, now):
    """A question that was asked in other words is the same question, with the same name."""
    told = Finding(question=then, expected="", seen="", good=True)
    assert (told.question, told.id) == (now, identifier(now))


def test_words_of_answers():
    """An answer that was worded otherwise is the same answer."""
    then = "does not arrive; what the sender receives is no WebSocket, so that a browser ends it"
    told = Finding(question="q", expected="arrives, or nothing does", seen=then, good=False)
    assert told.expected == "arrives, or is ignored"
    assert told.seen == "does not arrive; what the sender receives is invalid WebSocket data, which browsers reject"


@pytest.mark.parametrize(
    ("seen", "summary"),
    [
        ("arrives as 'a\\'b' and more", "arrives altered and more"),
        ("arrives as 'abc'; the sender's connection is closed", "arrives altered; the sender's connection is closed"),
        ('arrives as "it\'s"', "arrives altered"),
        ("arrives unaltered", "arrives unaltered"),
    ],
)
def test_summary(seen, summary):
    """A summary does not spell what arrived altered, and keeps what is said behind it."""
    assert Finding(question="q", expected="", seen=seen, good=False).summary == summary


@pytest.mark.parametrize(
    ("seen", "good", "asked"),
    [("not asked: no way to", None, False), ("nothing arrives", None, True), ("not asked", False, True)],
)
def test_asked(seen, good, asked):
    """What could not be put to a cell does not count as an answer."""
    assert Finding(question="q", expected="", seen=seen, good=good).asked is asked


@pytest.mark.parametrize(
    ("question", "base", "way"),
    [
        ("Can it?", "Can it?", ""),
        ("Can it? (async consumer, Redis layer)", "Can it?", "async consumer, Redis layer"),
        ("Can it? (gevent (patched))", "Can it?", "gevent (patched)"),
        ("Can (or may) it?", "Can (or may) it?", ""),
    ],
)
def test_apart(question, base, way):
    """The way that a question is put to stands in brackets behind it, and may have brackets of its own."""
    assert apart(question) == (base, way)
