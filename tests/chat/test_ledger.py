"""The ledger: what was said, who may hear it, and what of it comes too often or to the wrong people."""

from __future__ import annotations

import base64
import threading

import pytest

from harness.chat.ledger import Ledger, Overheard, Said, copies, overheard
from harness.clients.connection import Endpoint
from harness.clients.transcript import Frame

JOHN, MARY, STRANGER = Endpoint("John", "user"), Endpoint("Mary", "user"), Endpoint("stranger", "1")
OWNERS = {JOHN: "John", MARY: "Mary", STRANGER: ""}


@pytest.fixture
def ledger() -> Ledger:
    """A ledger with something for all, something of John's for Mary, and something for the group."""
    made = Ledger()
    made.add("good morning", "admin")
    made.add("psst", "John", ["Mary"], 5)
    made.add("all of you", "admin", ["John", "Mary"], 13)
    return made


def frame(endpoint: Endpoint, data: str, direction: str = "in", kind: str = "text") -> Frame:
    return Frame(1.0, endpoint, direction, kind, data)


def heard(ledger: Ledger, *frames: Frame) -> list[tuple[str, Endpoint, str]]:
    return [(each.said.text, each.endpoint, each.owner) for each in overheard(ledger, frames, OWNERS)]


def test_what_is_noted(ledger):
    """What is said is noted with who said it, who may hear it, and the exchange that it is of; and handed back."""
    assert ledger.said == [
        Said("good morning", "admin"),
        Said("psst", "John", frozenset({"Mary"}), 5),
        Said("all of you", "admin", frozenset({"John", "Mary"}), 13),
    ]
    assert ledger.add("hm") == "hm"
    assert ledger.said[-1] == Said("hm", "", None, None)


def test_texts(ledger):
    """Each text is told once, however often it was said."""
    ledger.add("psst", "admin")
    assert ledger.texts() == {"good morning", "psst", "all of you"}


def test_private(ledger):
    """What is not for everybody may be heard by those whom it is for, and by who said it."""
    assert ledger.private() == [
        Said("psst", "John", frozenset({"John", "Mary"}), 5),
        Said("all of you", "admin", frozenset({"admin", "John", "Mary"}), 13),
    ]


def test_private_to_nobody():
    """What is for nobody is private, and is not the same as what is for all."""
    ledger = Ledger()
    ledger.add("nobody", "John", [])
    assert [(each.text, each.hearers) for each in ledger.private()] == [("nobody", frozenset({"John"}))]


def test_private_and_said_again():
    """What was said to some, and again to others, may be heard by all of these and by each who said it."""
    ledger = Ledger()
    ledger.add("psst", "John", ["Mary"], 5)
    ledger.add("psst", "admin", ["admin"], 9)
    (said,) = ledger.private()
    assert said.hearers == {"John", "Mary", "admin"}


def test_private_until_it_is_broadcast(ledger):
    """What was said to some and then to all is private no more."""
    ledger.add("psst", "Mary")
    assert [each.text for each in ledger.private()] == ["all of you"]


