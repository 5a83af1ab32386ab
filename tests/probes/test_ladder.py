"""The load probe with a stand-in for the client of a step: the ladder, what stops it, and what is said of it."""

from __future__ import annotations

import signal
import sys

import msgspec
import pytest
import runs
from cellservers import failed
from ladders import HUNDRED, RATE, Meter, rated

from harness.cell.only import Only
from harness.errors import HarnessError, Interrupted
from harness.load.plan import RATES
from harness.probes import deployed, load
from harness.results.loads import LADDER, Message
from harness.servers.catalogue import Deployment
from harness.servers.front import NoFront


def test_all_is_well(world):
    """The ladder is climbed to its end, then the rate is raised on a server of its own; every step is kept."""
    world.server.sockets = LADDER[-1]
    found = world.ask()
    assert [plan.sockets for plan in world.plans] == [*LADDER, 100]
    assert [plan.rates for plan in world.plans] == [[]] * 7 + [list(RATES)]
    assert found[HUNDRED] == ("reaches each of them once", True)
    assert found[RATE] == ("measured", None)
    assert world.questions == [*(f"A broadcast to {sockets} sockets" for sockets in LADDER), RATE]
    assert [name for name, _, _ in world.server.starts] == [
        "runserver under load 1 process",
        "runserver under load 1 process rates",
    ]
    run = world.run
    assert [step.sockets for step in run.steps] == [*LADDER]
    assert (run.cell, run.library, run.server, run.deployment) == (
        "py311-django52",
        "talking",
        "runserver",
        "1 process",
    )
    assert (run.ended, run.visitors) == ("", ["admin", "John", "Mary", "anonymous"])
    assert run.rate.best_rate.rate == 10
    assert {"Python", "broker", "client's picows", "client's uvloop"} == set(run.versions)
    assert world.observed.counted[RATE] == "10 a second"
    assert world.observed.counted[HUNDRED] == "100 of 100 deliveries, p99 99 ms"


def test_the_plan(world):
    """A client is told whose sockets there are, where they go, and how long that may take."""
    world.ask()
    plan = world.plans[0]
    assert (plan.url, plan.origin) == ("ws://127.0.0.1:1/ws/broadcast", "http://127.0.0.1:1")
    assert [(each.name, each.cookie) for each in plan.visitors] == [
        ("admin", "session=admin"),
        ("John", "session=John"),
        ("Mary", "session=Mary"),
        ("", ""),
    ]
    assert (plan.publisher.name, plan.cell, plan.library, plan.deadline) == ("John", "py311-django52", "talking", 64.0)
    assert len(plan.folders) == 1  # the library is none of the harness's own
    assert world.commands[0][:3] == [sys.executable, "-m", "harness.load.client"]


def test_a_library_of_the_harness(world):
    """The client finds a library of the harness's own without being told where it lies."""
    world.library.suffix = "asgi"
    world.ask()
    assert {tuple(plan.folders) for plan in world.plans} == {()}


def test_usage_is_kept(world):
    """What the server and the broker took stands with each step; the next waits until the server has settled."""
    world.ask()
    assert {(step.server.memory_mb, step.broker.cpu_seconds) for step in world.run.steps} == {(50.0, 0.1)}
    assert [each.settled for each in Meter.all] == [30.0] * 4 + [0.0]  # nobody comes after the rates


@pytest.mark.parametrize("stays", [True, False])
def test_strangers(world, stays):
    """Strangers take part where they are let in and stay for a moment."""
    if not stays:
        clock = world.board.clock
        original = world.board.connect

        def connect(chat, endpoint, path, member, origin):
            line = original(chat, endpoint, path, member, origin)
            if not member:
                clock.later(0.1, lambda: line.end("closed by the server with 1008"))
            return line

        world.board.connect = connect
    world.ask()
    assert world.run.visitors == ["admin", "John", "Mary", *(["anonymous"] if stays else [])]
    assert world.board.lines == []


