"""A stand-in for all that a load run starts: the client of a step, the meter, the library and its server."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import msgspec
import runs
from cellservers import TalkingLibrary, standing_in
from talkers import Clock, Switchboard

from harness.cell.outcome import Observations
from harness.load.latency import latency
from harness.load.plan import RATES, Outcome, Plan
from harness.probes import deployed, load
from harness.results import loads
from harness.results.loads import Machine, Rate, Step, Usage
from harness.servers.catalogue import Deployment

HUNDRED = "A broadcast to 100 sockets"
RATE = "Messages a second to 100 sockets, as long as p99 is within 250 ms"


def rated(*good: bool) -> Step:
    rates = [
        Rate(rate=rate, sent=10, expected=10, delivered=10, duplicated=0, latency=latency([0.1]), good=each)
        for rate, each in zip(RATES, good, strict=False)
    ]
    return Step(sockets=100, connected=100, stood=100, rates=rates)


class World:
    """What a load run would start, and what comes of each step by its number of sockets."""

    def __init__(self, folder, monkeypatch):
        self.board = Switchboard(Clock.reigning(monkeypatch))
        self.library = Deployed(self.board)
        self.server = standing_in(folder, self.board, self.library)
        self.server.sockets = 1000
        self.observed = Observations()
        self.plans: list[Plan] = []
        #: What comes of steps; the usual one is that all is well.
        self.steps: dict[int, object] = {}
        self.held: dict[int, object] = {}
        self.rate: object = rated(True, True, False)
        self.prints: dict[int, str] = {}
        #: What the server prints once the crowd leaves.
        self.prints_then = ""
        self.room, self.ports, self.memory = 1_000_000, 1_000_000, 10**12
        self.client_says = ""
        self.client_status: int | None = 0
        self.commands: list[list[str]] = []
        monkeypatch.setattr(load, "room_for_sockets", lambda: self.room)
        monkeypatch.setattr(deployed, "_ports", lambda: self.ports)
        monkeypatch.setattr(deployed.psutil, "virtual_memory", lambda: SimpleNamespace(available=self.memory))
        monkeypatch.setattr(deployed.registry, "discover", lambda: {"asgi": None})
        monkeypatch.setattr(load.processes, "started", self.started)
        monkeypatch.setattr(load.meter, "Meter", Meter)
        monkeypatch.setattr(
            load.meter, "machine", lambda: Machine(system="Linux", cpus=2, memory_mb=24_000, file_descriptors=20_000)
        )
        monkeypatch.setattr(load.nginx, "find", self.find)
        monkeypatch.setattr(load.nginx, "before", self.before)
        self.nginx: Exception | None = None
        self.before_ports: list[int] = []
        Meter.all.clear()

    def find(self):
        if self.nginx:
            raise self.nginx
        return "/usr/sbin/nginx"

    @contextmanager
    def before(self, behind, env, folder, files):
        self.before_ports += behind
        yield 8080, SimpleNamespace(family=list)

    @contextmanager
    def started(self, command, env, cwd, log):
        """Stand in for the client: write what comes of its step, and what the server prints meanwhile."""
        self.commands.append(command)
        log.write_text(self.client_says)
        plan = msgspec.json.decode(deployed.Path(command[3]).read_bytes(), type=Plan)
        self.plans.append(plan)
        came = self.steps | (self.held if plan.hold else {})
        outcome = self.rate if plan.rates else came.get(plan.sockets, runs.step(plan.sockets, hold=plan.hold))
        with self.log.open("a") as file:
            file.write(self.prints.get(plan.sockets, ""))

        def wait(seconds):
            assert seconds == plan.deadline + 15.0
            if isinstance(outcome, BaseException):
                raise outcome

        yield SimpleNamespace(wait=wait, exit_status=self.client_status)
        if isinstance(outcome, Step):
            left = Outcome(step=outcome, printed=self.log.stat().st_size)
            deployed.Path(command[4]).write_bytes(msgspec.json.encode(left))
        with self.log.open("a") as file:
            file.write(self.prints_then)

    def ask(self):
        """Return what is found, by its question."""
        findings = list(load.ask(self.board.chat(self.library), self.server, self.observed))
        self.questions = [each.question for each in findings]
        return {each.question: (each.seen, each.good) for each in findings}

    @property
    def runs(self):
        return loads.read(self.server.reports.loads(self.server.cell.name))

    @property
    def run(self):
        (run,) = self.runs
        return run


class Meter:
    """Measures nothing, and says so."""

    all: list[Meter] = []

    def __init__(self, children, broker):
        self.children, self.settled = children, 0.0
        self.server, self.broker_usage = None, Usage(cpu_seconds=0.1, memory_mb=5.0)
        self.all.append(self)

    @contextmanager
    def running(self):
        try:
            yield
        finally:
            self.server = Usage(cpu_seconds=1.0, memory_mb=50.0)

    def settle(self, seconds):
        self.settled = seconds


class Deployed(TalkingLibrary):
    """A library with the deployments that a test gives it."""

    ways: tuple[Deployment, ...] = ()
    deployed: tuple[Deployment, ...] = (Deployment("1 process"),)

    def variants(self, cell):
        return []

    def deployments(self, cell, server):
        return list(self.deployed)
