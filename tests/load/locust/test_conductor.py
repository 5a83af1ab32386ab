"""Several workers' counts become one, and the master goes through a step whatever happens to it."""

from __future__ import annotations

import time

import msgspec
import pytest

from harness.clients.frame_format import FrameFormat
from harness.load.latency import combined, latency
from harness.load.locust import conductor
from harness.load.locust import protocol as together
from harness.load.locust.conductor import Conductor
from harness.load.locust.protocol import (
    Announce,
    Begin,
    Failed,
    MessageClosed,
    Publish,
    PublishedAt,
    Ready,
    ReportRequest,
    ShardReport,
    added,
)
from harness.load.locust.shard import Shard
from harness.load.plan import Plan, Visitor
from harness.results.loads import Client, Message

WIRE = FrameFormat("/", lambda data: [data])
NAMES = ("admin", "John", "Mary", "")
VISITORS = [Visitor(name=name, cookie=name) for name in NAMES]
HERE = "a clock"


def plan_for(sockets, **more):
    values = {"messages": 2, "deadline": 10.0, **more}
    return Plan(
        cell="py311-django22",
        library="",
        url="ws://127.0.0.1/",
        origin="http://127.0.0.1",
        visitors=VISITORS,
        publisher=VISITORS[1],
        sockets=sockets,
        **values,
    )


def usage(p99):
    return Client(cpu_seconds=1.5, memory_mb=50.0, share=0.25, lag_p99=1.0, lag_max=2.0, bottleneck=False)


def part_of(messages, **more):
    values = {
        "connected": 10,
        "refused": {},
        "stood": 10,
        "foreign": 0,
        "closed": {},
        "publisher_closed": 0,
        "latency": None,
        "timed": True,
        "client": usage(0),
    }
    return ShardReport(**{**values, "messages": messages, **more})


def test_added():
    """Every count is added up, message by message, and the worst of what the workers were slow in."""
    step = added(
        25,
        [
            part_of(
                [Message(delivered=10, last_ms=5.0), Message(delivered=8, lost=2, duplicated=1, last_ms=4.0)],
                refused={"status 403": 1},
                latency=latency([0.001] * 18),
            ),
            part_of(
                [Message(delivered=9, closed=1, last_ms=7.0), Message(delivered=9, unproved=1, late=3, last_ms=20.0)],
                refused={"status 403": 1, "ECONNREFUSED": 2},
                foreign=4,
                closed={"dropped": 1},
                publisher_closed=1,
                latency=latency([0.003] * 18),
                client=msgspec.structs.replace(usage(0), lag_max=80.0, share=0.9, bottleneck=True),
            ),
        ],
        connect_seconds=1.5,
        stand_seconds=0.5,
        ended="interrupted",
    )
    assert step.messages == [
        Message(delivered=19, closed=1, last_ms=7.0),
        Message(delivered=17, lost=2, unproved=1, late=3, duplicated=1, last_ms=20.0),
    ]
    assert (step.sockets, step.connected, step.stood, step.foreign, step.publisher_closed) == (25, 20, 20, 4, 1)
    assert (step.refused, step.closed) == ({"status 403": 2, "ECONNREFUSED": 2}, {"dropped": 1})
    assert (step.connect_seconds, step.stand_seconds, step.ended) == (1.5, 0.5, "interrupted")
    assert step.latency == latency([0.001] * 18 + [0.003] * 18)
    assert step.per_second == pytest.approx((19 / 0.007 + 17 / 0.020) / 2, abs=0.1)
    assert step.client == Client(
        cpu_seconds=3.0, memory_mb=100.0, share=0.9, lag_p99=1.0, lag_max=80.0, bottleneck=True
    )
    assert not step.whole


def test_added_without_a_common_clock():
    """Where a worker cannot time its deliveries they are counted, and nothing is said of when the last one came."""
    step = added(
        20,
        [
            part_of([Message(delivered=10, last_ms=5.0)], latency=latency([0.001] * 10)),
            part_of([Message(delivered=10)], timed=False),
        ],
    )
    assert step.messages == [Message(delivered=20)]
    assert (step.latency.count, step.per_second) == (10, None)
    assert step.whole


def test_added_with_less_from_one():
    """A worker that was not told of the last message any more adds nothing to it."""
    step = added(20, [part_of([Message(delivered=10), Message(delivered=4)]), part_of([Message(delivered=10)])])
    assert [each.delivered for each in step.messages] == [20, 4]


