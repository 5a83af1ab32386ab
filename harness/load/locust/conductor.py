"""The master's side of a step by several workers: the phases of :mod:`harness.load.client`, by orders and answers."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

from harness.load.crowd import Ended
from harness.load.locust.protocol import (
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
    ShardReport,
    State,
    added,
)
from harness.load.plan import Plan
from harness.load.timing import FENCE_QUIET, FENCES, LAST, QUIET
from harness.results.loads import Step
from harness.system.waiting import Deadline

#: Seconds between two looks at whether everybody is still here, and for the workers to answer what takes no time.
_LOOK = 0.5
_ANSWER = 10.0


@dataclass
class Conductor:
    """Goes through the phases of one step; the first of *workers* has the publisher."""

    plan: Plan
    workers: Sequence[str]
    #: Gives one of the workers an order.
    tell: Callable[[str, Order], None]
    #: Returns when something was heard, and at the latest after so many seconds.
    wait: Callable[[float], None]
    #: Returns the workers that are here.
    present: Callable[[], Collection[str]]
    #: Why it was ended before it was through; whoever interrupts it writes that here.
    ended: str = ""
    connect_seconds: float = 0.0
    stand_seconds: float = 0.0
    states: dict[str, State] = field(default_factory=dict)
    reports: dict[str, ShardReport] = field(default_factory=dict)
    _ready: bool = False
    _failed: str = ""
    _sent: PublishedAt | None = None
    _texts: int = 0
    _deadline: Deadline = field(init=False)

    def __post_init__(self) -> None:
        self.token = secrets.token_hex(4)
        self.states = {worker: State() for worker in self.workers}
        self._deadline = Deadline(self.plan.deadline)

    def heard(self, worker: str, answer: Answer) -> None:
        """Note what a worker answers."""
        match answer:
            case State():
                self.states[worker] = answer
            case ShardReport():
                self.reports[worker] = answer
            case PublishedAt():
                self._sent = answer
            case Ready():
                self._ready = True
            case Failed():
                self._failed = answer.why

    def prepare(self) -> None:
        """Give each worker its shard, and wait until the publisher is connected, which has to be first."""
        try:
            for index, worker in enumerate(self.workers):
                self.tell(worker, Begin(plan=self.plan, index=index, count=len(self.workers)))
            self._wait(lambda: self._ready, self.plan.deadline)
        except Ended as error:
            self.ended = str(error)

    def conduct(self) -> Step:
        """Conduct the step whose users are being started, and return it; also when it ends early."""
        if not self.ended:
            try:
                self._phases()
            except Ended as error:
                self.ended = str(error)
        self._collect()
        return self.step()

    def step(self) -> Step:
        """Return what is known of the step by now."""
        reports = [self.reports[worker] for worker in self.workers if worker in self.reports]
        return added(self.plan.sockets, reports, self.connect_seconds, self.stand_seconds, self.ended)

    def _phases(self) -> None:
        began = time.monotonic()
        try:
            self._wait(lambda: self._sum("connected") + self._sum("refused") >= self.plan.sockets, self.plan.deadline)
        finally:
            self.connect_seconds = round(time.monotonic() - began, 3)
        began = time.monotonic()
        try:
            self._fence(lambda: self._sum("reachable"), lambda: self._sum("connected") - self._sum("closed"), None)
        finally:
            self.stand_seconds = round(time.monotonic() - began, 3)
        if not self._sum("reachable"):
            raise Ended("no subscription stands: nothing arrives on any socket")
        for each in range(self.plan.messages):
            self._broadcast(each)
        # What is behind everything proves what is lost, and brings out what is received twice.
        self._fence(lambda: self._sum("having"), lambda: self._sum("reachable"), self._texts)
        self._pause(LAST)

    def _broadcast(self, each: int) -> None:
        number = self._send(f"message {each} ({self.token})", True, None)
        reached = self._arrival(lambda: all(state.reached for state in self.states.values()), QUIET)
        self._tell_all(MessageClosed(number=number, given_up=not reached))

    def _fence(self, have: Callable[[], int], wanted: Callable[[], int], since: int | None) -> None:
        """Send fences, one at a time, until as many sockets *have* one as are *wanted*, or until no more get one."""
        vain, sent = 0, False
        while not sent or (have() < wanted() and vain < FENCES):
            before = have()
            self._send(f"fence {self._texts} ({self.token})", False, since)
            sent = True
            self._arrival(lambda: have() >= wanted(), FENCE_QUIET)
            vain = 0 if have() > before else vain + 1

    def _send(self, text: str, message: bool, since: int | None) -> int:
        """Have a text broadcast once every worker has been told of it, so that none counts it as foreign.

        Returns:
            Its number.

        Raises:
            Ended: it cannot be sent.
        """
        number, self._texts, self._sent = self._texts, self._texts + 1, None
        self._tell_all(Announce(number=number, text=text, message=message, since=since))
        if not self._wait(lambda: all(state.announced >= number for state in self.states.values()), _ANSWER):
            raise Ended("a worker does not answer")
        self.tell(self.workers[0], Publish(number=number))
        # The publisher may have to be let in again before.
        if not self._wait(lambda: self._sent is not None, _ANSWER + self.plan.handshake):
            raise Ended("the publisher cannot send a message")
        assert self._sent is not None
        self._tell_all(self._sent)
        return number

    def _arrival(self, done: Callable[[], bool], quiet: float) -> bool:
        """Wait until *done*, as long as something arrives at least every *quiet* seconds; tell whether it is done."""
        quiet += self.plan.sockets / 1000
        while not done():
            if not self._wait(partial(self._moved, done, self._sum("activity")), quiet):
                return False
        return True

    def _moved(self, done: Callable[[], bool], before: int) -> bool:
        return done() or self._sum("activity") != before

    def _wait(self, done: Callable[[], bool], seconds: float) -> bool:
        """Wait until *done*, at most so many *seconds*; tell whether it is done.

        Raises:
            Ended: the step cannot go on.
        """
        deadline = Deadline(seconds)
        self._check()  # also where nothing has to be waited for
        while not done():
            if deadline.over:
                return False
            self.wait(min(deadline.left, _LOOK))
            self._check()
        return True

    def _check(self) -> None:
        if self.ended:
            raise Ended(self.ended)
        if self._failed:
            raise Ended(self._failed)
        here = set(self.present())
        if gone := [worker for worker in self.workers if worker not in here]:
            sockets = sum(self.states[worker].connected for worker in gone)
            raise Ended(f"{len(gone)} of {len(self.workers)} workers gone, with {sockets} sockets")
        if here - set(self.workers):
            raise Ended("a worker has joined, which moves sockets from one to the other")
        if self._deadline.over:
            raise Ended(f"not through within {self.plan.deadline:.0f} s")

    def _collect(self) -> None:
        """Ask all workers that are still here for their report."""
        here = self.present()
        for worker in self.workers:
            if worker in here:
                self.tell(worker, ReportRequest())
        deadline = Deadline(_ANSWER)
        while not deadline.over:
            here = self.present()
            if all(worker in self.reports or worker not in here for worker in self.workers):
                return
            self.wait(min(deadline.left, _LOOK))
        self.ended = self.ended or "a worker does not tell what has come of it"

    def _pause(self, seconds: float) -> None:
        deadline = Deadline(seconds)
        while not deadline.over:
            self.wait(deadline.left)

    def _tell_all(self, order: Order) -> None:
        for worker in self.workers:
            self.tell(worker, order)

    def _sum(self, name: str) -> int:
        return sum(getattr(state, name) for state in self.states.values())
