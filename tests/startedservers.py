"""Stand-ins for what a cell starts: a server's process, its broker, and the world in which both are."""

from __future__ import annotations

from contextlib import contextmanager

from cellservers import CELL, TalkingLibrary, recorder_in
from talkers import Clock, Switchboard

from harness.cell import readiness
from harness.cell import server as serving
from harness.cell.outcome import Observations
from harness.cell.server import CellServer
from harness.errors import CellFailure
from harness.libraries.setup import Setup
from harness.results.folder import Reports
from harness.servers.catalogue import SERVERS
from harness.system.processes import Stopped
from harness.system.waiting import Deadline
from harness.verdict import Reason

PRINTED = "Starting development server at http://127.0.0.1:8000/\nQuit with CONTROL-C.\n"


class Process:
    """A process that runs until it is stopped."""

    def __init__(self, log, port):
        self.log, self.port = log, port
        self.exit_status = None
        self.told = False
        self.also = set()
        self.by = "SIGINT"
        #: How many connections it has not closed yet, each time that it is asked; in the end none.
        self.half = []
        #: What happens when it is stopped.
        self.stopping = lambda: None
        self.stops = []

    def listening(self):
        return {("127.0.0.1", self.port), *self.also}

    def half_closed(self, port):
        return self.half.pop(0) if self.half else 0

    def stop(self, gently=True):
        self.stops.append(gently)
        self.stopping()
        return Stopped(self.by, 0, 0.25, 0)


class World:
    """What is started, and what comes of it."""

    def __init__(self, folder, monkeypatch):
        self.board = Switchboard(Clock.reigning(monkeypatch))
        self.printed = PRINTED
        #: What goes wrong with each attempt to start it.
        self.failures = []
        self.commands, self.processes, self.deadlines = [], [], []
        self.free = True
        monkeypatch.setattr(serving, "free_port", lambda: 40000 + len(self.commands))
        monkeypatch.setattr(serving, "can_bind", lambda port: self.free)
        monkeypatch.setattr(serving, "started", self.started)
        monkeypatch.setattr(serving, "wait_until", self.wait_until)
        monkeypatch.setattr(readiness, "wait_until_ready", self.wait_until_ready)
        self.recorder = recorder_in(folder)
        self.observed = Observations()
        self.server = CellServer(
            cell=CELL,
            setup=Setup(TalkingLibrary(self.board), SERVERS["runserver"], "today"),
            python=folder / "bin" / "python",
            project=folder,
            env={"CHAT_PREFIX": "prefix"},
            broker=Broker(),
            database=folder / "work" / "chat.sqlite3",
            prefix="prefix",
            recorder=self.recorder,
            reports=Reports(folder),
            packages={},
            sockets=100,
        )

    def wait_until(self, done, limit, every):
        """Have the clock go on each time that somebody asks in vain."""
        over = Deadline(limit, clock=self.board.clock.monotonic)
        while not (found := done()) and not over.over:
            self.board.clock.wait(lambda: False, min(every, over.left))
        return found

    @contextmanager
    def started(self, command, env, cwd, log):
        log.write_text(self.printed)
        self.commands.append((command, env))
        port = int(command[-2].rpartition(":")[2]) if "runserver" in command else 0
        self.processes.append(Process(log, port))
        yield self.processes[-1]

    def wait_until_ready(self, process, port, deadline, page):
        self.deadlines.append(deadline)
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Exception):
                raise failure
            process.exit_status = failure
            raise CellFailure(Reason.SERVER_DID_NOT_START, f"the server ended with exit status {failure}")
        return 1.5

    @contextmanager
    def serving(self, name="runserver", **more):
        with self.server.serving(name, self.observed, **more) as chat:
            chat.sessions = self.board.chat().sessions
            yield chat

    def serve(self, name="runserver", **more):
        """Start and stop it, with the members connected meanwhile."""
        with self.serving(name, **more) as chat:
            chat.log_in()
            chat.connect()

    @property
    def steps(self):
        return [(step.name, step.outcome, step.text or step.cause) for step in self.recorder.steps]


class Broker:
    def subscribers(self, channels):
        return dict.fromkeys(channels, 7)
