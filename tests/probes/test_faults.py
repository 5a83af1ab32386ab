"""Faults: what is lost, who goes on and who comes back, on switchboards that take a fault well or badly."""

from __future__ import annotations

import re
import threading
import time
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace

import pytest
from cellservers import TalkingLibrary, standing_in
from talkers import Switchboard

from harness.cell.outcome import Observations
from harness.cell.ways import Way
from harness.libraries.base import Variant
from harness.probes import faults
from harness.probes.faults import stage as scenes
from harness.probes.faults.stage import FAULTS, Fault, Scene
from harness.system.proxy import Proxy

LOST, OPEN = "A fault: messages lost silently", "A fault: open connections"
BACK, ABSENT = "A fault: members who come back", "The broker comes after the server: members"
WELL, LET_IN = "receive everything again within 2 s", "are let in within 2 s, and receive"
WHY = "closed by the server with 1011"
TOLD = re.compile(r" \([12] of 2\)$")


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


class World:
    """A cell whose servers and brokers are none; *happen* is what a fault does to the switchboard."""

    def __init__(self, board, folder) -> None:
        self.board = board
        self.library = TalkingLibrary(board)
        self.server = standing_in(folder, board, self.library)
        self.observed = Observations()
        self.happen = lambda: None
        self.survives = self.ends = True
        self.of_broker = True
        #: Each scene: its name, and whether its broker runs at first.
        self.scenes: list[tuple[str, bool]] = []
        self.starts_broker = lambda: None
        self.breaks, self.uses_broker = "", True

    @contextmanager
    def scene(self, server, observed, name, wanted, behind="", broker=True):
        self.scenes.append((name, broker))
        chat = self.board.chat(self.library)
        chat.log_in()
        own = SimpleNamespace(start=lambda: self.starts_broker())
        ways = [Way("", chat)] if wanted(Variant("", uses_broker=self.uses_broker)) else []
        here = Scene(ways, own, None, observed, ExitStack())
        here.broken = self.breaks
        yield here
        chat.close()

    def ask(self) -> dict[str, tuple[str, bool | None]]:
        fault = Fault("A fault", lambda scene: self.happen(), self.of_broker, "", self.survives, self.ends)
        faults.FAULTS = (fault,)
        return {
            each.question: (each.seen, each.good) for each in faults.ask(self.board.chat(), self.server, self.observed)
        }


@pytest.fixture
def world(board, tmp_path, monkeypatch, quick_traffic) -> World:
    made = World(board, tmp_path)
    monkeypatch.setattr(faults, "scene", made.scene)
    monkeypatch.setattr(faults, "FAULTS", ())
    for name, seconds in (("_CALM", 0.5), ("_SOON", 2.0), ("_BEFORE", 0.1), ("_ABSENT", 0.0)):
        monkeypatch.setattr(faults, name, seconds)
    monkeypatch.setattr(faults, "_WELL", WELL)
    return made


def test_all_goes_on(world):
    """Who does not even notice a fault is as expected in all, and is asked once."""
    found = world.ask()
    twice = "A fault: messages that come twice"
    assert found.pop(twice) == ("none", True)
    assert found == {LOST: ("none", True), OPEN: (WELL, True), BACK: (WELL, True), ABSENT: (LET_IN, True)}
    assert world.scenes == [("fault 1", True), ("fault absent", False)]
    assert "0 silently; of those who come back" in world.observed.counted[LOST]


def test_lost_in_silence(world, board):
    """Messages that nobody was told of are lost without a word, and that is asked twice."""
    board.drops = lambda text, line: text.startswith("staying 3") and line.member == "Mary"
    found = world.ask()
    assert found[LOST] == ("some (2 of 2)", False)
    assert [name for name, _ in world.scenes if name != "fault absent"] == ["fault 1", "fault 1 again"]


def test_come_twice(world, board):
    """Copies are found."""
    board.doubles = lambda text, line: text.startswith("returning 3") and line.member == "Mary"
    assert world.ask()["A fault: messages that come twice"] == ("some (2 of 2)", False)


