"""Which texts get through a server that is none, by WebSocket and by POST."""

from __future__ import annotations

import pytest
from cellservers import TalkingLibrary, standing_in
from talkers import Line

from harness.cell.outcome import Observations
from harness.clients.connection import NO_WEBSOCKET
from harness.probes import payloads
from harness.probes.payloads import PAYLOADS

WHOLE = ("arrives unaltered", True)
FRAGMENTS = "200 kB in fragments by WebSocket"
NOT_ASKED = ("not asked: the harness cannot send it in this protocol", None)


@pytest.fixture
def asked(board, tmp_path):
    """Return a way to ask the probe; what it finds is by the question."""

    def ask(library=None):
        library = library or TalkingLibrary(board)
        chat = board.talk(library)
        server = standing_in(tmp_path, board, library)
        findings = list(payloads.ask(chat, server, Observations()))
        assert len(board.lines) == len(chat.connections) == 9  # the members' own
        return {each.question: (each.seen, each.good) for each in findings}

    return ask


def of(what: str):
    """Choose a payload."""
    return lambda text, line: text == str(PAYLOADS[what])


def test_all_arrive(asked):
    """Every payload is asked by both ways, but for binary, which is no text of a form; and all arrive as they were."""
    assert asked() == {
        **{f"{what} by WebSocket": WHOLE for what in PAYLOADS},
        **{f"{what} by POST": WHOLE for what, payload in PAYLOADS.items() if isinstance(payload, str)},
        FRAGMENTS: NOT_ASKED,  # what talks to the board here is no WebSocket
    }


def test_sizes():
    """The large ones are as large as they are called, in bytes of UTF-8."""
    assert len(PAYLOADS["40 kB"]) == 40 * 1024
    assert len(PAYLOADS["200 kB"]) == 200 * 1024


def test_in_fragments(asked, board, monkeypatch):
    """The largest text is sent once more as a browser sends it, in fragments; the fence behind it is in one piece."""
    monkeypatch.setattr(payloads, "WebSocketConnection", Line)
    sent, arrived = [], board.arrived

    def noted(line, text):
        sent.append((line.endpoint, getattr(line, "fragments", 1), text))
        arrived(line, text)

    board.arrived = noted
    assert asked()[FRAGMENTS] == WHOLE
    in_fragments = [(endpoint, text) for endpoint, fragments, text in sent if fragments == 3]
    assert [text for _, text in in_fragments] == [PAYLOADS["200 kB"]]
    later = [text for endpoint, fragments, text in sent if endpoint == in_fragments[0][0] and fragments == 1]
    assert later[-1].startswith("fence ")


def test_altered(asked, board):
    """What arrives as something else is shown as what it arrives as."""
    board.alters = of("quotes")
    found = asked()
    shown = repr(f"{PAYLOADS['quotes']}?")
    assert found["quotes by WebSocket"] == found["quotes by POST"] == (f"arrives as {shown}", False)


def test_altered_and_long(asked, board):
    """Of what is long and altered the beginning is shown."""
    board.alters = of("40 kB")
    shown = ("forty kilobytes " * 5)[:80]
    assert asked()["40 kB by POST"] == (f"arrives as {shown!r}", False)


def test_twice(asked, board):
    """What arrives twice does not arrive unaltered."""
    board.doubles = of("emoji")
    found = asked()
    assert found["emoji by WebSocket"] == found["emoji by POST"] == ("arrives, more than once", False)


def test_with_something_else(asked, board):
    """What arrives beside the payload, and was said by nobody, is shown."""

    def then(text):
        for line in board.lines if text == PAYLOADS["emoji"] else ():
            line.hear("boo")

    board.then = then
    found = asked()
    seen = ("arrives, and with it 'boo', which nobody sent", False)
    assert found["emoji by WebSocket"] == found["emoji by POST"] == seen
    assert found["quotes by WebSocket"] == WHOLE


