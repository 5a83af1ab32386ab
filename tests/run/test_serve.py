"""What is asked of a cell's servers, in which order, and what still is once something was wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cellservers import TalkingLibrary, asking, failed, finding, standing_in
from talkers import Clock, Switchboard, message

from harness.captured.output import Failure
from harness.errors import CellFailure, HarnessError
from harness.libraries.base import Variant
from harness.probes import registry as probes
from harness.run import serve
from harness.servers.catalogue import SERVERS
from harness.verdict import Reason


@pytest.fixture
def clock(monkeypatch) -> Clock:
    return Clock.reigning(monkeypatch)


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


def steps(server):
    return [(step.name, step.outcome) for step in server.recorder.steps]


def names(server):
    return [step.name for step in server.recorder.steps]


def test_order(server, asked):
    """All is asked in one order: pages, exchanges, isolation, sets, other ways, probes; other servers come last."""
    observed = serve.serve(server, ["first", "second"])
    assert names(server) == [
        "runserver",
        "log in",
        "pages",
        "handshakes",
        "exchanges",
        "isolation",
        "rooms",
        "variant 1",
        "rooms 1",
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
        ("runserver memory", {"CHAT_LAYER": "memory"}, "runserver"),
    ]


def test_what_is_observed(server, asked):
    """What was found is kept by where it was asked, and each step says how it went."""
    observed = serve.serve(server, ["first"])
    assert str(observed.exchanged) == "15 of 15"
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
    assert said["isolation"] == "1 of 1 as expected"


def test_fences_are_counted(server, board):
    """The fences of the server's first chat are counted, those that were sent again among them."""
    board.stalls = lambda text, line: text == "fence 2 (abc)"
    observed = serve.serve(server, [])
    assert (observed.fences, observed.fences_again) == (17, 1)


def test_stopped_under_open_connections(server, asked):
    """Also where a probe has closed the members' connections they stand again when the server is stopped."""

    def closes(chat, server, observed):
        chat.close()
        yield finding("closed?")

    probes.PROBES["first"] = probes.Kind(closes)
    assert serve.serve(server, ["first"]).stopped["runserver"] == "9 sockets open"


def test_members_who_cannot_return(server, board, asked):
    """Members who are not let in any more in the end change nothing of what was found."""

    def closes(chat, server, observed):
        chat.close()
        board.refuses = lambda endpoint, path, member, origin: "status 503"
        yield finding("closed?")

    probes.PROBES["first"] = probes.Kind(closes)
    server.library.ways = ()
    observed = serve.serve(server, ["first"])
    assert (observed.stopped["runserver"], observed.web_server, observed.channels) == ("0 sockets open", None, None)


def test_nobody_returns_to_a_server_that_ended(server, board, asked):
    """No connection is asked of a server that has ended."""

    def ends(chat, server, observed):
        chat.close()
        board.exit_status, board.refuses = 1, lambda *_: pytest.fail("it was asked for a connection")
        yield finding("ended?")

    probes.PROBES["first"] = probes.Kind(ends)
    server.library.ways = ()
    observed = serve.serve(server, ["first"])
    assert [each.seen for each in observed.probes[0].findings] == ["yes", "the server had ended with exit status 1"]


def test_it_does_not_start(server, asked):
    """Of a server that does not start nothing is asked, neither of others."""
    server.failures["runserver"] = failed("it ended with exit status 1")
    observed = serve.serve(server, ["first", "second"])
    assert observed.web_server is server.failures["runserver"]
    assert names(server) == ["runserver"]
    assert (observed.channels, observed.exchanged, observed.probes, observed.variants) == (None, None, [], [])


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
    observed = serve.serve(server, ["first", "second"])
    assert (observed.web_server.reason, observed.web_server.text) == (Reason.PAGE_FAILED, text)
    assert names(server) == ["runserver", "log in", "pages", "stop runserver"]
    blamed = server.recorder.steps[2]
    assert (blamed.cause, blamed.excerpt) == (f"{text}; the server printed: KeyError: 'x'", "Traceback …")
    assert (observed.fences, asked) == (0, [])


def test_nobody_can_log_in(server, board):
    """Who cannot log in is a failure of the server's pages, and nothing is blamed where nothing was printed."""
    board.locked_out = "John"
    observed = serve.serve(server, [])
    assert observed.web_server.text == "John cannot log in: the login page answers with status 200"
    assert steps(server)[1] == ("log in", "failed")
    assert server.recorder.steps[1].cause == observed.web_server.text


