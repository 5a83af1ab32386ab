"""A worker of Locust's: the sockets of a shard of the crowd, each of them a user, and the publisher."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from typing import Any

import gevent
from gevent.event import Event
from gevent.lock import BoundedSemaphore
from gevent.pool import Group
from locust import User
from locust.env import Environment

from harness.errors import HarnessError
from harness.load.crowd import PUBLISHERS, room_for_sockets
from harness.load.locust import protocol
from harness.load.locust.protocol import (
    ANSWER,
    ORDER,
    Announce,
    Answer,
    Begin,
    Failed,
    MessageClosed,
    Order,
    Publish,
    PublishedAt,
    Ready,
    ReportRequest,
    State,
)
from harness.load.locust.shard import Shard
from harness.load.locust.websocket_client import BROKEN, WebSocketClient
from harness.load.timing import TICK, LagMonitor, Stopwatch

#: Seconds between two reports of something new, and at least between any two.
_REPORT = 0.1
_BREATH = 0.005


class NotDelivered(Exception):
    """A message did not reach a socket; Locust's tables show it."""


class NotLetIn(Exception):
    """A handshake failed; Locust's tables show it."""


class WebSocketUser(User):
    """A user of Locust's who has a WebSocket, as an ``HttpUser`` has a session."""

    abstract = True
    client: WebSocketClient | None = None

    def connect(self) -> str:
        """Open it, and let Locust know how long that took; return why it was not opened."""
        assert self.client is not None
        began = time.perf_counter()
        why = self.client.connect()
        fire(self.environment, "connect", time.perf_counter() - began, NotLetIn(why) if why else None)
        return why

    def on_stop(self) -> None:
        """Leave."""
        if self.client is not None:
            self.client.leave()


def fire(environment: Environment, name: str, seconds: float | None, error: Exception | None = None) -> None:
    """Show something in Locust's tables."""
    environment.events.request.fire(
        request_type="WebSocket",
        name=name,
        response_time=None if seconds is None else seconds * 1000,
        response_length=0,
        exception=error,
        context={},
    )