def test_strangers_who_are_refused(world):
    """Strangers who are refused take no part."""
    world.board.refuses = lambda endpoint, path, member, origin: "" if member else "status 403"
    world.ask()
    assert world.run.visitors == ["admin", "John", "Mary"]


def test_the_most_sockets(world):
    """No more sockets are opened than were asked for."""
    world.server.sockets = 500
    world.ask()
    assert [step.sockets for step in world.run.steps] == [100, 250, 500]


# What ends the ladder


@pytest.mark.parametrize(
    ("step", "seen", "limit"),
    [
        (runs.step(250, delivered=200), "does not reach all of them", "server: 50 deliveries are missing"),
        (
            msgspec.structs.replace(
                runs.step(250, delivered=200), connected=200, stood=200, refused={"status 503": 40, "ECONNREFUSED": 10}
            ),
            "not all are let in",
            "server: 40 handshakes, status 503",
        ),
        (
            msgspec.structs.replace(runs.step(250), ended="the publisher was not let in: status 500"),
            "does not reach all of them",
            "server: the publisher was not let in: status 500",
        ),
    ],
)
def test_the_last_step(world, step, seen, limit):
    """A step that holds less than nine of ten sockets, or does not get through, is the last; the rate is asked."""
    world.steps[250] = step
    found = world.ask()
    assert [each.sockets for each in world.run.steps] == [100, 250]
    assert (world.run.steps[1].limit, world.run.rate is not None) == (limit, True)
    assert found["A broadcast to 250 sockets"] == (seen, False)
    assert world.observed.counted["A broadcast to 250 sockets"].endswith(f", {limit}")


def test_a_few_that_are_missing(world):
    """A step in which some are missing, but nine of ten are there, is told of, and not the last."""
    world.steps[250] = runs.step(250, delivered=230)
    found = world.ask()
    assert [step.sockets for step in world.run.steps] == [100, 250, 500, 1000]
    assert found["A broadcast to 250 sockets"] == ("does not reach all of them", False)
    assert found["A broadcast to 500 sockets"] == ("reaches each of them once", True)


def test_copies(world):
    """A step whose messages come twice is no good one."""
    world.steps[250] = runs.step(250, messages=[Message(delivered=250, duplicated=3, last_ms=1.0)])
    assert world.ask()["A broadcast to 250 sockets"] == ("some receive it more than once", False)
    assert world.run.steps[1].limit == "server: more than was sent"


def test_what_nobody_sent(world):
    """A step in which something arrives that nobody sent is no good one."""
    world.steps[250] = msgspec.structs.replace(runs.step(250), foreign=2)
    assert world.ask()["A broadcast to 250 sockets"] == ("what nobody sent arrives", False)


@pytest.mark.parametrize(
    ("room", "value", "said"),
    [
        ("room", 999, "system: 1000 file descriptors, and 999 are allowed"),
        ("ports", 999, "system: 1000 ports, and there are 999"),
        ("memory", 599_000_000, "system: 599 MB of memory are free"),
    ],
)
def test_no_room(world, room, value, said):
    """A step that this machine has no room for is not tried, nor any behind it, and it is said what there is."""
    setattr(world, room, value)
    found = world.ask()
    assert [plan.sockets for plan in world.plans] == [100, 250, 500, 100]
    assert found["A broadcast to 1000 sockets"] == (f"not tried: {said}", None)
    assert "A broadcast to 1000 sockets" not in world.observed.counted
    assert (world.run.steps[-1].limit, world.run.steps[-1].ended) == (said, "not tried")


def test_no_room_behind_nginx(world):
    """Behind NGINX each socket takes two of everything."""
    world.library.deployed = (Deployment("behind NGINX", proxied=True),)
    world.room = 300
    assert (
        world.ask()["A broadcast to 250 sockets"][0] == "not tried: system: 500 file descriptors, and 300 are allowed"
    )


# Clients that fail


