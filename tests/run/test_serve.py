"""What is asked of a cell's servers, in which order, and what still is once something was wrong."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from cellservers import TalkingLibrary, asking, failed, finding, standing_in
from talkers import Clock, Switchboard, Talker, message

from harness.captured.output import Failure
from harness.cell import steps as cell_steps
from harness.cell.only import Only
from harness.cell.server import Ends
from harness.chat import pulse
from harness.clients.connection import Endpoint
from harness.errors import CellFailure, HarnessError
from harness.libraries.base import Variant
from harness.probes import registry as probes
from harness.results.result import Step
from harness.run import serve, starts
from harness.servers.catalogue import SERVERS
from harness.verdict import Reason


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock.reigning(monkeypatch)
    monkeypatch.setattr(serve, "time", clock)
    monkeypatch.setattr(pulse, "INTERVAL", 3600.0)  # it goes by the real time, in which nothing happens here
    monkeypatch.setattr(starts, "secrets", SimpleNamespace(randbelow=lambda most: 1))
    return clock


@pytest.fixture
def board(clock) -> Switchboard:
    return Switchboard(clock)


@pytest.fixture
def library(board) -> TalkingLibrary:
    """A library with one question of isolation, one set, and one other way on each kind of server."""
    made = TalkingLibrary(board)
    made.asks, made.further = asking(finding("alone?")), {"rooms": asking(finding("a room?"))}
    made.ways = (Variant("same server"), Variant("other server", {"CHAT_LAYER": "memory"}))
    return made


@pytest.fixture
def server(tmp_path, board, library):
    return standing_in(tmp_path, board, library)


@pytest.fixture
def asked(monkeypatch):
    """Two probes, the second of which is always asked; returns the names of those that were."""
    names = []

    def kind(name, always):
        def ask(chat, server, observed):
            names.append((name, len(chat.endpoints)))
            yield finding(f"{name}?")

        return probes.Kind(ask, always=always)

    monkeypatch.setattr(probes, "PROBES", {"first": kind("first", False), "second": kind("second", True)})
    return names


def served(server, wanted=()):
    """Serve the cell; its coverage test leaves a step."""
    return serve.serve(server, list(wanted), lambda: server.recorder.add(Step(name="test", outcome="ok"), 0.0))


def steps(server):
    return [(step.name, step.outcome) for step in server.recorder.steps]


def names(server):
    return [step.name for step in server.recorder.steps]


def test_order(server, asked):
    """All is asked in one order: pages, both rounds, isolation, sets, other ways, tests, probes; other servers last."""
    observed = served(server, ["first", "second"])
    assert names(server) == [
        "runserver",
        "log in",
        "pages",
        "handshakes",
        "exchanges",
        "runserver again",
        "second round",
        "isolation",
        "rooms",
        "variant 1",
        "rooms 1",
        "test",
        "stop runserver again",
        "probe first",
        "probe second",
        "stop runserver",
        "runserver memory",
        "variant 2",
        "rooms 2",
        "stop runserver memory",
    ]
    assert {outcome for _, outcome in steps(server)} == {"ok"}
    assert (observed.web_server, observed.channels, observed.said) == (None, None, None)
    assert server.starts == [
        ("runserver", {}, "runserver"),
        ("runserver again", {}, "runserver"),
        ("runserver memory", {"CHAT_LAYER": "memory"}, "runserver"),
    ]


def test_what_is_observed(server, asked):
    """What was found is kept by where it was asked, and each step says how it went."""
    observed = served(server, ["first"])
    assert [str(each) for each in observed.rounds] == ["15 of 15", "15 of 15"]
    assert [each.round.number for each in observed.rounds] == [1, 2]
    assert (len(observed.exchanges), {row.good for row in observed.exchanges}) == (15, {True})
    assert observed.starts == 2
    assert [each.question for each in observed.isolation] == ["alone?"]
    assert [(each.name, len(each.findings)) for each in observed.sets] == [("rooms", 3)]
    assert [(each.name, each.judgement.reason) for each in observed.variants] == [
        ("same server", Reason.WORKS),
        ("other server", Reason.WORKS),
    ]
    assert [each.name for each in observed.probes] == ["first"]
    said = {step.name: step.text for step in server.recorder.steps}
    assert said["log in"] == "admin, John, Mary"
    assert said["pages"] == "/ 200, /chat/user/ 200"
    assert said["handshakes"] == "9 connections stand"
    assert said["exchanges"] == "15 of 15 right"
    assert said["second round"] == "15 of 15 right"
    assert said["isolation"] == "1 of 1 as expected"


def test_fences_are_counted(server, board):
    """The fences of the server's two starts are counted, those that were sent again among them."""
    board.stalls = lambda text, line: text == "fence 2 (abc)"
    observed = served(server)
    assert (observed.fences, observed.fences_again) == (2 * 18, 2)


