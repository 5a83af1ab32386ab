"""What the frames of a crowd mean: each different one is decoded once, and what nobody sent is told from the rest."""

from __future__ import annotations

import pytest

from harness.clients.frame_format import FrameFormat
from harness.load import frames
from harness.load.frames import FrameDecoder


@pytest.fixture
def asked() -> list[str]:
    """The frames that had to be decoded."""
    return []


@pytest.fixture
def decoder(asked) -> FrameDecoder:
    """A decoder of a protocol that puts several messages into a frame, and that knows two of them."""

    def messages(text: str) -> list[str]:
        asked.append(text)
        return text.split("|") if text else []

    made = FrameDecoder(FrameFormat("/", messages, answers={"ping": "pong", "2": "3"}))
    made.numbers.update({"one": 0, "zwölf": 1})
    return made


@pytest.mark.parametrize(
    ("data", "numbers", "foreign"),
    [
        (b"one", (0,), 0),
        ("zwölf|one".encode(), (1, 0), 0),
        (b"one|one", (0, 0), 0),
        (b"boo", (), 1),
        (b"one|boo|hoo", (0,), 2),
        (b"", (), 0),
        (b"\xff", (), 1),
    ],
)
def test_decoded(decoder, data, numbers, foreign):
    """The texts in a frame are told by their numbers, and those that nobody sent are counted."""
    assert decoder.decode(data) == (numbers, foreign)


def test_remembered(decoder):
    """What a frame means is remembered, but for one with something that nobody sent: that counts each time."""
    for data in (b"one", b"one|boo", b"", b"boo"):
        decoder.decode(data)
    assert decoder.known == {b"one": (0,), b"": ()}


def test_a_server_that_sends_rubbish_without_end(decoder, monkeypatch):
    """However many different frames there are, no more than so many of them are remembered."""
    monkeypatch.setattr(frames, "_REMEMBERED", 2)
    for data in (b"one", b"one|one", b"one|one|one"):
        decoder.decode(data)
    assert list(decoder.known) == [b"one", b"one|one"]


def test_a_text_that_is_sent_later(decoder):
    """A text that nobody had sent when it came first is one of ours as soon as it was sent."""
    assert decoder.decode(b"three") == ((), 1)
    decoder.numbers["three"] = 2
    assert decoder.decode(b"three") == ((2,), 0)


def test_answers(decoder):
    """Frames that want an answer are known as bytes, with what is answered."""
    assert decoder.answers == {b"ping": b"pong", b"2": b"3"}
