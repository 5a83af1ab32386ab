"""The fifteen exchanges against a server that is none: what is sent, waited for, measured, and found wrong."""

from __future__ import annotations

import msgspec
import pytest
from talkers import Clock, Switchboard, any_of, endpoints, fences, message

from harness.chat import exchanges
from harness.clients.connection import Endpoint
from harness.errors import CellFailure
from harness.verdict import Reason


@pytest.fixture
def clock(monkeypatch) -> Clock:
    return Clock.reigning(monkeypatch)


@pytest.fixture
def board(clock) -> Switchboard:
    return Switchboard(clock)


def faults(exchanged: exchanges.Exchanged) -> set[tuple[int, str, str, str]]:
    return {
        (row.number, fault.kind, fault.member, fault.connection) for row in exchanged.exchanges for fault in row.faults
    }


def test_all_is_right(board):
    """A chat that carries everything has fifteen good rows, no fault, and nothing that came late."""
    exchanged = exchanges.run(board.talk())
    assert [(row.number, row.good, row.faults) for row in exchanged.exchanges] == [(n, True, []) for n in range(1, 16)]
    assert (str(exchanged), exchanged.late, exchanged.seconds) == ("15 of 15", [], 0.0)


def test_a_fence_behind_each(board):
    """Each message is followed by a fence of the same sender, as a broadcast, before the next is sent."""
    chat = board.talk()
    already = len(board.said)
    exchanges.run(chat)
    said = board.said[already:]
    assert len(said) == 30
    for number in range(15):
        text, fence = said[2 * number : 2 * number + 2]
        assert text[3].endswith(f" with message {number + 1}")
        assert text[3].startswith(f"Hello (abc) {text[1]}, this is {text[2]}")
        assert fence == ("broadcast", "all", text[2], f"fence {number + 2} (abc)")


def test_what_a_row_says(board):
    """A row of the result says who spoke in which channel to whom, who was to hear it, and how it travelled."""
    exchanged = exchanges.run(board.talk())
    first, fifth, last = (exchanged.exchanges[number - 1] for number in (1, 5, 15))
    assert (first.channel, first.sender, first.audience, first.transport) == ("broadcast", "admin", "all", "WebSocket")
    assert (fifth.channel, fifth.sender, fifth.recipients, fifth.transport) == ("user", "admin", ["John"], "POST")
    assert (last.channel, last.sender, last.recipients) == ("group", "Mary", ["John", "Mary"])


WRONG = {
    "drops": ({"drops": message(5, "John", name="user")}, {(5, "missing", "John", "user")}),
    "doubles": ({"doubles": message(5, "John", name="user")}, {(5, "duplicated", "John", "user")}),
    "alters": ({"alters": message(5, "John", name="user")}, {(5, "altered", "John", "user")}),
    "leaks": (
        {"leaks": message(13, "admin", name="group")},
        {(13, "extra", "admin", "group")},
    ),
    "reorders": (
        {"reorders": message(13, name="group")},
        {(13, "out of order", "John", "group"), (13, "out of order", "Mary", "group")},
    ),
    "closes": (
        {"closes": message(15, "Mary", name="group")},
        {(15, "closed", "Mary", "group"), (15, "unproven", "Mary", "group")},
    ),
    "drops a broadcast": (
        {"drops": message(2, "Mary", name="user")},
        {(2, "missing", "Mary", "user")},
    ),
}


@pytest.mark.parametrize(("switches", "found"), WRONG.values(), ids=WRONG)
def test_wrong(board, switches, found):
    """Each way to go wrong is found on the connection where it happened, and the other rows stay good."""
    for name, switch in switches.items():
        setattr(board, name, switch)
    exchanged = exchanges.run(board.talk())
    assert faults(exchanged) == found
    assert [row.number for row in exchanged.wrong] == sorted({each[0] for each in found})
    assert str(exchanged) == "14 of 15"


def test_closed_early(board):
    """A connection that is closed in the third exchange proves nothing in any of the later ones."""
    board.closes = message(3, "admin", name="user")
    found = faults(exchanges.run(board.talk()))
    assert {each[0] for each in found if each[1] == "unproven"} == set(range(3, 16))
    assert {each[0] for each in found if each[1] == "closed"} == {3, 4, 7, 10}
    assert {each[2:] for each in found} == {("admin", "user")}


def test_the_first_wrong_one_is_told(board):
    """What is wrong is said of the first row, with its place, and how many there are."""
    board.drops = any_of(message(5, "John"), message(14, "Mary"))
    chat = board.talk()
    exchanged = exchanges.run(chat)
    with pytest.raises(CellFailure) as raised:
        exchanges.check(chat, exchanged)
    assert raised.value.reason is Reason.EXCHANGE_WRONG
    assert raised.value.text == (
        "2 of 15 exchanges are wrong; first: user from admin to John is missing on John's user connection"
    )


