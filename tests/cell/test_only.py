"""One question that is asked alone: its set, its way, and what need not be gone through for it."""

from __future__ import annotations

from harness.cell.only import Only
from harness.results.result import Finding


def test_the_verdict():
    """Without a set it is the verdict that is asked for."""
    assert (Only().id, Only().way, Only().set) == ("verdict", "", "")


def test_the_way():
    """The way that a question is put to stands in brackets at its end; without any it is the usual one."""
    only = Only("amounts", "300 messages by one handler: its sender (async consumer, NATS layer)")
    assert (only.id, only.way) == ("many-300-its-sender-async-nats", "async consumer, NATS layer")
    assert Only("load", "A broadcast to 100 sockets (2 workers)").way == "2 workers"
    assert Only("delivery", "A burst (of many) messages").way == ""


def test_what_is_gone_through():
    """Whatever begins as the question does is gone through, and its answer is known when it comes."""
    only = Only("amounts", "300 messages by one handler: its sender")
    assert only.begins("A member", "300 messages by one handler")
    assert not only.begins("The largest message")
    asked = {"expected": "all", "seen": "all", "good": True}
    assert only.answers(Finding(question="300 messages by one handler: its sender", **asked))
    assert not only.answers(Finding(question="300 messages by one handler: the others", **asked))
