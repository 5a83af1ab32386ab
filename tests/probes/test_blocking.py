"""What the round trips of others do while a handler takes its time, on a chat that blocks what a test says."""

from __future__ import annotations

import json
import threading

import pytest
from cellservers import TalkingLibrary, failed, standing_in
from talkers import Switchboard

from harness.cell.outcome import Observations
from harness.libraries.base import Variant
from harness.probes import blocking

UPLOAD = "While a member uploads 48 MB: another member's round trips"
OTHERS = "While a handler {} for 2 s: another member's round trips"
OWN = "While a handler {} for 2 s: what is sent to its own socket"
FINE = ("less than 0.3 s", True)


class World:
    """A chat that holds back what goes to some connections for as long as a handler takes."""

    def __init__(self, folder) -> None:
        self.board = Switchboard()
        self.library = TalkingLibrary(self.board)
        self.library.trials = frozenset({"await", "sleep"})
        self.server = standing_in(folder, self.board, self.library)
        #: How a handler takes its time → whose connections wait meanwhile.
        self.waits: dict[str, tuple[str, ...]] = {}
        self.board.then = self.busy
        self.uploads = "200"

    def busy(self, text: str) -> None:
        if not text.startswith('{"trial"'):
            return
        asked = json.loads(text)
        waiting = self.waits.get(asked["how"], ())
        self.board.gate = gate = threading.Event()
        self.board.delays = lambda text, line: line.member in waiting and not gate.is_set()
        threading.Timer(asked["seconds"], gate.set).start()

    def upload(self, chat) -> str:
        threading.Event().wait(0.1)
        return self.uploads

    def ask(self) -> dict[str, tuple[str, bool | None]]:
        chat = self.board.talk(self.library)
        found = list(blocking.ask(chat, self.server, Observations()))
        return {each.question: (each.seen, each.good) for each in found}


@pytest.fixture
def world(tmp_path, monkeypatch) -> World:
    made = World(tmp_path)
    monkeypatch.setattr(blocking, "_TAKES", 0.6)
    monkeypatch.setattr(blocking, "_BOUND", 0.3)
    monkeypatch.setattr(blocking, "_EACH", 0.01)
    monkeypatch.setattr(blocking, "_upload", made.upload)
    return made


def test_nothing_blocks(world):
    """Where nobody has to wait for anybody all is as expected."""
    assert world.ask() == {
        **{form.format(how): FINE for how in ("awaits", "blocks") for form in (OTHERS, OWN)},
        UPLOAD: FINE,
    }


def test_nobody_hears_himself(world, monkeypatch):
    """Where no round trip ends although nobody is busy, nothing is proved by one that does not end later."""
    monkeypatch.setattr(blocking, "_PATIENCE", 0.3)
    world.board.drops = lambda text, line: line.member == "John" and "before anybody is busy" in text
    assert set(world.ask().values()) == {("not proved: no round trip ends while nobody is busy either", None)}


def test_a_handler_that_blocks(world):
    """A handler that keeps everybody waiting is found by the round trips of others."""
    world.waits = {"sleep": ("John", "Mary")}
    found = world.ask()
    assert found[OTHERS.format("blocks")] == ("up to 1 s (2 of 2)", False)
    assert found[OWN.format("blocks")] == ("up to 1 s (2 of 2)", False)
    assert found[OTHERS.format("awaits")] == found[OWN.format("awaits")] == FINE


def test_kept_back(world, monkeypatch):
    """A message that a library keeps back until the next one comes is not blocked by anybody."""
    monkeypatch.setattr(blocking, "_BEHIND", 0.05)
    world.board.stalls = lambda text, line: text.startswith("round trip") and line.member == "John"
    assert world.ask()[OTHERS.format("blocks")] == FINE


def test_its_own_socket(world):
    """A handler that keeps only its own socket waiting is no burden to others."""
    world.waits = {"await": ("Mary",), "sleep": ("Mary",)}
    found = world.ask()
    assert found[OTHERS.format("awaits")] == FINE
    assert found[OWN.format("awaits")] == ("up to 1 s (2 of 2)", False)


def test_each_way(world):
    """Each way is asked, and one whose server does not start is not."""
    world.library.ways = (
        Variant("sync consumer", paths={"broadcast": "/ws/sync"}),
        Variant("other", {"LAYER": "other"}),
    )
    world.server.failures["runserver blocking other"] = failed("it is not there")
    found = world.ask()
    assert found[f"{OTHERS.format('blocks')} (sync consumer)"] == FINE
    assert found[f"{OTHERS.format('blocks')} (other)"] == ("not asked: it is not there", None)


def test_no_trials(world):
    """Where nobody can ask a handler to take its time only the upload is tried; one that fails proves nothing."""
    world.library.trials = frozenset()
    world.uploads = "413"
    assert world.ask() == {UPLOAD: ("not proved: the upload ends with 413", None)}