def close_all(board) -> None:
    for line in list(board.lines):
        line.end(WHY)


def test_closed(world, board):
    """Connections that are closed do not go on; who comes back does."""
    world.happen = lambda: close_all(board)
    found = world.ask()
    assert found[OPEN] == (f"are closed: {WHY} (2 of 2)", False)
    assert (found[LOST], found[BACK]) == (("none", True), (WELL, True))


def test_connections_that_cannot_go_on(world, board):
    """Of a fault that ends all connections, and of one for good, no more is asked than can be."""
    world.survives = False
    assert OPEN not in world.ask()
    world.ends = False
    assert BACK not in world.ask()


def test_nothing_comes_any_more(world, board):
    """Connections that stay open, and receive nothing again, are found for it."""
    dead = threading.Event()
    world.happen = dead.set
    board.drops = lambda text, line: dead.is_set() and text.startswith(("staying", "returning"))
    found = world.ask()
    assert found[OPEN] == ("do not within 0 s (2 of 2)", False) or TOLD.search(found[OPEN][0])
    assert found[LOST][1] is False


def test_well_again_late(world, board, monkeypatch):
    """Who takes too long is told with how long."""
    monkeypatch.setattr(faults, "_SOON", 0.1)
    monkeypatch.setattr(faults, "_CALM", 1.5)
    until = [0.0]

    def happen() -> None:
        until[0] = time.monotonic() + 0.8

    world.happen = happen
    board.drops = lambda text, line: time.monotonic() < until[0] and text.startswith(("staying", "returning"))
    assert world.ask()[BACK] == ("take longer (2 of 2)", False)


def test_not_let_in_before_it(world, board):
    """Where members cannot even begin to talk a fault is not asked about."""
    board.refuses = lambda endpoint, path, member, origin: "status 500" if endpoint.name == "returning" else ""
    assert world.ask()[LOST] == ("not asked: status 500", None)


def test_not_heard_at_first(world, board):
    """Whoever is not let in at first, on a busy machine, tries once more."""
    refused = []

    def refuses(endpoint, path, member, origin) -> str:
        if endpoint.name == "returning" and len(refused) < 1:
            refused.append(endpoint)
            return "status 500"
        return ""

    board.refuses = refuses
    assert world.ask()[LOST] == ("none", True)


def test_a_server_that_cannot_be_started_again(world):
    """Where a server cannot be started again that is not its members' fault."""
    world.breaks = "the port is taken"
    assert world.ask()[LOST] == ("not asked: the server cannot be started again: the port is taken", None)


def test_a_way_without_a_broker(world):
    """Nothing of a broker concerns a way whose messages do not go through it."""
    world.uses_broker = False
    assert world.ask() == {}


def test_no_broker(world):
    """Faults of a broker do not concern a library without one."""
    world.library.uses_broker = False
    assert world.ask() == {}
    world.of_broker = False
    assert world.ask()[LOST] == ("none", True)


def test_the_broker_comes_late(world, board):
    """Members who get in once the broker is there are as expected; who do not are found."""
    there = threading.Event()
    world.starts_broker = there.set
    board.refuses = lambda endpoint, path, member, origin: "" if there.is_set() or member else "status 500"
    assert world.ask()[ABSENT] == (LET_IN, True)
    board.refuses = lambda endpoint, path, member, origin: "status 500" if endpoint.name == "user" else ""
    seen, good = world.ask()[ABSENT]
    assert (seen.startswith("are not let in: "), good) == (True, False)


# The scene itself


def all_ways(way: Variant) -> bool:
    return True


@pytest.fixture
def stage(board, tmp_path):
    library = TalkingLibrary(board)
    library.ways = (
        Variant("sync consumer", paths={"broadcast": "/ws/sync"}),
        Variant("other layer", {"LAYER": "other"}),
    )
    return standing_in(tmp_path, board, library)


