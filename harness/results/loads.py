"""What a load run is asked for and what came of it.

A run is one deployment of a cell's server under load, once. Each is a line of ``reports/load/<cell>.jsonl``;
lines are only ever added, so that every run stays, and not the best.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from harness.results.folder import Reports
from harness.results.lines import once, read_lines, write_lines
from harness.results.result import Model

SCHEMA: Literal["1"] = "1"

#: How many sockets each step of a run holds.
LADDER = (100, 250, 500, 1000, 2000, 5000, 10000)
#: How many sockets there are while the rate is raised.
RATE_SOCKETS = 100
#: Milliseconds that the p99 of a rate may take.
BOUND_MS = 250.0

#: Why a step or a run was ended when somebody ended it.
INTERRUPTED = "interrupted"
#: Why a step was ended that this machine has no room for.
NOT_TRIED = "not tried"


class Latency(Model, frozen=True, kw_only=True):
    """The time from sending to each delivery, in milliseconds; *histogram* has all of them, in microseconds.

    Source: HdrHistogram's V2 encoding, compressed and in base64; https://github.com/HdrHistogram/HdrHistogram.
    """

    count: int
    p50: float
    p95: float
    p99: float
    max: float
    histogram: str


class Message(Model, frozen=True, kw_only=True):
    """What became of one broadcast, in sockets. *delivered* counts each once, *late* is a part of it.

    *late* came only after the wait for it had been given up. *lost* never came although a later message did,
    *closed* had no connection any more, *unproved* had nothing at all since.
    """

    delivered: int
    lost: int = 0
    unproved: int = 0
    closed: int = 0
    late: int = 0
    duplicated: int = 0
    #: Milliseconds until the last delivery.
    last_ms: float | None = None


class Usage(Model, frozen=True, kw_only=True):
    """What a side took: CPU in seconds, memory at its most in MB."""

    cpu_seconds: float
    memory_mb: float


class Client(Model, frozen=True, kw_only=True):
    """What the client took, and how far it was behind itself: a step that it slowed down says so."""

    cpu_seconds: float
    memory_mb: float
    #: What of the CPU went into connecting, and into the messages from the first to the last.
    connect_cpu_seconds: float = 0.0
    message_cpu_seconds: float = 0.0
    #: The share of a core while messages were under way.
    share: float
    #: How late its own timers were, in milliseconds.
    lag_p99: float
    lag_max: float
    bottleneck: bool


class Rate(Model, frozen=True, kw_only=True):
    """How one rate went, in messages a second: *delivered* of *expected*, each timed from when it was due."""

    rate: int
    sent: int
    expected: int
    delivered: int
    duplicated: int
    latency: Latency | None
    good: bool


class Step(Model, frozen=True, kw_only=True):
    """A number of sockets, and what came of them."""

    sockets: int
    connected: int = 0
    #: How many were not opened, by what they met.
    refused: dict[str, int] = msgspec.field(default_factory=dict)
    connect_seconds: float = 0.0
    #: How many subscriptions stood, which is what the messages are counted against.
    stood: int = 0
    stand_seconds: float = 0.0
    messages: list[Message] = msgspec.field(default_factory=list)
    rates: list[Rate] = msgspec.field(default_factory=list)
    #: Messages that nobody sent in this step.
    foreign: int = 0
    #: How often the publisher's own connection was closed, and opened again.
    publisher_closed: int = 0
    #: How many sockets were closed by the other side, by what it said.
    closed: dict[str, int] = msgspec.field(default_factory=dict)
    latency: Latency | None = None
    #: Deliveries in a second, from the sending of a message to its last delivery; the median over the messages.
    per_second: float | None = None
    client: Client | None = None
    server: Usage | None = None
    broker: Usage | None = None
    #: What broke, if anything did: the client, the server or the system, and how.
    limit: str = ""
    #: Why it was ended before it was through; empty where it was not.
    ended: str = ""

    @property
    def whole(self) -> bool:
        """Whether every socket stood, and had each message once."""
        return (
            not self.ended
            and self.stood == self.sockets
            and not self.foreign
            and bool(self.messages or self.rates)
            and all(each.delivered == self.sockets and not each.duplicated for each in self.messages)
        )

    @property
    def deliveries(self) -> int:
        """How many sockets had a message, over all messages; *wanted* is how many that should have been."""
        return sum(each.delivered for each in self.messages)

    @property
    def wanted(self) -> int:
        """See :attr:`deliveries`."""
        return self.sockets * len(self.messages)

    @property
    def best_rate(self) -> Rate | None:
        """The highest rate that was delivered whole and in time, as all lower ones were."""
        best = None
        for each in self.rates:
            if not each.good:
                break
            best = each
        return best

    @property
    def delivered(self) -> float:
        """The share of the sockets that had a message, the mean over all messages."""
        return self.deliveries / self.wanted if self.wanted else 0.0


class Machine(Model, frozen=True, kw_only=True):
    """What it ran on: the client, the server and the broker share it."""

    system: str
    cpus: int
    memory_mb: int
    file_descriptors: int


class Run(Model, frozen=True, kw_only=True):
    """One deployment under load, once."""

    schema: Literal["1"] = SCHEMA
    cell: str
    library: str
    server: str
    deployment: str
    #: ISO 8601, in UTC.
    started: str
    #: What took part: Python, Django, the library and its packages, the broker, the client's packages.
    versions: dict[str, str]
    machine: Machine
    #: Whose sockets they were, in turn; ``anonymous`` for nobody known.
    visitors: list[str]
    steps: list[Step]
    #: The step in which the rate was raised.
    rate: Step | None = None
    #: Why the run was ended before it was through; empty where it was not.
    ended: str = ""

    @property
    def held(self) -> Step | None:
        """The largest step in which every socket had each message once."""
        return next((step for step in reversed(self.steps) if step.whole), None)


def append(reports: Reports, run: Run) -> None:
    """Add *run* to those of its cell; whoever calls this holds the cell.

    Raises:
        HarnessError: they cannot be read or written.
    """
    path = reports.loads(run.cell)
    write(path, [*read(path), run])


def write(path: Path, runs: Iterable[Run]) -> None:
    """Write *runs* to *path*, the oldest first.

    Raises:
        HarnessError: it cannot be written.
    """
    write_lines(path, runs)


def joined(runs: Iterable[Run]) -> list[Run]:
    """Return *runs* by their time, without what stands there more than once."""
    return once(runs, lambda run: run.started)


def read(path: Path) -> list[Run]:
    """Return the load runs in *path*, the oldest first; none where there is no such file.

    Raises:
        DamagedResult: a line is no run.
    """
    return read_lines(path, Run, "load")