def test_the_token_is_not_told(board):
    """A text that arrived in another's place is shown without the token, which is another one in each run."""
    board.alters = message(5, "John")
    exchanged = exchanges.run(board.talk())
    (fault,) = exchanged.exchanges[4].faults
    assert fault.text == "Hello (…) John, this is admin with message 5?"


def test_nothing_is_wrong_with_the_right_ones(board):
    """Fifteen good rows pass the check."""
    chat = board.talk()
    exchanges.check(chat, exchanges.run(chat))


def test_latency(board, clock):
    """A message is timed for each member, by the last of the member's connections that had to have it."""
    board.delay = 0.25
    board.delays = any_of(message(5), message(1, "Mary", name="user"))
    exchanged = exchanges.run(board.talk())
    assert exchanged.latency_ms["5"] == {"John": 250.0}
    assert exchanged.latency_ms["1"] == {"John": 0.0, "Mary": 250.0, "admin": 0.0}
    assert (exchanged.late, exchanged.seconds) == ([], 0.5)


def test_nothing_to_time(board):
    """A message that nobody had has no latency at all."""
    board.drops = message(5)
    assert "5" not in exchanges.run(board.talk()).latency_ms


def test_stalled(board, clock):
    """A message that comes only with the fence behind it is right, and late."""
    board.stalls = message(5)
    exchanged = exchanges.run(board.talk())
    assert (faults(exchanged), exchanged.late) == (set(), [5])
    assert exchanged.latency_ms["5"] == {"John": 1000 * exchanges.PATIENCE}


def test_slow_is_no_reason_to_hurry(board):
    """Messages that all come late are each waited for as long as the first: slow is not wrong."""
    board.stalls = lambda text, line: text.startswith("Hello")
    exchanged = exchanges.run(board.talk())
    assert (exchanged.late, exchanged.seconds) == (list(range(1, 16)), 15 * exchanges.PATIENCE)


def test_a_dead_chat_is_hurried_through(board):
    """Once three messages never came the rest is waited for briefly, but for the last fence, and all of it is wrong."""
    chat = board.talk()
    board.drops = lambda text, line: True
    exchanged = exchanges.run(chat)
    assert len(exchanged.wrong) == 15
    assert {each[1] for each in faults(exchanged)} == {"missing", "unproven"}
    # Three times 1 s and 5 s, eleven times 0.1 s and 1 s, at last 0.1 s and 5 s; a fence goes on for its interval.
    assert 35 <= exchanged.seconds < 39


def test_two_that_never_came_are_no_reason_to_hurry(board):
    """The third message that never came is still waited for in full."""
    board.drops = any_of(message(4), message(5), message(6))
    assert exchanges.run(board.talk()).seconds == 3 * exchanges.PATIENCE


def test_the_fourth_is_hurried(board):
    """The fourth message that never came is waited for for a tenth of that."""
    board.drops = any_of(message(4), message(5), message(6), message(7))
    seconds = exchanges.run(board.talk()).seconds
    assert seconds == pytest.approx(3 * exchanges.PATIENCE + exchanges.SHORT_PATIENCE)


def test_a_post_that_is_refused(board):
    """A page that does not take a message is why it was not sent, and nobody misses it for another reason."""
    board.fails = lambda member, text: "no" if text.endswith(" message 13") else ""
    exchanged = exchanges.run(board.talk())
    assert [msgspec.to_builtins(fault) for fault in exchanged.exchanges[12].faults] == [
        {"kind": "not sent", "member": member, "connection": "group", "text": text}
        for member, text in [(each, "POST /chat/group/ answers with status 500") for each in ("John", "Mary")]
    ]
    assert [row.number for row in exchanged.wrong] == [13]


def test_a_connection_that_is_gone(board):
    """A broadcast that cannot be sent says whose connection is gone, and how."""
    board.fails = lambda member, text: "no" if text.endswith(" message 2") else ""
    exchanged = exchanges.run(board.talk())
    texts = {fault.text for fault in exchanged.exchanges[1].faults}
    assert texts == {"John's connection is gone (ConnectionError)"}
    assert {(fault.member, fault.connection) for fault in exchanged.exchanges[1].faults} == {
        (each.member, each.name) for each in endpoints()
    }


def test_a_fence_that_cannot_be_sent(board):
    """Without a fence of its own an exchange is proved by the next one's."""
    board.fails = lambda member, text: "no" if text == "fence 6 (abc)" else ""
    exchanged = exchanges.run(board.talk())
    assert (str(exchanged), exchanged.sent[4].fences, exchanged.sent[5].fences) == ("15 of 15", (), ("fence 7 (abc)",))


