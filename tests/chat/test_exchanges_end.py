"""The end of a round: what is still waited for, and whether everybody hears behind the last exchange."""

from __future__ import annotations

from collections import Counter

import pytest
from played import faults, line_of, played
from talkers import endpoints, fences, message

from harness.chat import exchanges
from harness.chat.ending import look_at_the_end
from harness.chat.rounds import first_round
from harness.clients.connection import Endpoint


def test_slow_is_not_missing(board, clock):
    """What still comes when the last exchange is over is waited for, for as long as anything comes."""
    chat = board.talk()
    board.drops = message(15, "Mary")
    for text in ("noise", "more noise"):
        chat.ledger.add(text)
    # It comes behind its fence, and that is told; it is not told that it never came.
    for seconds, text in ((1.3, "noise"), (1.7, "more noise"), (2.1, first_round("abc").exchanges[14].text)):
        clock.later(seconds, lambda text=text: line_of(board, "Mary", "group").hear(text))
    exchanged = exchanges.run(chat, first_round("abc"))
    assert {each[:2] for each in faults(exchanged) if each[1] != "extra"} == {(15, "out of order")}
    assert clock.now > 1002.1


def test_nothing_to_wait_for(board):
    """A round in which everything came in time is over with its last fence."""
    assert played(board.talk()).seconds == 0.0


def test_a_trickle_at_the_end_has_an_end(board, clock):
    """However much still comes, a round is over when its time is."""
    chat = board.talk()
    board.drops = message(15, "Mary")
    chat.ledger.add("noise")
    for number in range(2000):
        clock.later(0.2 * number, lambda: board.say("broadcast", "all", "John", "noise"))
    exchanged = played(chat)
    assert exchanges.BUDGET <= exchanged.seconds <= exchanges.BUDGET + 2 * chat.pace


def test_one_connection_goes_silent(board):
    """Where one connection receives nothing more, what still comes to the others does not have it waited for longer."""
    chat, mute = board.talk(), Endpoint("John", "user")
    board.delays, board.delay = fences, 0.01
    board.drops = lambda text, line: line.endpoint == mute and len(board.said) > 12
    exchanged = played(chat)
    assert exchanged.seconds < 32
    assert {each[2:] for each in faults(exchanged)} == {("John", "user")}
    assert {each[1] for each in faults(exchanged)} <= {"missing", "unproven"}


def test_subscriptions_that_stand_late(board):
    """Where one connection after the other begins to receive, all are waited for, however long that takes together."""
    chat = board.talk()
    began = board.clock.now
    board.delays, board.delay = fences, 0.01
    board.drops = lambda text, line: board.clock.now < began + 1.3 * board.lines.index(line)
    texts = chat.announce_fence(seconds=10.0)
    assert all(chat.transcript.has_one(endpoint, texts) for endpoint in chat.endpoints)
    assert 10.0 < board.clock.now - began < 20.0


def test_all_stands_at_the_end(board):
    """Where all connections still stand at the end and receive nothing is added."""
    chat = board.talk()
    exchanged = played(chat)
    look_at_the_end(chat, exchanged)
    exchanges.judge_again(chat, exchanged)
    assert (exchanged.ending, str(exchanged)) == ([], "15 of 15")
    assert board.said[-1] == ("broadcast", "all", "admin", "fence 17 (abc)")


def test_closed_behind_the_last_exchange(board):
    """A connection that is closed by the end is a fault of the last exchange, with how it was closed."""
    chat = board.talk()
    exchanged = played(chat)
    line_of(board, "John", "user").end("closed by the server with 1011")
    look_at_the_end(chat, exchanged)
    assert str(exchanged) == "15 of 15"
    exchanges.judge_again(chat, exchanged)
    (fault,) = exchanged.exchanges[14].faults
    assert (fault.kind, fault.member, fault.connection) == ("closed", "John", "user")
    assert fault.text == "closed by the server with 1011, within 4 s of the last exchange"


