"""What open connections and handshakes are asked about sessions, on a server that is none."""

from __future__ import annotations

import pytest
from cellservers import TalkingLibrary, standing_in

from harness.cell.outcome import Observations
from harness.errors import CellFailure
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
    monkeypatch.setattr(sessions.processes, "run", made.act)
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
    gone = ("no: closed by the server with 4401", True)
    assert [found[RECEIVES.format(what)] for what in EVENTS] == [gone] * len(EVENTS)
    assert [found[SENDS.format(what)] for what in EVENTS] == [("no: it is closed", True)] * len(EVENTS)
    assert found[LEFT] == gone
    assert found["A handshake of the site's own page"] == ("is let in", True)
    assert found["A handshake of a foreign Origin, with a member's cookie"] == ("is refused: status 403", True)
    assert found["A handshake without a cookie"] == ("is refused: status 403", True)
    assert found["A handshake without an Origin"] == ("is let in", None)
    assert [each for each in world.done if each != "restore"] == ["delete", "expire", "password", "deactivate", "leave"]
    assert world.done.count("restore") == len(sessions._EVENTS)
    assert world.server.starts[0][0] == "runserver sessions"


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
    assert found[SENDS.format(EVENTS[0])] == ("no: what it sends does not arrive", True)


def test_open_doors(world):
    """Who is let in and ought not to be is told, and so is who is let in only to be closed."""
    world.board.refuses = lambda endpoint, path, member, origin: ""
    found = world.ask()
    for door in ("of an Origin that is null", "of an Origin with another port", "without a cookie"):
        assert found[f"A handshake {door}"] == ("is let in (2 of 2)", False)


def test_it_cannot_be_done(world, monkeypatch):
    """Where the server's side cannot do it that is said, with what it printed."""

    def refuses(command, env, cwd, log, deadline):
        log.write_text("no such member")
        return Ended(1, False, 0.1)

    monkeypatch.setattr(sessions.processes, "run", refuses)
    with pytest.raises(CellFailure, match="could not be done to Mary: no such member"):
        world.ask()
