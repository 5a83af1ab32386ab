"""Fences that go several ways: whom one does not reach another does, and whom none reaches is waited for."""

from __future__ import annotations

from functools import partial

import pytest
from talkers import Clock, Switchboard, Talker, endpoints

from harness.chat import exchanges
from harness.chat.fencing import FenceWay
from harness.chat.members import FIFTEEN, ChannelRow, Script
from harness.chat.rounds import first_round, second_round
from harness.clients.connection import Endpoint
from harness.system.waiting import Deadline

ROW = FIFTEEN.rows[0]
ONE, TWO = Endpoint("John", "user"), Endpoint("Mary", "user")


class Roads(Talker):
    """Sends fences on roads of which each reaches only some connections."""

    roads: tuple[frozenset[Endpoint], ...] = ()

    def fences(self, row):
        return [
            FenceWay(partial(self._to, reached), lambda chat, each, reached=reached: each in reached)
            for reached in self.roads
        ]

    def _to(self, reached, chat, text):
        for endpoint in sorted(reached):
            next(line for line in self.board.lines if line.endpoint == endpoint).hear(text)


@pytest.fixture
def chat(monkeypatch):
    board = Switchboard(clock=Clock.reigning(monkeypatch))
    return board.talk(Roads(board))


def test_several_ways(chat):
    """Each fence says whom it is for; those that none reaches are told, and watched."""
    chat.client.roads = (frozenset([ONE]), frozenset([TWO, ONE]))
    proof = chat.fence_behind(ROW, 5.0, Deadline(60))
    assert list(proof.reach.values()) == [frozenset([ONE]), frozenset([TWO, ONE])]
    assert proof.texts == tuple(proof.reach)
    assert proof.unreached == frozenset(endpoints()) - {ONE, TWO}


def test_one_that_reaches_all(chat):
    """A fence that is for all needs no list of them."""
    chat.client.roads = (frozenset(endpoints()),)
    proof = chat.fence_behind(ROW, 5.0, Deadline(60))
    assert (proof.reach, proof.unreached, len(proof.texts)) == ({}, frozenset(), 1)


def test_a_round(chat):
    """What nobody proves stands in the row of the exchange; a leak there is found all the same."""
    chat.client.roads = (frozenset([*endpoints("broadcast"), ONE]),)
    exchanged = exchanges.run(chat, first_round("abc"))
    waited = exchanged.exchanges[0].waited
    assert "Mary's group" in exchanged.exchanges[3].waited
    assert exchanged.exchanges[0].good
    assert waited == []  # a broadcast has to come to all of them


def test_rounds_of_another_script():
    """Members and rows are those of the script; some of its texts are said twice in the second round."""
    said = enumerate(("ann", "bob") * 3, 1)
    rows = tuple(ChannelRow(number, "room", name, "all", ("ann", "bob")) for number, name in said)
    script = Script(("ann", "bob"), rows)
    assert [each.row for each in first_round("t", script).exchanges] == list(rows)
    second = second_round("t", 7, script)
    assert sorted(each.row.number for each in second.exchanges) == [1, 2, 3, 4, 5, 6]
    assert second.repeats == 2
    # One alone cannot be put into another order, and that ends.
    assert second_round("t", 7, Script(("ann",), rows[:1])).order == [1]
