"""The load client of this project as it is, on a plan like that of a load run."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec

from benchmarks.peers.task import CONNECTING, Task, Usage, show
from harness.libraries import registry
from harness.load import client
from harness.load.plan import Outcome, Plan, Visitor

_NOBODY = Visitor(name="", cookie="")


def plan(task: Task) -> Plan:
    """Return the plan of the task."""
    return Plan(
        cell="py311-django22",
        library="",  # the suffix of django-websocket-redis, which broadcasts a text as it is
        url=task.url,
        origin="http://127.0.0.1",
        visitors=[_NOBODY],
        publisher=_NOBODY,
        sockets=task.subscribers,
        messages=task.messages,
        at_once=100,  # this server takes a rush, and most of the peers open all at once
        deadline=CONNECTING + task.subscribers / 100,
    )


def main() -> None:
    """Do the task, and print the row."""
    registry.discover()  # they are imported when they are looked for
    usage, task = Usage(), Task.read()
    with tempfile.TemporaryDirectory() as folder:
        asked, came = Path(folder) / "plan.json", Path(folder) / "step.json"
        asked.write_bytes(msgspec.json.encode(plan(task)))
        client.main(asked, came)
        step = msgspec.json.decode(came.read_bytes(), type=Outcome).step
    assert step.client is not None
    delivered = sum(each.delivered for each in step.messages)
    counted = {
        "delivered": delivered,
        "lost": task.subscribers * task.messages - delivered,
        "duplicated": sum(each.duplicated for each in step.messages),
        "p50_ms": step.latency.p50 if step.latency else None,
        "p99_ms": step.latency.p99 if step.latency else None,
    }
    used = {
        "connect_seconds": step.connect_seconds,
        **usage.total(),
        "connect_cpu_seconds": step.client.connect_cpu_seconds,
        "delivery_cpu_seconds": step.client.message_cpu_seconds,
    }
    show("ours", step.connected, used, counted)


if __name__ == "__main__":
    main()
