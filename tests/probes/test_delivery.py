"""What becomes of messages that come too early, all at once, or to a sleeper, on a server that is none."""

from __future__ import annotations

import re

import pytest
from cellservers import TalkingLibrary, failed, standing_in
from talkers import Switchboard

from harness.cell.outcome import Observations
from harness.clients.connection import Endpoint
from harness.errors import CellFailure
from harness.libraries.base import Variant
from harness.probes import delivery

EARLY = "A message sent right after somebody's handshake"
BURST, ORDER = "A burst of 50 messages", "The order of a burst"
IDLE = "A connection that is idle for 12 s"
AWAY = "A message sent while somebody was away, with keeping off"
KEPT = "A message sent while somebody was away, with keeping on"


class Asked:
    """What the probe finds, by its question."""

    def __init__(self, board, folder, keeping=None, ways=(), other=None):
        self.library = TalkingLibrary(board)
        self.library.ways = ways
        self.library.keeping = {"CHAT_EXPIRE": "60"} if keeping else {}
        self.server = standing_in(folder, board, self.library)
        self.server.boards |= {"runserver keeping": keeping} if keeping else {}
        self.server.boards |= {"runserver idle other": other} if other else {}
        self.server.failures["runserver idle third"] = failed("it is not there")
        self.observed = Observations()
        self.chat = board.talk(self.library)
        self.findings = list(delivery.ask(self.chat, self.server, self.observed))

    def __getitem__(self, question):
        found = next(each for each in self.findings if each.question == question)
        return found.seen, found.good

    def counted(self, question):
        return self.observed.counted[question]


def starts(*texts):
    """Choose what begins with one of *texts*."""
    return lambda text, line: text.startswith(texts)


def test_all_is_well(board, tmp_path):
    """A chat that carries everything at once, in order, and keeps nothing, is as expected in all."""
    asked = Asked(board, tmp_path)
    assert [(each.question, each.seen, each.good, each.chance) for each in asked.findings] == [
        (EARLY, "is received", True, True),
        (BURST, "all are received at once", True, True),
        (ORDER, "kept", True, True),
        (IDLE, "stays open, and receives what comes then", True, False),
        (AWAY, "is not received on return", True, False),
    ]
    assert asked.counted(EARLY) == "0 of 100 lost"
    assert asked.counted(BURST) == "of 500 in 10 bursts 0 kept back, 0 of them lost"
    assert (board.lines, asked.chat.connections) == ([], {})
    assert asked.server.starts == []


def test_the_members_leave(board, tmp_path):
    """The members' own connections are closed before anything is asked: only those that are asked about are there."""
    there = set()
    board.then = lambda text: there.update(line.endpoint.name for line in board.lines if text.startswith("early"))
    Asked(board, tmp_path)
    assert there == {"early sender", "early witness", *(f"early {number}" for number in range(100))}


# Too early


def test_too_early(board, tmp_path):
    """One message that only the newcomer did not get shows that a subscription can come too late."""
    board.drops = lambda text, line: line.endpoint.name in ("early 5", "early 70") and text.startswith("early ")
    asked = Asked(board, tmp_path)
    assert asked[EARLY] == ("can be lost: it is not subscribed yet", False)
    assert asked.counted(EARLY) == "2 of 100 lost"


def test_lost_by_everybody(board, tmp_path):
    """What somebody who was subscribed for long did not get either is not lost for want of a subscription."""
    board.drops = starts("early 5 (", "early 70 (")
    asked = Asked(board, tmp_path)
    assert asked[EARLY] == ("can be lost, even by those subscribed", False)
    assert asked.counted(EARLY) == "2 of 100 lost"


def test_deaf(board, tmp_path):
    """Where connections never hear anything a few are enough to know it."""
    board.drops = lambda text, line: re.fullmatch(r"early \d+", line.endpoint.name) is not None
    asked = Asked(board, tmp_path)
    assert asked[EARLY] == ("not proved: what was sent later did not come either", None)
    assert asked.counted(EARLY) == "3 of 3 lost"


def test_early_and_slow(board, tmp_path):
    """A message that comes with the next one is not lost."""
    board.stalls = starts("early ")
    asked = Asked(board, tmp_path)
    assert (asked[EARLY], asked.counted(EARLY)) == (("is received", True), "0 of 100 lost")


def test_early_and_overtaken(board, tmp_path):
    """A message that the fence behind it overtakes is not lost."""
    board.delays, board.delay = starts("early "), 0.1
    asked = Asked(board, tmp_path)
    assert (asked[EARLY], asked.counted(EARLY)) == (("is received", True), "0 of 100 lost")


def test_early_without_a_proof(board, tmp_path):
    """Where what was sent later does not come either nothing is proved, and that is no matter of chance."""
    board.drops = lambda text, line: line.endpoint.name == "early 5"
    asked = Asked(board, tmp_path)
    assert asked[EARLY] == ("not proved: what was sent later did not come either", None)
    assert not asked.findings[0].chance