def test_own_servers_and_broker(stage):
    """A fault has servers of its own, which talk to a broker of its own; or to a proxy before that."""
    with scenes.scene(stage, Observations(), "fault 1", all_ways) as here:
        assert [way.name for way in here.ways] == ["", "sync consumer", "other layer"]
        assert stage.envs["runserver fault 1"]["CHAT_REDIS_URL"] == here.broker.url
    with scenes.scene(stage, Observations(), "fault 2", all_ways, behind="proxy") as here:
        url = stage.envs["runserver fault 2"]["CHAT_REDIS_URL"]
        assert url == f"redis://127.0.0.1:{here.before_broker.port}/0"


class Watched:
    """A broker that a Sentinel watches, none of which runs."""

    def __init__(self, env, folder) -> None:
        self.port, self.master = 26379, SimpleNamespace(port=6379, url="redis://127.0.0.1:6379/0")

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: object) -> None: ...


def test_found_by_a_sentinel(stage, monkeypatch):
    """Where a library documents it, its servers are told where a Sentinel is, which has the replica take over."""
    stage.library.sentinel = "WATCHED_BY"
    monkeypatch.setattr(scenes, "WatchedBroker", Watched)
    with scenes.scene(stage, Observations(), "fault 6", all_ways, behind="sentinel") as here:
        assert stage.starts[0][1] == {"WATCHED_BY": f"127.0.0.1:{here.watched.port}"}


def test_started_again(stage):
    """Each server is started again, on its port."""
    with scenes.scene(stage, Observations(), "fault 1", all_ways) as here:
        here.servers_again()
    assert [name for name, _, _ in stage.starts] == [
        *("runserver fault 1", "runserver fault 1 sync consumer", "runserver fault 1 other layer"),
        *("runserver once more 1", "runserver once more 2", "runserver once more 3"),
    ]
    assert stage.starts[-1][1] == {"LAYER": "other"}


def test_reached_through_a_proxy(stage):
    """Members reach each server through one proxy, which the fault can cut."""
    with scenes.scene(stage, Observations(), "fault 1", all_ways) as here:
        chats = [here.reached_through(way.chat) for way in here.ways]
        assert {chat.server.port for chat in chats} == {proxy.port for proxy in here.before_servers.values()}
        assert all(isinstance(proxy, Proxy) for proxy in here.before_servers.values())


def test_what_faults_do(monkeypatch):
    """Each fault does to its scene what it is called."""
    did: list[str] = []

    class Told:
        def __init__(self, name: str) -> None:
            self.name = name

        def __getattr__(self, what: str):
            return lambda *args: did.append(" ".join([self.name, what, *map(str, args)]))

    process = Told("server")
    here = SimpleNamespace(
        broker=Told("broker"),
        before_broker=Told("proxy"),
        before_servers={1: Told("network")},
        processes=lambda: [process],
        watched=Told("watched"),
        servers_again=lambda: did.append("servers again"),
    )
    monkeypatch.setattr(scenes, "pause", lambda seconds: did.append(f"{seconds:g} s"))
    for fault in FAULTS:
        did.append(f"-- {fault.name}")
        fault.happen(here)
    assert did == [
        *("-- The broker is away for 2 s", "broker kill", "2 s", "broker start"),
        *("-- The broker is frozen for 10 s", "broker freeze", "10 s", "broker thaw"),
        *("-- The broker is killed for good", "broker kill"),
        *("-- The broker answers 200 ms late", "proxy delay 0.2", "5 s", "proxy mend"),
        *("-- The broker's connections are half-open", "proxy half_open server"),
        *("-- The broker's replica takes over, by Sentinel", "watched fail_over"),
        *("-- The server is killed, and started again", "server kill", "server wait 5.0", "servers again"),
        *("-- The members' network is cut for 3 s", "network cut", "3 s", "network mend"),
        *("-- The members' connections are half-open", "network half_open client"),
    ]
