"""Fences: how often they are sent, how long they are waited for, and what stands for silence."""

from __future__ import annotations

from talkers import Switchboard, endpoints, fences

from harness.chat import fencing
from harness.chat.conversation import Chat
from harness.chat.ledger import Said
from harness.clients.connection import Endpoint
from harness.system.waiting import Deadline

LINE = Endpoint("John", "user")


def test_a_fence_is_sent_again(board, clock):
    """While one is outstanding a fence is sent ever more slowly, until all have one of them."""
    chat = board.talk()
    board.drops = lambda text, line: line.endpoint == LINE and text in ("fence 2 (abc)", "fence 3 (abc)")
    before = clock.now
    texts = chat.fence_all(lambda text: chat.client.announce(chat, "admin", text), chat.endpoints)
    assert texts == ("fence 2 (abc)", "fence 3 (abc)", "fence 4 (abc)")
    assert (chat.fences_sent, chat.fences_sent_again) == (4, 2)
    assert clock.now - before == (1 + 2) * fencing.FENCE_INTERVAL


def test_fences_have_an_end(board, clock):
    """A fence that never comes is given up after its deadline, with all that were sent."""
    chat = board.talk()
    board.drops = fences
    before = clock.now
    texts = chat.fence_all(lambda text: chat.client.announce(chat, "admin", text), [LINE], 1.0)
    # After 0, 0.25 and 0.75 s.
    assert len(texts) == 3
    assert clock.now - before == 1.0
    assert not chat.transcript.has_one(LINE, texts)


def test_fences_become_rare(board, clock):
    """The time between two fences doubles up to four seconds."""
    chat, sent = board.talk(), []
    board.drops = fences
    chat.fence_all(lambda text: sent.append(clock.now), [LINE], 20.0)
    assert [later - sent[0] for later in sent] == [0.0, 0.25, 0.75, 1.75, 3.75, 7.75, 11.75, 15.75, 19.75]


def announce(chat: Chat):
    """Return what sends a fence as the admin's broadcast."""
    return lambda text: chat.client.announce(chat, "admin", text)


def trickling(chat: Chat, board: Switchboard, texts: list[str], every: float) -> None:
    """Have what was said before arrive everywhere again and again."""
    for number, text in enumerate(texts, 1):
        chat.ledger.add(text)
        board.clock.later(number * every, lambda text=text: board.say("broadcast", "all", "John", text))


def test_no_fence_while_something_comes(board, clock):
    """While other messages come a fence is not sent again: it is waited for in the line behind them."""
    chat = board.talk()
    board.delays, board.delay = fences, 9.0
    trickling(chat, board, [f"other {number}" for number in range(50)], 0.2)
    before = clock.now
    assert chat.fence_all(announce(chat), [LINE], 1.0, Deadline(30.0, clock.monotonic)) == ("fence 2 (abc)",)
    assert (clock.now - before, chat.fences_sent_again) == (9.0, 0)


def test_a_trickle_has_an_end(board, clock):
    """However much else comes, a fence is waited for no longer than six times as long as when nothing does."""
    chat = board.talk()
    board.drops = fences
    trickling(chat, board, [f"other {number}" for number in range(50)], 0.2)
    before = clock.now
    assert chat.fence_all(announce(chat), [LINE], 1.0) == ("fence 2 (abc)",)
    assert clock.now - before == 6.0


def test_silence_begins_with_the_last_that_came(board, clock):
    """A fence is given up when nothing has come for so long, whatever was silent before that."""
    chat = board.talk()
    board.drops = fences
    trickling(chat, board, ["the only other"], 0.74)
    before = clock.now
    assert len(chat.fence_all(announce(chat), [LINE], 1.0)) == 3
    assert clock.now - before == 1.75