def test_refused(board, tmp_path):
    """Who is refused while the probe is asked breaks it off, with what the server answered."""
    board.refuses = lambda endpoint, path, member, origin: "status 503" if endpoint.name == "early 3" else ""
    with pytest.raises(CellFailure, match=r"^status 503$"):
        Asked(board, tmp_path)


# All at once


def test_some_are_lost(board, tmp_path):
    """What has not come when a fence behind it has is lost, and was kept back before."""
    board.drops = starts("burst 2, message 7 (", "burst 3, message 49 (")
    asked = Asked(board, tmp_path)
    assert asked[BURST] == ("some are lost", False)
    assert asked.counted(BURST) == "of 500 in 10 bursts 2 kept back, 2 of them lost"
    assert asked[ORDER] == ("kept", True)


def test_some_are_kept_back(board, tmp_path):
    """What comes only with a further message was kept back, and is not lost."""
    board.stalls = starts("burst 4, message 49 (")
    asked = Asked(board, tmp_path)
    assert asked[BURST] == ("some are held back until more messages come", False)
    assert asked.counted(BURST) == "of 500 in 10 bursts 1 kept back, 0 of them lost"
    # One further message was enough.
    assert [text for *_, text in board.said if text.startswith("after burst")] == ["after burst 4, 0 (abc)"]


def test_slow_is_not_kept_back(board, tmp_path):
    """What comes by itself, if not at once, was not kept back: nothing else was said meanwhile."""
    board.delays, board.delay = starts("burst "), 1.5
    asked = Asked(board, tmp_path)
    assert asked[BURST] == ("all are received at once", True)
    assert asked.counted(BURST) == "of 500 in 10 bursts 0 kept back, 0 of them lost"
    assert not any(text.startswith("after burst") for *_, text in board.said)


def test_three_bursts_are_enough(board, tmp_path):
    """Once three bursts were kept back it is known that bursts are, and waiting for more of them tells nothing."""
    board.stalls = lambda text, line: text.startswith("burst ") and ", message 49 (" in text
    asked = Asked(board, tmp_path)
    assert asked[BURST] == ("some are held back until more messages come", False)
    assert asked.counted(BURST) == "of 150 in 3 bursts 3 kept back, 0 of them lost"


def test_some_come_twice(board, tmp_path):
    """What comes twice is worse than what is lost, and each copy of it is no new message."""
    board.doubles = starts("burst 0, message 9 (")
    board.drops = starts("burst 1, message 0 (")
    asked = Asked(board, tmp_path)
    assert asked[BURST] == ("some are received twice", False)
    assert asked.counted(BURST) == "of 500 in 10 bursts 1 kept back, 1 of them lost"


def test_out_of_order(board, tmp_path):
    """A burst that comes whole, but in another order, is a good burst, and its order is not kept."""
    board.reorders = starts("burst 6, message 20 (")
    asked = Asked(board, tmp_path)
    assert (asked[BURST], asked[ORDER]) == (("all are received at once", True), ("not kept", False))


def test_a_burst_that_ends_nowhere(board, tmp_path, clock):
    """Where no fence comes behind a burst that is the last one, and nothing of it is said to be lost."""
    # From the second burst on nothing comes, not even fences.
    board.drops = lambda text, line: (
        line.endpoint.name == "burst" and any(said.startswith("burst 1,") for *_, said in board.said)
    )
    asked = Asked(board, tmp_path)
    assert asked[BURST] == ("not all within 20 s", None)
    assert asked.counted(BURST) == "of 100 in 2 bursts 50 kept back, 50 of them lost"


def test_a_sender_who_is_closed(board, tmp_path):
    """A burst whose sender is closed on the way is not received, and the other questions are asked all the same."""
    board.closes = lambda text, line: line.endpoint.name == "burst sender" and text.startswith("burst 0, message 3")
    asked = Asked(board, tmp_path)
    assert asked[BURST] == ("John's connection is gone (BrokenPipeError)", False)
    assert [each.question for each in asked.findings] == [EARLY, BURST, IDLE, AWAY]


# To a sleeper


def test_idle_for_too_long(board, tmp_path, clock):
    """A connection that is ended while nothing is said is told with how it ended, after as long as it took."""

    def idle(text):
        line = next((each for each in board.lines if each.endpoint.name == "idle"), None)
        if line is not None and text.startswith("fence"):
            clock.later(5.0, lambda: line.end("closed by the server with 1001"))

    board.then = idle
    assert Asked(board, tmp_path)[IDLE] == ("closed by the server with 1001", False)
    assert not any(text.startswith("good morning") for *_, text in board.said)


