"""Deployment: each wrong answer is told for what it is, on switchboards and proxies that are none."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
from cellservers import TalkingLibrary, failed, standing_in
from talkers import Switchboard

from harness.cell.outcome import Observations
from harness.chat import raw
from harness.clients.connection import HandshakeRefused
from harness.clients.visits import Visits
from harness.probes import deployment
from harness.servers.catalogue import SERVERS, Application, Server
from harness.servers.front import NoFront

IDLE = "Behind NGINX with a time-out of 5 s: a connection that is idle for 0 s"
PINGS = f"{IDLE}, with the server's pings"
STAYS = "stays open, and receives what comes then"
END, TWO = "SIGTERM under traffic", "Two servers behind NGINX, replaced one after the other"
PAGES, SOCKETS = "Under /sub behind NGINX: pages", "Under /sub behind NGINX: sockets"
WELL = "receive everything again within 5 s"


class Process:
    """A server's process, which ends when it is told to; *told* is what that does to those who are connected."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.exit_status: int | None = None
        self.pid = 1

    def tell(self, number) -> None:
        self._world.told()
        if self._world.ends:
            self.exit_status = -number

    def stop(self, gently=True) -> None:
        self.exit_status = -9


class World:
    """A cell whose servers are a switchboard, and whose proxies lead straight there."""

    def __init__(self, board, folder) -> None:
        self.board = board
        self.library = TalkingLibrary(board)
        self.server = standing_in(folder, board, self.library)
        pinging = Server("runserver", ("serve",), pings=("--pings",), rooted=("--root",))
        object.__setattr__(self.server.setup, "server", pinging)
        self.observed = Observations()
        self.missing = ""
        self.ends, self.let_in = True, 100
        self.told = lambda: [line.end("closed by the server with 1012") for line in list(board.lines)]
        #: Why pages or sockets do not work, by what is set.
        self.wrong: dict[tuple[str, str], str] = {}
        self.how = ""

    @contextmanager
    def before(self, behind, env, folder, *, idle=0, prefix="", strips=True):
        if self.missing:
            raise NoFront(self.missing)
        self.how = "own" if not strips else "named" if self.server.starts[-1][1] else "nothing"
        yield behind[0], None

    @contextmanager
    def started(self, server, name, observed, settings=None, at=None, ends=None):
        self.server.starts.append((name, dict(settings or {}), server.name))
        if name in self.server.failures:
            raise self.server.failures[name]
        server.process = Process(self)
        chat = self.board.chat(self.library)
        yield chat
        chat.close()

    def ask(self, *parts: str) -> dict[str, tuple[str, bool | None]]:
        """Ask everything, or *parts* of it alone: each takes a second."""
        for part in ("_idle", "_ended", "_replaced", "_under_a_path"):
            if parts and part not in parts:
                self.monkeypatch.setattr(deployment, part, lambda *_: iter(()))
        found = deployment.ask(self.board.chat(), self.server, self.observed)
        return {each.question: (each.seen, each.good) for each in found}


@pytest.fixture
def world(tmp_path, monkeypatch, quick_traffic) -> World:
    made = World(Switchboard(), tmp_path)
    made.monkeypatch = monkeypatch
    serving = lambda self, *args, **options: made.started(self, *args, **options)  # noqa: E731
    monkeypatch.setattr(type(made.server), "serving", serving)
    monkeypatch.setattr(deployment, "_PROXIES", {"NGINX": made.before})
    monkeypatch.setattr(deployment.nginx, "before", made.before)
    for name, seconds in (("_IDLE", 0.1), ("_BEFORE", 0.1), ("_CALM", 0.4), ("_PATIENCE", 0.3)):
        monkeypatch.setattr(deployment, name, seconds)
    monkeypatch.setattr(deployment, "visit", lambda visitors: Visits(min(made.let_in, len(visitors)), "status 503"))
    monkeypatch.setattr(raw, "connect", lambda chat, endpoint: chat.open(endpoint, "/ws/broadcast", endpoint.member))
    monkeypatch.setattr(deployment, "_pages_work", lambda chat: made.wrong.get(("pages", made.how), ""))
    monkeypatch.setattr(deployment, "_sockets_work", lambda chat: made.wrong.get(("sockets", made.how), ""))
    return made


