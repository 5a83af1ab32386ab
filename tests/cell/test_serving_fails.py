"""A cell's server that does not start, with a stand-in for its process; and what a server printed."""

from __future__ import annotations

import pytest
from startedservers import PRINTED

from harness.cell import readiness, steps
from harness.errors import CellFailure, HarnessError
from harness.verdict import Reason

TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 1, in view\nKeyError: 1\n'


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
