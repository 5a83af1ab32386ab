"""The pulse: what is broadcast while something else is done."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from talkers import Switchboard, endpoints

from harness.chat import pulse
from harness.chat.pulse import beating


class Beats:
    """An event that is waited for in vain so many times, and then has happened; the waits take no time."""

    def __init__(self, times: int) -> None:
        self.left, self.waits, self.was_set = times, [], False

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.left -= 1
        return self.left < 0

    def set(self) -> None:
        self.was_set = True


@pytest.fixture
def beats(monkeypatch) -> Beats:
    """Whoever beats does so three times."""
    made = Beats(3)
    monkeypatch.setattr(pulse, "threading", SimpleNamespace(Event=lambda: made, Thread=threading.Thread))
    return made


def test_each_second(beats):
    """Every second there is a broadcast, until the block is left."""
    with beating(Switchboard().talk()):
        pass
    assert beats.waits == [1.0] * 4
    assert beats.was_set


def test_what_is_broadcast(beats):
    """Each beat is a fence of the chat's that reaches every connection of every member."""
    board = Switchboard()
    chat = board.talk()
    with beating(chat):
        pass
    wanted = ["fence 2 (abc)", "fence 3 (abc)", "fence 4 (abc)"]
    assert board.said[1:] == [("broadcast", "all", "admin", text) for text in wanted]
    assert {tuple(chat.transcript.texts(each)[1:]) for each in endpoints()} == {tuple(wanted)}
    assert chat.fences_sent == 4


def test_no_sign_of_anything_else(beats):
    """A beat stands in the ledger, and is no sign that anything else still comes."""
    chat = Switchboard().talk()
    before = chat.activity(chat.endpoints)
    with beating(chat):
        pass
    assert chat.ledger.pulses == {"fence 2 (abc)", "fence 3 (abc)", "fence 4 (abc)"}
    assert chat.ledger.pulses < chat.ledger.texts()
    assert chat.activity(chat.endpoints) == before == 9


def test_what_cannot_be_sent(beats):
    """A beat that the server does not take is no reason to stop."""
    board = Switchboard()
    chat = board.talk()
    board.fails = lambda member, text: "no" if text == "fence 3 (abc)" else ""
    with beating(chat):
        pass
    assert [each[3] for each in board.said[1:]] == ["fence 2 (abc)", "fence 4 (abc)"]


def test_several_chats(monkeypatch):
    """Each of several chats gets its own."""
    monkeypatch.setattr(pulse, "INTERVAL", 0.001)
    boards = [Switchboard(), Switchboard()]
    chats, heard = [board.talk() for board in boards], [threading.Event(), threading.Event()]
    boards[0].then, boards[1].then = (lambda text, each=each: each.set() for each in heard)
    with beating(*chats):
        assert [each.wait(10) for each in heard] == [True, True]
    assert all(chat.ledger.pulses for chat in chats)


def test_it_is_over(monkeypatch):
    """Nobody beats any more once the block is left, also when that is for an error."""
    monkeypatch.setattr(pulse, "INTERVAL", 0.001)
    before = set(threading.enumerate())
    during: set[threading.Thread] = set()

    def fail():
        during.update(threading.enumerate())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), beating(Switchboard().talk()):
        fail()
    assert [each.name for each in during - before] == ["pulse"]
    assert set(threading.enumerate()) == before