def test_closed_long_before_the_last_exchange(board):
    """A connection that was closed in the third exchange is not said to have been closed behind the last one."""
    board.closes = message(3, "admin", name="user")
    chat = board.talk()
    exchanged = played(chat)
    look_at_the_end(chat, exchanged)
    exchanges.judge_again(chat, exchanged)
    assert [each.text for each in exchanged.exchanges[14].faults if "of the last exchange" in each.text] == []


def test_deaf_behind_the_last_exchange(board):
    """A connection that stands at the end and receives nothing any more is a fault of the last exchange."""
    chat = board.talk()
    exchanged = played(chat)
    board.drops = lambda text, line: line.endpoint == Endpoint("John", "user")
    look_at_the_end(chat, exchanged)
    exchanges.judge_again(chat, exchanged)
    (fault,) = exchanged.exchanges[14].faults
    assert (fault.kind, fault.member, fault.connection, fault.text) == (
        *("unproven", "John", "user", "nothing arrives on it any more"),
    )


def test_nothing_can_be_said_at_the_end(board):
    """Where not even a fence can be sent at the end no connection is known to receive."""
    chat = board.talk()
    exchanged = played(chat)
    board.fails = lambda member, text: "no"
    look_at_the_end(chat, exchanged)
    assert [(each.kind, each.member, each.connection) for each in exchanged.ending] == [
        ("unproven", each.member, each.name) for each in endpoints()
    ]


def test_a_server_that_ends_behind_the_last_exchange(board):
    """Where the server has ended by the end each connection is closed behind the last exchange; nothing is asked."""
    chat = board.talk()
    exchanged = played(chat)
    assert exchanged.exit_status is None
    board.exit_status = -11
    for line in list(board.lines):
        line.end("connection lost")
    already = len(board.said)
    look_at_the_end(chat, exchanged)
    assert (exchanged.exit_status, len(board.said)) == (-11, already)
    assert [(each.kind, each.member, each.connection) for each in exchanged.ending] == [
        ("closed", each.member, each.name) for each in endpoints()
    ]
    assert exchanged.ending[0].text == "the server had ended with exit status -11, within 4 s of it"


@pytest.mark.parametrize(("tried", "closed"), [(-1.0, 0), (1.0, 9)])
def test_a_server_that_ends_while_strangers_try(board, tried, closed):
    """Where strangers had begun to try when the server ended that is a question of its own, and else it is none."""
    chat = board.talk()
    exchanged = played(chat)
    board.exit_status = 3
    ended = board.clock.now
    for line in list(board.lines):
        line.end("connection lost")
    look_at_the_end(chat, exchanged, tried=ended + tried)
    assert len(exchanged.ending) == closed


def test_who_was_slow_may_be_slow_at_the_end(board, monkeypatch):
    """The last fence has twice as long as anything of the round took, and five seconds at least."""
    chat = board.talk()
    exchanged = played(chat)
    given = []
    monkeypatch.setattr(type(chat), "announce_fence", lambda self, seconds: given.append(seconds) or ())
    for took in (20.0, 6000.0):
        exchanged.latency_ms["7"] = {"John": took}
        look_at_the_end(chat, exchanged)
    assert given == [5.0, 12.0]


@pytest.mark.parametrize("again", [True, False])
def test_closed_after_so_many_messages(board, again):
    """Who closes a connection again after as many messages does so by himself, and not for the strangers who try."""
    chat = board.talk()
    exchanged = played(chat)
    received, came = len(chat.transcript.messages(Endpoint("John", "user"))), Counter()

    def closes(text, line):
        came[line.endpoint] += 1
        return again and line.endpoint.name == "user again" and came[line.endpoint] > received

    board.closes = closes
    until = board.clock.now - 1.0
    line_of(board, "John", "user").end("closed by the server with 1011")
    look_at_the_end(chat, exchanged, until)
    assert [(each.kind, each.member, each.connection) for each in exchanged.ending] == (
        [("closed", "John", "user")] if again else []
    )
    assert list(exchanged.displaced) == ([] if again else [Endpoint("John", "user")])
