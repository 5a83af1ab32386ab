"""What a message costs by each transport, with pages that are polled for real and connections that are none."""

from __future__ import annotations

import http.server
import json
import threading
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from cellservers import TalkingLibrary, standing_in
from talkers import Line, Switchboard

from harness.cell.outcome import Observations
from harness.clients.connection import SendFailed
from harness.clients.counting import CountingSocket
from harness.probes import transports
from harness.system.ports import free_port

WAYS = ("WebSocket", "polling each 1 s", "long polling", "long polling that looks into Redis")


class Pages(http.server.ThreadingHTTPServer):
    """Pages that answer with the messages since a number; whoever polls long is kept waiting for one."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.said = ["an old one"]
        self.changed = threading.Condition()
        #: Up to which message each page's client has come, and which cookies they had.
        self.known: dict[str, int] = {"/poll/": 0, "/long-poll/": 0, "/redis-poll/": 0}
        self.cookies: set[str] = set()
        #: What a page answers instead, once a client has come so far.
        self.instead: dict[str, tuple[int, bytes]] = {}
        #: How many connections of the client that polls are still ended after their first request.
        self.ends = 0

    def say(self, text: str) -> None:
        """Have *text* fetched by every client that still asks."""
        with self.changed:
            self.said.append(text)
            self.changed.notify_all()
            wanted = [path for path in self.known if path not in self.instead]
            assert self.changed.wait_for(lambda: all(self.known[path] >= len(self.said) for path in wanted), 10)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    asked = False

    def log_message(self, *arguments): ...

    def do_GET(self) -> None:
        pages, address = self.server, urlsplit(self.path)
        since = int(parse_qs(address.query)["since"][0])
        at, instead = pages.instead.get(address.path, (-1, b""))
        if pages.ends > 0 and address.path == "/poll/" and self.asked:
            pages.ends -= 1
            self.close_connection = True  # without an answer, as if it had ended while nothing was asked
            return
        self.asked = True
        with pages.changed:
            pages.cookies.add(self.headers["Cookie"])
            pages.known[address.path] = max(since, pages.known[address.path])
            pages.changed.notify_all()
            if address.path != "/poll/" and since != at:
                pages.changed.wait_for(lambda: len(pages.said) > since, 10)
            messages = [{"message": text} for text in pages.said[since:]]
            body = json.dumps({"messages": messages, "last": len(pages.said)}).encode()
        body = instead if since == at else body
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Counting(Switchboard):
    """A switchboard each of whose connections has transferred ten bytes for each message that was said."""

    def connect(self, chat, endpoint, path, member, origin):
        line = super().connect(chat, endpoint, path, member, origin)
        line.wire = Wire(self)
        return line


class Wire:
    def __init__(self, board: Switchboard) -> None:
        self.board = board

    @property
    def bytes_both_ways(self) -> int:
        return 10 * len(self.board.said)


@pytest.fixture
def pages():
    with Pages() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def board(pages, monkeypatch) -> Switchboard:
    """A chat whose messages are fetched from the pages before the next is sent, so that nobody has to wait."""
    monkeypatch.setattr(transports, "WebSocketConnection", Line)
    monkeypatch.setattr(transports, "_PAUSE", 0.0)
    original = transports._Receiver.__post_init__

    def at_once(receiver):
        receiver.pause = min(receiver.pause, 0.002)
        original(receiver)

    monkeypatch.setattr(transports._Receiver, "__post_init__", at_once)
    made = Counting()

    def fetched(text):
        if "message" in text:
            pages.say(text)
        elif "the last one" in text:
            with pages.changed:
                pages.said.append(text)
                pages.changed.notify_all()

    made.then = fetched
    return made


class Asked:
    def __init__(self, board, pages, folder):
        library = TalkingLibrary(board)
        self.server = standing_in(folder, board, library)
        self.observed = Observations()
        self.chat = board.talk(library)
        self.chat.server = replace(self.chat.server, port=pages.server_address[1])
        self.findings = list(transports.ask(self.chat, self.server, self.observed))


def test_all_are_received(board, pages, tmp_path):
    """All seven messages are received each way, and what a delivered message took is told."""
    asked = Asked(board, pages, tmp_path)
    assert [(each.question, each.expected, each.seen, each.good) for each in asked.findings] == [
        (f"Messages of a quiet chat by {way}", "all are received", "all are received", True) for way in WAYS
    ]
    costs = asked.observed.costs
    assert tuple(costs) == WAYS
    assert (costs["WebSocket"].requests, costs["WebSocket"].bytes) == (0.0, 10)
    assert costs["long polling"].requests == costs["long polling that looks into Redis"].requests == 1.0
    assert costs["polling each 1 s"].requests >= 1.0
    assert all(costs[way].bytes > 100 for way in WAYS[1:])
    assert all(costs[way].latency_ms >= 0 for way in WAYS)


def test_as_the_same_member(board, pages, tmp_path):
    """Whoever polls does so with the member's own login, and the messages are the harness's own."""
    asked = Asked(board, pages, tmp_path)
    assert pages.cookies == {"session=Mary"}
    assert sorted(text for text in asked.chat.ledger.texts() if not text.startswith("fence ")) == [
        *(f"message {number} of a quiet chat (abc)" for number in range(7)),
        "the last one (abc)",
    ]
    assert len(board.lines) == 9


def test_some_are_lost(board, pages, tmp_path):
    """A message that a way does not bring is missing there alone, and its cost is that of those that came."""
    board.drops = lambda text, line: text.startswith("message 3") and line.endpoint.name == "transports"
    asked = Asked(board, pages, tmp_path)
    assert [(each.seen, each.good) for each in asked.findings] == [
        ("6 of 7 are received", False),
        *[("all are received", True)] * 3,
    ]
    assert asked.observed.costs["WebSocket"].bytes == round(70 / 6)


def test_it_breaks_on_the_way(board, pages, tmp_path):
    """A way that breaks on the way has what came before, and the error is named."""
    pages.instead["/poll/"] = (1, b"{}")
    asked = Asked(board, pages, tmp_path)
    assert [(each.seen, each.good) for each in asked.findings] == [
        ("all are received", True),
        ("0 of 7 are received (KeyError)", False),
        *[("all are received", True)] * 2,
    ]
    assert "polling each 1 s" not in asked.observed.costs


def test_a_connection_that_ends_between_requests(board, pages, tmp_path):
    """Who polls over a connection that the server has ended meanwhile connects again, and loses nothing by it."""
    pages.ends = 2
    asked = Asked(board, pages, tmp_path)
    assert [(each.seen, each.good) for each in asked.findings] == [("all are received", True)] * 4
    assert pages.ends == 0


def test_no_such_page(board, pages, tmp_path):
    """Where a page does not answer as it has to at first nothing is compared."""
    pages.instead["/poll/"] = (0, b"<html>")
    with pytest.raises(SendFailed, match=r"^/poll/ brings no messages \(JSONDecodeError\)$"):
        Asked(board, pages, tmp_path)


def test_nobody_answers(board):
    """Where nobody listens that is what is wrong."""
    chat = board.talk(TalkingLibrary(board))
    chat.server = replace(chat.server, port=free_port())
    with pytest.raises(SendFailed, match=r"^/long-poll/ brings no messages \(ConnectionRefusedError\)$"):
        transports._Receiver(chat, "/long-poll/", 0.0)


def test_what_is_old_does_not_count(board, pages):
    """What was said before is known to whoever begins to poll, and neither its requests nor its bytes count."""
    chat = board.talk(TalkingLibrary(board))
    chat.server = replace(chat.server, port=pages.server_address[1])
    receiver = transports._Receiver(chat, "/long-poll/", 0.0)
    assert list(receiver.arrivals) == ["an old one"]
    with pages.changed:
        assert pages.changed.wait_for(lambda: pages.known["/long-poll/"] == 1, 5)
    assert (receiver.requests, receiver.wire.bytes_in) == (0, 0)
    receiver.stop_soon()
    with pages.changed:
        pages.said.append("a new one")
        pages.changed.notify_all()
    receiver.stop()
    assert (receiver.requests, list(receiver.arrivals)) == (1, ["an old one", "a new one"])
    assert isinstance(receiver.wire, CountingSocket)
    assert receiver.wire.fileno() == -1


def test_the_median_is_told():
    """The latency of a way is the median of its messages, in milliseconds."""
    observed = Observations()
    sent = {"a": 1.0, "b": 2.0, "c": 3.0}
    arrivals = {"a": 1.01, "b": 2.5, "c": 3.02}
    (finding,) = transports._found("pigeons", sent, arrivals.get, 5, 100, observed)
    assert (finding.seen, finding.good) == ("all are received", True)
    cost = observed.costs["pigeons"]
    assert (cost.requests, cost.bytes, cost.latency_ms) == (1.67, 33, 20.0)


def test_nothing_was_received():
    """A way that brought nothing has no cost, and its error is told, where there is one."""
    observed = Observations()
    (finding,) = transports._found("pigeons", {"a": 1.0}, lambda text: None, 5, 100, observed, "TimeoutError")
    assert (finding.seen, finding.good, observed.costs) == ("0 of 1 are received (TimeoutError)", False, {})