@pytest.mark.parametrize(
    ("says", "why"),
    [("Traceback …\nMemoryError: no\n", "MemoryError: no"), ("", "exit status 1")],
)
def test_a_client_that_fails(world, says, why):
    """A client that writes nothing has failed: it is said with what it printed last, or with its exit status."""
    world.steps[100] = None
    world.client_says, world.client_status = says, 1
    found = world.ask()
    assert world.run.steps[0].ended == f"the client failed: {why}"
    assert world.run.steps[0].limit == f"client: {why}"
    assert found[HUNDRED][1] is None
    assert len(world.run.steps) == 1


def test_a_result_of_before_is_none(world):
    """What an earlier client wrote is not taken for what this one did."""
    world.steps[250] = None
    world.client_status = 1
    world.ask()
    assert (world.run.steps[1].sockets, world.run.steps[1].connected) == (250, 0)


def test_a_client_that_does_not_end(world):
    """A client that is stopped before it has written anything was stopped, and that is what is said."""
    world.steps[100], world.client_status = None, None
    world.ask()
    assert world.run.steps[0].ended == "the client failed: it was stopped"
    assert world.run.steps[0].limit == "client: it was stopped"


# How a run ends


def test_interrupted(world):
    """A run that is interrupted keeps the steps that it had, and goes on to whoever waits for that."""
    world.steps[500] = Interrupted(signal.SIGINT)
    world.client_status = None
    with pytest.raises(Interrupted):
        world.ask()
    assert (world.run.ended, [step.sockets for step in world.run.steps]) == ("interrupted", [100, 250, 500])


def test_a_fault_of_the_machine(world):
    """A run that a fault of the machine ends says so, and keeps its steps."""
    world.steps[250] = HarnessError("the disk is full")
    world.client_status = None
    with pytest.raises(HarnessError):
        world.ask()
    assert world.run.ended == "the disk is full"


def test_it_does_not_start(world):
    """A server that does not start under load has that against it, and nothing is kept where there was no step."""
    world.server.failures["runserver under load 1 process"] = failed("no")
    assert world.ask() == {"Can it be put under load?": ("no", False)}
    assert world.runs == []


def test_it_does_not_start_again(world):
    """Where the server for the rates does not start the ladder is kept, with why the run ended."""
    world.server.failures["runserver under load 1 process rates"] = failed("no")
    found = world.ask()
    assert found["Can it be put under load?"] == ("no", False)
    assert found[HUNDRED] == ("reaches each of them once", True)
    assert (world.run.ended, len(world.run.steps), world.run.rate) == ("no", 4, None)


def test_no_nginx(world):
    """Without NGINX what stands behind it is not tested, and the other deployments are."""
    world.library.deployed = (Deployment("behind NGINX", proxied=True), Deployment("1 process"))
    world.nginx = NoFront("there is no nginx")
    found = world.ask()
    assert found["Can it be put under load? (behind NGINX)"] == ("not tested: there is no nginx", None)
    assert found[f"{HUNDRED} (1 process)"] == ("reaches each of them once", True)
    assert [run.deployment for run in world.runs] == ["1 process"]


def test_behind_nginx(world):
    """Behind NGINX the sockets go to its port, and what both of them take is measured."""
    world.library.deployed = (Deployment("behind NGINX", proxied=True),)
    world.ask()
    assert world.plans[0].url == "ws://127.0.0.1:8080/ws/broadcast"
    assert world.before_ports == [1, 1]
    assert [len(each.children) for each in Meter.all] == [2] * 5


def test_deployments(world):
    """Each deployment is a run of its own, with its settings, and its name in the questions where there are several."""
    world.library.deployed = (Deployment("1 process, Redis layer"), Deployment("2 processes", environment={"A": "b"}))
    world.ask()
    assert [run.deployment for run in world.runs] == ["1 process, Redis layer", "2 processes"]
    assert world.server.starts[0] == ("runserver under load 1 process Redis layer", {}, "runserver")
    assert world.server.starts[2][1] == {"A": "b"}
    assert world.questions[0] == f"{HUNDRED} (1 process, Redis layer)"


