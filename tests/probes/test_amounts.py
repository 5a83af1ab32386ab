"""Large amounts: each wrong answer is told for what it is, and each right one as well."""

from __future__ import annotations

import pytest
from cellservers import TalkingLibrary, standing_in

from harness.cell.outcome import Observations
from harness.cell.ways import Way
from harness.probes.amounts import bursts, groups, largest

SENDER, OTHERS = "300 messages by one handler: its sender", "300 messages by one handler: the others"
ALL = "all are received"


class Library(TalkingLibrary):
    """One whose handler sends all of a burst."""

    trials = frozenset({"burst"})

    def ask_trial(self, chat, endpoint, trial):
        for number in range(trial["count"]):
            self.broadcast(chat, endpoint, trial["message"].replace("$N", str(number)))
        return lambda: None


@pytest.fixture
def server(board, tmp_path, monkeypatch):
    monkeypatch.setattr(bursts, "_PATIENCE", 0.05)
    monkeypatch.setattr(bursts, "_FENCED", 0.3)
    return standing_in(tmp_path, board, Library(board))


def burst(server, board, observed=None):
    ways = [Way("", board.talk(server.library))]
    found = bursts.ask(ways, server, observed or Observations())
    return {each.question: (each.seen, each.good) for each in found}


def test_a_burst(server, board):
    """A burst that arrives whole is as expected."""
    observed = Observations()
    assert burst(server, board, observed) == {SENDER: (ALL, True), OTHERS: (ALL, True)}
    assert observed.counted == {SENDER: "300 of 300 received", OTHERS: "300 of 300 received"}


def test_some_are_dropped(server, board):
    """A layer that drops what is over its capacity loses it without a word, for whom it does."""
    board.drops = lambda text, line: text.startswith("of many 2") and line.member == "John"
    observed = Observations()
    found = burst(server, board, observed)
    assert found == {SENDER: (ALL, True), OTHERS: ("some are lost without a word (2 of 2)", False)}
    assert observed.counted[OTHERS] == "189 of 300 received"


def test_closed_in_a_burst(server, board):
    """A connection that is closed instead is no silent loss."""
    board.closes = lambda text, line: text.startswith("of many 250") and line.member == "John"
    assert burst(server, board)[OTHERS] == ("some are lost, and the connection is closed with 1011 (2 of 2)", False)


def test_not_proved(server, board):
    """Where nothing comes any more, not even a fence, it is not proved that something is lost."""
    board.drops = lambda text, line: line.member == "John" and "of many 0" in str(board.said)
    assert burst(server, board)[OTHERS] == ("not proved: what was sent behind them did not come within 0 s", None)


def test_a_way_that_is_not_there(server):
    """A way without a server is not asked."""
    found = list(bursts.ask([Way("other", None, "it is not there")], server, Observations()))
    assert [(each.question, each.seen, each.good) for each in found] == [
        (f"{SENDER} (other)", "not asked: it is not there", None)
    ]


# The largest message


class Weighing:
    """A server that takes and sends so many bytes at most."""

    def __init__(self, takes: int, sends: int, ends: str = "is closed with 1009") -> None:
        self.limits = {"takes": takes, "sends": sends}
        self.ends, self.ended = ends, ""
        self.tried: list[int] = []

    def takes(self, size: int) -> bool:
        return self.of("takes", size)

    def sends(self, size: int) -> bool:
        return self.of("sends", size)

    def of(self, direction: str, size: int) -> bool:
        self.tried.append(size)
        if size > self.limits[direction]:
            self.ended = self.ends
        return size <= self.limits[direction]


def weigh(monkeypatch, board, weighing: Weighing):
    monkeypatch.setattr(largest, "_Weighing", lambda chat: weighing)
    return {each.question: (each.seen, each.good) for each in largest.ask([Way("", board.chat())])}


@pytest.mark.parametrize("limit", [4096, 4097, 65_535, 1_048_576, 16 * 1024 * 1024, 20_000_001])
def test_to_the_byte(monkeypatch, board, limit):
    """The largest message is found to the byte, with few tries."""
    weighing = Weighing(limit, 64 * 1024 * 1024)
    found = weigh(monkeypatch, board, weighing)
    assert found["The largest message from a client"] == (f"{limit} bytes", limit >= 1_000_000)
    assert found["A message that is larger by one byte, from a client"] == ("is closed with 1009", True)
    assert found["The largest message to a client"] == ("33554432 bytes or more", True)
    assert len(weighing.tried) < 60


def test_nothing_passes(monkeypatch, board):
    """Where not even a small message passes nothing is proved of large ones."""
    found = weigh(monkeypatch, board, Weighing(100, 10**9))
    seen = "not proved: not even 4096 bytes get through; is closed with 1009"
    assert found["The largest message from a client"] == (seen, None)


def test_how_it_ends(monkeypatch, board):
    """A larger message that ends otherwise than with 1009 is told."""
    found = weigh(monkeypatch, board, Weighing(10**9, 2_000_000, "gets no answer, and stays open"))
    assert found["A message that is larger by one byte, to a client"] == ("gets no answer, and stays open", False)


# A thousand groups


@pytest.fixture
def crowd(server, board, monkeypatch):
    monkeypatch.setattr(groups, "_PATIENCE", 0.1)
    acted: list[tuple[str, str]] = []
    monkeypatch.setattr(type(server), "act", lambda self, what, member: acted.append((what, member)))
    server.acted = acted
    board.leaks = lambda text, line: text.startswith("to crowd-") and line.member == "Mary"
    return server


def thousand(server):
    return [(each.seen, each.good) for each in groups.ask(server, Observations())]


def test_a_thousand_groups(crowd):
    """A member of many groups is connected in time, and hears each that is spoken to."""
    assert thousand(crowd) == [("is connected within 2 s, and hears each", True)]
    assert crowd.acted == [("join", "Mary")]
    assert crowd.starts[0][0] == "runserver groups"


def test_some_groups_are_deaf(crowd, board):
    """A group that is not heard is counted."""
    board.drops = lambda text, line: text.startswith("to crowd-999")
    assert thousand(crowd) == [("hears 2 of 3 groups", False)]


def test_nothing_can_be_said(crowd, board):
    """A group that nothing can be said to is not heard either."""
    board.fails = lambda member, text: "no" if text.startswith("to crowd-0 ") else ""
    assert thousand(crowd) == [("hears 2 of 3 groups", False)]


def test_not_let_in(crowd, board):
    """Who is not let in with so many groups is told why."""
    board.refuses = lambda endpoint, path, member, origin: "status 500" if member == "Mary" else ""
    seen, good = thousand(crowd)[0]
    assert (("status 500" in seen), good) == (True, False)
