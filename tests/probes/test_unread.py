"""Somebody who does not read: what the others, the server, and afterwards that one have of it."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from cellservers import TalkingLibrary
from talkers import Switchboard

from harness.cell.outcome import Observations
from harness.cell.ways import Way
from harness.probes.amounts import unread

WHAT = "While somebody does not read for 10 s"
OTHERS, SERVER, AFTER = f"{WHAT}: the others", f"{WHAT}: its server", f"{WHAT}: what is received afterwards"
ALL = "all are received"


class Paused:
    """Mary's connection, to which nothing comes while she does not read."""

    def __init__(self, line, world: World) -> None:
        self._line, self._world = line, world

    def pause(self) -> None:
        self._world.paused()

    def go_on(self) -> None:
        self._world.goes_on()

    def close(self) -> None:
        self._line.close()


class World:
    """A chat in which what goes to Mary waits until she reads, unless a test has it otherwise."""

    def __init__(self, monkeypatch) -> None:
        self.board = Switchboard()
        self.library = TalkingLibrary(self.board)
        self.chat = self.board.chat(self.library)
        self.chat.log_in()
        self.observed = Observations()
        self.memory = [50_000_000, 60_000_000]
        self.goes_on = lambda: self.board.gate.set()
        monkeypatch.setattr(unread, "_UNREAD", 60)
        monkeypatch.setattr(unread, "_PAUSE", 0.05)
        for name, seconds in (("_EACH", 0.05), ("_PATIENCE", 0.3), ("_MANY_PATIENCE", 0.5)):
            monkeypatch.setattr(unread, name, seconds)
        monkeypatch.setattr(unread.raw, "connect", self.connect)

    def connect(self, chat, endpoint, buffer):
        assert buffer
        chat.connections[endpoint] = line = Paused(chat.open(endpoint, "/ws/broadcast", endpoint.member), self)
        return line

    def paused(self) -> None:
        self.board.gate = threading.Event()
        self.board.delays = lambda text, line: line.member == "Mary" and not self.board.gate.is_set()

    def ask(self, served: bool = False) -> dict[str, tuple[str, bool | None]]:
        process = SimpleNamespace(memory=lambda: self.memory.pop(0)) if served else None
        way = Way("", self.chat, server=SimpleNamespace(process=process))
        return {each.question: (each.seen, each.good) for each in unread.ask([way], self.observed)}


@pytest.fixture
def world(monkeypatch) -> World:
    return World(monkeypatch)


def test_all_is_kept(world):
    """Whoever reads again has all of it, the others had it meanwhile, and the server's memory hardly grows."""
    assert world.ask(served=True) == {
        OTHERS: (ALL, True),
        SERVER: ("takes less than 50 MB for it", True),
        AFTER: ("all of it", True),
    }
    assert world.observed.counted == {OTHERS: "60 of 60", AFTER: "60 of 60"}


def test_memory(world):
    """A server that takes a lot for one who does not read is found."""
    world.memory = [50_000_000, 150_000_000]
    assert world.ask(served=True)[SERVER] == ("takes 100 MB", False)


def test_closed(world):
    """A connection that is closed for it misses something, and knows."""

    def goes_on() -> None:
        for line in [line for line in world.board.lines if line.member == "Mary"]:
            line.end("closed by the server with 1011")

    world.goes_on = goes_on
    assert world.ask()[AFTER] == ("not all: closed by the server with 1011", True)


def test_lost(world):
    """What is dropped while somebody does not read is lost without a word."""
    world.paused = lambda: setattr(world.board, "drops", lambda text, line: line.member == "Mary")
    world.goes_on = lambda: setattr(world.board, "drops", lambda text, line: False)
    assert world.ask()[AFTER] == ("not all, silently", False)
    assert world.observed.counted[AFTER] == "0 of 60"


def test_others_lose_as_well(world):
    """What others lose meanwhile is found."""
    world.board.drops = lambda text, line: text.startswith("unread 7 ") and line.member == "admin"
    assert world.ask()[OTHERS] == ("some are lost", False)


def test_the_sender_cannot_go_on(world):
    """Where the sender's connection breaks nothing is known of who does not read."""
    world.board.fails = lambda member, text: "broken" if text.startswith("unread 30 ") else ""
    assert world.ask() == {OTHERS: ("not proved: their sender's connection ends", None)}


def test_not_let_in(world):
    """Where somebody is not let in nothing is asked."""
    world.board.refuses = lambda endpoint, path, member, origin: "status 500" if member == "admin" else ""
    assert world.ask() == {OTHERS: ("not asked: status 500", None)}
