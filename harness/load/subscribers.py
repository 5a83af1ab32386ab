"""The subscribers of a stress test and its publisher, on websocket-client; see :mod:`harness.load.stress`."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from socket import SHUT_RDWR

import msgspec
import websocket

from harness.clients.frame_format import FrameFormat
from harness.load.crowd import room_for_sockets
from harness.load.plan import Target
from harness.results.model import Model
from harness.system.files import write_atomically
from harness.system.waiting import Deadline, wait_until

#: Seconds for all handshakes, for all subscriptions to stand once nothing new does, and for the message to arrive.
CONNECTING, STANDING, ARRIVING = 60.0, 3.0, 10.0
#: Seconds between two fences.
_FENCES = 0.5
#: Bytes of a thread's stack: there are a thousand.
_STACK = 256 * 1024


class StressPlan(Target, frozen=True, kw_only=True):
    """What a stress test is asked to do."""

    #: The cookies of those who subscribe, in turn, and of who publishes.
    cookies: list[str]
    publisher: str
    sockets: int
    #: Whether the message is published before anybody subscribes, and kept for them.
    kept: bool
    #: Stands in every text, so that no two stress tests say the same.
    token: str


class Stressed(Model, frozen=True, kw_only=True):
    """What came of a stress test."""

    #: How many subscribers were let in, have received anything, and have received the message.
    connected: int
    subscribed: int
    received: int
    #: From the first handshake to the last receipt.
    seconds: float
    #: Why handshakes failed → how many of them.
    refused: dict[str, int]


def run(plan_path: Path, result_path: Path) -> None:
    """Go through the stress test of *plan_path*, and write what came of it to *result_path*."""
    plan = msgspec.json.decode(plan_path.read_bytes(), type=StressPlan)
    room_for_sockets()
    threading.stack_size(_STACK)
    write_atomically(result_path, msgspec.json.encode(_Test(plan, plan.frame_format()).run()))


class _Test:
    def __init__(self, plan: StressPlan, frame_format: FrameFormat) -> None:
        self.plan, self.frame_format = plan, frame_format
        self.text = f"to {plan.sockets} subscribers ({plan.token})"
        self.connected, self.subscribed, self.received = set[int](), set[int](), dict[int, float]()
        self.refused: Counter[str] = Counter()
        self._sockets: dict[int, websocket.WebSocket] = {}
        self._counting = threading.Lock()
        self._over = False

    def run(self) -> Stressed:
        publisher = self._open(self.plan.publisher)
        threading.Thread(target=self._answer_pings, args=(publisher,), daemon=True).start()
        if self.plan.kept:
            self._publish(publisher, self.text)
        began = time.monotonic()
        for number in range(self.plan.sockets):
            threading.Thread(target=self._subscriber, args=(number,), daemon=True).start()
        wait_until(lambda: len(self.connected) + self.refused.total() >= self.plan.sockets, CONNECTING, every=0.05)
        if not self.plan.kept:
            self._until_all_stand(publisher)
            self._publish(publisher, self.text)
        wait_until(lambda: len(self.received) >= len(self.connected), ARRIVING, every=0.05)
        self._over = True
        for each in [publisher, *self._sockets.values()]:
            if each.sock is not None:
                with suppress(OSError):
                    each.sock.shutdown(SHUT_RDWR)  # whoever still waits on it wakes up
        return Stressed(
            connected=len(self.connected),
            subscribed=len(self.subscribed),
            received=len(self.received),
            seconds=round(max(self.received.values(), default=time.monotonic()) - began, 3),
            refused=dict(self.refused.most_common()),
        )

    def _until_all_stand(self, publisher: websocket.WebSocket) -> None:
        """Publish fences until every subscriber has received one, or no further one does."""
        quiet, before, number = Deadline(STANDING), 0, 0
        while len(self.subscribed) < len(self.connected) and not quiet.over:
            number += 1
            self._publish(publisher, f"fence {number} ({self.plan.token})")
            wait_until(lambda: len(self.subscribed) >= len(self.connected), _FENCES, every=0.02)
            if len(self.subscribed) > before:
                quiet, before = Deadline(STANDING), len(self.subscribed)

    def _open(self, cookie: str) -> websocket.WebSocket:
        socket = websocket.create_connection(
            self.plan.url, timeout=CONNECTING, origin=self.plan.origin, cookie=cookie or None
        )
        socket.settimeout(None)  # whoever is let in has time until the end
        for text in self.frame_format.opened:
            socket.send(text)
        return socket

    def _answer_pings(self, publisher: websocket.WebSocket) -> None:
        with suppress(OSError, websocket.WebSocketException):
            while not self._over:
                publisher.recv()

    def _publish(self, publisher: websocket.WebSocket, text: str) -> None:
        publisher.send(self.frame_format.broadcast(text))

    def _subscriber(self, number: int) -> None:
        cookies = self.plan.cookies
        try:
            self._sockets[number] = socket = self._open(cookies[number % len(cookies)])
        except (OSError, websocket.WebSocketException) as error:
            with self._counting:
                self.refused[type(error).__name__] += 1
            return
        self.connected.add(number)
        with suppress(OSError, websocket.WebSocketException, ValueError):
            self._listen(number, socket.recv, socket.send)

    def _listen(self, number: int, receive: Callable[[], str | bytes], send: Callable[[str], int]) -> None:
        """Receive until the message has come."""
        while number not in self.received and not self._over:
            data = receive()
            if not isinstance(data, str):
                continue
            if (answer := self.frame_format.answers.get(data)) is not None:
                send(answer)
            for message in self.frame_format.messages(data):
                if self.plan.token not in message:
                    continue  # somebody else's
                self.subscribed.add(number)
                if message == self.text:
                    self.received[number] = time.monotonic()
