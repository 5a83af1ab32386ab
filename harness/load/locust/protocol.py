"""One load step by several processes: the messages between the master and its workers, and how counts are added up.

The master gives orders, and each worker answers; :mod:`harness.load.locust.conductor` is the one side and
:mod:`harness.load.locust.shard` the other. What is said is plain data, whoever carries it.

Machines do not share a clock, so a delivery is timed only where the clock is the publisher's: on every worker of the
machine that publishes, whose processes all read the same one (:func:`time.perf_counter` is system-wide). Workers
elsewhere count what arrives as exactly, and time nothing: the moment at which they are told of a sending says more of
the network between master and worker than of the server. So ``latency.count`` says how many deliveries were timed, and
the time of the last delivery and the rate are left out where it may have been on a machine without that clock.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path

import msgspec

from harness.load.latency import combined, per_second
from harness.load.plan import Plan
from harness.results.loads import Client, Latency, Message, Step
from harness.results.model import Model

#: What the messages from the master are called, and those to it.
ORDER, ANSWER = "crowd order", "crowd answer"


class Begin(Model, frozen=True, kw_only=True, tag=True):
    """Take the shard *index* of *count* of the plan's sockets; the first one publishes as well."""

    plan: Plan
    index: int
    count: int


class Announce(Model, frozen=True, kw_only=True, tag=True):
    """The text *number* is about to be broadcast."""

    number: int
    text: str
    #: Whether it is one of the messages that are counted, and not a fence.
    message: bool
    #: The number of a text: how many sockets have that one or a later one is to be reported; None asks for nothing.
    since: int | None


class Publish(Model, frozen=True, kw_only=True, tag=True):
    """Broadcast the text *number*, which every worker has been told of."""

    number: int


class PublishedAt(Model, frozen=True, kw_only=True, tag=True):
    """The text *number* was sent *at* these seconds of that *clock*; see :func:`clock`."""

    number: int
    at: float
    clock: str


class MessageClosed(Model, frozen=True, kw_only=True, tag=True):
    """The message *number* is waited for no longer; *given_up* tells that it has not reached all sockets."""

    number: int
    given_up: bool


class ReportRequest(Model, frozen=True, kw_only=True, tag=True):
    """Report all that has been measured."""


class Ready(Model, frozen=True, kw_only=True, tag=True):
    """The publisher is connected."""


class State(Model, frozen=True, kw_only=True, tag=True):
    """How far a worker is: numbers of its sockets."""

    connected: int = 0
    refused: int = 0
    closed: int = 0
    #: Those that are subscribed and open.
    reachable: int = 0
    #: How many texts and closings have arrived at all.
    activity: int = 0
    #: The number of the last text that was announced, and whether it has reached all that it can reach.
    announced: int = -1
    reached: bool = False
    #: Those that have the text that was asked for, or a later one.
    having: int = 0


class Failed(Model, frozen=True, kw_only=True, tag=True):
    """The step cannot go on; *why* says what failed."""

    why: str


class ShardReport(Model, frozen=True, kw_only=True, tag=True):
    """What a worker has measured with its shard; see :class:`harness.results.loads.Step` for the fields."""

    connected: int
    refused: dict[str, int]
    stood: int
    messages: list[Message]
    foreign: int
    closed: dict[str, int]
    publisher_closed: int
    latency: Latency | None
    #: Whether this worker's clock is the publisher's, so that its deliveries are timed.
    timed: bool
    client: Client


Order = Begin | Announce | Publish | PublishedAt | MessageClosed | ReportRequest
Answer = Ready | State | PublishedAt | Failed | ShardReport


def added(
    sockets: int,
    reports: Sequence[ShardReport],
    connect_seconds: float = 0.0,
    stand_seconds: float = 0.0,
    ended: str = "",
) -> Step:
    """Return the step that the reports of all shards make up.

    *sockets* is how many were wanted in all, *ended* why it ended early.
    """
    timed = all(report.timed for report in reports)
    each_message = zip_longest(*(report.messages for report in reports))
    messages = [_message([each for each in message if each is not None], timed) for message in each_message]
    return Step(
        sockets=sockets,
        connected=sum(report.connected for report in reports),
        refused=_counted(report.refused for report in reports),
        connect_seconds=connect_seconds,
        stood=sum(report.stood for report in reports),
        stand_seconds=stand_seconds,
        messages=messages,
        foreign=sum(report.foreign for report in reports),
        publisher_closed=sum(report.publisher_closed for report in reports),
        closed=_counted(report.closed for report in reports),
        latency=combined(report.latency for report in reports if report.latency is not None),
        per_second=per_second(messages),
        client=_client([report.client for report in reports]),
        ended=ended,
    )


def _message(shares: Sequence[Message], timed: bool) -> Message:
    return Message(
        delivered=sum(each.delivered for each in shares),
        lost=sum(each.lost for each in shares),
        unproved=sum(each.unproved for each in shares),
        closed=sum(each.closed for each in shares),
        late=sum(each.late for each in shares),
        duplicated=sum(each.duplicated for each in shares),
        last_ms=max((each.last_ms for each in shares if each.last_ms is not None), default=None) if timed else None,
    )


def _counted(shares: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in shares:
        total.update(each)
    return dict(total.most_common())


def _client(shares: Sequence[Client]) -> Client | None:
    """Return what the workers took in all, and the lag of the worst of them; None where no worker reported."""
    if not shares:
        return None
    return Client(
        cpu_seconds=round(sum(each.cpu_seconds for each in shares), 3),
        connect_cpu_seconds=round(sum(each.connect_cpu_seconds for each in shares), 4),
        message_cpu_seconds=round(sum(each.message_cpu_seconds for each in shares), 4),
        memory_mb=round(sum(each.memory_mb for each in shares), 1),
        share=max(each.share for each in shares),
        lag_p99=max(each.lag_p99 for each in shares),
        lag_max=max(each.lag_max for each in shares),
        bottleneck=any(each.bottleneck for each in shares),
    )


def clock() -> str:
    """Return a name of this process' clock, which is the same in all processes that read the same clock.

    Where a system does not say which boot of which kernel it is, each process has a name of its own.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = Path("/proc/self/ns/time")  # since Linux 5.6 a container may have a clock of its own
        return f"{boot} {namespace.readlink() if namespace.is_symlink() else ''}".strip()
    except OSError:
        return secrets.token_hex(16)


def plain(order: Order | Answer) -> dict[str, object]:
    """Return an order or an answer as plain data, as Locust carries it."""
    data: dict[str, object] = msgspec.to_builtins(order)
    return data


def order_of(data: object) -> Order:
    """Return the order in *data*.

    Raises:
        msgspec.ValidationError: it is none.
    """
    order: Order = msgspec.convert(data, Order)
    return order


def answer_of(data: object) -> Answer:
    """Return the answer in *data*.

    Raises:
        msgspec.ValidationError: it is none.
    """
    answer: Answer = msgspec.convert(data, Answer)
    return answer
