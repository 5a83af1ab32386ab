"""The load client in a process of its own, and servers for it that misbehave."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager

import msgspec
from shared import ROOT

from harness.load.plan import Outcome, Plan, Visitor

SERVER = ROOT / "tests" / "load" / "bad_server.py"
NOBODY = Visitor(name="", cookie="")


@contextmanager
def serving(way):
    """Start a server; yield its port."""
    with subprocess.Popen([sys.executable, SERVER, way], stdout=subprocess.PIPE, text=True) as server:
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


def plan_for(port, sockets, path="/", **more):
    address = f"127.0.0.1:{port}"
    values = {"messages": 1, "deadline": 30.0, "handshake": 1.0, **more}
    return Plan(
        cell="py311-django22",
        library="",
        url=f"ws://{address}/",
        origin=f"http://{address}",
        **{"visitors": [NOBODY], "publisher": NOBODY, "sockets": sockets, **values},
    )


@contextmanager
def client(plan, folder, **options):
    """Start the client on *plan*; yield the process, and a way to read what it has written."""
    (folder / "plan").write_bytes(msgspec.json.encode(plan))
    command = [sys.executable, "-m", "harness.load.client", folder / "plan", folder / "step"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, **options) as process:
        try:
            yield process, lambda: msgspec.json.decode((folder / "step").read_bytes(), type=Outcome).step
        finally:
            process.kill()


def step_of(way, sockets, folder, options=None, **more):
    """Return what the client says of a crowd on a server that goes a certain *way*."""
    with serving(way) as port, client(plan_for(port, sockets, **more), folder, **(options or {})) as (process, read):
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        return read()