def test_added_of_nothing():
    """When no worker tells anything, the step is one in which nothing was opened."""
    step = added(20, [], ended="interrupted")
    assert (step.connected, step.messages, step.latency, step.client, step.whole) == (0, [], None, None, False)


def test_distributions_add_up():
    """The distribution of all deliveries is that of all workers' deliveries, whoever had which."""
    took = [each / 10_000 for each in range(1, 5000)]
    assert combined([latency(took[::2]), latency(took[1::2])]) == latency(took)
    assert combined([]) is None


def test_clock():
    """Processes of one machine call their clock the same."""
    assert together.clock() == together.clock()


@pytest.mark.parametrize(("sockets", "of"), [(60, 2), (61, 2), (7, 3), (1, 2)])
def test_shards(sockets, of):
    """Each shard has room for what turns may bring it, and together they have the mix of one crowd."""
    shards = [Shard(plan_for(sockets), place, of, WIRE, HERE) for place in range(of)]
    taken = [shards[turn % of].take()[1].name for turn in range(sockets)]
    assert taken == [NAMES[number % 4] for number in range(sockets)]


def test_shard_that_is_full():
    """A user who comes when all sockets are taken has none."""
    shard = Shard(plan_for(2), 0, 1, WIRE, HERE)
    assert [shard.take() is None for _ in range(3)] == [False, False, True]


def announced(shard, number, message=True):
    shard.announce(Announce(number=number, text=f"text {number}", message=message, since=None))


def standing(clock=HERE, delivered=None):
    """Return a shard of two sockets that stand."""
    shard = Shard(plan_for(2), 0, 1, WIRE, clock, delivered or (lambda seconds: None))
    announced(shard, 0, message=False)
    for socket in range(2):
        shard.take()
        shard.opened("")
        shard.arrived(socket, b"text 0", 1.0)
    return shard


def test_shard_counts():
    """What arrives is counted as it is on one machine: once, again, never, foreign, late."""
    shard = standing()
    announced(shard, 1)
    shard.sent(PublishedAt(number=1, at=10.0, clock=HERE))
    for data, at in ((b"text 1", 10.5), (b"text 1", 10.6), (b"what nobody sent", 10.7)):
        shard.arrived(0, data, at)
    assert not shard.state().reached
    shard.message_closed(MessageClosed(number=1, given_up=True))
    announced(shard, 2)
    shard.sent(PublishedAt(number=2, at=20.0, clock=HERE))
    for socket in range(2):
        shard.arrived(socket, b"text 2", 20.25)
    state = shard.state()
    assert (state.connected, state.reachable, state.announced, state.reached) == (2, 2, 2, True)
    part = shard.report(usage)
    assert part.messages == [
        Message(delivered=1, lost=1, duplicated=1, last_ms=500.0),
        Message(delivered=2, last_ms=250.0),
    ]
    assert (part.foreign, part.latency.count, part.timed) == (1, 3, True)
    shard.arrived(1, b"text 1", time.perf_counter())
    assert shard.report(usage).messages[0].late == 1


def test_shard_that_is_told_of_a_sending_late():
    """A delivery that comes before the note of its sending is timed from the sending all the same."""
    told = []
    shard = standing(delivered=told.append)
    announced(shard, 1)
    shard.arrived(0, b"text 1", 10.5)
    assert told == []
    shard.sent(PublishedAt(number=1, at=10.0, clock=HERE))
    shard.arrived(1, b"text 1", 11.0)
    shard.arrived(1, b"text 1", 11.0)
    assert told == [0.5, 1.0]


def test_shard_on_another_machine():
    """Where the clock is not the publisher's, deliveries are counted and not timed."""
    told = []
    shard = standing("another clock", told.append)
    announced(shard, 1)
    shard.arrived(0, b"text 1", 10.5)
    shard.sent(PublishedAt(number=1, at=1e9, clock=HERE))
    shard.arrived(1, b"text 1", 11.0)
    assert told == [None, None]
    part = shard.report(usage)
    assert (part.messages, part.latency, part.timed) == ([Message(delivered=2)], None, False)