def test_stopped_under_open_connections(server, asked):
    """Also where a probe has closed the members' connections they stand again when the server is stopped."""

    def closes(chat, server, observed):
        chat.close()
        yield finding("closed?")

    probes.PROBES["first"] = probes.Kind(closes)
    assert served(server, ["first"]).stopped["runserver"] == "9 sockets open"


def test_members_who_cannot_return(server, board, asked):
    """Members who are not let in any more in the end change nothing of what was found."""

    def closes(chat, server, observed):
        chat.close()
        board.refuses = lambda endpoint, path, member, origin: "status 503"
        yield finding("closed?")

    probes.PROBES["first"] = probes.Kind(closes)
    server.library.ways = ()
    observed = served(server, ["first"])
    assert (observed.stopped["runserver"], observed.web_server, observed.channels) == ("0 sockets open", None, None)


def test_nobody_returns_to_a_server_that_ended(server, board, asked):
    """No connection is asked of a server that has ended."""

    def ends(chat, server, observed):
        chat.close()
        board.exit_status, board.refuses = 1, lambda *_: pytest.fail("it was asked for a connection")
        yield finding("ended?")

    probes.PROBES["first"] = probes.Kind(ends)
    server.library.ways = ()
    observed = served(server, ["first"])
    assert [each.seen for each in observed.probes[0].findings] == ["yes", "the server had ended with exit status 1"]


def test_it_does_not_start(server, asked):
    """Of a server that does not start nothing is asked, neither of others; only its own tests are run."""
    server.failures["runserver"] = failed("it ended with exit status 1")
    observed = served(server, ["first", "second"])
    assert observed.web_server is server.failures["runserver"]
    assert names(server) == ["runserver", "test"]
    assert (observed.channels, observed.rounds, observed.probes, observed.variants) == (None, [], [], [])


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/", 200, "/ answers somebody unknown with status 200, not the login"),
        ("/chat/user/", 500, "/chat/user/ answers somebody unknown with status 500, not the login"),
    ],
)
def test_a_page_fails(server, board, asked, path, status, text):
    """Where a page fails the server does not work; what it printed stands with the step, and no more is asked."""
    board.statuses[path] = status
    server.prints = Failure("KeyError: 'x'", "Traceback …")
    observed = served(server, ["first", "second"])
    assert (observed.web_server.reason, observed.web_server.text) == (Reason.PAGE_FAILED, text)
    assert names(server) == ["runserver", "log in", "pages", "stop runserver", "test"]
    blamed = server.recorder.steps[2]
    assert (blamed.cause, blamed.excerpt) == (f"{text}; the server printed: KeyError: 'x'", "Traceback …")
    assert (observed.fences, asked) == (0, [])


def test_nobody_can_log_in(server, board):
    """Who cannot log in is a failure of the server's pages, and nothing is blamed where nothing was printed."""
    board.locked_out = "John"
    observed = served(server)
    assert observed.web_server.text == "John cannot log in: the login page answers with status 200"
    assert steps(server)[1] == ("log in", "failed")
    assert server.recorder.steps[1].cause == observed.web_server.text


def test_a_handshake_is_refused(server, board, asked):
    """Where a handshake is refused the channels do not work; only probes that are always asked are asked."""
    board.refuses = lambda endpoint, path, member, origin: "status 403"
    server.prints = Failure("ValueError: no", "Traceback …")
    observed = served(server, ["first", "second"])
    assert observed.web_server is None
    assert observed.channels.reason is Reason.HANDSHAKE_REFUSED
    assert observed.channels.text == (
        "the handshake of admin's broadcast connection failed: status 403; the server printed: ValueError: no"
    )
    assert names(server) == [
        *("runserver", "log in", "pages", "handshakes", "probe second", "stop runserver", "test"),
    ]
    assert server.recorder.steps[3].cause == observed.channels.text
    assert (observed.rounds, observed.isolation, observed.sets, observed.variants) == ([], [], [], [])
    assert [each.name for each in observed.probes] == ["second"]


