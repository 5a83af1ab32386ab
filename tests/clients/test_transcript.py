"""The transcript: what arrived where and when, and who waits for it."""

from __future__ import annotations

import json
import threading
import time

import pytest

from harness.clients import transcript as module
from harness.clients.connection import Endpoint, as_binary
from harness.clients.transcript import Frame, Message, Transcript, write_frames
from harness.errors import HarnessError

JOHN, MARY = Endpoint("John", "user"), Endpoint("Mary", "user")


@pytest.fixture
def transcript() -> Transcript:
    """A transcript of a protocol with several messages in a frame, each "text@sender@channel", and "beat" is none."""

    def message(each: str) -> Message:
        text, *says = each.split("@")
        return Message(text, dict(zip(("sender", "channel"), says, strict=False)))

    return Transcript(lambda data: [message(each) for each in data.split("|") if each != "beat"])


def hear(transcript: Transcript, endpoint: Endpoint, *frames: str, kind: str = "text") -> None:
    for frame in frames:
        transcript.add(endpoint, "in", kind, frame)


def test_texts(transcript):
    """What arrived is told in its order, message by message, without what is only the protocol's."""
    hear(transcript, JOHN, "one", "beat", "two|beat|three", "one")
    hear(transcript, MARY, "four")
    assert transcript.texts(JOHN) == ["one", "two", "three", "one"]
    assert transcript.texts(MARY) == ["four"]
    assert transcript.texts(Endpoint("admin", "user")) == []
    assert [frame.data for frame in transcript.frames] == ["one", "beat", "two|beat|three", "one", "four"]


def test_what_is_no_message(transcript):
    """What was sent, pings, and the opening of a connection are frames, and no messages."""
    transcript.add(JOHN, "out", "text", "mine")
    hear(transcript, JOHN, "status 101", kind="open")
    hear(transcript, JOHN, "are you there", kind="ping")
    assert transcript.texts(JOHN) == []
    assert [(frame.direction, frame.kind) for frame in transcript.frames] == [
        ("out", "text"),
        ("in", "open"),
        ("in", "ping"),
    ]


def test_binary(transcript):
    """A binary message is one message as it is, whatever it looks like, and never the same as a text."""
    hear(transcript, JOHN, as_binary(b"a|beat"), kind="binary")
    assert transcript.texts(JOHN) == ["(binary) a|beat"]
    assert as_binary(bytes(range(256))).removeprefix("(binary) ").encode("latin-1") == bytes(range(256))


def test_arrival(transcript, monkeypatch):
    """A text has arrived when its first copy did, on each connection for itself."""
    times = iter((1.0, 2.0, 3.0))
    monkeypatch.setattr(module.time, "monotonic", lambda: next(times))
    hear(transcript, JOHN, "one", "one")
    hear(transcript, MARY, "one")
    assert (transcript.arrival(JOHN, "one"), transcript.arrival(MARY, "one")) == (1.0, 3.0)
    assert transcript.arrival(MARY, "two") is None


def test_messages(transcript, monkeypatch):
    """A message is told with what its frame says of it and when it came; a binary one has no more than its bytes."""
    times = iter((1.0, 2.0, 3.0))
    monkeypatch.setattr(module.time, "monotonic", lambda: next(times))
    hear(transcript, JOHN, "one@Mary@user|two", "three@admin")
    hear(transcript, JOHN, as_binary(b"four@Mary"), kind="binary")
    assert transcript.messages(JOHN) == [
        Message("one", {"sender": "Mary", "channel": "user"}, 1.0),
        Message("two", at=1.0),
        Message("three", {"sender": "admin"}, at=2.0),
        Message("(binary) four@Mary", at=3.0),
    ]
    assert transcript.texts(JOHN) == ["one", "two", "three", "(binary) four@Mary"]
    assert transcript.messages(MARY) == []


