"""The fifteen exchanges against a server that is none: what is sent, waited for, measured, and found wrong."""

from __future__ import annotations

import msgspec
import pytest
from played import SETTLING, faults, line_of, played
from talkers import Switchboard, Talker, any_of, endpoints, fences, message

from harness.chat import exchanges
from harness.chat.fencing import FENCE_INTERVAL
from harness.chat.members import MEMBERS
from harness.chat.rounds import first_round, second_round
from harness.clients.connection import Endpoint
from harness.clients.transcript import Message
from harness.errors import CellFailure
from harness.verdict import Reason


def test_all_is_right(board):
    """A chat that carries everything has fifteen good rows, no fault, and nothing that came late."""
    exchanged = played(board.talk())
    assert [(row.number, row.good, row.faults) for row in exchanged.exchanges] == [(n, True, []) for n in range(1, 16)]
    assert (str(exchanged), exchanged.late, exchanged.seconds) == ("15 of 15", [], 0.0)


def test_a_fence_behind_each(board):
    """Each message is followed by a fence of the same sender, as a broadcast, before the next is sent."""
    chat = board.talk()
    already = len(board.said)
    played(chat)
    said = board.said[already:]
    assert len(said) == 30
    for number in range(15):
        text, fence = said[2 * number : 2 * number + 2]
        assert text[3].endswith(f" with message {number + 1}")
        assert text[3].startswith(f"Hello (abc) {text[1]}, this is {text[2]}")
        assert fence == ("broadcast", "all", text[2], f"fence {number + 2} (abc)")


def test_what_a_row_says(board):
    """A row of the result says who spoke in which channel to whom, who was to hear it, and how it travelled."""
    exchanged = played(board.talk())
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
    exchanged = played(board.talk())
    assert faults(exchanged) == found
    assert [row.number for row in exchanged.wrong] == sorted({each[0] for each in found})
    assert str(exchanged) == "14 of 15"


def test_closed_early(board):
    """A connection that is closed in the third exchange proves nothing in any of the later ones."""
    board.closes = message(3, "admin", name="user")
    found = faults(played(board.talk()))
    assert {each[0] for each in found if each[1] == "unproven"} == set(range(3, 16))
    assert {each[0] for each in found if each[1] == "closed"} == {3, 4, 7, 10}
    assert {each[2:] for each in found} == {("admin", "user")}


def test_the_first_wrong_one_is_told(board):
    """What is wrong is said of the first row, with its place, and how many there are."""
    board.drops = any_of(message(5, "John"), message(14, "Mary"))
    chat = board.talk()
    exchanged = played(chat)
    with pytest.raises(CellFailure) as raised:
        exchanges.check(exchanged)
    assert raised.value.reason is Reason.EXCHANGE_WRONG
    assert raised.value.text == (
        "2 of 15 exchanges are wrong; first: user from admin to John is missing on John's user connection"
    )


def test_the_token_is_not_told(board):
    """A text that arrived in another's place is shown without the token, which is another one in each run."""
    board.alters = message(5, "John")
    exchanged = played(board.talk())
    (fault,) = exchanged.exchanges[4].faults
    assert fault.text == "Hello (…) John, this is admin with message 5?"


def test_nothing_is_wrong_with_the_right_ones(board):
    """Fifteen good rows pass the check."""
    exchanges.check(played(board.talk()))


def test_latency(board, clock):
    """A message is timed for each member, by the last of the member's connections that had to have it."""
    board.delay = 0.25
    board.delays = any_of(message(5), message(1, "Mary", name="user"))
    exchanged = played(board.talk())
    assert exchanged.latency_ms["5"] == {"John": 250.0}
    assert exchanged.latency_ms["1"] == {"John": 0.0, "Mary": 250.0, "admin": 0.0}
    assert (exchanged.late, exchanged.seconds) == ([], 0.5)


def test_nothing_to_time(board):
    """A message that nobody had has no latency at all."""
    board.drops = message(5)
    assert "5" not in played(board.talk()).latency_ms