def test_a_limit_of_ones_own(board, clock):
    """Who has no more time than that says so, and that is the end."""
    chat = board.talk()
    board.drops = fences
    trickling(chat, board, [f"other {number}" for number in range(50)], 0.2)
    before = clock.now
    chat.fence_all(announce(chat), [LINE], 5.0, Deadline(2.0, clock.monotonic))
    assert clock.now - before == 2.0


def test_what_nobody_said_is_nothing_that_comes(board, clock):
    """What a chat says of its own for ever, such as a heartbeat, does not make a fence be waited for any longer."""
    chat = board.talk()
    board.drops = fences
    for number in range(50):
        clock.later(0.2 * number, lambda: board.say("broadcast", "all", "John", "tick"))
    before = clock.now
    chat.fence_all(announce(chat), [LINE], 1.0)
    assert clock.now - before == 1.0


def test_a_pulse_is_nothing_that_comes(board, clock):
    """What is said only to keep connections busy does not make a fence be waited for any longer."""
    chat = board.talk()
    board.drops = fences
    chat.ledger.pulses |= {"pulse 1", "pulse 2", "pulse 3", "pulse 4"}
    trickling(chat, board, sorted(chat.ledger.pulses), 0.2)
    before = clock.now
    chat.fence_all(announce(chat), [LINE], 1.0)
    assert clock.now - before == 1.0
    assert chat.transcript.texts(LINE)[1:] == sorted(chat.ledger.pulses)


def one_after_the_other(board: Switchboard, gap: float) -> None:
    """Have what is said come to one connection after the other, with a gap before each."""

    def slow(text, line):
        board.delay = gap * (1 + board.lines.index(line))
        return True

    board.delays = slow


def test_the_pace(board, clock):
    """A server that takes its time for each connection is given twice as long from then on, and not asked twice."""
    chat = board.talk()
    one_after_the_other(board, 0.5)
    chat.fence_all(announce(chat), chat.endpoints)
    assert (chat.pace, chat.fences_sent_again) == (1.0, 1)
    chat.fence_all(announce(chat), chat.endpoints)
    assert (chat.pace, chat.fences_sent_again) == (1.0, 1)


def test_the_slowest_pace(board):
    """However slow a server is, the pace is never more than four seconds; nor is it ever less than it was."""
    chat = board.talk()
    one_after_the_other(board, 3.0)
    chat.fence_all(announce(chat), chat.endpoints)
    assert chat.pace == 4.0
    one_after_the_other(board, 0.0)
    chat.fence_all(announce(chat), chat.endpoints)
    assert chat.pace == 4.0


def test_one_that_is_kept_back_is_no_pace(board):
    """Where one connection alone has to wait, until the next message, the server is not slow."""
    chat = board.talk()
    board.stalls = lambda text, line: line.endpoint == LINE and text == "fence 2 (abc)"
    assert chat.fence_all(announce(chat), chat.endpoints) == ("fence 2 (abc)", "fence 3 (abc)")
    assert chat.pace == fencing.FENCE_INTERVAL


def test_a_fence_for_nobody(board, clock):
    """Where nobody has to have a fence one is sent, and not waited for."""
    chat, before = board.talk(), clock.now
    assert chat.fence_all(announce(chat), []) == ("fence 2 (abc)",)
    assert clock.now == before


def test_members_alone(board):
    """The connections of a chat are the members', whoever else is connected."""
    chat = board.talk()
    chat.open(Endpoint("eavesdropper", "1"), "/ws/user")
    assert Endpoint("eavesdropper", "1") in chat.connections
    assert chat.endpoints == endpoints()
    assert chat.owners[Endpoint("eavesdropper", "1")] == ""


def test_new_fences(board):
    """Each fence has a number of its own, is counted, and stands in the ledger with whose it is."""
    chat = board.chat()
    assert [chat.new_fence(), chat.new_fence("John")] == ["fence 1 (abc)", "fence 2 (abc)"]
    assert chat.ledger.said == [Said("fence 1 (abc)", ""), Said("fence 2 (abc)", "John")]
    assert chat.fences_sent == 2
