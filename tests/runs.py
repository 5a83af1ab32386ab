"""Load runs, as a cell would have them."""

from __future__ import annotations

from harness.load.latency import latency
from harness.results.loads import Client, Machine, Message, Rate, Run, Step, Usage

CELL = "py27-django18"


def step(sockets: int, delivered: int | None = None, **more) -> Step:
    """Return a step of one message that so many sockets have."""
    delivered = sockets if delivered is None else delivered
    values = {
        "messages": [Message(delivered=delivered, lost=sockets - delivered, last_ms=20.0)],
        "latency": latency([0.001 * number for number in range(1, 101)]),
        "client": Client(cpu_seconds=0.5, memory_mb=70.0, share=0.3, lag_p99=0.1, lag_max=0.2, bottleneck=False),
        "server": Usage(cpu_seconds=1.5, memory_mb=100.0),
        **more,
    }
    return Step(sockets=sockets, connected=sockets, connect_seconds=2.0, stood=sockets, per_second=5000.0, **values)


def run(*steps: Step, **more) -> Run:
    """Return a run with *steps*, and a rate of 20 messages a second that is too many."""
    rates = [
        Rate(rate=rate, sent=10, expected=1000, delivered=1000, duplicated=0, latency=steps[0].latency, good=rate < 20)
        for rate in (5, 10, 20)
    ]
    values = {"deployment": "1 process", "started": "2026-11-21T10:00:00+00:00", "visitors": ["admin"]}
    values |= {"versions": {}, **more}
    return Run(
        cell=CELL,
        library="django-websocket-redis",
        server="runserver",
        machine=Machine(system="Linux", cpus=2, memory_mb=24_000, file_descriptors=20_000),
        steps=list(steps),
        rate=Step(sockets=100, rates=rates),
        **values,
    )
