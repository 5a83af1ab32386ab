"""What every load client has in common: how long it waits, and how much time and CPU it takes itself."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness.results.loads import Client

#: Seconds without anything arriving after which a fence is sent again, and after which a message is given up; one
#: second is added for every thousand sockets.
FENCE_QUIET = 0.5
QUIET = 3.0
#: How many fences in a row may bring nothing new before the rest is given up.
FENCES = 4
#: Seconds that are waited at the end of a step for what is still on its way.
LAST = 0.1
#: Seconds between two looks at the client's own lag, and the milliseconds of lag from which on the client may be what
#: is slow.
TICK = 0.01
_LAG = 50.0
#: The share of one core from which on the client may be what is slow.
_BUSY = 0.85


def deadline_for(sockets: int) -> float:
    """Return the seconds that a step of so many *sockets* may take: a server that lets in 80 a second is only slow."""
    return 60.0 + sockets / 25


@dataclass
class Stopwatch:
    """Measures what a phase of a step takes, in seconds and in seconds of CPU."""

    seconds: float = 0.0
    cpu: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Measure until the block is left."""
        cpu, began = time.process_time(), time.perf_counter()
        try:
            yield
        finally:
            self.cpu = round(time.process_time() - cpu, 4)
            self.seconds = round(time.perf_counter() - began, 3)


class LagMonitor:
    """Measures how busy a client is while messages are under way, and how late its own timers are."""

    def __init__(self) -> None:
        self.busy = self.under_way = 0.0
        self.late: list[float] = []
        self._due = self._cpu = self._began = 0.0

    def begin(self) -> None:
        """Note that messages are under way from now on."""
        self._cpu, self._began = time.process_time(), time.perf_counter()
        self._due = self._began

    def look(self) -> None:
        """Note how late this look is; the next one is due :data:`TICK` seconds from now."""
        now = time.perf_counter()
        self.late.append(max(0.0, now - self._due) * 1000)
        self._due = now + TICK

    def end(self) -> None:
        """Note that nothing is under way any more."""
        self.busy += time.process_time() - self._cpu
        self.under_way += time.perf_counter() - self._began

    def usage(self, cpu: float, connecting: Stopwatch, speaking: Stopwatch, p99: float) -> Client:
        """Return what the client took, *cpu* seconds in all, and whether it was the bottleneck.

        *p99* are the milliseconds within which 99 of 100 deliveries came: a lag far below that does not matter.
        """
        late = sorted(self.late) or [0.0]
        share = self.busy / self.under_way if self.under_way else 0.0
        behind = late[int(len(late) * 0.99)]
        return Client(
            cpu_seconds=round(cpu, 3),
            connect_cpu_seconds=connecting.cpu,
            message_cpu_seconds=speaking.cpu,
            memory_mb=round(_peak() / 1e6, 1),
            share=round(share, 3),
            lag_p99=round(behind, 3),
            lag_max=round(late[-1], 3),
            bottleneck=share > _BUSY or (behind > _LAG and behind > p99 / 2),
        )


def _peak() -> int:
    """Return the most memory that this process has had, in bytes; it takes no file to ask, for none may be left."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