class Hall:
    """Workers without sockets: what is published arrives at once, unless *fault* says what goes wrong."""

    def __init__(self, sockets=10, workers=("one", "two"), fault="", **more):
        self.fault, self.here = fault, set(workers)
        self.shards = {}
        self.conductor = Conductor(plan_for(sockets, **more), workers, self.tell, self.wait, lambda: self.here)

    def answer(self, worker, answer):
        self.conductor.heard(worker, together.answer_of(together.plain(answer)))

    def tell(self, worker, order):
        order = together.order_of(together.plain(order))
        if isinstance(order, Begin):
            self.begin(worker, order)
        elif worker in self.here and not (self.fault == "never tells" and isinstance(order, ReportRequest)):
            self.follow(worker, self.shards[worker], order)

    def begin(self, worker, order):
        self.shards[worker] = shard = Shard(order.plan, order.index, order.count, WIRE, f"{worker}'s clock")
        while shard.take():
            shard.opened("" if self.fault != "refuses" else "status 403")
        if order.index == 0:
            self.answer(worker, Failed(why="no publisher") if self.fault == "no publisher" else Ready())
        self.answer(worker, shard.state())

    def follow(self, worker, shard, order):
        match order:
            case Announce():
                shard.announce(order)
                self.happen(order)
            case Publish():
                self.answer(worker, shard.publish(order.number)[1])
                self.deliver(order.number)
            case PublishedAt():
                shard.sent(order)
            case ReportRequest():
                self.answer(worker, shard.report(usage))
        if worker in self.here:
            self.answer(worker, shard.state())

    def happen(self, order):
        """Have the fault happen when the second message is announced."""
        if order.text.startswith("message 1"):
            if self.fault == "a worker dies":
                self.here.discard("two")
            if self.fault == "a worker joins":
                self.here.add("three")
            if self.fault == "interrupted":
                self.conductor.ended = "interrupted"

    def deliver(self, number):
        for place, (worker, shard) in enumerate(self.shards.items()):
            text = shard.tally.sent[number].text
            for socket in range(shard.connected):
                lost = self.fault == "loses" and text.startswith("message 1") and (place, socket) == (1, 2)
                if not lost and self.fault != "silent":
                    shard.arrived(socket, text.encode(), time.perf_counter())
            if worker in self.here:
                self.answer(worker, shard.state())

    def wait(self, seconds):
        time.sleep(min(seconds, 0.001))

    def step(self):
        self.conductor.prepare()
        return self.conductor.conduct()


@pytest.fixture
def impatient(monkeypatch):
    for name, seconds in (("QUIET", 0.05), ("FENCE_QUIET", 0.05), ("LAST", 0.0), ("_ANSWER", 0.1)):
        monkeypatch.setattr(conductor, name, seconds)


@pytest.mark.usefixtures("impatient")
def test_all_is_well():
    """A step of two workers goes through all phases, and only one of the two clocks times it."""
    step = Hall().step()
    assert step.whole
    assert (step.connected, step.stood, step.latency.count, step.ended) == (10, 10, 10, "")
    assert step.messages == [Message(delivered=10)] * 2


@pytest.mark.usefixtures("impatient")
def test_what_is_lost():
    """A fence behind a message proves on every worker what is lost."""
    step = Hall(fault="loses").step()
    assert step.messages == [Message(delivered=10), Message(delivered=9, lost=1)]
    assert not step.whole


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("fault", "ended", "connected"),
    [
        ("a worker dies", "1 of 2 workers gone, with 5 sockets", 5),
        ("a worker joins", "a worker has joined, which moves sockets from one to the other", 10),
        ("interrupted", "interrupted", 10),
        ("silent", "no subscription stands: nothing arrives on any socket", 10),
        ("refuses", "no subscription stands: nothing arrives on any socket", 0),
        ("no publisher", "no publisher", 10),
        ("never tells", "a worker does not tell what has come of it", 0),
    ],
)
def test_early_end(fault, ended, connected):
    """Whatever ends a step is named, and what is known by then is told."""
    step = Hall(fault=fault).step()
    assert (step.ended, step.connected) == (ended, connected)
    assert not step.whole


@pytest.mark.usefixtures("impatient")
def test_no_time_left():
    """A step ends when its time is over, with what it has."""
    step = Hall(messages=1_000_000, deadline=0.3).step()
    assert step.ended == "not through within 0 s"
    assert step.messages[0].delivered == 10