def test_no_last_fence(board):
    """Where the last fence cannot be sent nothing of the last exchange is proved."""
    board.fails = lambda member, text: "no" if text == "fence 16 (abc)" else ""
    exchanged = exchanges.run(board.talk())
    assert {each[:2] for each in faults(exchanged)} == {(15, "unproven")}


def test_a_fence_that_is_kept_back(board):
    """A fence that comes only with the next one is followed by it, counted, and no fault."""
    board.stalls = lambda text, line: text == "fence 6 (abc)"
    chat = board.talk()
    exchanged = exchanges.run(chat)
    assert (faults(exchanged), chat.fences_sent_again) == (set(), 1)
    assert exchanged.sent[4].fences == ("fence 6 (abc)", "fence 7 (abc)")


def test_a_fence_that_is_lost(board):
    """A fence that never comes, though a later one does, is a broadcast that was lost there."""
    board.drops = lambda text, line: text == "fence 6 (abc)" and line.endpoint == Endpoint("Mary", "group")
    (fault,) = exchanges.run(board.talk()).exchanges[4].faults
    assert (fault.kind, fault.member, fault.connection, fault.text) == (
        *("missing", "Mary", "group", "a fence, though later ones came"),
    )


def test_budget(board, clock):
    """What has not been sent after three minutes is given up, each with that reason."""
    spent = {2: 100.0, 4: 81.0}

    def spend(text):
        clock.now += spent.pop(int(text.rpartition(" ")[2]), 0.0) if text.startswith("Hello") else 0.0

    board.then = spend
    exchanged = exchanges.run(board.talk())
    assert [row.good for row in exchanged.exchanges] == [True] * 4 + [False] * 11
    kinds = {(fault.kind, fault.text) for row in exchanged.wrong for fault in row.faults}
    assert kinds == {("not sent", "given up after 180 s of exchanges")}


def test_a_server_that_ends(board):
    """From where the server ended on nothing is sent, and the verdict says with which exit status it did."""

    def end(text):
        if text.endswith(" message 5"):
            board.exit_status = 3
            for line in list(board.lines):
                line.end("connection lost")

    board.then = end
    chat = board.talk()
    exchanged = exchanges.run(chat)
    assert {fault.text for row in exchanged.exchanges[5:] for fault in row.faults} == {
        "the server had ended with exit status 3"
    }
    assert {fault.kind for fault in exchanged.exchanges[4].faults} == {"unproven"}
    with pytest.raises(CellFailure) as raised:
        exchanges.check(chat, exchanged)
    assert raised.value.text.startswith("11 of 15 exchanges are wrong; first: user from admin to John is unproven on")
    assert raised.value.text.endswith("; the server had ended with exit status 3")


def test_a_copy_that_comes_later(board):
    """A message that comes again after everything is a fault once it is judged again."""
    chat = board.talk()
    exchanged = exchanges.run(chat)
    line = next(each for each in board.lines if each.endpoint == Endpoint("John", "user"))
    line.hear(exchanged.sent[4].text)
    assert str(exchanged) == "15 of 15"
    exchanges.judge_again(chat, exchanged)
    assert faults(exchanged) == {(5, "duplicated", "John", "user")}


def test_a_stranger_that_comes_later(board):
    """A text that nobody sent is the last exchange's once it is judged again."""
    chat = board.talk()
    exchanged = exchanges.run(chat)
    board.say("broadcast", "all", "John", "boo")
    exchanges.judge_again(chat, exchanged)
    assert {each[:2] for each in faults(exchanged)} == {(15, "extra")}
    assert len(exchanged.exchanges[14].faults) == 9


def test_what_the_harness_says_beside_them(board):
    """Messages and fences beside the fifteen are the harness's own, and no strangers."""
    chat = board.talk()
    exchanged = exchanges.run(chat)
    board.say("broadcast", "all", "John", chat.remember("good morning"))
    chat.fence_all(lambda text: chat.client.announce(chat, "admin", text), chat.endpoints)
    exchanges.judge_again(chat, exchanged)
    assert faults(exchanged) == set()


def test_others_connections_are_not_judged(board):
    """What somebody beside the members receives is no part of the exchanges."""
    chat = board.talk()
    chat.open(Endpoint("stranger", "broadcast"), "/ws/broadcast")
    board.leaks = lambda text, line: line.endpoint.member == "stranger"
    assert str(exchanges.run(chat)) == "15 of 15"


def test_fences_alone(board):
    """A chat that carries every message and no fence proves nothing."""
    chat = board.talk()
    board.drops = fences
    exchanged = exchanges.run(chat)
    assert {each[1] for each in faults(exchanged)} == {"unproven"}
    assert len(exchanged.wrong) == 15
