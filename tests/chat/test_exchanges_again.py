"""Exchanges judged again once something has come later: what counts, for whom, and until when."""

from __future__ import annotations

from played import faults, line_of, played
from talkers import message

from harness.chat import exchanges
from harness.chat.members import channel_table
from harness.clients.connection import Endpoint


def test_a_copy_that_comes_later(board):
    """A message that comes again after everything is a fault once it is judged again."""
    chat = board.talk()
    exchanged = played(chat)
    line_of(board, "John", "user").hear(exchanged.sent[4].text)
    assert str(exchanged) == "15 of 15"
    exchanges.judge_again(chat, exchanged)
    assert faults(exchanged) == {(5, "duplicated", "John", "user")}


def test_what_comes_after_all(board):
    """What was missing when the round was over, and has come since, is right by now."""

    def held_up(text, line) -> bool:
        last = any(said.endswith(" message 15") for *_, said in board.said)
        return last and line.endpoint == Endpoint("John", "group")

    board.drops = held_up
    chat = board.talk()
    exchanged = played(chat)
    assert not exchanges.right_by_now(chat, [exchanged])
    line = line_of(board, "John", "group")
    for text in (exchanged.sent[14].text, *exchanged.sent[14].fences):
        line.hear(text)
    assert exchanges.right_by_now(chat, [exchanged])
    assert exchanged.wrong == []


def test_a_stranger_that_comes_later(board):
    """A text that nobody sent is the last exchange's once it is judged again."""
    chat = board.talk()
    exchanged = played(chat)
    board.say("broadcast", "all", "John", "boo")
    exchanges.judge_again(chat, exchanged)
    assert {each[:2] for each in faults(exchanged)} == {(15, "extra")}
    assert len(exchanged.exchanges[14].faults) == 9


def test_what_is_said_while_it_is_judged(board, monkeypatch):
    """What a pulse says while a round is judged is the harness's own, though it comes just then."""
    chat = board.talk()
    exchanged = played(chat)
    messages = chat.transcript.messages

    def beating(endpoint):
        chat.announce("admin", "a pulse")
        return messages(endpoint)

    monkeypatch.setattr(chat.transcript, "messages", beating)
    exchanges.judge_again(chat, exchanged)
    assert "a pulse" in chat.ledger.texts()
    assert faults(exchanged) == set()


def test_what_the_harness_says_beside_them(board):
    """Messages and fences beside the fifteen are the harness's own, and no strangers."""
    chat = board.talk()
    exchanged = played(chat)
    chat.announce("John", "good morning")
    chat.say(channel_table()[4], "psst")
    chat.fence_all(lambda text: chat.client.announce(chat, "admin", text), chat.endpoints)
    exchanges.judge_again(chat, exchanged)
    assert faults(exchanged) == set()


def test_a_leak_that_comes_later(board):
    """A message that comes to somebody else after everything is a fault once it is judged again."""
    chat = board.talk()
    exchanged = played(chat)
    line_of(board, "admin", "user").hear(exchanged.sent[4].text)
    exchanges.judge_again(chat, exchanged, until=exchanged.over)
    assert faults(exchanged) == {(5, "extra", "admin", "user")}


def test_what_a_further_question_brings(board, clock):
    """Texts that nobody said count only until the horizon: later ones are answers to something else."""
    chat = board.talk()
    exchanged = played(chat)
    line_of(board, "John", "user").hear("boo")
    clock.now += 5.0
    line_of(board, "Mary", "user").hear("what was asked, altered")
    exchanges.judge_again(chat, exchanged, until=clock.now - 1.0)
    assert faults(exchanged) == {(15, "extra", "John", "user")}
    exchanges.judge_again(chat, exchanged)
    assert faults(exchanged) == {(15, "extra", "John", "user"), (15, "extra", "Mary", "user")}


def test_later_in_other_letters(board, clock):
    """What was said and comes again in other letters counts whenever it comes; what nobody said until then alone."""
    chat = board.talk()
    exchanged = played(chat)
    clock.now += 1.0
    line_of(board, "John", "user").hear("WELCOME, EVERYBODY")
    exchanges.judge_again(chat, exchanged, until=clock.now - 1.0)
    assert faults(exchanged) == set()
    line_of(board, "John", "user").hear(" HELLO (ABC) ALL, THIS IS JOHN WITH MESSAGE 2 ")
    exchanges.judge_again(chat, exchanged, until=clock.now - 1.0)
    assert faults(exchanged) == {(15, "extra", "John", "user")}


def test_copies_beside_the_round(board, clock):
    """What was said beside the round and comes twice is the last exchange's, until the horizon."""
    chat = board.talk()
    exchanged = played(chat)
    chat.say(channel_table()[4], "psst")
    line_of(board, "John", "user").hear("psst")
    exchanges.judge_again(chat, exchanged, until=clock.now)
    assert faults(exchanged) == {(15, "duplicated", "John", "user")}
    exchanges.judge_again(chat, exchanged, until=clock.now - 1.0)
    assert faults(exchanged) == set()


def test_judged_again_from_the_beginning(board):
    """What is judged again is judged as a whole: nothing is told twice."""
    board.drops = message(5, "John")
    chat = board.talk()
    exchanged = played(chat)
    before = exchanged.exchanges
    exchanges.judge_again(chat, exchanged)
    assert exchanged.exchanges == before
