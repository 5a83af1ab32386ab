"""A cell's server with a stand-in for its process: how its start and its stop are told, and whose fault each is."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest
from cellservers import CELL, TalkingLibrary, recorder_in
from talkers import Clock, Switchboard

from harness.cell import readiness, steps
from harness.cell import server as serving
from harness.cell.outcome import Observations
from harness.cell.pages import LOGIN
from harness.cell.server import CellServer, Ends
from harness.clients.connection import Endpoint
from harness.errors import CellFailure, HarnessError
from harness.libraries.setup import Setup
from harness.results.folder import Reports
from harness.results.result import Finding
from harness.servers.catalogue import SERVERS
from harness.system.processes import Stopped
from harness.system.waiting import Deadline
from harness.verdict import Reason

PRINTED = "Starting development server at http://127.0.0.1:8000/\nQuit with CONTROL-C.\n"
TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 1, in view\nKeyError: 1\n'


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


@pytest.fixture
def world(tmp_path, monkeypatch) -> World:
    return World(tmp_path, monkeypatch)


def test_how_it_is_started(world):
    """It is started on a free port, with the cell's variables and further ones, and its step is told without either."""
    with world.serving(settings={"CHAT_LAYER": "memory"}):
        pass
    ((command, env),) = world.commands
    assert command[1:] == ["-Wd", "manage.py", "runserver", "127.0.0.1:40000", "--noreload"]
    assert env == {"CHAT_PREFIX": "prefix", "CHAT_LAYER": "memory"}
    step = world.recorder.steps[0]
    assert (step.name, step.outcome, step.text) == ("runserver", "ok", "answers")
    assert step.command == "<place>/bin/python -Wd manage.py runserver 127.0.0.1:<port> --noreload"
    assert world.recorder.seconds["runserver"] == 1.5
    assert world.deadlines == [60.0]
    assert world.recorder.watcher.begun[0] == "runserver"


def test_its_port_as_a_variable(world):
    """A server that is told its port by a variable gets it there."""
    world.server.setup = Setup(world.server.library, SERVERS["runserver_socketio"], "today")
    with world.serving("runserver_socketio"):
        pass
    assert world.commands[0][1]["CHAT_PORT"] == "40000"


def test_the_chat(world):
    """Whoever is served gets a chat with the server: its port, its form, its end, its broker and its prefix."""
    with world.serving() as chat:
        server = chat.server
        assert (server.base, server.form, server.prefix) == ("http://127.0.0.1:40000", LOGIN, "prefix")
        assert server.subscriptions(["a"]) == {"a": 7}
        assert server.exit_status() is None
        world.processes[0].exit_status = 3
        assert server.exit_status() == 3
        assert chat.client is world.server.library
        assert chat.connections == {}
        assert world.server.process is world.processes[0]


def test_what_it_printed_first(world):
    """What it printed before it was first asked for something is kept, of the first start alone."""
    world.printed = PRINTED + '"GET /accounts/login/ HTTP/1.1" 200 5\nlater\n'
    world.serve()
    assert world.observed.startup_output == (
        "Starting development server at http://127.0.0.1:<port>/\nQuit with CONTROL-C."
    )
    world.printed = "another\n"
    world.serve("runserver memory")
    assert world.observed.startup_output.startswith("Starting development server")


def test_elsewhere(world):
    """Where else it listens than it was told is said with its step."""

    def elsewhere(process, port, deadline, page):
        process.also = {("0.0.0.0", 8080), ("127.0.0.1", 9999)}
        return 0.5

    readiness.wait_until_ready = elsewhere
    world.serve()
    assert world.steps[0][2] == "answers; it also listens on 0.0.0.0:8080, 127.0.0.1:<port>"


# How it is stopped


def test_stopped(world):
    """How it stopped is told: by what, with how many connections open, and what became of those."""

    def stopping():
        for line in list(world.board.lines)[:4]:
            line.end("closed by the server with 1012")

    with world.serving() as chat:
        chat.log_in()
        chat.connect()
        world.processes[0].stopping = stopping
        chat.connections[Endpoint("Mary", "group")].close = lambda: None  # it never says that it has ended
    assert world.observed.stopped == {
        "runserver": (
            "SIGINT, exit status 0, after 0.2 s; open sockets: 4 closed by the server with 1012, 4 closed here,"
            " 1 closed by the harness"
        )
    }
    assert world.steps[-1] == ("stop runserver", "ok", "by SIGINT, 9 sockets open")
    assert (world.recorder.seconds["stop runserver"], world.processes[0].stops) == (0.25, [True])
    assert [line.endpoint.name for line in world.board.lines] == ["group"]
    assert (world.recorder.evidence / "runserver.log").read_text().startswith("Starting development server")