def test_an_exchange_is_wrong(server, board, asked):
    """Where an exchange is wrong each time neither isolation nor sets nor other ways are asked about; rows are kept."""
    board.drops = message(13, "John")
    server.prints = Failure("KeyError: 'x'", "Traceback …")
    observed = served(server, ["first", "second"])
    assert observed.channels.reason is Reason.EXCHANGE_WRONG
    assert observed.channels.text == (
        "1 of 15 exchanges are wrong; first: group from admin to chatusers is missing on John's group connection;"
        " the server printed: KeyError: 'x'"
    )
    assert [(row.number, [fault.round for fault in row.faults]) for row in observed.exchanges if not row.good] == [
        (13, [1, 2])
    ]
    assert names(server)[4:] == [
        *("exchanges", "runserver again", "second round", "test", "stop runserver again"),
        *("probe second", "stop runserver"),
    ]
    assert (observed.isolation, observed.sets, observed.variants) == ([], [], [])
    said = {step.name: step.text for step in server.recorder.steps}
    assert (said["exchanges"], said["second round"]) == ("14 of 15 right", "14 of 15 right")


@pytest.mark.parametrize(("start", "nth", "wrong"), [("runserver", "first", 1), ("runserver again", "second", 2)])
def test_wrong_in_one_round(server, board, start, nth, wrong):
    """What is wrong in one of two rounds is wrong, and the round is told in which it was."""
    server.boards = {"runserver": board, "runserver again": Switchboard(board.clock)}
    server.boards[start].drops = message(13, "John")
    observed = served(server)
    assert observed.channels.reason is Reason.EXCHANGE_WRONG
    assert observed.channels.text == (
        f"in the {nth} round 1 of 15 exchanges are wrong;"
        " first: group from admin to chatusers is missing on John's group connection"
    )
    assert [[fault.round for fault in row.faults] for row in observed.exchanges if not row.good] == [[wrong]]


def test_nothing_arrives(server, board):
    """Where no message arrives at all nobody starts the server once more to see that again."""
    board.drops = lambda text, line: " message " in text
    observed = served(server)
    assert observed.channels.reason is Reason.EXCHANGE_WRONG
    assert observed.channels.text.startswith("15 of 15 exchanges are wrong; first: broadcast from ")
    assert (observed.starts, len(observed.rounds), len(observed.exchanges)) == (1, 1, 15)
    assert names(server)[3:] == ["handshakes", "exchanges", "stop runserver", "test"]
    assert (server.recorder.steps[4].outcome, server.recorder.steps[4].text) == ("failed", "0 of 15 right")


@pytest.mark.parametrize(
    ("goes_wrong", "text"),
    [
        (lambda board: setattr(board, "locked_out", "John"), "John cannot log in: the login page answers with status"),
        (
            lambda board: setattr(board, "refuses", lambda *asked: "status 503"),
            "the handshake of Mary's group connection failed: status 503",
        ),
    ],
    ids=["log in", "connect"],
)
def test_a_second_start_that_fails(server, board, goes_wrong, text):
    """A server that does what it has to once of two times does not work, and all that it did is kept."""
    server.boards["runserver again"] = Switchboard(board.clock)
    goes_wrong(server.boards["runserver again"])
    observed = served(server)
    assert observed.channels.reason is Reason.NOT_EVERY_TIME
    assert observed.channels.text.startswith(f"right once of two times; the second time {text}")
    assert (observed.starts, len(observed.rounds), observed.web_server) == (2, 1, None)
    assert {row.good for row in observed.exchanges} == {True}
    assert names(server)[5:] == ["runserver again", "stop runserver again", "stop runserver", "test"]


def test_a_second_start_that_never_comes(server):
    """A server that starts once of two times does not work."""
    server.failures["runserver again"] = failed("it ended with exit status 1")
    observed = served(server)
    assert (observed.channels.reason, observed.channels.text) == (
        Reason.NOT_EVERY_TIME,
        "right once of two times; the second time it ended with exit status 1",
    )
    assert names(server)[5:] == ["runserver again", "stop runserver", "test"]


def test_a_second_start_that_somebody_ends(server):
    """That somebody from outside ends the second start says nothing of the server."""
    server.failures["runserver again"] = failed("it was ended by SIGTERM", Reason.ENVIRONMENT_FAILED)
    assert served(server).channels.reason is Reason.ENVIRONMENT_FAILED


def test_the_second_start(server, board):
    """The second start stands beside the first, with names and a database of its own, until both were waited for."""
    (server.recorder.work / "chat.sqlite3").write_bytes(b"members")
    served(server)
    env = server.envs["runserver again"]
    assert (env["CHAT_PREFIX"], env["CHAT_REDIS_URL"]) == ("prefix-again", server.broker.url)
    assert env["CHAT_DATABASE"] == str(server.recorder.work / "again.sqlite3")
    assert (server.recorder.work / "again.sqlite3").read_bytes() == b"members"
    assert (server.ends["runserver again"], server.ends["runserver"]) == (Ends.WHILE_CLOSING, None)
    assert names(server).index("stop runserver again") > names(server).index("test")


