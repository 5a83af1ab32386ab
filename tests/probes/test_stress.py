"""The stress test of a documentation: what is tried, on which deployment, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from cellservers import TalkingLibrary, failed, standing_in
from shared import run_fake

from harness.cell.outcome import Observations
from harness.load.subscribers import Stressed, StressPlan
from harness.probes import deployed, stress
from harness.servers.catalogue import Deployment
from harness.system.processes import Ended

WHOLE = Stressed(connected=100, subscribed=100, received=100, seconds=1.25, refused={})


class World:
    """A server that is none, and a client that writes down what it is told to."""

    def __init__(self, folder, board) -> None:
        self.library = TalkingLibrary(board)
        self.server = standing_in(folder, board, self.library)
        self.library.suffix = "asgi"
        self.observed = Observations()
        self.writes: dict[tuple[str, bool], Stressed | None] = {}
        self.prints = ""
        self.plans: list[tuple[str, StressPlan]] = []

    def client(self, command, env, cwd, log, deadline) -> Ended:
        kind, plan = command[3], msgspec.json.decode(Path(command[4]).read_bytes(), type=StressPlan)
        self.plans.append((kind, plan))
        written = self.writes.get((kind, plan.kept), WHOLE)
        log.write_text(self.prints)
        if written is not None:
            Path(command[5]).write_bytes(msgspec.json.encode(written))
        return Ended(0 if written else 1, False, 1.0)

    def ask(self) -> dict[str, tuple[str, bool | None]]:
        found = list(stress.ask(None, self.server, self.observed))
        return {each.question: (each.seen, each.good) for each in found}


@pytest.fixture
def world(tmp_path, board, monkeypatch) -> World:
    made = World(tmp_path, board)
    monkeypatch.setattr(stress.processes, "run", made.client)
    return made


LIVE = "100 subscribers as {}, a message to those who have subscribed (1 process)"
KEPT = "100 subscribers as {}, a message that was kept for them (1 process)"
ALL = ("all of them receive it", True)


def test_all_is_well(world):
    """Greenlets and threads, each on a start of its own, with the addresses and cookies of the members."""
    assert world.ask() == {LIVE.format("greenlets"): ALL, LIVE.format("threads"): ALL}
    assert [start for start, _, _ in world.server.starts] == [
        *("runserver under stress, greenlets", "runserver under stress, threads"),
    ]
    (kind, plan), _ = world.plans
    assert (kind, plan.sockets, plan.kept, plan.library) == ("greenlets", 100, False, "asgi")
    assert len(plan.cookies) == 3
    assert plan.publisher == plan.cookies[1]
    assert world.observed.counted[LIVE.format("threads")] == "100 let in, 100 subscribed, 100 received it, in 1.2 s"


def test_a_library_that_keeps(world):
    """Where a library keeps messages that way is tried as well, with the settings for it."""
    world.library.keeping = {"CHAT_EXPIRE": "60"}
    assert list(world.ask()) == [form.format(kind) for form in (LIVE, KEPT) for kind in ("greenlets", "threads")]
    assert [settings for _, settings, _ in world.server.starts] == [{}, {}, *[{"CHAT_EXPIRE": "60"}] * 2]
    assert [plan.kept for _, plan in world.plans] == [False, False, True, True]


def test_some_are_missing(world):
    """Where somebody does not receive it that is said, with how many and why handshakes failed."""
    world.writes["threads", False] = Stressed(
        connected=98, subscribed=97, received=95, seconds=3.0, refused={"TimeoutError": 2}
    )
    assert world.ask()[LIVE.format("threads")] == ("not all do", False)
    assert world.observed.counted[LIVE.format("threads")] == (
        "98 let in, 97 subscribed, 95 received it, 2 TimeoutError, in 3.0 s"
    )


@pytest.mark.parametrize(("prints", "why"), [("", "exit status 1"), ("Traceback\nOSError: no\n", "OSError: no")])
def test_a_client_that_fails(world, prints, why):
    """A client that fails is no fault of the server's."""
    world.writes["greenlets", False], world.prints = None, prints
    assert world.ask()[LIVE.format("greenlets")] == (f"not tested: the client failed: {why}", None)


def test_no_gevent(world, monkeypatch):
    """Without gevent there are no greenlets, and threads all the same."""
    monkeypatch.setattr(stress, "find_spec", lambda name: None)
    assert world.ask() == {
        LIVE.format("greenlets"): ("not tested: there is no gevent here", None),
        LIVE.format("threads"): ALL,
    }


def test_it_does_not_start(world):
    """A server that does not start so is why nothing was received."""
    world.server.failures["runserver under stress, threads"] = failed("it ended")
    assert world.ask()[LIVE.format("threads")] == ("it ended", False)


@pytest.mark.parametrize(
    ("named", "chosen"), [(None, "2 workers"), ("4 workers", "4 workers"), ("1 worker", "1 worker")]
)
def test_deployments(world, monkeypatch, named, chosen):
    """The usual deployment is the one of the documentation, with two processes; another one can be named."""
    there = [Deployment("1 worker"), Deployment("2, proxied", 2, {}, True), Deployment("2 workers", 2)]
    there.append(Deployment("4 workers", 4))
    monkeypatch.setattr(world.library, "deployments", lambda cell, server: there)
    monkeypatch.setattr(deployed, "scaled", lambda server, deployment: server)
    world.server = replace(world.server, deployment=named)
    assert all(question.endswith(f"({chosen})") for question in world.ask())


def test_behind_nginx(world, monkeypatch):
    """Behind NGINX it is not tried, and that is said."""
    monkeypatch.setattr(world.library, "deployments", lambda cell, server: [Deployment("proxied", 2, {}, True)])
    assert world.ask() == {"100 subscribers (proxied)": ("not tested: NGINX is for load runs", None)}


def test_no_room(world, monkeypatch):
    """Where this machine has no room for so many sockets it is not the server's fault."""
    monkeypatch.setattr(stress, "room_for_sockets", lambda: 64)
    ((seen, good),) = world.ask().values()
    assert (seen, good) == ("not tested: system: 100 file descriptors, and 64 are allowed", None)


@pytest.mark.cell
def test_for_real(tmp_path):
    """A fake that behaves carries a small stress test, as greenlets and as threads."""
    ran = run_fake("delays", tmp_path, "--probe", "stress", "--sockets", "100")
    assert ran.exit_code == 0, ran.output
    (probe,) = ran.result.probes
    assert [finding.good for finding in probe.findings] == [True, True]
