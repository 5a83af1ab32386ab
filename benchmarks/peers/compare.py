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
from typing import Any

from benchmarks.given import Given
from benchmarks.peers.task import Task
from benchmarks.shown import noted, row, spread
from benchmarks.size import Size
from harness import ROOT

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

#: What one client printed: its name, and its numbers as :mod:`benchmarks.peers.task` calls them; a client that is not
#: there has a ``note`` instead of numbers.
Row = dict[str, Any]
#: A number of each round, by client; one that is not there has none.
Rounds = dict[str, list[float]]


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
    """Give one client the task, in a process of its own; return its row. End with what it printed where it fails."""
    module, *others = CLIENTS[client]
    size = ["--subscribers", str(task.subscribers), "--messages", str(task.messages)]
    command = [sys.executable, "-m", f"benchmarks.peers.{module}", str(task.port), *size, *others]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{client} failed: {done.stderr}")
    printed: Row = json.loads(done.stdout)
    return printed


def measure_peers(given: Given) -> None:
    """One broadcast after the other to many subscribers: the load client, other clients, and the limit for Python."""
    size = given.size
    rows = _perform_all(size)
    if given.rows is not None:
        lines = [_measured_on(), *rows]
        given.rows.write_text("".join(json.dumps(each) + "\n" for each in lines), encoding="utf-8")
        print(f"    the rows of {size.peer_rounds} rounds are in {os.path.relpath(given.rows)}")
    _show_medians(rows)
    done = [each for each in rows if "delivered" in each]
    _hold_to_goals(done, size)
    _note_others(done, size)
    _measure_idle(size.idle)


def _perform_all(size: Size) -> list[Row]:
    """Give every client the task in each round, each time another one first; return all rows."""
    rows, names = [], list(CLIENTS)
    with serving() as port:
        for number in range(size.peer_rounds):
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                task = Task(port, size.subscribers, size.messages)
                rows.append({"round": number + 1, **perform(name, task)})
    return rows


def _hold_to_goals(done: list[Row], size: Size) -> None:
    """Print the figures that have a goal, of the rows of clients that are there."""
    wrong = sum(each["lost"] + each["duplicated"] for each in done)
    row(f"lost or duplicated, all clients, {size.peer_rounds} rounds", str(wrong), "0", not wrong)
    cpu = _cpu_of_deliveries(done)
    for peer, goal in (("websockets", 0.2), ("threads", 0.1)):
        ratios = _ratios(cpu["ours"], cpu[peer])
        row(f"CPU for each delivery, ours / {peer}", spread(ratios), f"<= {goal}", statistics.median(ratios) <= goal)
    connecting = _by_client(done, "connect_seconds")
    ratios = _ratios(connecting["ours"], _least(connecting))
    what = f"connecting {size.subscribers}, ours / the fastest peer"
    row(what, spread(ratios), "< 1", statistics.median(ratios) < 1)


def _note_others(done: list[Row], size: Size) -> None:
    """Print the figures that have no goal: the limit for Python is among them, and so is what would ask for less."""
    cpu = _cpu_of_deliveries(done)
    pairs = [
        ("ours", "websockets on uvloop"),
        ("ours", "artillery"),
        ("ours", "bare"),
        ("bare", "websockets on uvloop"),
    ]
    for one, other in pairs:
        # A fifth of websockets on uvloop is less than bare sockets take, so it is no goal.
        if cpu[other]:
            noted(f"CPU for each delivery, {one} / {other}", spread(_ratios(cpu[one], cpu[other])))
    spent, connecting = _by_client(done, "connect_cpu_seconds"), _by_client(done, "connect_seconds")
    what = f"CPU of connecting {size.subscribers}, ours / the least of the peers"
    noted(what, spread(_ratios(spent["ours"], _least(spent))))
    what = f"connecting {size.subscribers}, ours / bare"
    noted(what, spread(_ratios(connecting["ours"], connecting["bare"])))


def _measure_idle(sockets: int) -> None:
    """Print the memory of the load client with so many sockets that are open and silent."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    what = f"memory of ours with {sockets} idle sockets (MB)"
    if allowed < sockets + _OTHERS:
        noted(what, f"not measured: {allowed} file descriptors are allowed")
        return
    with serving() as port:
        came = perform("ours", Task(port, sockets, 1))
    assert came["delivered"] == sockets, came
    row(what, f"{came['memory_mb']:.0f}", "< 500", came["memory_mb"] < 500)


def _of(rows: list[Row], name: str) -> list[Row]:
    """Return the rows of one client, in the order of the rounds."""
    return [each for each in rows if each["name"] == name]


def _by_client(done: list[Row], column: str) -> Rounds:
    """Return one column of the rows."""
    return {name: [each[column] for each in _of(done, name)] for name in CLIENTS}


def _cpu_of_deliveries(done: list[Row]) -> Rounds:
    """Return the seconds of CPU for each delivery."""
    return {name: [each["delivery_cpu_seconds"] / each["delivered"] for each in _of(done, name)] for name in CLIENTS}


def _least(numbers: Rounds) -> list[float]:
    """Return the least of the peers in each round."""
    return [min(each) for each in zip(*(numbers[peer] for peer in _PEERS if numbers[peer]), strict=True)]


def _ratios(ours: list[float], theirs: list[float]) -> list[float]:
    """Return the ratio in each round."""
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def _show_medians(rows: list[Row]) -> None:
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