def test_stalled(board, clock):
    """A message that comes only with the fence behind it is right, and late."""
    board.stalls = message(5)
    exchanged = played(board.talk())
    assert (faults(exchanged), exchanged.late) == (set(), [5])
    assert exchanged.latency_ms["5"] == {"John": 1000 * exchanges.PATIENCE}


def test_slow_is_no_reason_to_hurry(board):
    """Messages that all come late are each waited for as long as the first: slow is not wrong."""
    board.stalls = lambda text, line: text.startswith("Hello")
    exchanged = played(board.talk())
    assert (exchanged.late, exchanged.seconds) == (list(range(1, 16)), 15 * exchanges.PATIENCE + SETTLING)


def test_a_dead_chat_is_hurried_through(board):
    """Once three messages never came the rest is waited for briefly, but for the last fence, and all of it is wrong."""
    chat = board.talk()
    board.drops = lambda text, line: True
    exchanged = played(chat)
    assert len(exchanged.wrong) == 15
    assert {each[1] for each in faults(exchanged)} == {"missing", "unproven"}
    # Nobody is waited for more briefly than a fence of this server's takes.
    hurried = FENCE_INTERVAL
    assert exchanged.seconds == 3 * (1.0 + 5.0) + 11 * (hurried + 1.0) + hurried + 5.0 + SETTLING
    assert not exchanged.answered


def test_two_that_never_came_are_no_reason_to_hurry(board):
    """The third message that never came is still waited for in full."""
    board.drops = any_of(message(4), message(5), message(6))
    assert played(board.talk()).seconds == 3 * exchanges.PATIENCE + SETTLING


def test_the_fourth_is_hurried(board):
    """The fourth message that never came is waited for no longer than a fence is."""
    board.drops = any_of(message(4), message(5), message(6), message(7))
    seconds = played(board.talk()).seconds
    assert seconds == 3 * exchanges.PATIENCE + FENCE_INTERVAL + SETTLING


def test_a_post_that_is_refused(board):
    """A page that does not take a message is why it was not sent, and nobody misses it for another reason."""
    board.fails = lambda member, text: "no" if text.endswith(" message 13") else ""
    exchanged = played(board.talk())
    assert [msgspec.to_builtins(fault) for fault in exchanged.exchanges[12].faults] == [
        {"kind": "not sent", "member": member, "connection": "group", "text": text, "round": 1}
        for member, text in [(each, "POST /chat/group/ answers with status 500") for each in ("John", "Mary")]
    ]
    assert [row.number for row in exchanged.wrong] == [13]
    assert not exchanged.too_slow


def test_a_connection_that_is_gone(board):
    """A broadcast that cannot be sent says whose connection is gone, and how."""
    board.fails = lambda member, text: "no" if text.endswith(" message 2") else ""
    exchanged = played(board.talk())
    texts = {fault.text for fault in exchanged.exchanges[1].faults}
    assert texts == {"John's connection is gone (ConnectionError)"}
    assert {(fault.member, fault.connection) for fault in exchanged.exchanges[1].faults} == {
        (each.member, each.name) for each in endpoints()
    }


def test_a_fence_that_cannot_be_sent(board):
    """Without a fence of its own an exchange is proved by the next one's."""
    board.fails = lambda member, text: "no" if text == "fence 6 (abc)" else ""
    exchanged = played(board.talk())
    assert (str(exchanged), exchanged.sent[4].fences, exchanged.sent[5].fences) == ("15 of 15", (), ("fence 7 (abc)",))


def test_no_last_fence(board):
    """Where the last fence cannot be sent nothing of the last exchange is proved."""
    board.fails = lambda member, text: "no" if text == "fence 16 (abc)" else ""
    exchanged = played(board.talk())
    assert {each[:2] for each in faults(exchanged)} == {(15, "unproven")}


