"""Transports: what a delivered message costs by polling, by long polling and by WebSocket, on the same chat.

Four clients of one member receive the same seven messages, each in its own way, and what that took is counted:
requests, bytes in both directions, and the time from sending to receiving.
"""

from __future__ import annotations

import http.client
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from harness.cell.outcome import Observations
from harness.cell.server import CellServer
from harness.chat.conversation import Chat
from harness.clients.connection import Endpoint, SendFailed
from harness.clients.counting import CountingSocket
from harness.clients.websocket import WebSocketConnection
from harness.results.result import Cost, Finding

#: How many messages are sent, and the seconds between two of them: a quiet chat, and not in step with the polling.
_MESSAGES = 7
_PAUSE = 1.7
#: Seconds between two requests of the client that polls.
_EACH = 1.0
_PATIENCE = 25.0
_FAILURES = (OSError, http.client.HTTPException, ValueError, KeyError)


@dataclass
class _Receiver:
    """A client that receives by requests, in a thread of its own, and counts what that takes."""

    chat: Chat
    #: The page that it asks for messages, and the seconds between two requests.
    path: str
    pause: float
    #: When each message arrived first: its text → :func:`time.monotonic`.
    arrivals: dict[str, float] = field(default_factory=dict)
    #: How many requests it has made.
    requests: int = 0
    #: The name of the error that ended it; empty while there is none.
    error: str = ""

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        try:
            self.wire = CountingSocket(self.chat.server.port)
            self._last = self._ask(0)  # the connection stands, and what is old is known
        except _FAILURES as error:
            raise SendFailed(f"{self.path} brings no messages ({type(error).__name__})") from error
        self.requests, self.wire.bytes_in, self.wire.bytes_out = 0, 0, 0
        self._thread.start()

    def stop_soon(self) -> None:
        """Make no further request after the one that is under way."""
        self._stop.set()

    def stop(self) -> None:
        """Wait until the last request has ended, and close the connection."""
        self._thread.join(_PATIENCE)
        self.wire.close()

    def _run(self) -> None:
        try:
            while not self._stop.wait(self.pause):
                self._last = self._ask(self._last)
        except _FAILURES as error:
            self.error = type(error).__name__

    def _ask(self, since: int) -> int:
        path = f"{self.path if since else '/poll/'}?since={since}"
        try:
            answer = json.loads(self._get(path))
        except ConnectionError:
            # A server may end a connection between two requests (RFC 9112, section 9.5), and a client asks again then.
            ended, self.wire = self.wire, CountingSocket(self.chat.server.port)
            self.wire.bytes_in, self.wire.bytes_out = ended.bytes_in, ended.bytes_out
            ended.close()
            answer = json.loads(self._get(path))
        self.requests += 1
        for message in answer["messages"]:
            self.arrivals.setdefault(str(message["message"]), time.monotonic())
        return int(answer["last"])

    def _get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.chat.server.port, timeout=_PATIENCE)
        connection.sock = self.wire
        connection.request("GET", path, headers={"Cookie": self.chat.session("Mary").cookie})
        return connection.getresponse().read()


def ask(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Have four of Mary's clients receive the same messages at the same time, each its own way."""
    endpoint = Endpoint("Mary", "transports")
    sender = Endpoint("John", "transports")
    receivers: dict[str, _Receiver] = {}
    try:
        for each in (endpoint, sender):
            chat.open(each, chat.path_for("broadcast"), each.member)
        chat.wait_subscribed([endpoint, sender])
        # After the first message, so that who polls knows from where on it asks.
        receivers[f"polling each {_EACH:.0f} s"] = _Receiver(chat, "/poll/", _EACH)
        receivers["long polling"] = _Receiver(chat, "/long-poll/", 0.0)
        receivers["long polling that looks into Redis"] = _Receiver(chat, "/redis-poll/", 0.0)
        yield from _compare(chat, endpoint, sender, receivers, observed)
    finally:
        for receiver in receivers.values():
            receiver.stop_soon()
        chat.close([endpoint, sender])


def _compare(
    chat: Chat, endpoint: Endpoint, sender: Endpoint, receivers: dict[str, _Receiver], observed: Observations
) -> Iterator[Finding]:
    """Send the messages of a quiet chat, and find out what each way of receiving them cost."""
    socket = chat.connections[endpoint]
    assert isinstance(socket, WebSocketConnection)
    before = socket.wire.bytes_both_ways
    sent: dict[str, float] = {}
    for number in range(_MESSAGES):
        text = f"message {number} of a quiet chat ({chat.token})"
        sent[text] = time.monotonic()
        chat.broadcast(sender, text)
        threading.Event().wait(_PAUSE)  # the quiet is what is measured
    websocket_bytes = socket.wire.bytes_both_ways - before
    yield from _found(
        "WebSocket", sent, lambda text: chat.transcript.arrival(endpoint, text), 0, websocket_bytes, observed
    )
    costs = {name: (each.requests, each.wire.bytes_both_ways) for name, each in receivers.items()}
    for receiver in receivers.values():
        receiver.stop_soon()
    # One more message ends the request that waits.
    chat.broadcast(sender, f"the last one ({chat.token})")
    for name, receiver in receivers.items():
        receiver.stop()
        yield from _found(name, sent, receiver.arrivals.get, *costs[name], observed, receiver.error)


def _found(
    name: str,
    sent: dict[str, float],
    arrival: Callable[[str], float | None],
    requests: int,
    size: int,
    observed: Observations,
    error: str = "",
) -> Iterator[Finding]:
    latencies = [1000 * (at - sent[text]) for text in sent if (at := arrival(text)) is not None]
    good = len(latencies) == len(sent)
    if latencies:
        observed.costs[name] = Cost(
            requests=round(requests / len(latencies), 2),
            bytes=round(size / len(latencies)),
            latency_ms=round(statistics.median(latencies), 1),
        )
    seen = (
        "all are received"
        if good
        else f"{len(latencies)} of {len(sent)} are received" + (f" ({error})" if error else "")
    )
    yield Finding(question=f"Messages of a quiet chat by {name}", expected="all are received", seen=seen, good=good)