def test_all_is_well(world):
    """A server that is deployed without a hitch is as expected in all, and says how."""
    assert world.ask() == {
        IDLE: (STAYS, True),
        PINGS: (STAYS, True),
        f"{END}: the server": ("ends within 5 s", True),
        f"{END}: messages lost silently": ("none", True),
        f"{END}: open connections": ("are closed with 1001 or 1012", True),
        f"{END}: 100 clients who come back": ("are let in within 5 s", True),
        f"{END}: members who come back": (WELL, True),
        f"{TWO}: messages lost silently": ("none", True),
        f"{TWO}: members who come back": (WELL, True),
        PAGES: ("work with nothing set", True),
        SOCKETS: ("work with nothing set", True),
    }


def test_an_idle_connection_is_ended(world):
    """A proxy that ends an idle connection is told with what; pings of the server are asked about apart."""
    board = world.board
    board.then = lambda text: [
        line.end("connection lost (the server closed it without a word)")
        for line in list(board.lines)
        if line.endpoint.name == "behind NGINX" and text.startswith("fence")
    ]
    found = world.ask("_idle")
    assert found[IDLE][1] is False
    assert found[IDLE][0].startswith(("is closed: connection lost", "does not stand: "))


def test_ended_without_a_proxy_as_well(world):
    """Where a connection that goes through no proxy is ended as well, nothing is known of the proxy."""
    board = world.board
    board.then = lambda text: [
        line.end("closed by the server with 1011")
        for line in list(board.lines)
        if line.endpoint.name == "behind nothing" and any(each.endpoint.name == "behind NGINX" for each in board.lines)
    ]
    assert world.ask("_idle")[IDLE] == ("not asked: without a proxy it is closed by the server with 1011", None)


def test_it_does_not_receive(world):
    """A connection that stays open and receives nothing is found."""
    world.board.drops = lambda text, line: text.startswith("good morning")
    assert world.ask("_idle")[IDLE] == ("stays open, and does not receive (2 of 2)", False)


def test_no_setting_for_pings(world):
    """A server that cannot ping says so."""
    object.__setattr__(world.server.setup, "server", Server("runserver", ("serve",)))
    assert world.ask("_idle")[PINGS] == ("not asked: runserver has no setting for pings", None)


def test_no_proxy(world):
    """Without a proxy what stands behind it is not tested, and it says what to install."""
    world.missing = "there is no nginx; install it"
    found = world.ask()
    missing = ("not asked: there is no nginx; install it", None)
    for question in (IDLE, PINGS, f"{TWO}: messages lost silently", PAGES, SOCKETS):
        assert found[question] == missing
    assert found[f"{END}: open connections"][1] is True


def test_it_does_not_end(world, monkeypatch):
    """A server that SIGTERM does not end is ended, and told."""
    monkeypatch.setattr(deployment, "_SOON", 0.1)
    world.ends = False
    assert world.ask("_ended")[f"{END}: the server"] == ("does not end within 0 s (2 of 2)", False)


def test_how_connections_end(world):
    """What open connections are told when their server goes away is told."""
    why = "connection lost (ConnectionResetError)"
    world.told = lambda: [line.end(why) for line in list(world.board.lines)]
    assert world.ask("_ended")[f"{END}: open connections"] == (f"are closed: {why} (2 of 2)", False)


def test_lost_in_silence(world):
    """What is lost while nobody is told is found, also between two servers."""
    world.board.drops = lambda text, line: text.startswith(("staying 3", "returning 3")) and line.member == "Mary"
    world.told = lambda: None
    found = world.ask("_ended", "_replaced")
    assert found[f"{END}: messages lost silently"] == ("some (2 of 2)", False)
    assert found[f"{TWO}: messages lost silently"] == ("some (2 of 2)", False)


def test_not_all_come_back(world):
    """Of a hundred who come back at once those are counted who are let in."""
    world.let_in = 60
    assert world.ask("_ended")[f"{END}: 100 clients who come back"] == ("60 are let in: status 503 (2 of 2)", False)


def test_as_many_as_there_are_threads_for(world):
    """Where each socket takes up one of a hundred threads, no more clients come back than there is room for."""
    world.server.setup = replace(world.server.setup, server=SERVERS["gunicorn"])
    assert f"{END}: 100 clients who come back" in world.ask("_ended")
    world.server.library.application = Application(wsgi="chat.wsgi:application")
    found = world.ask("_ended")
    assert found[f"{END}: 80 clients who come back"] == ("are let in within 5 s", True)
    assert f"{END}: 100 clients who come back" not in found


