"""Two starts of a server: how the second one is made, how long both are waited for, and what becomes of both rounds."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from cellservers import TalkingLibrary, failed, standing_in
from msgspec.structs import replace
from talkers import Switchboard, message

from harness.cell.outcome import Observations
from harness.cell.server import Ends
from harness.chat import exchanges
from harness.chat.exchanges import Exchanged
from harness.chat.ledger import Ledger
from harness.chat.rounds import first_round, second_round
from harness.clients.connection import Endpoint
from harness.errors import CellFailure, HarnessError
from harness.results.result import Exchange, Fault
from harness.run import starts
from harness.run.starts import SecondStart, Start
from harness.verdict import Reason


@pytest.fixture
def server(tmp_path, board):
    return standing_in(tmp_path, board, TalkingLibrary(board))


# The second start


def taken(second: SecondStart):
    second.begin()
    return second.taken(Ledger())


def test_second_start(server):
    """The second start has a name, a prefix and a database of its own, and all members are in it."""
    (server.recorder.work / "chat.sqlite3").write_bytes(b"members")
    server.env = {"CHAT_PREFIX": "prefix", "PATH": "/bin"}
    observed = Observations()
    with SecondStart(server, observed) as second, taken(second) as chat:
        assert len(chat.endpoints) == 9
        assert chat is server.chats["runserver again"]
    database = server.recorder.work / "again.sqlite3"
    assert server.envs["runserver again"] == {
        "PATH": "/bin",
        "CHAT_PREFIX": "prefix-again",
        "CHAT_REDIS_URL": "redis://127.0.0.1:6379/0",
        "CHAT_DATABASE": str(database),
    }
    assert (database.read_bytes(), server.ends) == (b"members", {"runserver again": Ends.WHILE_CLOSING})
    assert (server.prefix, server.env) == ("prefix", {"CHAT_PREFIX": "prefix", "PATH": "/bin"})
    assert [step.name for step in server.recorder.steps] == ["runserver again", "stop runserver again"]
    assert server.recorder.watcher.begun[0] == "runserver again"
    assert observed.stopped == {"runserver again": "9 sockets open"}


def test_without_a_database(server):
    """A chat that has no file of a database gets none."""
    with SecondStart(server, Observations()) as second, taken(second):
        pass
    assert not (server.recorder.work / "again.sqlite3").exists()


def test_it_does_not_start_again(server):
    """That it does not start is for whoever takes it; what was kept of that is evidence then."""
    server.failures["runserver again"] = failed("no")
    with SecondStart(server, Observations()) as second:
        second.begin()
        assert server.recorder.steps == []
        (server.recorder.work / "again" / "runserver-again.log").write_text("no\n")
        with pytest.raises(CellFailure, match=r"^no$"), second.taken(Ledger()):
            pytest.fail("there is no server")
    assert [(step.name, step.outcome) for step in server.recorder.steps] == [("runserver again", "failed")]
    assert (server.recorder.evidence / "runserver-again.log").read_text() == "no\n"


def test_the_machines_fault(server):
    """A fault of the machine is told to whoever takes the second start."""
    server.failures["runserver again"] = HarnessError("the disk is full")
    with SecondStart(server, Observations()) as second, pytest.raises(HarnessError, match="is full"), taken(second):
        pytest.fail("there is no server")


def test_nobody_takes_it(server):
    """A second start that nobody takes has never been, and is over when the first one is asked no more."""
    observed = Observations()
    with SecondStart(server, observed) as second:
        second.begin()
    assert server.chats["runserver again"].endpoints == []
    assert (server.recorder.steps, server.recorder.watcher.begun, observed) == ([], [], Observations())
    assert list(server.recorder.evidence.iterdir()) == []


def interrupt(*of: object) -> None:
    raise KeyboardInterrupt


def test_interrupted_on_the_way(server, monkeypatch):
    """Whatever comes between the end of the start and the first question to it, the server is stopped."""
    monkeypatch.setattr(SecondStart, "_show", interrupt)
    with pytest.raises(KeyboardInterrupt), SecondStart(server, Observations()) as second, taken(second):
        pytest.fail("it was interrupted")
    assert server.chats["runserver again"].endpoints == []
    assert [step.name for step in second._server.recorder.steps] == ["runserver again", "stop runserver again"]


def test_it_has_not_begun(server):
    """A second start that has not begun is none."""
    with SecondStart(server, Observations()):
        pass
    assert server.chats == {}


def test_it_has_been_begun_before_it_is_started(server, monkeypatch):
    """Whoever interrupts while the thread is being started leaves nothing behind: it is known before."""

    def interrupted(thread) -> None:
        thread.start()
        raise KeyboardInterrupt

    monkeypatch.setattr(starts.threads, "start", interrupted)
    with pytest.raises(KeyboardInterrupt), SecondStart(server, Observations()) as second:
        second.begin()
    assert not second._thread.is_alive()
    assert server.chats["runserver again"].endpoints == []


class Sleeper:
    """A server that never answers, until it is killed."""

    def __init__(self) -> None:
        self.killed = threading.Event()

    def kill(self) -> None:
        self.killed.set()


def test_it_is_not_waited_for(server, monkeypatch):
    """A second start that is still under way when nobody wants it any more is killed."""
    sleeper = Sleeper()

    @contextmanager
    def serving(self, name, observed, settings=None, at=None, ends=None):
        self.process = sleeper
        sleeper.killed.wait()
        raise failed("it was killed")
        yield

    monkeypatch.setattr(type(server), "serving", serving)
    with SecondStart(server, Observations()) as second:
        second.begin()
    assert sleeper.killed.is_set()
    assert not second._thread.is_alive()


def test_a_round_that_is_wrong(server, board):
    """A round in which something is wrong is a step that failed, and the cell goes on."""
    chat = board.talk()
    board.drops = message(3, "John")
    found = starts.play(chat, server, "exchanges", first_round("abc"))
    step = server.recorder.steps[-1]
    assert (step.name, step.outcome, step.text) == ("exchanges", "failed", f"{found} right")
    assert step.cause.startswith("1 of 15 exchanges are wrong; first: ")


def test_second_exchanges(server, board, monkeypatch):
    """The second round is made in the order of a seed that is drawn, and the step tells which that was."""
    monkeypatch.setattr(starts, "secrets", SimpleNamespace(randbelow=lambda most: most - 1))
    found = starts.second_exchanges(board.talk(), server)
    assert (found.round, str(found)) == (second_round("abc", 65535), "15 of 15")
    (step,) = server.recorder.steps
    assert (step.name, step.outcome, step.text) == ("second round", "ok", "15 of 15 right")


def test_a_seed_that_is_given(server, board):
    """An order of before can be gone in again."""
    server.seed = 77
    assert starts.second_exchanges(board.talk(), server).round == second_round("abc", 77)


# Waiting


def round_on(board: Switchboard) -> Start:
    """Return a start on which the first round has been made."""
    chat = board.talk()
    return Start(chat, exchanges.run(chat, first_round(chat.token)))


def wrong(start: Start) -> list[tuple[int, str]]:
    return [(row.number, fault.kind) for row in start.exchanged.wrong for fault in row.faults]


def test_what_is_left(board, clock):
    """The horizon of a round is four seconds behind its last exchange, and what is over is not waited for."""
    start = round_on(board)
    assert start.left == 4.0
    clock.now += 2.5
    assert start.left == 1.5
    clock.now += 2.5
    assert start.left == 0.0


def test_wait_for_horizon(board, clock):
    """All starts are waited for until the last of their horizons, and every connection still stands then."""
    first = round_on(board)
    clock.now += 3.0
    second = round_on(Switchboard(clock))
    before = clock.now
    starts.wait_for_horizon([first, second])
    assert clock.now - before == 4.0
    assert (first.exchanged.ending, second.exchanged.ending) == ([], [])


def test_nothing_to_wait_for(clock):
    """Without a start nobody waits."""
    starts.wait_for_horizon([])
    assert clock.now == 1000.0


def test_what_does_not_stand_in_the_end(board, clock):
    """A connection that is closed within the horizon, of either start, is a fault of its last exchange."""
    first, second = round_on(board), round_on(Switchboard(clock))
    line = second.chat.connections[Endpoint("Mary", "group")]
    clock.later(1.0, lambda: line.end("closed by the server with 1011"))
    starts.wait_for_horizon([first, second])
    starts.judge_again([first, second])
    assert (wrong(first), wrong(second)) == ([], [(15, "closed")])


def test_judge_again(board, clock):
    """What has come since a round was judged first is seen, on whichever start it came."""
    first, second = round_on(board), round_on(Switchboard(clock))
    second.chat.connections[Endpoint("Mary", "group")].hear("Hello (abc) chatusers, this is John with message 14")
    assert (wrong(first), wrong(second)) == ([], [])
    starts.judge_again([first, second])
    assert (wrong(first), wrong(second)) == ([], [(14, "duplicated")])


def test_judge_again_until_then(board, clock):
    """A text that nobody said counts until a moment that can be named, and a copy always."""
    start = round_on(board)
    until = clock.now
    clock.now += 1.0
    line = start.chat.connections[Endpoint("Mary", "group")]
    line.hear("odd")
    starts.judge_again([start], until=until)
    assert wrong(start) == []
    line.hear("Hello (abc) chatusers, this is John with message 14")
    starts.judge_again([start], until=until)
    assert wrong(start) == [(14, "duplicated")]
    starts.judge_again([start], until=clock.now)
    assert len(wrong(start)) > 1


# Both rounds


def rows(*bad: int) -> list[Exchange]:
    return [
        Exchange(
            number=number,
            channel="broadcast",
            sender="John",
            audience="all",
            recipients=["John"],
            transport="WebSocket",
            good=number not in bad,
            faults=[Fault(kind="missing", member="John", connection="user")] * (number in bad),
        )
        for number in range(1, 16)
    ]


def start(number: int, *bad: int, answered: bool = True, status: int | None = None) -> Start:
    """Return a start whose round has faults in the exchanges *bad*, and in which something was *answered* or not."""
    planned = [first_round("abc"), second_round("abc", 1)][number - 1]
    latency = {"1": {"John": 1.0}} if answered else {}
    return Start(None, Exchanged(planned, exchanges=rows(*bad), latency_ms=latency, exit_status=status))


def test_joined():
    """A row is good when it was good in each round, and each of its faults says in which round it was seen."""
    found = exchanges.joined([start(1, 3, 5).exchanged, start(2, 5, 7).exchanged])
    assert [row.number for row in found] == list(range(1, 16))
    assert {row.number: [fault.round for fault in row.faults] for row in found if not row.good} == {
        3: [1],
        5: [1, 2],
        7: [2],
    }


def test_joined_of_one():
    """The rows of a single round are those of the table."""
    assert exchanges.joined([start(1, 3).exchanged]) == rows(3)
    assert exchanges.joined([]) == []


def checked(*judged: Start) -> tuple[Reason, str]:
    with pytest.raises(CellFailure) as raised:
        starts.check(judged)
    return raised.value.reason, raised.value.text


def test_all_is_right():
    """Where nothing was wrong in any round nothing is said."""
    starts.check([start(1), start(2)])
    starts.check([])


WRONG = "1 of 15 exchanges are wrong; first: broadcast from Mary to all is missing on John's user connection"


def test_wrong_each_time():
    """What is wrong in each round is told of the first of them."""
    assert checked(start(1, 3), start(2, 3)) == (Reason.EXCHANGE_WRONG, WRONG)


@pytest.mark.parametrize(("judged", "nth"), [((start(1, 3), start(2)), "first"), ((start(1), start(2, 3)), "second")])
def test_wrong_once(judged, nth):
    """What is wrong in one round, in which other things came, is wrong with what that round asks."""
    assert checked(*judged) == (Reason.EXCHANGE_WRONG, f"in the {nth} round {WRONG}")


def test_nothing_came_once():
    """Where nothing at all came in one of two rounds the server does not do each time what it does."""
    assert checked(start(1), start(2, 3, answered=False)) == (
        Reason.NOT_EVERY_TIME,
        f"right once of two times; in the second round {WRONG}",
    )


def test_it_ended():
    """That the server had ended by itself is said with what was wrong."""
    assert checked(start(1), start(2, 3, answered=False, status=-11))[1].endswith(
        "; the server had ended with exit status -11"
    )


def test_too_slow():
    """What there was no time for in one of two rounds is not wrong: the server is too slow."""
    given_up = [Fault(kind="not sent", member="John", connection="user", text="given up after 180 s of exchanges")]
    slow = start(2)
    slow.exchanged.exchanges[14] = replace(slow.exchanged.exchanges[14], good=False, faults=given_up)
    slow.exchanged.seconds = 181.0
    assert checked(start(1), slow)[0] is Reason.TOO_SLOW
