"""The load client with a crowd that is none: the phases of a step, the rates, and what is made of the counts."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter

import msgspec
import pytest

from harness.clients.frame_format import FrameFormat
from harness.load import client
from harness.load.crowd import Crowd, Ended
from harness.load.deliveries import Tally
from harness.load.plan import Outcome, Plan, Visitor
from harness.results.loads import Step

NOBODY = Visitor(name="", cookie="")


class Standing:
    """A crowd whose sockets hear what is published at once, each ten milliseconds after the one before it."""

    def __init__(self, plan: Plan, frame_format: FrameFormat) -> None:
        self.plan, self.frame_format = plan, frame_format
        self.tally = Tally(plan.sockets)
        self.token = "abc"
        self.listeners: list[int] = []
        self.refused: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()
        self.changed = asyncio.Event()
        self.published_by = 1
        self.left = False
        self.kept_alive = 0
        #: What happens when it leaves.
        self.last = lambda: None
        #: How many are let in.
        self.room = plan.sockets
        #: How often a socket hears a text.
        self.hears = lambda text, socket: 1
        #: Seconds that it takes beyond its usual ten milliseconds.
        self.slow = lambda text, socket: 0.0
        #: What happens when something is published.
        self.then = lambda text: None
        self.shut_out = ""

    async def connect(self) -> None:
        await self.have_publisher()
        self.listeners = list(range(self.room))

    async def have_publisher(self) -> None:
        if self.shut_out:
            raise Ended(self.shut_out)

    def publish(self, text: str, at: float | None = None) -> int:
        sent = client.time.perf_counter() if at is None else at
        number = self.tally.begin(text, sent)
        for socket in self.listeners:
            for _ in range(self.hears(text, socket)):
                arrived = sent + 0.01 * (socket + 1) + self.slow(text, socket)
                if not self.tally.closed[socket] and self.tally.arrive(number, socket, arrived):
                    self.changed.set()
        self.then(text)
        return number

    def close(self, socket: int, why: str) -> None:
        self.closed[why] += 1
        self.tally.close(socket)
        self.changed.set()

    def keep_alive(self) -> None:
        self.kept_alive += 1

    def leave(self) -> None:
        self.left = True
        self.last()

    @property
    def texts(self) -> list[str]:
        return [each.text.removesuffix(" (abc)") for each in self.tally.sent]


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    """Let nothing be waited for longer than it has to be, and signals be as they were."""
    monkeypatch.setattr(client, "FENCE_QUIET", 0.001)
    monkeypatch.setattr(client, "QUIET", 0.001)
    monkeypatch.setattr(client, "LAST", 0.0)
    monkeypatch.setattr(client, "RATE_SECONDS", 0.001)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def plan_for(sockets: int = 3, **more: object) -> Plan:
    values = {"messages": 2, "deadline": 20.0, "bound_ms": 250.0, **more}
    return Plan(
        cell="py311-django52-asgi",
        library="asgi",
        url="ws://127.0.0.1:1/",
        origin="http://127.0.0.1:1",
        visitors=[NOBODY],
        publisher=NOBODY,
        sockets=sockets,
        **values,
    )


class Went:
    """A step that was gone through."""

    def __init__(self, prepare=lambda crowd: None, frame_format=None, **plan: object) -> None:
        async def go() -> None:
            self.steps = client._Steps(plan_for(**plan), frame_format or FrameFormat("/", lambda data: [data]))
            assert isinstance(self.steps.crowd, Crowd)
            self.crowd = self.steps.crowd = Standing(self.steps.plan, self.steps.crowd.frame_format)
            prepare(self.crowd)
            await self.steps.run()

        asyncio.run(go())
        self.step = self.steps.step()


def test_all_is_well():
    """Everybody stands, has each message once, and a fence behind everything proves it."""
    went = Went()
    assert went.crowd.texts == ["fence 0", "message 0", "message 1", "fence 3"]
    step = went.step
    assert (step.sockets, step.connected, step.stood, step.ended) == (3, 3, 3, "")
    assert [msgspec.to_builtins(each) for each in step.messages] == [
        {
            "delivered": 3,
            "lost": 0,
            "unproved": 0,
            "closed": 0,
            "late": 0,
            "duplicated": 0,
            "last_ms": pytest.approx(30.0),
        }
    ] * 2
    assert (step.rates, step.refused, step.closed, step.foreign, step.publisher_closed) == ([], {}, {}, 0, 0)
    assert step.whole
    assert went.crowd.left


def test_figures():
    """Each delivery of each message is timed; those of fences are not."""
    step = Went().step
    assert (step.latency.count, step.latency.p50, step.latency.max) == (
        6,
        pytest.approx(20, 0.01),
        pytest.approx(30, 0.01),
    )
    assert step.per_second == pytest.approx(100.0, 0.01)
    assert step.client.cpu_seconds >= step.client.message_cpu_seconds >= 0
    assert step.client.memory_mb > 10


def test_lost():
    """What did not come although a fence behind it did is lost, and nothing else is."""

    def prepare(crowd):
        crowd.hears = lambda text, socket: int(not (text.startswith("message 1") and socket == 2))

    step = Went(prepare).step
    assert [(each.delivered, each.lost) for each in step.messages] == [(3, 0), (2, 1)]
    assert step.latency.count == 5
    assert not step.whole


def test_twice():
    """What comes twice is counted as such."""

    def prepare(crowd):
        crowd.hears = lambda text, socket: 2 if text.startswith("message 0") else 1

    step = Went(prepare).step
    assert [(each.delivered, each.duplicated) for each in step.messages] == [(3, 3), (3, 0)]


def test_unproved():
    """A socket that has nothing more after its first fence says nothing of what was sent, and is waited for in vain."""

    def prepare(crowd):
        crowd.hears = lambda text, socket: int(socket < 2 or text.startswith("fence 0"))

    went = Went(prepare)
    assert [(each.delivered, each.lost, each.unproved) for each in went.step.messages] == [(2, 0, 1)] * 2
    # The last fence is sent as often as it may be in vain: the first of them brought something new.
    assert went.crowd.texts == ["fence 0", "message 0", "message 1", *(f"fence {number}" for number in range(3, 8))]


def test_nobody_stands():
    """Where nothing arrives on any socket the step ends before a message is sent."""

    def prepare(crowd):
        crowd.hears = lambda text, socket: 0

    went = Went(prepare)
    assert went.step.ended == "no subscription stands: nothing arrives on any socket"
    assert (went.step.stood, went.step.messages, went.step.latency, went.step.per_second) == (0, [], None, None)
    assert went.crowd.texts == [f"fence {number}" for number in range(4)]
    assert went.crowd.left


def test_some_stand_later():
    """As long as each fence brings somebody new another one is sent; then all stand."""

    def prepare(crowd):
        crowd.hears = lambda text, socket: int(len(crowd.tally.sent) > socket)

    went = Went(prepare)
    assert went.crowd.texts[:4] == ["fence 0", "fence 1", "fence 2", "message 0"]
    assert (went.step.stood, went.step.whole) == (3, True)


def test_not_everybody_is_let_in():
    """Whoever is not let in is counted by what was met, and the others have what is sent."""

    def prepare(crowd):
        crowd.room = 2
        crowd.refused["status 503"] = 1

    step = Went(prepare).step
    assert (step.connected, step.stood, step.refused) == (2, 2, {"status 503": 1})
    assert [each.delivered for each in step.messages] == [2, 2]
    assert not step.whole


def test_closed_on_the_way():
    """A socket that is closed between two messages is counted for the first, and is none for the second."""

    def prepare(crowd):
        crowd.then = lambda text: crowd.close(1, "close code 1001") if text.startswith("message 0") else None

    step = Went(prepare).step
    assert step.closed == {"close code 1001": 1}
    assert [(each.delivered, each.closed, each.lost) for each in step.messages] == [(3, 0, 0), (2, 0, 0)]


def test_closed_while_it_waits():
    """A socket that is closed before it has a message is told as closed, and nobody waits for it any more."""

    def prepare(crowd):
        crowd.hears = lambda text, socket: int(not (text.startswith("message 0") and socket == 1))
        crowd.then = lambda text: crowd.close(1, "dropped") if text.startswith("message 0") else None

    step = Went(prepare).step
    assert [(each.delivered, each.closed, each.lost) for each in step.messages] == [(2, 1, 0), (2, 0, 0)]


def test_late():
    """What comes after it was given up is delivered, and late."""
    held = []

    def prepare(crowd):
        def hears(text, socket):
            if text.startswith("message 0") and socket == 2:
                held.append(len(crowd.tally.sent) - 1)
                return 0
            return 1

        def then(text):
            if text.startswith("message 1"):
                crowd.tally.arrive(held[0], 2, client.time.perf_counter())

        crowd.hears, crowd.then = hears, then

    step = Went(prepare).step
    assert [(each.delivered, each.late, each.lost) for each in step.messages] == [(3, 1, 0), (3, 0, 0)]


def test_the_publisher_is_shut_out():
    """Where the publisher is not let in the step has ended before it began, for that reason."""

    def prepare(crowd):
        crowd.shut_out = "the publisher was not let in: status 403"

    went = Went(prepare)
    assert (went.step.ended, went.step.connected) == ("the publisher was not let in: status 403", 0)
    assert went.crowd.left


def test_the_publisher_was_closed():
    """How often the publisher's connection had to be opened again is told."""

    def prepare(crowd):
        crowd.published_by = 3

    assert Went(prepare).step.publisher_closed == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(number, monkeypatch):
    """Who interrupts it gets what it has by then, and why it is no more."""

    def prepare(crowd):
        crowd.hears = lambda text, socket: int(text.startswith("fence") or socket < 2)
        crowd.then = lambda text: os.kill(os.getpid(), number) if text.startswith("message 0") else None

    monkeypatch.setattr(client, "QUIET", 20.0)
    step = Went(prepare).step
    assert step.ended == "interrupted"
    assert [(each.delivered, each.unproved) for each in step.messages] == [(2, 1)]
    assert not step.whole


