"""One load step by several processes: what the master and its workers tell each other, and how counts become one.

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
from harness.results.result import Model

#: What the messages from the master are called, and those to it.
ORDER, ANSWER = "crowd order", "crowd answer"


class Begin(Model, frozen=True, kw_only=True, tag=True):
    """Take the shard *index* of *count* of the plan's sockets; the first one publishes as well."""

    plan: Plan
    index: int
    count: int


class Announce(Model, frozen=True, kw_only=True, tag=True):
    """The text *number* is about to be sent; *since* is the first one whose possession is asked for."""

    number: int
    text: str
    message: bool
    since: int | None


class Publish(Model, frozen=True, kw_only=True, tag=True):
    """Send the text *number*, which everybody knows by now."""

    number: int


class PublishedAt(Model, frozen=True, kw_only=True, tag=True):
    """The text *number* was sent *at* this moment of that *clock*."""

    number: int
    at: float
    clock: str


class MessageClosed(Model, frozen=True, kw_only=True, tag=True):
    """The message *number* is waited for no longer; *given_up* where it has not reached all."""

    number: int
    given_up: bool


class ReportRequest(Model, frozen=True, kw_only=True, tag=True):
    """Tell all that has come of it."""


class Ready(Model, frozen=True, kw_only=True, tag=True):
    """The publisher's connection stands."""


class State(Model, frozen=True, kw_only=True, tag=True):
    """How far a worker is."""

    connected: int = 0
    refused: int = 0
    closed: int = 0
    reachable: int = 0
    activity: int = 0
    #: The last text that was announced, and whether it has reached all that it can reach.
    announced: int = -1
    reached: bool = False
    #: How many have one of the texts that are asked for.
    having: int = 0


class Failed(Model, frozen=True, kw_only=True, tag=True):
    """The step cannot go on, for this reason."""

    why: str


class ShardReport(Model, frozen=True, kw_only=True, tag=True):
    """What has come of a worker's sockets."""

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
    parts: Sequence[ShardReport],
    connect_seconds: float = 0.0,
    stand_seconds: float = 0.0,
    ended: str = "",
) -> Step:
    """Return the step that *parts* make up."""
    timed = all(part.timed for part in parts)
    each_message = zip_longest(*(part.messages for part in parts))
    messages = [_message([each for each in message if each is not None], timed) for message in each_message]
    return Step(
        sockets=sockets,
        connected=sum(part.connected for part in parts),
        refused=_counted(part.refused for part in parts),
        connect_seconds=connect_seconds,
        stood=sum(part.stood for part in parts),
        stand_seconds=stand_seconds,
        messages=messages,
        foreign=sum(part.foreign for part in parts),
        publisher_closed=sum(part.publisher_closed for part in parts),
        closed=_counted(part.closed for part in parts),
        latency=combined(part.latency for part in parts if part.latency is not None),
        per_second=per_second(messages),
        client=_client([part.client for part in parts]),
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
    """Return what the workers took in all, and how far behind the worst of them was."""
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
    """Return what the clock of this process is called; processes that share it call it the same.

    Where a system does not say which boot of which kernel it is, each process has a name of its own.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = Path("/proc/self/ns/time")  # since Linux 5.6 a container may have a clock of its own
        return f"{boot} {namespace.readlink() if namespace.is_symlink() else ''}".strip()
    except OSError:
        return secrets.token_hex(16)


def plain(order: Order | Answer) -> dict[str, object]:
    """Return what is said as plain data."""
    data: dict[str, object] = msgspec.to_builtins(order)
    return data


def order_of(data: object) -> Order:
    """Return the order that *data* is.

    Raises:
        msgspec.ValidationError: it is none.
    """
    order: Order = msgspec.convert(data, Order)
    return order


def answer_of(data: object) -> Answer:
    """Return the answer that *data* is.

    Raises:
        msgspec.ValidationError: it is none.
    """
    answer: Answer = msgspec.convert(data, Answer)
    return answer
