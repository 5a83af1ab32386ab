"""Transports: what a delivered message costs by polling, by long polling and by WebSocket, on the same chat."""

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
from harness.clients.websocket import CountingSocket, WebSocketConnection
from harness.results.result import Cost, Finding

#: How many messages are sent, and the seconds between two of them: a quiet chat, out of step with who polls.
_MESSAGES = 7
_PAUSE = 1.7
#: Seconds between two requests of who polls.
_EACH = 1.0
_PATIENCE = 25.0
_FAILURES = (OSError, http.client.HTTPException, ValueError, KeyError)


@dataclass
class _Receiver:
    """Somebody who receives by requests, and what that took."""

    chat: Chat
    path: str
    pause: float
    arrivals: dict[str, float] = field(default_factory=dict)
    requests: int = 0
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
        """Ask no more after the request that is under way."""
        self._stop.set()

    def stop(self) -> None:
        """Wait until the last request has ended."""
        self._thread.join(_PATIENCE)
        self.wire.close()

    def _run(self) -> None:
        try:
            while not self._stop.wait(self.pause):
                self._last = self._ask(self._last)
        except _FAILURES as error:
            self.error = type(error).__name__

    def _ask(self, since: int) -> int:
        path = self.path if since else "/poll/"
        connection = http.client.HTTPConnection("127.0.0.1", self.chat.server.port, timeout=_PATIENCE)
        connection.sock = self.wire
        connection.request("GET", f"{path}?since={since}", headers={"Cookie": self.chat.session("Mary").cookie})
        answer = json.loads(connection.getresponse().read())
        self.requests += 1
        for message in answer["messages"]:
            self.arrivals.setdefault(str(message["message"]), time.monotonic())
        return int(answer["last"])


def ask(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Have three of Mary's clients receive the same messages at the same time, each its own way."""
    endpoint = Endpoint("Mary", "transports")
    sender = Endpoint("John", "transports")
    for each in (endpoint, sender):
        chat.open(each, chat.client.path_for("broadcast"), each.member)
    chat.wait_subscribed([endpoint, sender])
    # After the first message, so that who polls knows from where on it asks.
    receivers: dict[str, _Receiver] = {}
    try:
        receivers[f"polling each {_EACH:.0f} s"] = _Receiver(chat, "/poll/", _EACH)
        receivers["long polling"] = _Receiver(chat, "/long-poll/", 0.0)
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
        text = chat.remember(f"message {number} of a quiet chat ({chat.token})")
        sent[text] = time.monotonic()
        chat.client.broadcast(chat, sender, text)
        threading.Event().wait(_PAUSE)  # the quiet is what is measured
    websocket_bytes = socket.wire.bytes_both_ways - before
    yield from _found(
        "WebSocket", sent, lambda text: chat.transcript.arrival(endpoint, text), 0, websocket_bytes, observed
    )
    costs = {name: (each.requests, each.wire.bytes_both_ways) for name, each in receivers.items()}
    for receiver in receivers.values():
        receiver.stop_soon()
    # One more message ends the request that waits.
    chat.client.broadcast(chat, sender, chat.remember(f"the last one ({chat.token})"))
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
