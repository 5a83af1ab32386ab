"""The load client beside its peers, in turn on one server: what is printed, and what is held to a goal."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.peers.task import Task
from benchmarks.shown import noted, row, spread

ROOT = Path(__file__).resolve().parents[2]
#: Where the rows of the last run lie, unless it is told another place.
ROWS = ROOT / "benchmarks" / "peers" / "rows.jsonl"
_ROUNDS = 7
#: Each client: its module, and what else it is told.
CLIENTS = {
    "ours": ("ours",),
    "websockets": ("coroutines",),
    "websockets on uvloop": ("coroutines", "--uvloop"),
    "threads": ("threads",),
    "artillery": ("artillery",),
    "bare": ("bare",),
}
_PEERS = tuple(name for name in CLIENTS if name not in ("ours", "bare"))
_PACKAGES = ("picows", "uvloop", "websockets", "websocket-client")
_IDLE = 10_000
#: File descriptors that a client and the server have beside their sockets.
_OTHERS = 100

#: What is printed of the rows, and how it is called there.
_COLUMNS = {
    "connect_seconds": "connecting (s)",
    "connect_cpu_seconds": "its CPU (s)",
    "delivery_cpu_seconds": "messages' CPU (s)",
    "memory_mb": "memory (MB)",
    "p50_ms": "p50 (ms)",
    "p99_ms": "p99 (ms)",
}

Row = dict[str, Any]


@contextmanager
def serving() -> Iterator[int]:
    """Run the server; yield its port."""
    command = [sys.executable, "-m", "benchmarks.peers.server"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.stdin.close()


def perform(client: str, task: Task) -> Row:
    """Give one client the task, in a process of its own; return its row."""
    module, *others = CLIENTS[client]
    size = ["--subscribers", str(task.subscribers), "--messages", str(task.messages)]
    command = [sys.executable, "-m", f"benchmarks.peers.{module}", str(task.port), *size, *others]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{client} failed: {done.stderr}")
    return json.loads(done.stdout)


def _rounds() -> list[Row]:
    """Give every client the task in each round, each time another one first; return all rows."""
    rows, names = [], list(CLIENTS)
    with serving() as port:
        for number in range(_ROUNDS):
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                rows.append({"round": number + 1, **perform(name, Task(port))})
    return rows


def measure_peers(path: Path = ROWS) -> None:
    """One broadcast after the other to 1000 subscribers: the load client, other clients, and the limit for Python."""
    rows = _rounds()
    lines = [_measured_on(), *rows]
    path.write_text("".join(json.dumps(each) + "\n" for each in lines), encoding="utf-8")
    print(f"    the rows of {_ROUNDS} rounds are in {os.path.relpath(path)}")
    _show(rows)
    done = [each for each in rows if "delivered" in each]
    wrong = sum(each["lost"] + each["duplicated"] for each in done)
    row(f"lost or duplicated, all clients, {_ROUNDS} rounds", str(wrong), "0", not wrong)
    cpu = {name: [each["delivery_cpu_seconds"] / each["delivered"] for each in _of(done, name)] for name in CLIENTS}
    for peer, goal in (("websockets", 0.2), ("threads", 0.1)):
        ratios = _ratios(cpu["ours"], cpu[peer])
        reached = statistics.median(ratios) <= goal
        row(f"CPU for each delivery, ours / {peer}", spread(ratios), f"<= {goal}", reached)
    connecting = {name: [each["connect_seconds"] for each in _of(done, name)] for name in CLIENTS}
    fastest = [min(each) for each in zip(*(connecting[peer] for peer in _PEERS if connecting[peer]), strict=True)]
    ratios = _ratios(connecting["ours"], fastest)
    row("connecting 1000, ours / the fastest peer", spread(ratios), "< 1", statistics.median(ratios) < 1)
    # No goal: a fifth of it is less than bare sockets take, see below.
    noted(
        "CPU for each delivery, ours / websockets on uvloop", spread(_ratios(cpu["ours"], cpu["websockets on uvloop"]))
    )
    if cpu["artillery"]:
        noted("CPU for each delivery, ours / artillery", spread(_ratios(cpu["ours"], cpu["artillery"])))
    noted("CPU for each delivery, ours / bare", spread(_ratios(cpu["ours"], cpu["bare"])))
    noted(
        "CPU for each delivery, bare / websockets on uvloop", spread(_ratios(cpu["bare"], cpu["websockets on uvloop"]))
    )
    spent = {name: [each["connect_cpu_seconds"] for each in _of(done, name)] for name in CLIENTS}
    least = [min(each) for each in zip(*(spent[peer] for peer in _PEERS if spent[peer]), strict=True)]
    noted("CPU of connecting 1000, ours / the least of the peers", spread(_ratios(spent["ours"], least)))
    noted("connecting 1000, ours / bare", spread(_ratios(connecting["ours"], connecting["bare"])))
    _measure_idle()


def _measure_idle() -> None:
    """The memory of the load client with very many sockets that are open and silent."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    what = f"memory of ours with {_IDLE} idle sockets (MB)"
    if allowed < _IDLE + _OTHERS:
        noted(what, f"not measured: {allowed} file descriptors are allowed")
        return
    with serving() as port:
        came = perform("ours", Task(port, _IDLE, 1))
    assert came["delivered"] == _IDLE, came
    row(what, f"{came['memory_mb']:.0f}", "< 500", came["memory_mb"] < 500)


def _of(rows: list[Row], name: str) -> list[Row]:
    return [each for each in rows if each["name"] == name]


def _ratios(ours: list[float], theirs: list[float]) -> list[float]:
    """Return the ratio in each round."""
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def _show(rows: list[Row]) -> None:
    """Print the median of each client."""
    print(f"    {'the median of each client':<26}" + "".join(f"{each:>18}" for each in _COLUMNS.values()))
    for name in CLIENTS:
        own = _of(rows, name)
        if "delivered" in own[0]:
            medians = [statistics.median(each[column] for each in own) for column in _COLUMNS]
            print(f"    {name:<26}" + "".join(f"{each:>18.3f}" for each in medians))
        if note := own[0].get("note"):
            print(f"    {name}: {note}", flush=True)


def _measured_on() -> Row:
    """Return what the rows depend on."""
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    machine = {"system": f"{platform.system()} {platform.machine()}", "cpus": os.cpu_count()}
    return {"python": platform.python_version(), **versions, **machine}