def test_out_of_time(monkeypatch):
    """When its time is over it ends by itself, with what it has."""
    monkeypatch.setattr(client, "QUIET", 20.0)

    def prepare(crowd):
        crowd.hears = lambda text, socket: int(text.startswith("fence") or socket < 2)

    step = Went(prepare, deadline=0.3).step
    assert (step.ended, len(step.messages)) == ("not through within 0 s", 1)


def test_what_nobody_foresaw():
    """An error of the client's own is no result."""

    def prepare(crowd):
        crowd.then = lambda text: 1 / 0

    with pytest.raises(ZeroDivisionError):
        Went(prepare)


def test_kept_alive():
    """What a protocol has to say every so often is said for as long as the step lasts."""
    frame_format = FrameFormat("/", lambda data: [data], every=("2", 0.001))

    def prepare(crowd):
        crowd.hears = lambda text, socket: int(socket < 2)

    went = Went(prepare, frame_format)
    assert went.crowd.kept_alive >= 1
    assert Went().crowd.kept_alive == 0


def test_a_crowd_is_held():
    """Messages are spread over as long as a crowd is held, the last after a silence; who falls away did not stand."""
    went = Went(messages=3, hold=0.3, silent=0.2)
    sent = [each.at for each in went.crowd.tally.sent if each.text.startswith("message")]
    assert sent[2] - sent[1] >= 0.2
    assert (went.step.hold, went.step.silent) == (0.3, 0.2)
    assert went.step.whole

    def prepare(crowd):
        def later(text):
            if text.startswith("message 0"):
                asyncio.get_running_loop().call_later(0.05, crowd.close, 1, "close code 1011")

        crowd.then = later

    fallen = Went(prepare, messages=2, hold=0.2, silent=0.1).step
    assert (fallen.stood, fallen.deliveries, fallen.closed) == (3, 5, {"close code 1011": 1})
    assert not fallen.whole


