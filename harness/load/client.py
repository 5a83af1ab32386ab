"""The load client: one event loop on picows and uvloop, in a process of its own, for one step.

``python -m harness.load.client PLAN RESULT`` reads a :class:`~harness.load.plan.Plan` and writes a
:class:`~harness.load.plan.Outcome`; also when it is interrupted, or its time is over: with what it has measured by
then.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import uvloop

from harness.clients.frame_format import FrameFormat
from harness.load.crowd import Crowd, Ended, room_for_sockets
from harness.load.latency import latency, per_second
from harness.load.plan import RATE_SECONDS, Outcome, Plan
from harness.load.timing import FENCE_QUIET, FENCES, LAST, QUIET, TICK, LagMonitor, Stopwatch
from harness.results.loads import INTERRUPTED, Rate, Step
from harness.system.files import write_atomically


class _LoopMonitor(LagMonitor):
    """Looks as often as the event loop gets to it."""

    _handle: asyncio.TimerHandle | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look until the block is left."""
        self.begin()
        self._tick()
        try:
            yield
        finally:
            self.end()
            if self._handle is not None:
                self._handle.cancel()

    def _tick(self) -> None:
        self.look()
        self._handle = asyncio.get_running_loop().call_later(TICK, self._tick)


class _Steps:
    """Goes through the phases of one step, and knows at each moment what has been measured."""

    def __init__(self, plan: Plan, frame_format: FrameFormat) -> None:
        self.plan = plan
        self.crowd = Crowd(plan, frame_format)
        self.messages: list[tuple[int, bytearray]] = []
        self.rates: list[Rate] = []
        self.connecting, self.subscribing, self.speaking = Stopwatch(), Stopwatch(), Stopwatch()
        self.lag = _LoopMonitor()
        self._cpu = time.process_time()  # what came before is the start of the program
        self.ended = ""
        self.printed = 0

    async def run(self) -> None:
        """Connect, wait until every socket is subscribed, then broadcast; why it ended early is in ``ended``."""
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        work = asyncio.create_task(self._phases())
        over = asyncio.create_task(stop.wait())
        alive = asyncio.create_task(self._keep_alive())
        await asyncio.wait({work, over}, timeout=self.plan.deadline, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            self.ended = INTERRUPTED if stop.is_set() else f"not through within {self.plan.deadline:.0f} s"
        else:
            await asyncio.sleep(LAST)
        for task in (work, over, alive):
            task.cancel()
        for outcome in await asyncio.gather(work, over, alive, return_exceptions=True):
            if isinstance(outcome, Ended):
                self.ended = str(outcome)
            elif isinstance(outcome, Exception):
                raise outcome
        self.printed = Path(self.plan.log).stat().st_size if self.plan.log else 0
        self.crowd.leave()

    async def _phases(self) -> None:
        crowd, tally = self.crowd, self.crowd.tally
        with self.connecting.running():
            await crowd.connect()
        with self.subscribing.running():
            await self._fence(lambda: tally.reachable, lambda: len(crowd.listeners) - sum(crowd.closed.values()))
        if not any(tally.standing):
            raise Ended("no subscription stands: nothing arrives on any socket")
        with self.speaking.running():
            if self.plan.rates:
                await self._rise()
            else:
                await self._speak()
        # What is behind everything proves what is lost, and brings out what is received twice.
        last = len(tally.sent)
        await self._fence(lambda: tally.having(last), lambda: tally.reachable)

    async def _keep_alive(self) -> None:
        every = self.crowd.frame_format.every
        while every is not None:
            await asyncio.sleep(every[1])
            self.crowd.keep_alive()

    async def _fence(self, have: Callable[[], int], wanted: Callable[[], int]) -> None:
        """Send fences, one at a time, until as many sockets *have* one as are *wanted*, or until no more get one."""
        tally, vain, sent = self.crowd.tally, 0, False
        while not sent or (have() < wanted() and vain < FENCES):
            before = have()
            await self.crowd.have_publisher()
            self.crowd.publish(f"fence {len(tally.sent)} ({self.crowd.token})")
            sent = True
            await self._arrival(lambda: have() >= wanted(), FENCE_QUIET)
            vain = 0 if have() > before else vain + 1

    async def _arrival(self, done: Callable[[], bool], quiet: float) -> bool:
        """Wait until *done*, as long as something arrives at least every *quiet* seconds; tell whether it is done."""
        tally = self.crowd.tally
        quiet += self.plan.sockets / 1000
        while not done():
            before = tally.activity
            self.crowd.changed.clear()
            # Not wait_for, which in Python 3.11 can lose the cancellation that ends a step.
            with suppress(TimeoutError):
                async with asyncio.timeout(quiet):
                    await self.crowd.changed.wait()
            if tally.activity == before and not done():
                return False
        return True

    async def _speak(self) -> None:
        """Broadcast one message after the other, spread over as long as the crowd is held, the last after a silence."""
        last = self.plan.messages - 1
        began, every = time.perf_counter(), (self.plan.hold - self.plan.silent) / max(1, last)
        for each in range(last):
            await self._broadcast(each)
            await asyncio.sleep(began + (each + 1) * every - time.perf_counter())
        await asyncio.sleep(self.plan.silent)
        await self._broadcast(last)

    async def _broadcast(self, each: int) -> None:
        tally = self.crowd.tally
        standing = bytearray(a and not b for a, b in zip(tally.standing, tally.closed, strict=True))
        await self.crowd.have_publisher()
        with self.lag.watching():
            number = self.crowd.publish(f"message {each} ({self.crowd.token})")
            self.messages.append((number, standing))
            if not await self._arrival(lambda: tally.reached(number), QUIET):
                tally.sent[number].given_up = time.perf_counter()

    async def _rise(self) -> None:
        """Send at one rate after the other, until one is not delivered whole and in time."""
        tally = self.crowd.tally
        for rate in self.plan.rates:
            with self.lag.watching():
                numbers = await self._hold(rate)
                left = deque(numbers)

                def all_reached(left: deque[int] = left) -> bool:
                    while left and tally.reached(left[0]):
                        left.popleft()
                    return not left

                # Some libraries keep the last message back until the next comes, and here none does by itself.
                for _ in range(FENCES):
                    self.crowd.publish(f"fence {len(tally.sent)} ({self.crowd.token})")
                    if await self._arrival(all_reached, self.plan.bound_ms / 1000):
                        break
            self.rates.append(self._rate(rate, numbers))
            if not self.rates[-1].good:
                return

    async def _hold(self, rate: int) -> list[int]:
        """Send at *rate* messages a second for a while; return their numbers. Each is timed from when it was due."""
        count = max(10, int(rate * RATE_SECONDS))
        began = time.perf_counter() + 0.01
        numbers = []
        for each in range(count):
            due = began + each / rate
            while (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            numbers.append(self.crowd.publish(f"rate {rate}, {each} ({self.crowd.token})", due))
            if each % 20 == 0:
                await asyncio.sleep(0)  # also when it is behind
        return numbers

    def _rate(self, rate: int, numbers: list[int]) -> Rate:
        tally = self.crowd.tally
        spread = latency(took for number in numbers for took in tally.latencies(number))
        delivered = sum(tally.sent[number].arrived for number in numbers)
        expected = len(numbers) * sum(tally.standing)
        duplicated = sum(tally.sent[number].duplicated for number in numbers)
        in_time = spread is not None and spread.p99 <= self.plan.bound_ms
        return Rate(
            rate=rate,
            sent=len(numbers),
            expected=expected,
            delivered=delivered,
            duplicated=duplicated,
            latency=spread,
            good=in_time and delivered == expected and not duplicated,
        )

    def step(self) -> Step:
        """Return what has been measured until now."""
        crowd, tally = self.crowd, self.crowd.tally
        messages = [tally.judged(number, standing) for number, standing in self.messages]
        spread = latency(took for number, _ in self.messages for took in tally.latencies(number))
        return Step(
            sockets=self.plan.sockets,
            connected=len(crowd.listeners),
            refused=dict(crowd.refused.most_common()),
            connect_seconds=self.connecting.seconds,
            stood=sum(tally.standing),
            stand_seconds=self.subscribing.seconds,
            messages=messages,
            hold=self.plan.hold,
            silent=self.plan.silent,
            rates=self.rates,
            foreign=tally.foreign,
            publisher_closed=max(0, crowd.published_by - 1),
            closed=dict(crowd.closed.most_common()),
            latency=spread,
            per_second=per_second(messages),
            client=self.lag.usage(
                time.process_time() - self._cpu,
                self.connecting,
                self.speaking,
                spread.p99 if spread else self.plan.bound_ms,
            ),
            ended=self.ended,
        )


def main(plan_path: Path, result_path: Path) -> int:
    """Do what the plan in *plan_path* says, and write what was measured to *result_path*; return the exit code."""
    plan = msgspec.json.decode(plan_path.read_bytes(), type=Plan)
    frame_format = plan.frame_format()
    room_for_sockets()

    async def whole() -> Outcome:
        steps = _Steps(plan, frame_format)
        await steps.run()
        return Outcome(step=steps.step(), printed=steps.printed)

    write_atomically(result_path, msgspec.json.encode(uvloop.run(whole())))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