def test_idle_each_way(board, tmp_path, clock):
    """Each way is asked, all at the same time, and a layer that ends what is idle is found beside one that does not."""
    other = Switchboard()

    def idle(text):
        def end():
            for line in list(other.lines):
                line.end("closed by the server with 1011")

        if text.startswith("fence"):
            clock.later(5.0, end)

    other.then = idle
    ways = (
        Variant("sync consumer", paths={"broadcast": "/ws/sync"}),
        Variant("other layer", {"LAYER": "other"}),
        Variant("sync consumer, other layer", {"LAYER": "other"}, {"broadcast": "/ws/sync"}),
        Variant("third layer", {"LAYER": "third"}),
    )
    began = clock.now
    asked = Asked(board, tmp_path, ways=ways, other=other)
    seen = {each.question: (each.seen, each.good) for each in asked.findings if each.question.startswith(IDLE)}
    well, ended = ("stays open, and receives what comes then", True), ("closed by the server with 1011", False)
    assert seen == {
        IDLE: well,
        f"{IDLE} (sync consumer)": well,
        f"{IDLE} (other layer)": ended,
        f"{IDLE} (sync consumer, other layer)": ended,
        f"{IDLE} (third layer)": ("not asked: it is not there", None),
    }
    assert [start[:2] for start in asked.server.starts] == [
        ("runserver idle other", {"LAYER": "other"}),
        ("runserver idle third", {"LAYER": "third"}),
    ]
    assert clock.now - began < 2 * 12
    assert (other.lines, board.lines) == ([], [])


def test_idle_and_deaf(board, tmp_path):
    """A connection that stays open and does not receive any more is not what was expected."""
    board.drops = starts("good morning")
    assert Asked(board, tmp_path)[IDLE] == ("stays open, but does not receive", False)


def test_closed_by_the_first_word(board, tmp_path):
    """A connection that is ended by what comes after the silence did not stay open."""
    board.closes = starts("good morning")
    assert Asked(board, tmp_path)[IDLE] == ("closed by the server with 1011", False)


# To somebody who was away


class Keeping(Switchboard):
    """A server that keeps some of what was said, and says it to whoever comes."""

    kept = ()

    def connect(self, chat, endpoint, path, member, origin):
        line = super().connect(chat, endpoint, path, member, origin)
        said = [text for *_, text in self.said if text.startswith("while you were away")]
        if endpoint.name.startswith("returned"):
            for number in self.kept:
                line.hear(said[number])
        return line


@pytest.mark.parametrize(
    ("kept", "seen", "good"),
    [
        ((), "is not received on return", False),
        ((1,), "the last one is received on return", True),
        ((0,), "an older one is received on return", False),
        ((0, 1), "both are received on return", False),
    ],
)
def test_keeping(board, clock, tmp_path, kept, seen, good):
    """With keeping the last message, and only that, has to be there on return; the server is another one then."""
    other = Keeping(clock)
    other.kept = kept
    asked = Asked(board, tmp_path, keeping=other)
    assert asked[KEPT] == (seen, good)
    assert asked[AWAY] == ("is not received on return", True)
    assert asked.server.starts == [("runserver keeping", {"CHAT_EXPIRE": "60"}, "runserver")]
    # What is kept there is not for those who come to the cell's own server later.
    assert asked.server.envs["runserver keeping"]["CHAT_PREFIX"] == f"{asked.server.prefix}-keeping"


def test_who_is_there_hears_it_first(clock, tmp_path):
    """Nobody returns before what was said meanwhile has come to somebody who was there: it is no late arrival."""
    heard = []

    class Watched(Switchboard):
        def connect(self, chat, endpoint, path, member, origin):
            heard.append((endpoint.name, chat.transcript.texts(Endpoint("John", "present, keeping off"))[-1:]))
            return super().connect(chat, endpoint, path, member, origin)

    board = Watched(clock)
    board.delays, board.delay = starts("while you were away"), 1.5
    assert Asked(board, tmp_path)[AWAY] == ("is not received on return", True)
    assert heard[-1] == ("returned, keeping off", ["while you were away 2 (abc)"])


@pytest.mark.parametrize(
    ("kept", "seen", "good"),
    [((), "is not received on return", True), ((1,), "the last one is received on return", False)],
)
def test_not_keeping(clock, tmp_path, kept, seen, good):
    """Without keeping nothing may be there on return."""
    board = Keeping(clock)
    board.kept = kept
    assert Asked(board, tmp_path)[AWAY] == (seen, good)


def test_nothing_on_return(board, tmp_path):
    """Where a connection receives nothing at all on return nothing is known of what was kept."""
    board.drops = lambda text, line: line.endpoint.name.startswith("returned")
    assert Asked(board, tmp_path)[AWAY] == ("nothing is received on return, not even what is sent then", None)