@pytest.mark.parametrize(("good", "said"), [((), None), ((False,), "less than 5 a second"), ((True,), "5 a second")])
def test_rates(world, good, said):
    """The highest rate that went well is told; none where not even the lowest did, and nothing where none was tried."""
    world.rate = rated(*good)
    found = world.ask()
    assert world.observed.counted.get(RATE) == said
    assert (RATE in found) is bool(good)


# Ports


def test_ports(monkeypatch):
    """How many ports there are to connect from is what the system says, or what is left for that everywhere."""
    answers = {"text": "32768\t60999\n"}

    def read_text(path, encoding):
        assert str(path) == "/proc/sys/net/ipv4/ip_local_port_range"
        if "text" not in answers:
            raise FileNotFoundError
        return answers["text"]

    monkeypatch.setattr(deployed.Path, "read_text", read_text)
    assert deployed._ports() == 28231
    answers.clear()
    assert deployed._ports() == 16_000


def test_the_sizes_that_matter(world):
    """The largest size that was held, and the first that was not, are asked again on servers of their own."""
    world.server.runs = 2
    world.steps[500] = runs.step(500, delivered=100)
    answers = world.ask()
    assert [step.sockets for step in world.run.again] == [250, 250, 500, 500]
    held = [(plan.hold, plan.silent) for plan in world.plans]
    assert held == [*[(0.0, 0.0)] * (len(world.plans) - 4), *[(20.0, 12.0)] * 4]
    assert answers["A broadcast to 250 sockets"] == ("reaches each of them once", True)
    assert answers["A broadcast to 500 sockets"] == ("does not reach all of them (3 of 3 runs)", False)
    assert (world.run.held.sockets, world.run.beyond.sockets) == (250, 500)
    assert [step.name for step in world.server.recorder.steps if "again" in step.name] == []


def fell(sockets, silent=12.0):
    """Return a step from which a socket fell away in the silence, so that the last of two messages did not reach it."""
    messages = [Message(delivered=sockets), Message(delivered=sockets - 1, closed=1)]
    return runs.step(sockets, messages=messages, closed={"close code 1011": 1}, hold=20.0, silent=silent)


def test_what_is_not_held(world):
    """A size that falls when it is held gives way to a smaller one at once; of each that matters there are all runs."""
    world.server.runs = 3
    world.held = {1000: fell(1000), 500: fell(500)}
    answers = world.ask()
    assert [step.sockets for step in world.run.again] == [1000, 500, 250, 250, 250, 500, 500]
    assert (world.run.held.sockets, world.run.beyond.sockets) == (250, 500)
    assert answers["A broadcast to 500 sockets"] == ("not all of them stay open (3 of 4 runs)", False)
    assert answers["A broadcast to 1000 sockets"] == ("not all of them stay open (1 of 2 runs)", False)


def test_nothing_is_held(world):
    """Where not even the smallest size is held, that is asked as often as the others."""
    world.server.runs = 2
    world.server.sockets = 250
    world.held = {250: fell(250), 100: fell(100)}
    answers = world.ask()
    assert [step.sockets for step in world.run.again] == [250, 100, 100]
    assert world.run.held is None
    assert answers[HUNDRED] == ("not all of them stay open (2 of 3 runs)", False)


def test_why_it_was_not_held():
    """Who was closed did not stay open; whoever stayed open and did not hear says more."""
    assert load._fault(fell(100)) == "not all of them stay open"
    deaf = msgspec.structs.replace(fell(100), messages=[Message(delivered=99, closed=1), Message(delivered=98, lost=1)])
    assert load._fault(deaf) == "does not reach all of them"
    never = msgspec.structs.replace(fell(100), stood=98)
    assert load._fault(never) == "does not reach all of them"


def test_one_question_under_load(world):
    """Where one question is asked alone there are no rates; its crowd is held as well, unless it is bad already."""
    world.server.runs, world.server.sockets = 1, 250
    world.server.only = Only("load", "A broadcast to 250 sockets")
    world.ask()
    assert ([(step.sockets, step.hold) for step in world.run.again], world.run.rate) == ([(250, 20.0)], None)
    world.steps[250] = runs.step(250, delivered=100)
    world.ask()
    assert world.runs[-1].again == []