def test_tests_are_run_once(server, board):
    """The coverage test is run once, also where nothing is asked, and a fault of it stops everything."""
    ran = []
    serve.serve(server, [], lambda: ran.append("test"))
    server.failures["runserver"] = failed("no")
    serve.serve(server, [], lambda: ran.append("test"))
    assert ran == ["test", "test"]


def test_closed_behind_the_last(server, board, clock):
    """A connection that the server closes while copies and leaks are waited for did not stand as it has to."""
    clock.later(2.0, lambda: board.lines[0].end("closed by the server with 1011"))
    observed = served(server)
    assert observed.channels.text == (
        "in the first round 1 of 15 exchanges are wrong; first: group from Mary to chatusers is closed on admin's"
        " broadcast connection (closed by the server with 1011, within 4 s of the last exchange)"
    )


def test_whether_it_stops(server, board):
    """How the servers ended when they were told to is a set of questions of its own, where that was asked."""
    serving = server.serving

    def asked_to_stop(name, observed, *more, **others):
        observed.stopping.append(finding(f"does {name} end?"))
        return serving(name, observed, *more, **others)

    server.library.ways = ()
    server.serving = asked_to_stop
    observed = served(server)
    assert [(each.name, len(each.findings)) for each in observed.sets] == [("rooms", 1), ("stopping", 1)]


def test_other_ways_in_any_case(server, board, asked):
    """A library whose other ways are other transports has those of the same server tried although the usual fails."""
    server.library.variants_always = True
    board.drops = message(5, "John")
    observed = served(server)
    assert [(each.name, each.judgement.reason) for each in observed.variants] == [
        ("same server", Reason.EXCHANGE_WRONG)
    ]
    assert observed.sets == []


def heard_by_mary(board, text):
    next(each for each in board.lines if each.endpoint == Endpoint("Mary", "group")).hear(text)


COPY = "Hello (abc) chatusers, this is John with message 14"
COPIED = "in the first round 1 of 15 exchanges are wrong; first: group from John to chatusers is duplicated on Mary's"


def test_a_copy_that_comes_late(server, board):
    """A copy that comes while the further questions are asked decides, and no server of another way is started."""

    def late(chat):
        heard_by_mary(board, COPY)
        yield finding("alone?")

    server.library.asks = late
    observed = served(server)
    assert (observed.channels.reason, observed.channels.text[: len(COPIED)]) == (Reason.EXCHANGE_WRONG, COPIED)
    assert [row.number for row in observed.exchanges if not row.good] == [14]
    assert [each.question for each in observed.isolation] == ["alone?"]
    assert [start for start, *_ in server.starts] == ["runserver", "runserver again"]


def test_a_copy_that_comes_with_the_probes(server, board, asked):
    """A copy that comes as late as the last probe decides as well, though all was right until then."""

    def late(chat, server, observed):
        assert (observed.channels, {row.good for row in observed.exchanges}) == (None, {True})
        heard_by_mary(board, COPY)
        yield finding("late?")

    probes.PROBES["first"] = probes.Kind(late)
    observed = served(server, ["first"])
    assert (observed.channels.reason, observed.channels.text[: len(COPIED)]) == (Reason.EXCHANGE_WRONG, COPIED)
    assert [row.number for row in observed.exchanges if not row.good] == [14]


def test_what_a_chat_tells_of_strangers(server, board, asked, clock, monkeypatch):
    """What somebody's own chat tells while strangers try is not held against it, not even when all is over."""

    def odd(chat):
        clock.now += 1.0
        heard_by_mary(board, "somebody has come")
        yield finding("alone?")

    monkeypatch.setattr(Talker, "greets", True)
    server.library.asks = odd
    observed = served(server, ["first"])
    assert (observed.channels, {row.good for row in observed.exchanges}) == (None, {True})


def test_what_a_probe_brings(server, board, asked, clock):
    """What arrives that nobody said while a probe is asked is the probe's to judge."""

    def odd(chat, server, observed):
        clock.now += 1.0
        heard_by_mary(board, "odd")
        yield finding("odd?")

    probes.PROBES["first"] = probes.Kind(odd)
    observed = served(server, ["first"])
    assert (observed.channels, {row.good for row in observed.exchanges}) == (None, {True})


