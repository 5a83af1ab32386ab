"""What open connections and handshakes are asked about sessions, on a server that is none."""

from __future__ import annotations

import pytest
from cellservers import TalkingLibrary, standing_in

from harness.cell import server as serving
from harness.cell.only import Only
from harness.cell.outcome import Observations
from harness.libraries.base import Variant
from harness.probes import sessions
from harness.system.processes import Ended

RECEIVES, SENDS = "After {}: does the open connection receive messages?", "After {}: can the open connection send?"
LEFT = "After the member has left the group: does the open connection receive what goes to the group?"
EVENTS = [what for what, _, channel in sessions._EVENTS if channel == "user"]
ENDED = "A handshake with a session that has ended"


class World:
    """A chat whose server side can do something to Mary, and whose pages and connections may know of it."""

    def __init__(self, board, folder) -> None:
        self.board = board
        self.library = TalkingLibrary(board)
        self.server = standing_in(folder, board, self.library)
        (folder / "work" / "chat.sqlite3").write_text("data")
        self.done: list[str] = []
        #: Whether the pages, and the open connections, notice what is done to Mary.
        self.pages_know = self.sockets_know = True
        #: What a handshake is answered with, by what is unusual in it; 101 where nothing stands here.
        self.answers: dict[str, tuple[str, dict[str, str]] | OSError] = {}

    def knock(self, visitor):
        first = visitor.headers[0].partition(":")[0] if visitor.headers else visitor.method
        answer = self.answers.get(first, ("101", {}))
        if isinstance(answer, OSError):
            raise answer
        return answer

    def act(self, command, env, cwd, log, deadline) -> Ended:
        what = command[3]
        log.write_text("")
        self.done.append(what)
        if what != "restore":
            self.happens()
        return Ended(0, False, 0.1)

    def happens(self) -> None:
        if self.pages_know:
            self.board.statuses["/"] = 302
        for line in [each for each in self.board.lines if each.member == "Mary"] if self.sockets_know else []:
            line.end("closed by the server with 4401")

    def ask(self) -> dict[str, tuple[str, bool | None]]:
        found = list(sessions.ask(None, self.server, Observations()))
        return {each.question: (each.seen, each.good) for each in found}


@pytest.fixture
def world(board, tmp_path, monkeypatch) -> World:
    made = World(board, tmp_path)
    monkeypatch.setattr(serving.processes, "run", made.act)
    monkeypatch.setattr(sessions, "knock", made.knock)
    then = sessions._after

    def after(chat, server, what, act, channel):
        board.statuses.clear()
        return then(chat, server, what, act, channel)

    original = sessions._LOGOUT
    post = type(board.chat().session("Mary")).post

    def posted(visit, path, form):
        if path == original:
            made.happens()
            visit.member = "" if made.pages_know else visit.member
            return None
        return post(visit, path, form)

    monkeypatch.setattr(type(board.chat().session("Mary")), "post", posted)
    monkeypatch.setattr(sessions, "_after", after)
    # Whoever has no member's cookie, or comes from elsewhere, is refused.
    own = "http://127.0.0.1:1"
    board.refuses = lambda endpoint, path, member, origin: (
        "" if member and origin.lower() in (own, "http://127.0.0.1:1", "") else "status 403"
    )
    return made


def test_all_is_well(world):
    """Connections that end with their session, and handshakes that are refused without one, are as expected."""
    found = world.ask()
    gone = ("no: it is closed by the server with 4401", True)
    assert [found[RECEIVES.format(what)] for what in EVENTS] == [gone] * len(EVENTS)
    assert [found[SENDS.format(what)] for what in EVENTS] == [("no", True)] * len(EVENTS)
    assert found[LEFT] == gone
    assert found["A handshake of the site's own page"] == ("is let in", True)
    assert found["A handshake of a foreign Origin, with a member's cookie"] == ("is refused: status 403", True)
    assert found["A handshake without a cookie"] == ("is refused: status 403", True)
    assert found["A handshake without an Origin"] == ("is let in", None)
    assert [each for each in world.done if each != "restore"] == ["delete", "expire", "password", "deactivate", "leave"]
    assert world.done.count("restore") == len(sessions._EVENTS)
    assert world.server.starts[0][0] == "runserver sessions"


def test_a_way_that_guards(world):
    """A way that is about who is let in is asked of handshakes as well, on a server of its own; others are not."""
    world.library.ways = (Variant("members", {"CHAT_ALLOWED": "members"}, guards=True), Variant("other"))
    found = world.ask()
    assert found["A handshake without a cookie (members)"] == ("is refused: status 403", True)
    assert found["A handshake with a session that has ended (members)"][1] is not None
    assert not [
        each for each in found if each.endswith("(other)") or (each.startswith("After ") and "(members)" in each)
    ]
    assert [(name, settings) for name, settings, _ in world.server.starts] == [
        ("runserver sessions", {}),
        ("runserver sessions members", {"CHAT_ALLOWED": "members"}),
    ]
    world.server.starts.clear()
    world.server.only = Only("sessions", "A handshake without a cookie")
    assert "A handshake without a cookie (members)" not in world.ask()
    world.server.only = Only("sessions", "A handshake without a cookie (members)")
    assert "A handshake without a cookie (members)" in world.ask()