def test_stopped_without_connections(world):
    """Where no connection was open nothing is said of any, and those that were closed before do not count."""
    with world.serving() as chat:
        chat.log_in()
        chat.connect()
        for line in list(world.board.lines):
            line.end("closed by the server with 1001")
    assert world.observed.stopped == {"runserver": "SIGINT, exit status 0, after 0.2 s"}
    assert world.steps[-1][2] == "by SIGINT, 0 sockets open"


def test_killed(world):
    """A server that only a SIGKILL ended did not stop as it should."""
    with world.serving():
        world.processes[0].by = "SIGKILL"
    assert world.steps[-1] == ("stop runserver", "failed", "neither SIGINT nor SIGTERM ended it")
    assert world.observed.stopping == [
        stopping("Does the server end while connections are open?", "no: neither SIGINT nor SIGTERM ended it", False)
    ]


def stopping(question, seen, good):
    return Finding(question=question, expected="yes", seen=seen, good=good, chance=True)


@pytest.mark.parametrize(
    ("ends", "name", "question"),
    [
        (None, "runserver", "Does the server end while connections are open?"),
        (Ends.UNDER_CONNECTIONS, "runserver again", "Does the server end while connections are open?"),
        (Ends.WHILE_CLOSING, "runserver again", "Does the server end while connections are closing?"),
    ],
)
def test_whether_it_ends(world, ends, name, question):
    """Whether it ends when it is told to is a question, of each way to tell it."""
    world.serve(name, ends=ends)
    assert world.observed.stopping == [stopping(question, "by SIGINT", True)]
    assert world.processes[0].stops == [True]


def test_ended_while_connections_close(world):
    """A server can be told to end just when its clients have gone, and then none is open any more."""
    open_then = []
    with world.serving("runserver again", ends=Ends.WHILE_CLOSING) as chat:
        chat.log_in()
        chat.connect()
        world.processes[0].half = [3]
        world.processes[0].stopping = lambda: open_then.append((len(world.board.lines), world.processes[0].half))
    # Nobody has waited until the server has noticed it.
    assert open_then == [(0, [3])]
    assert world.observed.stopped == {"runserver again": "SIGINT, exit status 0, after 0.2 s; open sockets: none"}


def test_it_has_noticed_who_has_gone(world):
    """A server is told to end once it has closed what its clients have closed, and has handed on a message since."""
    told = []
    with world.serving() as chat:
        chat.log_in()
        chat.connect()
        sent = chat.fences_sent
        world.processes[0].half = [2, 2, 1]
        world.processes[0].stopping = lambda: told.append((world.processes[0].half, chat.fences_sent - sent))
    assert told == [([], 1)]


def test_it_never_notices_who_has_gone(world):
    """A server that never closes what its clients have closed is told to end all the same, after two seconds."""
    with world.serving() as chat:
        chat.log_in()
        chat.connect()
        world.processes[0].half = [1] * 1000
        before = world.board.clock.now
    assert world.board.clock.now - before == pytest.approx(2.0)
    assert world.processes[0].stops == [True]


def test_it_hands_nothing_on_any_more(world):
    """A server that takes no message any more is told to end all the same."""
    with world.serving() as chat:
        chat.log_in()
        chat.connect()
        world.board.fails = lambda member, text: "no"
    assert (world.processes[0].stops, world.steps[-1][:2]) == ([True], ("stop runserver", "ok"))


def test_ended_by_itself(world):
    """A server that had ended before it was stopped is told with its exit status."""
    with world.serving():
        world.processes[0].exit_status = 3
        world.processes[0].by = "had ended"
    assert world.steps[-1] == ("stop runserver", "failed", "it had ended by itself, exit status 3")
    assert world.observed.stopped["runserver"].startswith("had ended, exit status 0")
    assert world.observed.stopping == []


def test_killed_on_purpose(world):
    """A server that was killed to see what comes of it is nobody's fault, and no failed step."""
    with world.serving("runserver fault", ends=Ends.AT_ONCE):
        world.processes[0].told, world.processes[0].exit_status = True, -9
    assert [step.outcome for step in world.recorder.steps] == ["ok"]


def test_killed_from_outside(world):
    """A server that somebody else killed has no verdict; its connections are closed, and its frames are kept."""

    def killed():
        with world.serving() as chat:
            chat.log_in()
            chat.connect()
            world.processes[0].exit_status = -9

    with pytest.raises(HarnessError, match=r"^the server was killed from outside$"):
        killed()
    assert world.board.lines == []
    assert (world.recorder.evidence / "frames.jsonl").exists()