def test_arrival_since(transcript, monkeypatch):
    """Of a text that is said again what arrived before a moment does not count, and what arrives in it does."""
    times = iter((1.0, 2.0, 3.0))
    monkeypatch.setattr(module.time, "monotonic", lambda: next(times))
    hear(transcript, JOHN, "one", "two", "one")
    assert [transcript.arrival(JOHN, "one", since) for since in (0.0, 1.0, 1.5, 3.0, 3.5)] == [1.0, 1.0, 3.0, 3.0, None]
    assert transcript.arrival(JOHN, "two", 2.5) is None


def test_activity(transcript):
    """The messages of some connections that are one of some texts are counted together, each as often as it came."""
    hear(transcript, JOHN, "one", "beat", "two|pulse", "one")
    hear(transcript, MARY, "pulse", "three")
    transcript.add(MARY, "out", "text", "mine")
    assert transcript.activity([JOHN, MARY], {"one", "two", "pulse", "three", "mine"}) == 6
    assert transcript.activity([JOHN, MARY], {"one", "two", "three"}) == 4
    assert transcript.activity([MARY], {"one"}) == 0
    assert transcript.activity([], {"one"}) == 0


def test_has_one(transcript):
    """One of several texts is enough."""
    hear(transcript, JOHN, "fence 2")
    assert transcript.has_one(JOHN, ["fence 1", "fence 2"])
    assert not transcript.has_one(JOHN, ["fence 1"])
    assert not transcript.has_one(JOHN, [])
    assert not transcript.has_one(MARY, ["fence 2"])


def test_closed(transcript):
    """A connection is closed for the first reason that there was, until it is opened again under its name."""
    assert transcript.closed(JOHN) == ""
    hear(transcript, JOHN, "closed by the server with 1000", kind="closed")
    hear(transcript, JOHN, "connection lost", kind="closed")
    assert transcript.closed(JOHN) == "closed by the server with 1000"
    assert transcript.closed(MARY) == ""
    hear(transcript, JOHN, "status 101", kind="open")
    assert transcript.closed(JOHN) == ""


def test_waiting_for_all(transcript):
    """Who waits for several connections waits until each has one of the texts."""
    hear(transcript, JOHN, "fence 1")
    assert not transcript.wait([JOHN, MARY], ["fence 1", "fence 2"], 0)
    hear(transcript, MARY, "fence 2")
    assert transcript.wait([JOHN, MARY], ["fence 1", "fence 2"], 0)
    assert not transcript.wait([JOHN, MARY], ["fence 1"], 0)


def test_waiting_since(transcript, monkeypatch):
    """Who waits for a text that has been said before waits for it to come again."""
    monkeypatch.setattr(module.time, "monotonic", lambda: 1.0)
    hear(transcript, JOHN, "one")
    assert transcript.wait([JOHN], ["one"], 0, since=1.0)
    assert not transcript.wait([JOHN], ["one"], 0, since=1.5)
    monkeypatch.setattr(module.time, "monotonic", lambda: 2.0)
    hear(transcript, JOHN, "one")
    assert transcript.wait([JOHN], ["one"], 0, since=1.5)


@pytest.mark.parametrize("wait", ["wait", "wait_closed"])
def test_a_machine_that_slept(transcript, monkeypatch, wait):
    """Who waited while the machine slept waits once more, for what could not come meanwhile."""
    asked = []

    def slept(wait, seconds):
        asked.append(
            [wait(0.0), hear(transcript, JOHN, "one"), hear(transcript, JOHN, "gone", kind="closed"), wait(0.0)]
        )
        return asked[-1][-1]

    monkeypatch.setattr(module, "patiently", slept)
    waits = {
        "wait": lambda: transcript.wait([JOHN], ["one"], 5),
        "wait_closed": lambda: transcript.wait_closed(JOHN, 5),
    }
    assert waits[wait]()
    assert asked == [[False, None, None, True]]