def test_isolation_that_breaks_off(server, board):
    """Questions that break off are a finding, and what follows them is asked all the same."""

    def breaks(chat):
        yield finding("first?")
        raise CellFailure(Reason.PAGE_FAILED, "GET /login/ brought no answer")

    server.library.asks = breaks
    observed = served(server)
    assert [(each.question, each.seen) for each in observed.isolation] == [
        ("first?", "yes"),
        ("Could all of this be asked?", "GET /login/ brought no answer"),
    ]
    assert (observed.channels, len(observed.sets[0].findings)) == (None, 3)


def test_djangos_own_server(server, board):
    """Where Django's own server is another one it is tried first, for the pages alone, and judged beside the rest."""
    server.library.django_server = True
    observed = served(server)
    assert observed.django_server.reason is Reason.WORKS
    assert [start[0] for start in server.starts][:2] == ["runserver", "runserver"]
    assert names(server)[:4] == ["runserver", "stop runserver", "runserver", "log in"]


def test_djangos_own_server_is_another(server, board):
    """Django's own server is started as what it is, whatever server carries the chat."""
    server.library.django_server = True
    server.setup = replace(server.setup, server=SERVERS["uvicorn"])
    server.boards = {"uvicorn": board}
    served(server)
    assert [(name, kind) for name, _, kind in server.starts][:2] == [("runserver", "runserver"), ("uvicorn", "uvicorn")]


def test_djangos_own_server_fails(server, board):
    """That Django's own server fails decides nothing of the other one."""
    server.library.django_server = True
    django = Switchboard(board.clock, statuses={"/": 500})
    server.boards = {"uvicorn": board, "runserver": django}
    server.setup = replace(server.setup, server=SERVERS["uvicorn"])
    observed = served(server)
    assert (observed.django_server.reason, observed.django_server.text) == (
        Reason.PAGE_FAILED,
        "/ answers somebody unknown with status 500, not the login",
    )
    assert (observed.web_server, observed.channels, str(observed.rounds[0])) == (None, None, "15 of 15")


def test_alone(server, board):
    """Without a database both servers are started and stopped, and nothing is asked of them."""
    server.library.django_server = True
    migration = failed("migrate failed", Reason.MIGRATION_FAILED)
    observed = serve.start_alone(server, migration)
    assert observed.migration is migration
    assert (observed.django_server.reason, observed.web_server) == (Reason.WORKS, None)
    assert names(server) == ["runserver", "stop runserver", "runserver", "stop runserver"]
    assert board.said == []


def test_alone_and_not_starting(server):
    """A server that does not even start without a database says so."""
    server.failures["runserver"] = failed("no")
    observed = serve.start_alone(server, failed("migrate failed", Reason.MIGRATION_FAILED))
    assert (observed.django_server.text, observed.web_server.text) == ("no", "no")


def test_a_full_disk(server, board, monkeypatch):
    """A server that failed, and says that the disk is full, has no verdict where there is little room indeed."""
    board.drops = message(13)
    (server.recorder.work / "runserver.log").write_text("OSError: [Errno 28] No space left on device\n")
    monkeypatch.setattr(cell_steps, "no_room", lambda folder, least: {1_000_000_000: "3 MB are free"}[least])
    with pytest.raises(HarnessError, match=r"^the disk is full: 3 MB are free$"):
        served(server)


def one(server, board, name, question=""):
    """Ask one question alone; return what was observed."""
    server.only = Only(name, question)
    return served(server, [name] if name in probes.PROBES else [])


def test_one_question_of_a_probe(server, board, asked):
    """One question is asked on one start of the server, behind one round; nothing else is."""
    observed = one(server, board, "first", "first?")
    assert asked == [("first", 9)]
    assert [step for step in names(server) if "again" in step or step in ("isolation", "second round")] == []
    assert (observed.starts, len(observed.rounds), observed.variants) == (1, 1, [])
    assert [(probe.name, [each.id for each in probe.findings]) for probe in observed.probes] == [("first", ["first"])]


def test_one_question_beside_the_probes(server, board, asked):
    """A question of isolation, or of the library's own sets, is asked where it is, in the way that it is put to."""
    assert [each.question for each in one(server, board, "isolation", "alone?").isolation] == ["alone?"]
    observed = one(server, board, "rooms", "a room?")
    assert [probe.name for probe in observed.sets] == ["rooms"]
    assert (observed.isolation, observed.variants, asked) == ([], [], [])
    observed = one(server, board, "rooms", "a room? (other server)")
    assert [variant.name for variant in observed.variants] == ["other server"]


def test_the_verdict_alone(server, board, asked):
    """For the verdict there are two starts and two rounds, and no question beside them."""
    observed = one(server, board, "")
    assert (observed.starts, len(observed.rounds)) == (2, 2)
    assert (observed.isolation, observed.sets, observed.variants, asked) == ([], [], [], [])