def test_ended_from_outside(world):
    """A server that somebody else ended was not tested; its frames are kept."""

    def ended():
        with world.serving() as chat:
            chat.log_in()
            chat.connect()
            world.processes[0].exit_status = -15

    with pytest.raises(CellFailure) as raised:
        ended()
    assert (raised.value.reason, raised.value.text) == (
        Reason.ENVIRONMENT_FAILED,
        "the server was ended by SIGTERM, sent from outside",
    )
    assert (world.recorder.evidence / "frames.jsonl").exists()


def test_frames(world):
    """Every frame of the first server is evidence, and those of others under names of their own."""
    world.serve()
    world.serve("runserver memory layer")
    frames = (world.recorder.evidence / "frames.jsonl").read_text().splitlines()
    assert json.loads(frames[0]) == {
        "seconds": 0.0,
        "member": "admin",
        "connection": "broadcast",
        "direction": "in",
        "kind": "open",
        "data": "status 101",
    }
    assert (world.recorder.evidence / "frames-runserver-memory-layer.jsonl").exists()


def test_no_frames(world):
    """A server that nobody connected to leaves no frames, but for the cell's own, where there is an empty file."""
    with world.serving():
        pass
    with world.serving("runserver memory"):
        pass
    assert sorted(path.name for path in world.recorder.evidence.iterdir()) == [
        *("frames.jsonl", "runserver-memory.log", "runserver.log"),
    ]


def test_another_server(world):
    """How a server of other settings stops is not asked: it is ended at once, and no step tells of it."""
    world.serve("runserver memory")
    assert world.processes[0].stops == [False]
    assert [step[0] for step in world.steps] == ["runserver memory"]
    assert (world.observed.stopped, world.observed.stopping) == ({}, [])


def test_another_server_that_ended(world):
    """That a server of other settings ended by itself is told all the same."""
    with world.serving("runserver memory"):
        world.processes[0].exit_status = 1
    assert world.steps[-1] == ("stop runserver memory", "failed", "it had ended by itself, exit status 1")


def test_stopped_after_a_failure(world):
    """Whatever goes wrong meanwhile, the server is stopped, and that is told."""
    with pytest.raises(CellFailure, match=r"^no$"), world.serving():
        raise CellFailure(Reason.PAGE_FAILED, "no")
    assert [step[0] for step in world.steps] == ["runserver", "stop runserver"]


# How it does not start


def test_it_ends(world):
    """A server that ends before it answers is told with what it printed, and that is evidence."""
    world.failures, world.printed = [1], TRACEBACK
    with pytest.raises(CellFailure) as raised, world.serving():
        pytest.fail("there is no server")
    text = "the server ended with exit status 1: KeyError: 1"
    assert (raised.value.reason, raised.value.text) == (Reason.SERVER_DID_NOT_START, text)
    step = world.recorder.steps[0]
    assert (step.outcome, step.cause, step.excerpt) == ("failed", text, TRACEBACK.rstrip("\n"))
    assert (world.recorder.evidence / "runserver.log").read_text() == TRACEBACK
    assert (len(world.commands), world.observed.stopped) == (1, {})


def test_it_ends_for_lack_of_room(world, monkeypatch):
    """A server that ends because the disk is full has no verdict, where there is little room indeed."""
    world.failures, world.printed = [1], "OSError: [Errno 28] No space left on device\n"
    monkeypatch.setattr(steps, "no_room", lambda folder, least: {1_000_000_000: "3 MB are free"}[least])
    with pytest.raises(HarnessError, match=r"^the disk is full: 3 MB are free$"), world.serving():
        pytest.fail("there is no server")


def test_it_is_killed(world):
    """A server that somebody kills before it answers has no verdict."""
    world.failures = [-9]
    with pytest.raises(HarnessError, match=r"^the server was killed from outside$"), world.serving():
        pytest.fail("there is no server")


def test_it_is_ended(world):
    """A server that somebody ends before it answers was not tested."""
    world.failures = [-15]
    with pytest.raises(CellFailure) as raised, world.serving():
        pytest.fail("there is no server")
    assert (raised.value.reason, raised.value.text) == (
        Reason.ENVIRONMENT_FAILED,
        "the server was ended by SIGTERM, sent from outside",
    )


def test_it_crashes(world):
    """A server that crashes before it answers did not start, and that is its own fault."""
    world.failures = [-11]
    with pytest.raises(CellFailure, match="the server ended with exit status -11") as raised, world.serving():
        pytest.fail("there is no server")
    assert raised.value.reason is Reason.SERVER_DID_NOT_START