def test_what_the_server_had_printed(tmp_path):
    """How much the server had printed is noted before the crowd leaves; nothing is where nobody wants to know."""
    log = tmp_path / "server.log"
    log.write_text("KeyError: 1\n")

    def prepare(crowd):
        crowd.last = lambda: log.write_text("KeyError: 1\nConnectionResetError: left\n")

    went = Went(prepare, log=str(log))
    assert (went.steps.printed, log.stat().st_size) == (12, 39)
    assert Went().steps.printed == 0


# Rates


def test_rates():
    """Each rate is held for a while, and its deliveries are counted and timed from when they were due."""
    went = Went(rates=[1000, 2000], messages=5)
    step = went.step
    assert step.messages == []
    # One at first, one behind each rate, and one behind everything.
    assert [place for place, text in enumerate(went.crowd.texts) if text.startswith("fence")] == [0, 11, 22, 23]
    assert [
        (each.rate, each.sent, each.expected, each.delivered, each.duplicated, each.good) for each in step.rates
    ] == [
        (1000, 10, 30, 30, 0, True),
        (2000, 10, 30, 30, 0, True),
    ]
    assert [(each.latency.count, each.latency.p99) for each in step.rates] == [(30, pytest.approx(30.0, 0.01))] * 2
    assert step.best_rate.rate == 2000
    assert (step.latency, step.per_second) == (None, None)