def test_several_threads():
    """Nothing is lost that several threads say at once."""
    ledger, ready = Ledger(), threading.Barrier(4)

    def say(number: int) -> None:
        ready.wait(10)
        for each in range(200):
            ledger.add(f"{number}.{each}")

    threads = [threading.Thread(target=say, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(ledger.said), len(ledger.texts())) == (800, 800)


@pytest.mark.parametrize("look", [Ledger.unsaid, copies, lambda ledger, came: list(overheard(ledger, came, {}))])
def test_what_is_said_meanwhile(ledger, look):
    """What is said while what came is read is no text that nobody said, no copy, and not overheard."""
    frames = look not in (Ledger.unsaid, copies)

    def coming():
        for text in ("hm", "all of you", "all of you"):
            ledger.add(text)
            yield Frame(0.0, Endpoint("Mary", "user"), "in", "text", text) if frames else text

    assert look(ledger, coming()) == []


def test_copies(ledger):
    """What comes more often than it was said is a copy, each text once, in the order of arrival."""
    received = ["all of you", "psst", "all of you", "good morning", "psst", "psst"]
    assert copies(ledger, received) == ["all of you", "psst"]


def test_no_copies(ledger):
    """What was said twice may come twice, and what nobody said is no copy of anything."""
    ledger.add("psst", "admin", ["Mary"])
    assert copies(ledger, ["psst", "boo", "psst", "boo"]) == []
    assert copies(ledger, ["psst"] * 3) == ["psst"]
    assert copies(ledger, []) == []


def test_heard_by_whom_it_is_for(ledger):
    """Nobody overhears what is for all, what is for them, or what they said themselves."""
    assert heard(ledger, frame(STRANGER, "good morning"), frame(MARY, "psst"), frame(JOHN, "psst")) == []


def test_overheard(ledger):
    """What comes to somebody it is not for is told with the connection and whose cookies that has."""
    ledger.add("my own", "admin", ["admin"], 4)
    assert heard(ledger, frame(JOHN, "my own"), frame(STRANGER, "psst")) == [
        ("my own", JOHN, "John"),
        ("psst", STRANGER, ""),
    ]


def test_what_is_told_of_it(ledger):
    """What was overheard is told with the exchange that it is of."""
    (leak,) = overheard(ledger, [frame(STRANGER, "psst")], OWNERS)
    assert leak == Overheard(Said("psst", "John", frozenset({"John", "Mary"}), 5), STRANGER, "")


def test_in_whatever_wrapping(ledger):
    """It has been overheard also when other things stand around it, in text and in bytes, several in one frame."""
    assert heard(ledger, frame(STRANGER, '{"before": ["psst", "all of you"]}')) == [
        ("psst", STRANGER, ""),
        ("all of you", STRANGER, ""),
    ]
    assert heard(ledger, frame(STRANGER, "(binary) \\x00psst", kind="binary")) == [("psst", STRANGER, "")]


@pytest.mark.parametrize("kind", ["text", "ping"])
def test_in_other_letters(ledger, kind):
    """What is long enough to be known has been heard also where it was quoted, spaced or written in other letters."""
    text = ledger.add("Hello (abc) bob, this is ann with message 1", "ann", ["bob"])
    for data in ("HELLO (ABC) BOB, THIS IS ANN WITH MESSAGE 1", "hello-abc-bob-this-is-ann-with-message-1"):
        assert heard(ledger, frame(STRANGER, data, kind=kind)) == [(text, STRANGER, "")]
    ledger.add("Hello (abc) bob, this is ann with message 12", "ann")
    assert heard(ledger, frame(STRANGER, "HELLO (ABC) BOB, THIS IS ANN WITH MESSAGE 12")) == []


@pytest.mark.parametrize("written", ["\\u0070\\u0073\\u0073\\u0074", "ps%73t", "&#112;sst", "b64"])
def test_read_by_a_client(ledger, written):
    """What a client reads out of a frame is heard as well: letters by their numbers, addresses, and base64."""
    if written == "b64":
        written = base64.b64encode(b"it was: psst, of John's").decode()
    assert heard(ledger, frame(STRANGER, f'{{"message": "hello", "before": "{written}"}}')) == [("psst", STRANGER, "")]
    assert heard(ledger, frame(MARY, written)) == []


def test_a_preview(ledger):
    """The beginning of a text is enough where it is long, and nothing else that was said begins like that."""
    text = ledger.add("Hello (abc) bob, this is ann with message 1", "ann", ["bob"])
    preview = '{"new": "Hello (abc) bob, this is ann..."}'
    assert heard(ledger, frame(STRANGER, preview)) == [(text, STRANGER, "")]
    assert heard(ledger, frame(STRANGER, "Hello (abc) bob")) == []
    ledger.add("Hello (abc) bob, this is ann to all", "ann")
    assert heard(ledger, frame(STRANGER, preview)) == []
    assert heard(ledger, frame(STRANGER, "hello (abc) bob, this is ann with")) == [(text, STRANGER, "")]


def test_each_once_a_connection(ledger):
    """What comes again to the same connection is told once, and each connection for itself."""
    other = Endpoint("stranger", "2")
    frames = [frame(STRANGER, "psst"), frame(STRANGER, "psst!"), frame(other, "psst")]
    assert heard(ledger, *frames) == [("psst", STRANGER, ""), ("psst", other, "")]


@pytest.mark.parametrize(("direction", "kind"), [("out", "text"), ("in", "closed"), ("in", "open")])
def test_what_is_not_heard(ledger, direction, kind):
    """What somebody sends themselves, and what is no message, is nothing that they heard."""
    assert heard(ledger, frame(STRANGER, "psst", direction, kind)) == []


def test_a_connection_of_nobody_known(ledger):
    """A connection that nobody opened by a chat has nobody's cookies."""
    assert heard(ledger, frame(Endpoint("who", "1"), "psst")) == [("psst", Endpoint("who", "1"), "")]