def test_what_it_prints_when_it_is_ended(world):
    """What a server prints only when the harness ends it is not why it did not start, but it is evidence."""

    def hangs(process, port, deadline, page):
        process.stopping = lambda: process.log.write_text(PRINTED + TRACEBACK.replace("KeyError: 1", "SystemExit"))
        raise CellFailure(Reason.SERVER_DID_NOT_START, "the server did not answer within 60 s")

    readiness.wait_until_ready = hangs
    with pytest.raises(CellFailure) as raised, world.serving():
        pytest.fail("there is no server")
    assert raised.value.text == "the server did not answer within 60 s: Quit with CONTROL-C."
    assert (world.recorder.evidence / "runserver.log").read_text().endswith("SystemExit\n")


def test_a_taken_port(world):
    """Where the port turns out to be taken another is tried, and that is said."""
    world.failures = [readiness.PortTaken("port 40000 is taken by another process")]
    world.serve()
    assert [command[-2] for command, _ in world.commands] == ["127.0.0.1:40000", "127.0.0.1:40001"]
    assert world.observed.repeated == ["runserver: the port was taken, another one was tried"]
    assert world.steps[0][:2] == ("runserver", "ok")


def test_it_says_that_the_port_is_taken(world):
    """A server that ends because its port is in use says so, and another port is tried."""
    world.failures, world.printed = [1], "Error: That port is already in use.\n"
    world.serve()
    assert len(world.commands) == 2


def test_it_says_so_of_another_port(world):
    """What a server that still runs says of a port that is in use is not said of the one that it was given."""
    world.failures = [CellFailure(Reason.SERVER_DID_NOT_START, "the server did not answer within 60 s")]
    world.printed = "the port of the debugger is already in use\n"
    with pytest.raises(CellFailure, match=r"^the server did not answer within 60 s: "), world.serving():
        pytest.fail("there is no server")
    assert (len(world.commands), world.observed.repeated) == (1, [])


def test_every_port_is_taken(world):
    """Where others hold every port that is tried there is no verdict."""
    world.failures, world.free = [readiness.PortTaken("port is taken")] * 3, False
    with pytest.raises(HarnessError, match=r"^other processes take every port that is tried$"), world.serving():
        pytest.fail("there is no server")
    assert (len(world.commands), len(world.observed.repeated)) == (3, 2)


def test_it_takes_its_own_port(world):
    """A server that says of free ports that they are in use did not start, and that is its own fault."""
    world.failures, world.printed = [1, 1, 1], "Error: That port is already in use.\n"
    with pytest.raises(CellFailure, match="That port is already in use"), world.serving():
        pytest.fail("there is no server")
    assert len(world.commands) == 3


def test_a_port_of_its_own(world):
    """On a port that it has to have it is tried once."""
    world.failures = [readiness.PortTaken("port 5000 is taken by another process")]
    with pytest.raises(CellFailure), world.serving(at=5000):
        pytest.fail("there is no server")
    assert [command[-2] for command, _ in world.commands] == ["127.0.0.1:5000"]


# What it printed


def test_printed(world):
    """The last traceback that it printed is found."""
    (world.recorder.work / "runserver.log").write_text(TRACEBACK.replace("1", "2") + TRACEBACK)
    assert world.server.printed("runserver").cause == "KeyError: 1"


def test_printed_since(world):
    """Of what it had printed before a moment nothing is found."""
    log = world.recorder.work / "runserver.log"
    assert world.server.written("runserver") == 0
    log.write_text(TRACEBACK)
    since = world.server.written("runserver")
    assert world.server.printed("runserver", since) is None
    log.write_text(TRACEBACK + TRACEBACK.replace("1", "2"))
    assert world.server.printed("runserver", since).cause == "KeyError: 2"


def test_printed_a_moment_later(world):
    """A traceback that is not whole yet is waited for."""
    log = world.recorder.work / "runserver.log"
    log.write_text(TRACEBACK.rpartition("KeyError")[0])
    world.board.clock.later(0.7, lambda: log.write_text(TRACEBACK) and None)
    assert world.server.printed("runserver").cause == "KeyError: 1"


def test_printed_nothing(world):
    """A server that prints no traceback is waited for a moment, and has printed nothing."""
    (world.recorder.work / "runserver.log").write_text(PRINTED)
    before = world.board.clock.now
    assert world.server.printed("runserver") is None
    assert world.board.clock.now - before == pytest.approx(1.0)