def test_waiting_for_whom_is_closed(transcript):
    """A closed connection is not waited for, and nobody has to be waited for at all."""
    hear(transcript, JOHN, "gone", kind="closed")
    assert transcript.wait([JOHN], ["fence 1"], 0)
    assert transcript.wait([], ["fence 1"], 0)
    assert not transcript.wait([JOHN, MARY], ["fence 1"], 0)


def test_waiting_in_vain(transcript):
    """Who waits in vain does so for as long as was said, and no longer."""
    began = time.monotonic()
    assert not transcript.wait([JOHN], ["fence 1"], 0.02)
    assert not transcript.wait_closed(JOHN, 0.02)
    assert 0.04 <= time.monotonic() - began < 5


@pytest.mark.parametrize("kind", ["text", "closed"])
def test_woken(transcript, kind):
    """Who waits is woken by what arrives in another thread, at once."""
    waiting = threading.Event()

    def arrive():
        waiting.wait(5)
        hear(transcript, MARY, "something else")
        hear(transcript, JOHN, "fence 1", kind=kind)

    thread = threading.Thread(target=arrive)
    thread.start()
    began = time.monotonic()
    waiting.set()
    assert transcript.wait_closed(JOHN, 30) if kind == "closed" else transcript.wait([JOHN], ["fence 1"], 30)
    assert time.monotonic() - began < 10
    thread.join()


def test_what_is_told_is_a_copy(transcript):
    """What was told does not change when more arrives."""
    hear(transcript, JOHN, "one")
    told, messages = transcript.texts(JOHN), transcript.messages(JOHN)
    hear(transcript, JOHN, "two")
    assert told == [each.text for each in messages] == ["one"]


def test_written(transcript, tmp_path):
    """Each frame is a line of JSON, with its seconds since the beginning and its data scrubbed."""
    path = tmp_path / "frames.jsonl"
    transcript.began = 10.0
    transcript.frames = [
        Frame(10.5, JOHN, "in", "text", "secret Grüße"),
        Frame(12.1234567, MARY, "out", "binary", "3 bytes"),
    ]
    transcript.write(path, lambda text: text.replace("secret", "<secret>"))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert "Grüße" in lines[0]
    assert [list(json.loads(line).values()) for line in lines] == [
        [0.5, "John", "user", "in", "text", "<secret> Grüße"],
        [2.123457, "Mary", "user", "out", "binary", "3 bytes"],
    ]
    assert list(json.loads(lines[0])) == ["seconds", "member", "connection", "direction", "kind", "data"]


def test_long_frames(tmp_path):
    """Of a long frame the beginning is written, how long it was, and what tells whether two are the same."""
    path = tmp_path / "frames.jsonl"
    texts = ["secret " + "x" * 9993, "secret " + "x" * 9993, "secret " + "x" * 9992 + "y"]
    frames = [Frame(1.0, JOHN, "in", "text", text) for text in texts]
    write_frames(frames, 1.0, path, lambda text: text.replace("secret", "<secret>"))
    first, again, other = (json.loads(line)["data"] for line in path.read_text("utf-8").splitlines())
    assert first.startswith("<secret> xxx")
    assert "… (10000 letters, SHA-256 " in first
    assert len(first) < 400
    assert first == again != other


def test_written_behind_others(transcript, tmp_path):
    """Frames are added to what is there: a server may be started more than once."""
    path = tmp_path / "frames.jsonl"
    for data in ("one", "two"):
        write_frames([Frame(1.0, JOHN, "in", "text", data)], 1.0, path, str)
    assert [json.loads(line)["data"] for line in path.read_text().splitlines()] == ["one", "two"]


def test_nowhere_to_write(transcript, tmp_path):
    """Where they cannot be written that is the machine's fault."""
    with pytest.raises(HarnessError, match=r"^frames\.jsonl cannot be written: No such file or directory$"):
        transcript.write(tmp_path / "nowhere" / "frames.jsonl", str)