def test_no_websocket(asked, board):
    """A payload behind which comes what a browser takes for no WebSocket is no good, and it is said why."""
    ends = {True: lambda line: line.end(f"{NO_WEBSOCKET} (a mask)"), False: lambda line: None}

    def then(text):
        for line in list(board.lines) if text == PAYLOADS["emoji"] else ():
            ends[line.endpoint.member == "receiver"](line)

    board.then = then
    assert asked()["emoji by POST"] == (
        *("arrives unaltered; what the receiver receives is invalid WebSocket data, which browsers reject", False),
    )


def test_lost(asked, board):
    """What has not come when a fence behind it has does not arrive."""
    board.drops = of("markup")
    found = asked()
    assert found["markup by WebSocket"] == found["markup by POST"] == ("does not arrive", False)


def test_late(asked, board):
    """What comes only with the fence behind it arrives all the same."""
    board.stalls = of("markup")
    found = asked()
    assert found["markup by WebSocket"] == found["markup by POST"] == WHOLE


def test_an_empty_text(asked, board):
    """An empty text that does not arrive is as good as one that does."""
    board.drops = of("empty text")
    found = asked()
    assert found["empty text by WebSocket"] == found["empty text by POST"] == ("nothing arrives", None)


def test_an_empty_text_that_closes(asked, board):
    """An empty text that ends its sender's connection is no good answer."""
    board.closes = lambda text, line: text == "" and line.endpoint.member == "sender"
    assert asked()["empty text by WebSocket"] == ("arrives unaltered; the sender's connection is closed", False)


def test_the_sender_is_closed(asked, board):
    """What ends its sender's connection does not arrive, and that is said; by POST there is no such connection."""
    board.closes = lambda text, line: text == PAYLOADS["200 kB"] and line.endpoint.member == "sender"
    board.drops = of("200 kB")
    found = asked()
    assert found["200 kB by WebSocket"] == ("does not arrive; the sender's connection is closed", False)
    assert found["200 kB by POST"] == ("does not arrive", False)


def test_the_receiver_is_closed(asked, board):
    """What ends its receiver's connection does not arrive either."""
    board.closes = lambda text, line: text == PAYLOADS["emoji"] and line.endpoint.member == "receiver"
    found = asked()
    seen = ("does not arrive; the receiver's connection is closed", False)
    assert found["emoji by WebSocket"] == found["emoji by POST"] == seen


def test_it_cannot_be_sent(asked, board):
    """A payload whose connection is gone as it is sent does not arrive; one that a page refuses says how."""
    board.fails = lambda member, text: "no" if text == PAYLOADS["200 kB"] else ""
    found = asked()
    assert found["200 kB by WebSocket"] == ("does not arrive; sender's connection is gone (ConnectionError)", False)
    assert found["200 kB by POST"] == ("refused: POST /chat/user/ answers with status 500", False)


def test_the_sender_is_gone(asked, board):
    """A sender whose connection ends as the payload is sent is closed, which is said rather than how it was seen."""

    def fail(member, text):
        if text != PAYLOADS["40 kB"]:
            return ""
        for line in list(board.lines):
            if line.endpoint.member == "sender":
                line.end("connection lost")
        return "reset"

    board.fails = fail
    assert asked()["40 kB by WebSocket"] == ("does not arrive; the sender's connection is closed", False)


def test_refused(asked, board):
    """A payload for which nobody is let in does not arrive, with what the server answered."""
    board.refuses = lambda endpoint, path, member, origin: "status 503" if endpoint.name.endswith("payload 1") else ""
    found = asked()
    assert found["non-ASCII text by WebSocket"] == ("does not arrive; status 503", False)
    assert found["non-ASCII text by POST"] == ("refused: status 503", False)


def test_no_binary(asked, board):
    """A protocol that the harness cannot send binary messages in is not asked for them."""

    class Text(TalkingLibrary):
        def sends_binary(self):
            return False

    found = asked(Text(board))
    assert found["binary by WebSocket"] == NOT_ASKED
    assert len(found) == 16


def test_binary_that_becomes_text(asked, board):
    """Bytes that arrive as a text are not what was sent."""
    board.alters = of("binary")
    seen, good = asked()["binary by WebSocket"]
    assert (seen.startswith("arrives as "), good) == (True, False)
