"""The load probe: what stopped a step, the server, its client or the machine, and how that is told."""

from __future__ import annotations

from contextlib import contextmanager

import msgspec
import pytest
import runs

from harness.probes import load
from harness.results.loads import Client, Step


def limited(world, step: Step, printed: str = "") -> str:
    """Return what is said to have stopped a step of 250 sockets."""
    world.steps[250], world.prints[250] = step, printed
    world.ask()
    return world.run.steps[1].limit


BUSY = Client(cpu_seconds=1.0, memory_mb=1.0, share=0.913, lag_p99=1.0, lag_max=1.0, bottleneck=True)
TRACEBACK = "Traceback (most recent call last):\n  ...\n"


def few(**more: object) -> Step:
    return msgspec.structs.replace(runs.step(250, delivered=100), **more)


def test_the_client_was_slow(world):
    """A client that was the bottleneck has stopped the step, whatever the server printed."""
    assert limited(world, few(client=BUSY), "KeyError: 1\n") == "client: it was busy 91% of the time"


@pytest.mark.parametrize(
    ("met", "limit"),
    [
        ("no file descriptor is left", "client: its file descriptors are used up"),
        ("EADDRNOTAVAIL", "system: no port is left to connect from"),
    ],
)
def test_what_handshakes_met(world, met, limit):
    """Where it is not the server that refuses, it is said who does."""
    assert limited(world, few(refused={met: 3, "status 503": 90}, client=BUSY)) == limit


def test_what_the_server_printed(world):
    """The error that the server printed most often in the step is what stopped it, not what it printed before."""
    world.prints[100] = "OldError: before\n" * 9
    printed = f"{TRACEBACK}KeyError: 1\n{TRACEBACK}ValueError: 2\n{TRACEBACK}KeyError: 1\n"
    assert limited(world, few(), printed) == "server: KeyError: 1"


def test_what_the_server_printed_then(world):
    """What the server prints once the crowd leaves has stopped nothing."""
    world.prints_then = f"{TRACEBACK}KeyError: 1\n" * 9
    assert limited(world, few(), f"{TRACEBACK}ValueError: 2\n") == "server: ValueError: 2"
    world.server.reports.loads(world.server.cell.name).unlink()
    assert limited(world, few()) == "server: 150 deliveries are missing"


def test_of_a_chain_the_last(world):
    """Of errors that come equally often, as those of a chain do, the last is told."""
    printed = f"{TRACEBACK}KeyError: 1\n\nDuring handling …\n\n{TRACEBACK}redis.exceptions.ConnectionError: full\n"
    assert limited(world, few(), printed) == "server: redis.exceptions.ConnectionError: full"


def test_what_leaving_brings(world):
    """That clients left is told only where nothing else was printed."""
    leaving = f"{TRACEBACK}ConnectionResetError: [Errno 104]\n" * 9
    assert limited(world, few(), f"{leaving}KeyError: 1\n") == "server: KeyError: 1"
    world.server.reports.loads(world.server.cell.name).unlink()
    world.plans.clear()
    assert limited(world, few(), leaving) == "server: ConnectionResetError: [Errno 104]"


def test_the_server_ended(world):
    """A server that ended has stopped the step, with its exit status."""
    world.steps[250] = few(client=BUSY)
    original = world.started

    @contextmanager
    def then_end(command, env, cwd, log):
        with original(command, env, cwd, log) as client:
            yield client
        world.board.exit_status = -11

    load.processes.started = then_end
    world.server.sockets = 100
    world.ask()
    assert world.run.steps[0].limit == "server: it ended with exit status -11"


def test_nothing_stopped_it(world):
    """A step that is whole has no limit, whatever was printed."""
    world.prints[100] = "KeyError: 1\n"
    world.ask()
    assert world.run.steps[0].limit == ""