def test_a_handshake_is_refused(server, board, asked):
    """Where a handshake is refused the channels do not work; only probes that are always asked are asked."""
    board.refuses = lambda endpoint, path, member, origin: "status 403"
    server.prints = Failure("ValueError: no", "Traceback …")
    observed = serve.serve(server, ["first", "second"])
    assert observed.web_server is None
    assert observed.channels.reason is Reason.HANDSHAKE_REFUSED
    assert observed.channels.text == (
        "the handshake of admin's broadcast connection failed: status 403; the server printed: ValueError: no"
    )
    assert names(server) == ["runserver", "log in", "pages", "handshakes", "probe second", "stop runserver"]
    assert server.recorder.steps[3].cause == observed.channels.text
    assert (observed.exchanged, observed.isolation, observed.sets, observed.variants) == (None, [], [], [])
    assert [each.name for each in observed.probes] == ["second"]


def test_an_exchange_is_wrong(server, board, asked):
    """Where an exchange is wrong neither isolation nor sets nor other ways are asked about; the rows are kept."""
    board.drops = message(5, "John")
    observed = serve.serve(server, ["first", "second"])
    assert observed.channels.text == (
        "1 of 15 exchanges are wrong; first: user from admin to John is missing on John's user connection"
    )
    assert [row.number for row in observed.exchanged.wrong] == [5]
    assert names(server)[-3:] == ["exchanges", "probe second", "stop runserver"]
    assert (observed.isolation, observed.sets, observed.variants) == ([], [], [])
    step = server.recorder.steps[-3]
    assert (step.outcome, step.text) == ("failed", "14 of 15 right")


def test_other_ways_in_any_case(server, board, asked):
    """A library whose other ways are other transports has those of the same server tried although the usual fails."""
    server.library.variants_always = True
    board.drops = message(5, "John")
    observed = serve.serve(server, [])
    assert [(each.name, each.judgement.reason) for each in observed.variants] == [
        ("same server", Reason.EXCHANGE_WRONG)
    ]
    assert observed.sets == []


def test_a_copy_that_comes_late(server, board):
    """A copy that comes while the further questions are asked is found, and decides."""

    def late(chat):
        line = next(each for each in board.lines if each.endpoint.member == "Mary" and each.endpoint.name == "group")
        line.hear("Hello (abc) chatusers, this is John with message 14")
        yield finding("alone?")

    server.library.asks = late
    observed = serve.serve(server, [])
    assert observed.channels.text.startswith("1 of 15 exchanges are wrong; first: group from John to chatusers is dup")
    assert [each.question for each in observed.isolation] == ["alone?"]
    assert observed.sets == []


def test_isolation_that_breaks_off(server, board):
    """Questions that break off are a finding, and what follows them is asked all the same."""

    def breaks(chat):
        yield finding("first?")
        raise CellFailure(Reason.PAGE_FAILED, "GET /login/ brought no answer")

    server.library.asks = breaks
    observed = serve.serve(server, [])
    assert [(each.question, each.seen) for each in observed.isolation] == [
        ("first?", "yes"),
        ("Could all of this be asked?", "GET /login/ brought no answer"),
    ]
    assert (observed.channels, len(observed.sets[0].findings)) == (None, 3)


def test_djangos_own_server(server, board):
    """Where Django's own server is another one it is tried first, for the pages alone, and judged beside the rest."""
    server.library.django_server = True
    observed = serve.serve(server, [])
    assert observed.django_server.reason is Reason.WORKS
    assert [start[0] for start in server.starts][:2] == ["runserver", "runserver"]
    assert names(server)[:4] == ["runserver", "stop runserver", "runserver", "log in"]


def test_djangos_own_server_is_another(server, board):
    """Django's own server is started as what it is, whatever server carries the chat."""
    server.library.django_server = True
    server.setup = replace(server.setup, server=SERVERS["uvicorn"])
    server.boards = {"uvicorn": board}
    serve.serve(server, [])
    assert [(name, kind) for name, _, kind in server.starts][:2] == [("runserver", "runserver"), ("uvicorn", "uvicorn")]


def test_djangos_own_server_fails(server, board):
    """That Django's own server fails decides nothing of the other one."""
    server.library.django_server = True
    django = Switchboard(board.clock, statuses={"/": 500})
    server.boards = {"uvicorn": board, "runserver": django}
    server.setup = replace(server.setup, server=SERVERS["uvicorn"])
    observed = serve.serve(server, [])
    assert (observed.django_server.reason, observed.django_server.text) == (
        Reason.PAGE_FAILED,
        "/ answers somebody unknown with status 500, not the login",
    )
    assert (observed.web_server, observed.channels, str(observed.exchanged)) == (None, None, "15 of 15")


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


def test_a_full_disk(server, board):
    """A server that failed because the disk is full has no verdict at all."""
    board.drops = message(5)
    (server.recorder.work / "runserver.log").write_text("OSError: [Errno 28] No space left on device\n")
    with pytest.raises(HarnessError, match="the disk is full"):
        serve.serve(server, [])
