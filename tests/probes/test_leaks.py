"""What a server holds after many have come and gone: what is more than after the first time is found."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from cellservers import TalkingLibrary, standing_in

from harness.cell.outcome import Observations
from harness.clients.visits import Visits
from harness.errors import CellFailure
from harness.probes import leaks
from harness.probes.leaks import _Held
from harness.verdict import Reason

FEW = {"file descriptors": 20, "threads": 3, "connections to the broker": 2, "keys in the broker": 1}
#: What the tests above put something in the place of.
SETTLED, HELD = leaks._settled, leaks._held
NONE = "no more than after the first time"


def after(what: str) -> str:
    return f"What is left of 2000 sockets that came and went, 5 times: {what}"


class World:
    def __init__(self, board, folder) -> None:
        self.server = standing_in(folder, board, TalkingLibrary(board))
        self.observed = Observations()
        self.visits: list[int] = []
        #: What the server holds after each time: what is more than few, and its memory.
        self.held: list[tuple[dict[str, int], int]] = [({}, 50_000_000)] * 5
        #: And once it has had time, each time as well.
        self.slowly: list[tuple[dict[str, int], int]] = []
        self.opens = 100

    def visit(self, visitors) -> Visits:
        self.visits.append(len(visitors))
        return Visits(min(len(visitors), self.opens), "status 503")

    def settled(self, server, first) -> _Held:
        more, memory = self.held[len(self.visits) // 20 - 1]
        return _Held({**FEW, **more}, memory)

    def held_slowly(self, server) -> _Held:
        more, memory = self.slowly.pop(0)
        return _Held({**FEW, **more}, memory)

    def ask(self):
        return {each.question: (each.seen, each.good) for each in leaks.ask(None, self.server, self.observed)}


@pytest.fixture
def world(board, tmp_path, monkeypatch) -> World:
    made = World(board, tmp_path)
    monkeypatch.setattr(leaks, "visit", made.visit)
    monkeypatch.setattr(leaks, "_settled", made.settled)
    monkeypatch.setattr(leaks, "_held", made.held_slowly)
    monkeypatch.setattr(leaks, "_PAUSE", 0.0)
    return made


def test_nothing_is_left(world):
    """A server that holds after the fifth time what it held after the first leaks nothing."""
    found = world.ask()
    assert found == {after(what): (NONE, True) for what in (*FEW, "memory")}
    assert world.visits == [100] * 100
    assert world.observed.counted[after("threads")] == "3 → 3 → 3 → 3 → 3"
    assert world.observed.counted[after("memory")] == " → ".join(["50 MB"] * 5)


@pytest.mark.parametrize("what", list(FEW))
def test_left(world, what):
    """What grows with each time is found, and nothing else."""
    world.held = [({what: FEW[what] + 20 * time}, 50_000_000) for time in range(5)]
    world.slowly = [({what: FEW[what] + 20 * time}, 50_000_000) for time in range(5, 8)]
    found = world.ask()
    assert found.pop(after(what)) == ("80 more (2 of 2)", False)
    assert all(good for _, good in found.values())
    assert world.visits == [100] * 140


def test_memory(world):
    """Memory that grows is found; what a server takes once it has been used is not."""
    world.held = [({}, 50_000_000 + 3_000_000 * time) for time in range(5)]
    world.slowly = [({}, 62_000_000 + 3_000_000 * time) for time in range(3)]
    assert world.ask()[after("memory")] == ("12 MB more (2 of 2)", False)
    world.held = [({}, 50_000_000), *[({}, 53_000_000)] * 4]
    world.visits.clear()
    assert world.ask()[after("memory")] == (NONE, True)


def test_memory_that_fills_up(world):
    """Memory that grows to a level and stays there is no leak."""
    world.held = [({}, memory) for memory in (102_000_000, 105_400_000, 106_500_000, 107_000_000, 107_200_000)]
    assert world.ask()[after("memory")] == (NONE, True)


@pytest.mark.parametrize("what", ["memory", "file descriptors"])
def test_held_for_a_while(world, what):
    """What is held until the next ping, and given back then, is no leak; how much it was is told."""
    much, few = ({}, 30_000_000) if what == "memory" else ({what: 300}, 0), ({}, 0)
    world.held = [({}, 50_000_000), *[({**much[0]}, 50_000_000 + much[1] * time) for time in range(1, 5)]]
    world.slowly = [(few[0], 170_000_000)] * 3
    assert world.ask()[after(what)] == (NONE, True)
    assert "; with 0 s after each time " in world.observed.counted[after(what)]


def test_none_let_in_any_more(world, monkeypatch):
    """Where nobody is let in any more the second time, what was seen the first time stands."""
    world.held = [({"threads": 3 + 20 * time}, 50_000_000) for time in range(5)]
    world.slowly = [({"threads": 103}, 50_000_000)]
    visit = leaks.visit
    monkeypatch.setattr(leaks, "visit", lambda visitors: Visits(0, "") if len(world.visits) >= 100 else visit(visitors))
    assert world.ask()[after("threads")] == ("80 more", False)


def test_a_server_that_dies_meanwhile(world, monkeypatch):
    """Where the server ends while it is given time, what was seen before stands."""
    world.held = [({"threads": 3 + 20 * time}, 50_000_000) for time in range(5)]

    def dead(server):
        raise CellFailure(Reason.EXCHANGE_WRONG, "the server ended with exit status 1")

    monkeypatch.setattr(leaks, "_held", dead)
    assert world.ask()[after("threads")] == ("80 more", False)


def test_up_and_down(world):
    """What goes up and down in the end does not grow, however much it is more than the first time."""
    world.held = [({"file descriptors": count}, 50_000_000) for count in (54, 53, 49, 88, 90)]
    world.slowly = [({"file descriptors": count}, 50_000_000) for count in (59, 90, 60)]
    assert world.ask()[after("file descriptors")] == (NONE, True)


def test_not_let_in(world):
    """Where not all are let in nothing is known of what would be left of them."""
    world.opens = 7
    assert world.ask() == {after("sockets"): ("not asked: 7 of 100 were let in; status 503", None)}


# How it is measured


def settling(monkeypatch, server, *counts: int, first: int | None = None) -> int:
    """Have the server hold so many descriptors each time that it is asked; return what it is taken to hold."""
    held = [_Held({"file descriptors": count}, 0) for count in counts]
    monkeypatch.setattr(leaks, "_STILL", 0.0)
    monkeypatch.setattr(leaks, "_held", lambda server: held.pop(0) if len(held) > 1 else held[0])
    return SETTLED(server, [] if first is None else [_Held({"file descriptors": first}, 0)]).things["file descriptors"]


def test_it_settles(monkeypatch, world):
    """What is measured is what stays, the first time as well: what is being given back is not held."""
    assert settling(monkeypatch, world.server, 2000, 900, 30, 30) == 30
    assert settling(monkeypatch, world.server, 500, 500, 31, 31, first=30) == 31


def test_it_never_settles(monkeypatch, world):
    """What is never given back is what it holds in the end."""
    monkeypatch.setattr(leaks, "_SETTLES", 0.1)
    assert settling(monkeypatch, world.server, 500, first=30) == 500


def test_a_server_that_ends(world):
    """A server that has ended holds nothing, and that is nothing to its credit."""
    world.server.process = SimpleNamespace(exit_status=-11, family=list)
    with pytest.raises(CellFailure, match="the server ended with exit status -11"):
        HELD(world.server)


def test_what_is_counted(world):
    """All of a server's processes count; of a broker that is somebody else's nothing does."""
    one = SimpleNamespace(num_fds=lambda: 10, num_threads=lambda: 2)
    world.server.process = SimpleNamespace(exit_status=None, family=lambda: [one, one], memory=lambda: 2000)
    world.server.broker = SimpleNamespace(embedded=False)
    assert HELD(world.server) == _Held({"file descriptors": 20, "threads": 4}, 2000)
    client = SimpleNamespace(info=lambda section: {"connected_clients": 5}, scan_iter=lambda match: iter(["a", "b"]))
    world.server.broker = SimpleNamespace(embedded=True, client=client)
    held = HELD(world.server)
    assert (held.things["connections to the broker"], held.things["keys in the broker"]) == (5, 2)
