"""What came of load runs: the document of one, and the file that holds those of a cell.

A run is one deployment of a cell's server under load, once. Each is a line of ``reports/load/<cell>.jsonl``;
lines are only ever added, so that every run stays, and not the best.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from harness.errors import DamagedResult, ForeignSchema
from harness.results.folder import Reports
from harness.results.lines import once, read_lines, write_lines
from harness.results.model import Model, schema_of

SCHEMA: Literal["1"] = "1"
#: A number of sockets; a machine has 65,535 ports for each address.
_Number = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]

#: How many sockets each step of a run holds.
LADDER = (100, 250, 500, 1000, 2000, 5000, 10000)
#: How many sockets there are while the rate is raised.
RATE_SOCKETS = 100
#: For how many seconds at least the sizes that matter have to stand when they are asked for again.
HOLD_SECONDS = 20.0
#: Milliseconds that the p99 of a rate may take.
BOUND_MS = 250.0

#: Why a step or a run was ended when somebody ended it.
INTERRUPTED = "interrupted"
#: Why a step was ended that this machine has no room for.
NOT_TRIED = "not tried"


class Latency(Model, frozen=True, kw_only=True):
    """The times from sending a message to each of its deliveries, in milliseconds."""

    #: How many deliveries were timed.
    count: int
    p50: float
    p95: float
    p99: float
    max: float
    #: All of the times, in microseconds: HdrHistogram's V2 encoding, compressed and in base64.
    #: Source: https://github.com/HdrHistogram/HdrHistogram
    histogram: str


class Message(Model, frozen=True, kw_only=True):
    """What became of one broadcast; each count is a number of sockets."""

    #: Those that received it, each counted once.
    delivered: int
    #: Those that never received it, although a later message came to them.
    lost: int = 0
    #: Those to which nothing at all came since, so that nobody knows.
    unproved: int = 0
    #: Those whose connection had ended before it came.
    closed: int = 0
    #: Those of *delivered* that received it only after the wait for it had been given up.
    late: int = 0
    #: How many copies came beyond the first of each socket.
    duplicated: int = 0
    #: Milliseconds until the last delivery; None where there was none, or it was not timed.
    last_ms: float | None = None


class Usage(Model, frozen=True, kw_only=True):
    """What the server or the broker took during a step: CPU in seconds, memory at its peak in MB."""

    cpu_seconds: float
    memory_mb: float


class Client(Model, frozen=True, kw_only=True):
    """What the load client itself took, and whether it was too slow to measure the server: *bottleneck*."""

    cpu_seconds: float
    #: Memory at its peak, in MB.
    memory_mb: float
    #: The seconds of CPU that connecting took, and those of the messages from the first to the last.
    connect_cpu_seconds: float = 0.0
    message_cpu_seconds: float = 0.0
    #: The share of one core that it used while messages were under way, from 0 to 1.
    share: float
    #: How late its own timers were, in milliseconds: the 99th percentile and the maximum.
    lag_p99: float
    lag_max: float
    bottleneck: bool


class Rate(Model, frozen=True, kw_only=True):
    """How one rate of sending went; each delivery is timed from when its message was due."""

    #: Messages a second.
    rate: int
    #: How many messages were sent.
    sent: int
    #: How many deliveries there should have been, were, and were copies.
    expected: int
    delivered: int
    duplicated: int
    #: None where nothing was delivered.
    latency: Latency | None
    #: Whether all was delivered once, and 99 of 100 in time.
    good: bool


class Step(Model, frozen=True, kw_only=True):
    """A crowd of so many sockets, and what came of it."""

    #: How many were wanted, and how many were opened.
    sockets: _Number
    connected: _Number = 0
    #: Those that were not opened: what they met → how many.
    refused: dict[str, int] = msgspec.field(default_factory=dict)
    connect_seconds: float = 0.0
    #: How many were subscribed, which is what the messages are counted against, and the seconds until they were.
    stood: int = 0
    stand_seconds: float = 0.0
    messages: list[Message] = msgspec.field(default_factory=list)
    #: Seconds over which the messages were spread, and for which the crowd had to stand; 0 where they followed at once.
    hold: float = 0.0
    #: Seconds of these, before the last message, in which nobody spoke.
    silent: float = 0.0
    rates: list[Rate] = msgspec.field(default_factory=list)
    #: How many messages arrived that nobody sent in this step.
    foreign: int = 0
    #: How often the publisher's own connection was closed, and opened again.
    publisher_closed: int = 0
    #: Sockets that the server closed: the close code, or that there was none → how many.
    closed: dict[str, int] = msgspec.field(default_factory=dict)
    latency: Latency | None = None
    #: Deliveries a second, from sending a message to its last delivery; the median over the messages.
    per_second: float | None = None
    client: Client | None = None
    server: Usage | None = None
    broker: Usage | None = None
    #: What limited it: the client, the server or the system, and how; empty where nothing did.
    limit: str = ""
    #: Why it ended early; empty where it did not.
    ended: str = ""

    @property
    def whole(self) -> bool:
        """Whether every socket stood to the end, and had each message once."""
        return (
            not self.ended
            and self.stood == self.sockets
            and not self.fallen
            and not self.foreign
            and bool(self.messages or self.rates)
            and all(each.delivered == self.sockets and not each.duplicated for each in self.messages)
        )

    @property
    def lasting(self) -> int:
        """How many sockets stood to the end, at most: who was closed was subscribed before that, or never was."""
        return min(self.stood, self.sockets - self.fallen)

    @property
    def fallen(self) -> int:
        """How many sockets the server closed."""
        return sum(self.closed.values())

    @property
    def deliveries(self) -> int:
        """How many deliveries there were, over all messages."""
        return sum(each.delivered for each in self.messages)

    @property
    def wanted(self) -> int:
        """How many deliveries there should have been."""
        return self.sockets * len(self.messages)

    @property
    def best_rate(self) -> Rate | None:
        """The highest rate that was delivered whole and in time, as all lower ones were; None where none was."""
        best = None
        for each in self.rates:
            if not each.good:
                break
            best = each
        return best

    @property
    def delivered(self) -> float:
        """The share of the wanted deliveries that there were, from 0 to 1."""
        return self.deliveries / self.wanted if self.wanted else 0.0


class Machine(Model, frozen=True, kw_only=True):
    """The machine that it ran on, which the client, the server and the broker share."""

    system: str
    #: Processors.
    cpus: int
    memory_mb: int
    #: How many files a process may have open, which is how many sockets there is room for.
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
    #: What took part (Python, Django, the library and its packages, the broker, the client's packages) → versions.
    versions: dict[str, str]
    machine: Machine
    #: Whose sockets they were, in turn; ``anonymous`` for nobody known.
    visitors: list[str]
    steps: Annotated[list[Step], msgspec.Meta(min_length=1)]
    #: The step in which the rate was raised; None where the run did not come to it.
    rate: Step | None = None
    #: The two sizes that matter, the largest that was held and the first that was not, again and for a while, each on a
    #: server of its own.
    again: list[Step] = msgspec.field(default_factory=list)
    #: Why the run ended early; empty where it did not.
    ended: str = ""

    def times(self, sockets: int) -> list[Step]:
        """Return every step with so many *sockets*: one of the ladder, and those that were asked again."""
        return [step for step in (*self.steps, *self.again) if step.sockets == sockets]

    @property
    def held(self) -> Step | None:
        """The largest step in which every socket stood and had each message once, each time, as in all before."""
        whole = list(takewhile(lambda step: all(each.whole for each in self.times(step.sockets)), self.steps))
        return whole[-1] if whole else None

    @property
    def beyond(self) -> Step | None:
        """The first step that was not held; None where all were that were asked for."""
        return next((step for step in self.steps if self.held is None or step.sockets > self.held.sockets), None)


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
    try:
        runs = read_lines(path, Run, "load")
    except DamagedResult as error:
        foreign = {schema_of(line) for line in path.read_bytes().splitlines()} - {"", SCHEMA}
        if not foreign:
            raise
        raise ForeignSchema(
            f"load/{path.name} is of schema {', '.join(sorted(foreign))}; this harness reads schema {SCHEMA}",
            "read it with the harness of that schema, or move it away",
        ) from error
    if others := {run.cell for run in runs} - {path.stem}:
        raise DamagedResult(f"load/{path.name} holds runs of {', '.join(sorted(others))}", "rename it, or move it away")
    return runs