def test_a_fence_that_is_kept_back(board):
    """A fence that comes only with the next one is followed by it, counted, and no fault."""
    board.stalls = lambda text, line: text == "fence 6 (abc)"
    chat = board.talk()
    exchanged = played(chat)
    assert (faults(exchanged), chat.fences_sent_again) == (set(), 1)
    assert exchanged.sent[4].fences == ("fence 6 (abc)", "fence 7 (abc)")


def test_a_fence_that_is_lost(board):
    """A fence that never comes, though a later one does, is a broadcast that was lost there."""
    board.drops = lambda text, line: text == "fence 6 (abc)" and line.endpoint == Endpoint("Mary", "group")
    (fault,) = played(board.talk()).exchanges[4].faults
    assert (fault.kind, fault.member, fault.connection, fault.text) == (
        *("missing", "Mary", "group", "a fence, though later ones came"),
    )


def test_budget(board, clock):
    """What has not been sent after three minutes is given up, each with that reason."""
    spent = {2: 100.0, 4: 81.0}

    def spend(text):
        clock.now += spent.pop(int(text.rpartition(" ")[2]), 0.0) if text.startswith("Hello") else 0.0

    board.then = spend
    exchanged = played(board.talk())
    assert [row.good for row in exchanged.exchanges] == [True] * 4 + [False] * 11
    kinds = {(fault.kind, fault.text) for row in exchanged.wrong for fault in row.faults}
    assert kinds == {("not sent", "given up after 180 s of exchanges")}


def test_a_fence_has_no_more_time_than_the_round(board, clock):
    """A fence that never comes while other things do is given up when the time of the round is."""
    chat = board.talk()
    board.drops = lambda text, line: fences(text, line) and line.endpoint == Endpoint("Mary", "user")
    chat.ledger.add("noise")
    for number in range(2000):
        clock.later(0.2 * number, lambda: board.say("broadcast", "all", "John", "noise"))
    exchanged = played(chat)
    assert [bool(each.error) for each in exchanged.sent] == [False] + [True] * 14
    assert exchanges.BUDGET <= exchanged.seconds <= exchanges.BUDGET + FENCE_INTERVAL


def test_a_server_that_ends(board):
    """From where the server ended on nothing is sent, and the verdict says with which exit status it did."""

    def end(text):
        if text.endswith(" message 5"):
            board.exit_status = 3
            for line in list(board.lines):
                line.end("connection lost")

    board.then = end
    chat = board.talk()
    exchanged = played(chat)
    assert {fault.text for row in exchanged.exchanges[5:] for fault in row.faults} == {
        "the server had ended with exit status 3"
    }
    assert {fault.kind for fault in exchanged.exchanges[4].faults} == {"unproven"}
    with pytest.raises(CellFailure) as raised:
        exchanges.check(exchanged)
    assert raised.value.text.startswith("11 of 15 exchanges are wrong; first: user from admin to John is unproven on")
    assert raised.value.text.endswith("; the server had ended with exit status 3")


def test_others_connections_are_not_judged(board):
    """What somebody beside the members receives is no part of the exchanges."""
    chat = board.talk()
    chat.open(Endpoint("stranger", "broadcast"), "/ws/broadcast")
    board.leaks = lambda text, line: line.endpoint.member == "stranger"
    assert str(played(chat)) == "15 of 15"


def test_fences_alone(board):
    """A chat that carries every message and no fence proves nothing."""
    chat = board.talk()
    board.drops = fences
    exchanged = played(chat)
    assert {each[1] for each in faults(exchanged)} == {"unproven"}
    assert len(exchanged.wrong) == 15


class Naming(Talker):
    """A client whose frames all say that they are from one sender, and in one channel."""

    def read(self, data):
        return [Message(data, {"sender": "John", "channel": "user"})]


