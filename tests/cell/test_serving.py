"""A cell's server with a stand-in for its process: how it is started and stopped, and whose fault its end is."""

from __future__ import annotations

import json

import pytest
from startedservers import PRINTED

from harness.cell import readiness
from harness.cell.pages import LOGIN
from harness.cell.server import Ends
from harness.clients.connection import Endpoint
from harness.errors import CellFailure, HarnessError
from harness.libraries.setup import Setup
from harness.results.result import Finding
from harness.servers.catalogue import SERVERS
from harness.verdict import Reason


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
    assert world.steps[-1] == (
        "stop runserver",
        "failed",
        "neither SIGINT within 6 s nor SIGTERM within 3 s more ended it",
    )
    assert world.observed.stopping == [
        stopping(
            "Does the server end while connections are open?",
            "no: neither SIGINT within 6 s nor SIGTERM within 3 s more ended it",
            False,
        )
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