def test_a_rate_has_its_number_of_messages(monkeypatch):
    """A rate that is held for a time has as many messages as fit into it, and ten at the least."""
    monkeypatch.setattr(client, "RATE_SECONDS", 0.02)
    step = Went(rates=[100, 1000]).step
    assert [each.sent for each in step.rates] == [10, 20]


def test_a_rate_that_is_too_slow():
    """A rate whose p99 is over the bound is no good one, and none is tried behind it."""

    def prepare(crowd):
        crowd.slow = lambda text, socket: 0.5 if text.startswith("rate 2000, 3 ") else 0.0

    step = Went(prepare, rates=[1000, 2000, 4000]).step
    assert [(each.rate, each.good) for each in step.rates] == [(1000, True), (2000, False)]
    assert step.rates[1].latency.p99 == pytest.approx(530, 0.01)
    assert step.best_rate.rate == 1000


@pytest.mark.parametrize(("times", "delivered", "duplicated"), [(0, 29, 0), (2, 30, 1)])
def test_a_rate_that_is_not_whole(times, delivered, duplicated):
    """A rate of which one delivery is missing, or comes twice, is no good one."""

    def prepare(crowd):
        crowd.hears = lambda text, socket: times if text.startswith("rate 1000, 4 ") and socket == 1 else 1

    (rate,) = Went(prepare, rates=[1000, 2000], bound_ms=40.0).step.rates
    assert (rate.delivered, rate.duplicated, rate.good) == (delivered, duplicated, False)


def test_a_rate_whose_last_is_kept_back():
    """A last message that comes only with a fence behind it belongs to its rate."""
    held = []

    def prepare(crowd):
        def hears(text, socket):
            if text.startswith("rate 1000, 9 "):
                held.append(socket)
                return 0
            return 1

        def then(text):
            if text.startswith("fence") and held:
                number = next(
                    place for place, each in enumerate(crowd.tally.sent) if each.text.startswith("rate 1000, 9")
                )
                for socket in held:
                    crowd.tally.arrive(number, socket, crowd.tally.sent[number].at + 0.05)
                held.clear()

        crowd.hears, crowd.then = hears, then

    (rate,) = Went(prepare, rates=[1000]).step.rates
    assert (rate.delivered, rate.good) == (30, True)


def test_a_rate_that_nobody_hears():
    """A rate of which nothing arrives at all has no latency, and is no good one."""

    def prepare(crowd):
        crowd.hears = lambda text, socket: int(text.startswith("fence"))

    (rate,) = Went(prepare, rates=[1000], bound_ms=1.0).step.rates
    assert (rate.latency, rate.delivered, rate.good) == (None, 0, False)


def test_behind_time():
    """Messages that are sent late are timed from when they were due."""

    def prepare(crowd):
        def hold_up(text):
            if text.startswith("rate 1000, 0 "):
                client.time.sleep(0.02)

        crowd.then = hold_up

    went = Went(prepare, rates=[1000])
    due = [each.at for each in went.crowd.tally.sent if each.text.startswith("rate")]
    assert [round(each - due[0], 6) for each in due] == pytest.approx([number / 1000 for number in range(10)])


# The program


def test_the_program(tmp_path, monkeypatch):
    """The plan is read from its file, its cell's library says how frames are, and what came of it is in the other."""
    made = []

    class Steps:
        def __init__(self, plan, frame_format):
            made.append((plan, frame_format))

        async def run(self):
            made.append("run")

        printed = 7

        def step(self):
            return Step(sockets=3, ended="interrupted")

    monkeypatch.setattr(client, "_Steps", Steps)
    plan = plan_for()
    (tmp_path / "plan.json").write_bytes(msgspec.json.encode(plan))
    assert client.main(tmp_path / "plan.json", tmp_path / "step.json") == 0
    assert made[0][0] == plan
    assert made[0][1].path == "/ws/members/"
    assert made[1] == "run"
    left = msgspec.json.decode((tmp_path / "step.json").read_bytes(), type=Outcome)
    assert left == Outcome(step=Step(sockets=3, ended="interrupted"), printed=7)