def test_the_envelope_is_looked_at(board):
    """What a frame says of its sender and its channel is held against who sent it, of fences as well."""
    exchanged = exchanges.run(board.talk(Naming(board)), first_round("abc"))
    found = {number: {each[1] for each in faults(exchanged) if each[0] == number} for number in range(1, 16)}
    assert found == {number: {"altered"} for number in range(1, 16)}
    texts = {fault.text for fault in exchanged.exchanges[6].faults}
    # The seventh is John's own user message: only its fence is none.
    assert texts == {"its channel is user, and has to be broadcast"}
    assert {fault.text for fault in exchanged.exchanges[3].faults} == {
        "its sender is John, and has to be admin",
        "its channel is user, and has to be broadcast",
    }


class Hiding(Talker):
    """A client that takes some frames for the library's own."""

    def heard(self, data):
        return None if data.startswith("noise") else data


def test_a_leak_in_what_is_not_read(board):
    """A message has leaked also when the frame that it came in is the library's own to the client."""
    board.then = hearing(board, " message 14", "admin", "group", "noise {}")
    exchanged = exchanges.run(board.talk(Hiding(board)), first_round("abc"))
    assert faults(exchanged) == {(14, "extra", "admin", "group")}


def test_what_is_ones_own_is_no_leak(board):
    """Who hears in what is not read something of their own has heard no secret."""
    board.then = hearing(board, " message 14", "Mary", "user", "noise {}")
    exchanged = exchanges.run(board.talk(Hiding(board)), first_round("abc"))
    assert str(exchanged) == "15 of 15"


def hearing(board: Switchboard, ending: str, member: str, name: str, frame: str):
    """Return what lets a connection hear a frame once a text with that *ending* was said, with the text in it."""
    return lambda text: [
        line_of(board, member, name).hear(frame.format(each)) for each in [text] if each.endswith(ending)
    ]


def test_a_leak_is_told_once(board):
    """A leak that is seen in two ways is one fault of its connection."""
    board.leaks = message(14, "admin", name="group")
    (fault,) = played(board.talk()).exchanges[13].faults
    assert (fault.kind, fault.text) == ("extra", "Hello (…) chatusers, this is John with message 14")


def test_too_slow(board, clock):
    """A server for which there was no time for all, and that lost nothing, is too slow, and not wrong."""
    board.then = lambda text: setattr(clock, "now", clock.now + 61.0 * text.startswith("Hello"))
    exchanged = played(board.talk())
    assert exchanged.too_slow
    with pytest.raises(CellFailure) as raised:
        exchanges.check(exchanged)
    assert (raised.value.reason, raised.value.text) == (
        *(Reason.TOO_SLOW, "3 of 15 exchanges took 183 s; nothing of them was lost"),
    )


def test_too_slow_and_wrong(board, clock):
    """One that loses a message besides is wrong."""
    board.then = lambda text: setattr(clock, "now", clock.now + 61.0 * text.startswith("Hello"))
    board.drops = message(2, "Mary")
    exchanged = played(board.talk())
    assert not exchanged.too_slow
    with pytest.raises(CellFailure, match="13 of 15 exchanges are wrong; first: broadcast from John to all is missing"):
        exchanges.check(exchanged)


def test_nothing_wrong_is_not_too_slow(board):
    """Where nothing is wrong there was time enough, however long it took."""
    assert not played(board.talk()).too_slow


def test_some_answers(board):
    """A chat in which one message of all arrived has answered."""
    chat = board.talk()
    board.drops = lambda text, line: not message(5, "John")(text, line)
    exchanged = played(chat)
    assert (exchanged.answered, exchanged.latency_ms) == (True, {"5": {"John": 0.0}})


def test_each_exchange_is_noted(board):
    """What each exchange says is in the ledger, with its number and who may hear it; its fence is for all."""
    chat = board.talk()
    planned = second_round(chat.token, 7)
    exchanges.run(chat, planned)
    assert [(each.exchange, each.text, each.sender, each.hearers) for each in chat.ledger.said if each.exchange] == [
        (
            each.row.number,
            each.text,
            each.row.sender,
            None if each.row.recipients == MEMBERS else frozenset(each.row.recipients),
        )
        for each in planned.exchanges
    ]