def test_connections_that_do_not_know(world):
    """A connection that outlives the session is found to receive, and to send."""
    world.sockets_know = False
    found = world.ask()
    assert {found[form.format(what)] for what in EVENTS for form in (RECEIVES, SENDS)} == {("yes (2 of 2)", False)}
    assert found[LEFT] == ("yes (2 of 2)", False)


def test_not_proved(world):
    """Where the pages still let the member in nothing has happened, and nothing is proved."""
    world.pages_know = world.sockets_know = False
    found = world.ask()
    unknown = ("not proved: Mary is still let in to the pages", None)
    assert {found[form.format(what)] for what in EVENTS for form in (RECEIVES, SENDS)} == {unknown}


def test_silent_connections(world):
    """A connection that stays open and carries nothing any more is as good as closed."""
    world.sockets_know = False
    world.board.drops = lambda text, line: "may not" in text
    found = world.ask()
    assert found[RECEIVES.format(EVENTS[0])] == ("no: it stays open, and receives nothing", True)
    assert found[SENDS.format(EVENTS[0])] == ("no", True)


def test_others_fall_silent_as_well(world):
    """Where those to whom nothing happened hear nothing either, silence says nothing of the member."""
    world.board.then = lambda text: [
        line.end("closed by the server with 1011")
        for line in list(world.board.lines)
        if line.member == "John" and "may not read" in text
    ]
    seen = "not proved: of the others' connections, closed by the server with 1011"
    assert world.ask()[RECEIVES.format(EVENTS[0])] == (seen, None)


def test_nothing_can_be_said(world):
    """Where others can say nothing any more nothing is proved."""
    world.board.fails = lambda member, text: "broken" if "may not read" in text else ""
    seen, good = world.ask()[RECEIVES.format(EVENTS[0])]
    assert (seen.startswith("not proved: "), good) == (True, None)


def test_open_doors(world):
    """Who is let in and ought not to be is told, and so is who is let in only to be closed."""
    world.board.refuses = lambda endpoint, path, member, origin: ""
    found = world.ask()
    for door in ("of an Origin that is null", "of a foreign Origin, with a member's cookie", "without a cookie"):
        assert found[f"A handshake {door}"] == ("is let in (2 of 2)", False)


def test_it_cannot_be_done(world, monkeypatch):
    """Where the server's side cannot do it that is said, with what it printed."""

    def refuses(command, env, cwd, log, deadline):
        log.write_text("no such member")
        return Ended(1, False, 0.1)

    monkeypatch.setattr(serving.processes, "run", refuses)
    seen, good = world.ask()[RECEIVES.format(EVENTS[0])]
    assert (seen, good) == ("not asked: restore could not be done to Mary: no such member", None)


SUBPROTOCOL, POST, MANY = (
    "A handshake that asks for an unknown subprotocol",
    "A handshake by POST",
    "A handshake with 1000 headers",
)


def test_unusual_handshakes(world):
    """A server that names no subprotocol it does not know, takes GET alone and outlasts many headers does well."""
    world.answers = {"POST": ("405", {}), "X-Padding-0": ("431", {})}
    found = world.ask()
    assert found[SUBPROTOCOL] == ("is let in without it", True)
    assert found[POST] == ("is refused: 405", True)
    assert found[MANY] == ("is refused", True)


def test_handshakes_that_ought_to_be_refused(world):
    """A subprotocol that nobody knows is not to be named, and POST is no handshake."""
    world.answers = {"Sec-WebSocket-Protocol": ("101", {"sec-websocket-protocol": "nobody-knows-it"})}
    found = world.ask()
    assert found[SUBPROTOCOL] == ("is let in with it (2 of 2)", False)
    assert found[POST] == ("is let in (2 of 2)", False)


def test_a_server_that_many_headers_end(world):
    """A server that does not answer any more after too many headers is found."""
    world.answers = {"X-Padding-0": ConnectionResetError("reset"), "GET": ConnectionRefusedError("refused")}
    seen = "is refused; the next handshake is refused: the connection is closed (2 of 2)"
    assert world.ask()[MANY] == (seen, False)


def test_no_answer(world):
    """A server that leaves a handshake with many headers without an answer, and goes on, does well enough."""
    world.answers = {"X-Padding-0": TimeoutError()}
    assert world.ask()[MANY] == ("is refused", True)


def test_who_decides(world):
    """Each answer says whose default or code decides it."""
    world.library.decides = {"origin": "library", "login": "project", "after": "library"}
    found = {each.question: each.decided_by for each in sessions.ask(None, world.server, Observations())}
    assert found[ENDED] == found["A handshake without a cookie"] == "project"
    assert found["A handshake of an Origin that is null"] == found[RECEIVES.format(EVENTS[0])] == "library"
    assert found[POST] == "server"