class Worker:
    """Does what the master orders: holds a shard of the crowd, and has the publisher if it is the first."""

    shard: Shard | None = None
    publisher: WebSocketClient | None = None
    looking: gevent.Greenlet | None = None

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        environment.crowd = self
        self.clock = protocol.clock()
        self.run = ""
        self.told = True
        self.sockets: dict[int, WebSocketClient] = {}
        self.changed = Event()
        self.beside = Group()
        environment.runner.register_message(ORDER, self.ordered)
        environment.events.test_stop.add_listener(self.end)
        environment.events.quitting.add_listener(self.leave)

    def ordered(self, msg: Any, **_: Any) -> None:
        """Do what the master says; what belongs to an earlier run is of no interest any more."""
        order = protocol.order_of(msg.data["order"])
        if isinstance(order, Begin):
            self.begin(msg.data["run"], order)
        elif msg.data["run"] == self.run and self.shard is not None:
            self.follow(self.shard, order)

    def follow(self, shard: Shard, order: Order) -> None:
        """Do what the master says in this run."""
        match order:
            case Announce():
                shard.announce(order)
                self.began(order)
                self.changed.set()
            case Publish():
                self.beside.spawn(self.publish, shard, order.number)
            case PublishedAt():
                shard.sent(order)
            case MessageClosed():
                shard.message_closed(order)
                self.watch(False)
                self.speaking.cpu = round(time.process_time() - self.spoke, 4)
            case ReportRequest():
                self.tell(shard)

    def begin(self, run: str, order: Begin) -> None:
        """Take a shard of a plan."""
        self.end()
        room_for_sockets()
        self.run, self.told, plan = run, False, order.plan
        self.cpu, self.lag = time.process_time(), LagMonitor()
        self.connecting, self.speaking, self.spoke = Stopwatch(), Stopwatch(), 0.0
        self.at_once = BoundedSemaphore(max(1, plan.at_once // order.count))
        try:
            frame_format = plan.frame_format()
        except (HarnessError, KeyError) as error:
            self.answer(Failed(why=f"a worker does not know the library: {error}"))
            return
        self.shard = Shard(plan, order.index, order.count, frame_format, self.clock, self.delivered)
        self.beside.spawn(self.report, self.shard)
        if frame_format.every is not None:
            self.beside.spawn(self.keep_alive, *frame_format.every)
        if order.index == 0:
            self.beside.spawn(self.open_publisher, self.shard)

    def answer(self, answer: Answer) -> None:
        """Say something to the master."""
        self.environment.runner.send_message(ANSWER, {"run": self.run, "answer": protocol.plain(answer)})

    def delivered(self, seconds: float | None) -> None:
        """Show a delivery in Locust's tables."""
        fire(self.environment, "delivery", seconds)

    def have_socket(self, user: WebSocketUser) -> None:
        """Give *user* the next socket, if there is one, and count what arrives on it until it ends."""
        shard = self.shard
        if shard is None or (taken := shard.take()) is None:
            return
        number, visitor = taken
        client = user.client = WebSocketClient(shard.plan, visitor)
        with self.at_once:
            why = user.connect()
        shard.opened(why)
        if why:
            return
        self.sockets[number] = client
        with suppress(*BROKEN):  # the end of the connection is found below
            for text in shard.frame_format.opened:
                client.send(text)
        for data in client.frames():
            self.arrived(shard, client, number, data)
        self.sockets.pop(number, None)
        shard.gone(number, client.ended)
        self.changed.set()

    def arrived(self, shard: Shard, client: WebSocketClient, number: int, data: bytes) -> None:
        """Count a frame, and answer it where it wants to be answered."""
        answer, reached = shard.arrived(number, data, time.perf_counter())
        if answer is not None:
            with suppress(*BROKEN):
                client.send(answer)
        elif reached:
            self.changed.set()

    def open_publisher(self, shard: Shard) -> None:
        """Have the publisher's connection before there is anything to publish."""
        if self.have_publisher(shard):
            self.answer(Ready())

    def have_publisher(self, shard: Shard) -> WebSocketClient | None:
        """Return the publisher's connection, opened again where it was closed; the master knows if it cannot be had."""
        if self.publisher is not None and not self.publisher.ended:
            return self.publisher
        if shard.published_by > PUBLISHERS:
            self.answer(Failed(why=f"the publisher's connection was closed {PUBLISHERS} times"))
            return None
        shard.published_by += 1
        client = WebSocketClient(shard.plan, shard.plan.publisher)
        if why := client.connect():
            self.answer(Failed(why=f"the publisher was not let in: {why}"))
            return None
        self.publisher = client
        with suppress(*BROKEN):
            for text in shard.frame_format.opened:
                client.send(text)
        self.beside.spawn(self.hear_publisher, shard, client)
        return client

    def hear_publisher(self, shard: Shard, client: WebSocketClient) -> None:
        """Answer what has to be answered; what the publisher itself receives is not counted."""
        for data in client.frames():
            answer = shard.decoder.answers.get(data)
            if answer is not None:
                with suppress(*BROKEN):
                    client.send(answer)

    def publish(self, shard: Shard, number: int) -> None:
        """Send a text, and tell when that was."""
        client = self.have_publisher(shard)
        if client is None:
            return
        frame, note = shard.publish(number)
        try:
            client.send(frame)
        except BROKEN:
            self.answer(Failed(why="the publisher's connection was closed"))
        else:
            self.answer(note)

    def keep_alive(self, text: str, seconds: float) -> None:
        """Say on every connection what has to be said every so often."""
        while True:
            gevent.sleep(seconds)
            for client in [*self.sockets.values(), *([self.publisher] if self.publisher else [])]:
                with suppress(*BROKEN):
                    client.send(text)

    def report(self, shard: Shard) -> None:
        """Tell the master how far this is, whenever that has changed."""
        last = State()
        while True:
            self.changed.wait(_REPORT)
            self.changed.clear()
            state = shard.state()
            if state != last:
                self.answer(state)
                last = state
            gevent.sleep(_BREATH)

    def began(self, order: Announce) -> None:
        """Take what comes now for another phase, if it is the first text or the first message."""
        now = time.process_time()
        if order.number == 0:
            self.connecting.cpu = round(now - self.cpu, 4)
        if order.message:
            self.spoke = self.spoke or now
            self.watch(True)

    def watch(self, under_way: bool) -> None:
        """Look at what this process takes only while a message is under way."""
        if under_way and self.looking is None:
            self.lag.begin()
            self.looking = gevent.spawn(self.look)
        elif not under_way and self.looking is not None:
            self.lag.end()
            self.looking.kill(block=False)
            self.looking = None

    def look(self) -> None:
        """Find out how late this process is."""
        while True:
            self.lag.look()
            gevent.sleep(TICK)

    def tell(self, shard: Shard) -> None:
        """Tell the master all, and show in Locust's tables what was not delivered."""
        self.told = True
        self.watch(False)
        report = shard.report(partial(self.lag.usage, time.process_time() - self.cpu, self.connecting, self.speaking))
        for message in report.messages:
            for _ in range(message.lost + message.unproved + message.closed):
                fire(self.environment, "delivery", None, NotDelivered("a message has not arrived"))
        self.answer(report)

    def end(self, **_: Any) -> None:
        """Let go of everything but the users' sockets, which Locust lets go of."""
        if self.shard is not None:
            self.watch(False)
        self.beside.kill()
        if self.publisher is not None:
            self.publisher.leave()
        self.shard = self.publisher = None
        self.sockets.clear()

    def leave(self, **_: Any) -> None:
        """Tell what there is when this process ends before it was asked."""
        if self.shard is not None and not self.told:
            self.tell(self.shard)