def test_members_who_do_not_come_back(world):
    """Members who are not let in by the next server are found."""
    gone = threading.Event()

    def told() -> None:
        gone.set()
        for line in list(world.board.lines):
            line.end("gone")

    world.told = told
    world.board.refuses = lambda endpoint, path, member, origin: (
        "status 502" if gone.is_set() and endpoint.name == "returning" else ""
    )
    found = world.ask("_ended", "_replaced")
    assert found[f"{END}: members who come back"] == ("do not within 0 s", False)
    assert found[f"{TWO}: could it be asked?"] == ("not asked: status 502", None)


def test_no_broker(world):
    """Where nothing joins two servers they are not asked about."""
    world.library.uses_broker = False
    assert not any(question.startswith(TWO) for question in world.ask("_replaced"))


def test_what_has_to_be_set(world):
    """The first thing that helps is what has to be set; where nothing does the last try is told."""
    world.wrong = {("pages", "nothing"): "the login is elsewhere", ("sockets", "nothing"): "no"}
    world.wrong[("sockets", "named")] = "no"
    found = world.ask("_under_a_path")
    assert (found[PAGES], found[SOCKETS]) == (("work with FORCE_SCRIPT_NAME", True), ("work with --root", True))
    world.wrong[("sockets", "own")] = "the handshake is refused: status 404"
    seen = "do not; with --root: the handshake is refused: status 404 (2 of 2)"
    assert world.ask("_under_a_path")[SOCKETS] == (seen, False)


def test_it_does_not_start_so(world):
    """A server that does not start with a setting does not work with it."""
    world.wrong = {("pages", "nothing"): "no", ("pages", "named"): "no"}
    world.server.failures["runserver sub pages 2"] = failed("it has no such option")
    assert world.ask("_under_a_path")[PAGES] == ("do not; with --root: it has no such option (2 of 2)", False)


# What is looked at


class Pages:
    """The pages under a path, as a session meets them."""

    def __init__(self, location: str, status: int = 200) -> None:
        self.location, self.status, self.known = location, status, False

    def __call__(self, base, form) -> Pages:
        assert base.endswith("/sub")
        return self

    def get(self, path):
        self.asked = path
        answer = type("Answer", (), {"headers": {"Location": self.location}, "status_code": self.status})
        return answer()

    def log_in(self, member) -> None:
        self.known = True


@pytest.mark.parametrize(
    ("pages", "why"),
    [
        (Pages("/sub/accounts/login/?next=/sub/"), ""),
        (Pages("/accounts/login/"), "the login is said to be at /accounts/login/"),
        (Pages(""), "the login is said to be at no address"),
        (Pages("/sub/accounts/login/", 404), "the page answers with status 404"),
    ],
)
def test_pages(monkeypatch, pages, why):
    """Pages work under a path where the login is said to be there as well, and members see their page."""
    monkeypatch.setattr(deployment, "HttpSession", pages)
    assert deployment._pages_work(Switchboard().chat()) == why


def sockets(monkeypatch, connect) -> str:
    monkeypatch.setattr(deployment, "HttpSession", Pages("/sub/"))
    monkeypatch.setattr(deployment, "_EACH", 0.05)
    monkeypatch.setattr(raw, "connect", connect)
    return deployment._sockets_work(Switchboard().chat())


def test_sockets(monkeypatch):
    """Sockets work under a path where what is said there arrives."""

    def connect(chat, endpoint, prefix):
        assert prefix == "/sub"
        chat.connections[endpoint] = line = Saying(chat, endpoint)
        return line

    assert sockets(monkeypatch, connect) == ""


class Saying:
    """A connection that hears what it says, unless it is *deaf* or *broken*."""

    def __init__(self, chat, endpoint, deaf=False, broken=False) -> None:
        self.chat, self.endpoint, self.deaf, self.broken = chat, endpoint, deaf, broken

    def send(self, text) -> None:
        if self.broken:
            raise BrokenPipeError
        if not self.deaf:
            self.chat.transcript.add(self.endpoint, "in", "text", text)

    def close(self) -> None: ...


def test_sockets_that_do_not_work(monkeypatch):
    """A refused handshake, a connection that breaks, and one on which nothing arrives are told apart."""

    def refuse(chat, endpoint, prefix):
        raise HandshakeRefused("status 404")

    assert sockets(monkeypatch, refuse) == "the handshake is refused: status 404"
    assert sockets(monkeypatch, lambda chat, endpoint, prefix: Saying(chat, endpoint, deaf=True)) == "nothing arrives"
    breaks = sockets(monkeypatch, lambda chat, endpoint, prefix: Saying(chat, endpoint, broken=True))
    assert breaks == "the connection breaks (BrokenPipeError)"
