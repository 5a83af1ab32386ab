"""What the browser probe asks, with people who sit at no browser: what they see, and what is made of it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest
from cellservers import CELL, StandIn, TalkingLibrary, failed, recorder_in
from selenium.common.exceptions import WebDriverException
from talkers import Clock, Switchboard

from harness.cell.outcome import Observations
from harness.chat.members import GROUP_MEMBERS, MEMBERS
from harness.chat.rooms import Rooms
from harness.clients.chromium import NoBrowser, Programs
from harness.clients.connection import Endpoint, SendFailed
from harness.clients.transcript import Frame
from harness.libraries.setup import Setup
from harness.probes import browser
from harness.results.folder import Reports
from harness.servers.catalogue import SERVERS
from harness.system.broker import Broker
from harness.system.waiting import Deadline

PAGES = ("broadcast", "user", "group")
LOGIN = "An anonymous visitor"
FIFTEEN = "The fifteen exchanges, typed and clicked in three browsers"
LONG = "A message of 140 kB, pasted into a page"
CONSOLE = "Errors on the browsers' consoles"
AWAY, RETURN = "A page whose server is away", "The same page once the server is back"
LOST = "connection lost, trying again"


@dataclass
class Site:
    """The site that everybody looks at: what is written on one page is shown on others."""

    clock: Clock
    port: int = 4000
    up: bool = False
    #: How often it was started.
    starts: int = 0
    #: What each page shows, by its member and name.
    shown: dict[Endpoint, list[str]] = field(default_factory=dict)
    written: list[tuple[str, str, str, str, bool]] = field(default_factory=list)
    #: Whether a text is not shown on a page, or as something else.
    hides: object = lambda text, place: False
    turns: object = lambda text, place: text
    #: What a page says instead of sending, by the text.
    refuses: object = lambda text: ""
    #: What the status of a page is while the server is there, and while it is not.
    states: dict[Endpoint, str] = field(default_factory=dict)
    away: str = LOST
    open_to_strangers: tuple[str, ...] = ()
    scripts: bool = True
    complaints: list[str] = field(default_factory=list)
    #: Whether a message in a room is shown in others as well.
    leaks: bool = False
    breaks: Exception | None = None

    def write(self, member: str, page: str, audience: str, text: str, everyone: bool) -> None:
        self.written.append((member, page, audience, text, everyone))
        if self.breaks is not None:
            raise self.breaks
        if why := self.refuses(text):
            raise SendFailed(f"{member}'s {page} page says: {why}")
        for place, texts in self.shown.items():
            if self.sees(place, page, audience, everyone) and not self.hides(text, place):
                texts.append(self.turns(text, place))

    def sees(self, place: Endpoint, page: str, audience: str, everyone: bool) -> bool:
        if page not in PAGES or place.name not in PAGES:
            return place.name == page or (self.leaks and place.name not in PAGES)
        if everyone or page == "broadcast":
            return True
        return place.member == audience if page == "user" else place.member in GROUP_MEMBERS


@dataclass
class Sitter:
    """A member who sits at no browser."""

    name: str
    site: Site
    base: str = ""
    member: str = ""
    path: str = ""
    photographs: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def go(self, page: str, path: str) -> None:
        self.path = path
        self.site.shown.setdefault(Endpoint(self.name, page), [])

    def leave(self, page: str) -> None:
        self.left.append(page)
        del self.site.shown[Endpoint(self.name, page)]

    def log_in(self) -> None:
        self.member = self.name

    def at_login(self) -> bool:
        return not self.member and self.path not in self.site.open_to_strangers

    def runs_script(self, page: str) -> bool:
        return self.site.scripts

    def wait_state(self, page: str, wanted: list[str], seconds: float) -> str:
        def state() -> str:
            usual = "connected" if self.site.up else self.site.away
            return self.site.states.get(Endpoint(self.name, page), usual)

        self.site.clock.wait(lambda: state() in wanted, seconds)
        return state()

    def write(self, page: str, audience: str, text: str, everyone: bool = False) -> None:
        self.site.write(self.name, page, audience, text, everyone)

    def wait(self, page: str, texts: list[str], seconds: float) -> bool:
        return self.site.clock.wait(lambda: bool(set(texts) & set(self.shown(page))), seconds)

    def shown(self, page: str) -> list[str]:
        return self.site.shown[Endpoint(self.name, page)]

    def complaints(self) -> list[str]:
        return list(self.site.complaints) if self.name == "admin" else []

    def photograph(self, page: str, path) -> None:
        path.write_bytes(page.encode())

    def frames(self) -> list[Frame]:
        at = 10.0 + len(self.name)
        return [Frame(at, Endpoint(self.name, "user"), "in", "text", f"hello {self.name}")]


class Together:
    """Everybody at their places; one after the other, so that the clock is nobody else's meanwhile."""

    def __init__(self, site: Site) -> None:
        self.people = {name: Sitter(name, site) for name in MEMBERS}

    def __getitem__(self, member: str) -> Sitter:
        return self.people[member]

    def each(self, do):
        return [do(person) for person in self.people.values()]


@dataclass(kw_only=True)
class Served(StandIn):
    """A server that the site is up with."""

    site: Site
    #: What happens to the site at a start, by the number of that.
    changes: dict[int, object] = field(default_factory=dict)

    @contextmanager
    def serving(self, name, observed, settings=None, at=None):
        with super().serving(name, observed, settings, at) as chat:
            chat.server = replace(chat.server, port=self.site.port)
            self.site.starts += 1
            self.site.up = True
            self.changes.get(self.site.starts, lambda: None)()
            try:
                yield chat
            finally:
                self.site.up = False


class World:
    def __init__(self, folder, monkeypatch):
        self.clock = Clock.reigning(monkeypatch)
        self.site = Site(self.clock)
        self.board = Switchboard(self.clock)
        self.library = Roomy(self.board)
        self.people = Together(self.site)
        self.observed = Observations()
        self.server = Served(
            cell=CELL,
            setup=Setup(self.library, SERVERS["runserver"], "today"),
            python=folder / "python",
            project=folder,
            env={"PATH": "/bin"},
            broker=Broker.__new__(Broker),
            database=folder / "work" / "chat.sqlite3",
            prefix="",
            recorder=recorder_in(folder),
            reports=Reports(folder),
            packages={},
            sockets=100,
            boards={"runserver": self.board},
            site=self.site,
        )
        self.opening = None
        monkeypatch.setattr(browser.chromium, "find", lambda: Programs("/usr/bin/chromium", "/usr/bin/chromedriver"))
        monkeypatch.setattr(browser.chromium, "opened", self.opened)
        monkeypatch.setattr(browser.chromium, "version", lambda programs, person: f"Chromium 1 of {person.name}")
        monkeypatch.setattr(browser, "Person", Sitter)
        monkeypatch.setattr(browser, "Deadline", lambda seconds: Deadline(seconds, self.clock.monotonic))
        monkeypatch.setattr(browser, "wait_until", self.clock.wait_until)
        monkeypatch.setattr(browser, "free_port", lambda: 4000)
        monkeypatch.setattr(browser, "can_bind", lambda port: True)

    @contextmanager
    def opened(self, programs, names, env, form):
        assert (names, env) == (MEMBERS, {"PATH": "/bin"})
        if self.opening is not None:
            raise self.opening
        yield self.people

    def ask(self):
        """Return what is found, by its question."""
        findings = list(browser.ask(self.board.chat(self.library), self.server, self.observed))
        self.questions = [each.question for each in findings]
        return {each.question: (each.seen, each.good) for each in findings}


class Roomy(TalkingLibrary):
    """A library that has the rooms that a test gives it."""

    roomy: tuple[Rooms, ...] = ()

    def shown(self, row):
        return frozenset(Endpoint(member, page) for member in row.recipients for page in PAGES)

    def rooms(self, cell):
        return list(self.roomy)


@pytest.fixture
def world(tmp_path, monkeypatch) -> World:
    return World(tmp_path, monkeypatch)


def place(member: str, page: str) -> Endpoint:
    return Endpoint(member, page)


def message(number: int, *places: Endpoint):
    return lambda text, where: text.endswith(f" message {number}") and (not places or where in places)


def test_all_is_seen(world):
    """A chat that works is seen to work, by those who are logged in alone, and again after its server was away."""
    found = world.ask()
    assert found == {
        LOGIN: ("sees the login form, and no chat", True),
        FIFTEEN: ("15 of 15 are seen", True),
        LONG: ("is seen once on each page, and nothing with it", True),
        CONSOLE: ("none", True),
        AWAY: ("says that the connection is lost", True),
        RETURN: ("shows what is said then, without a reload", True),
    }
    assert world.questions == [LOGIN, FIFTEEN, LONG, CONSOLE, AWAY, RETURN]
    assert [name for name, _, _ in world.server.starts] == ["runserver for browsers", "runserver for browsers again"]
    assert (world.observed.tools, world.observed.counted) == ({"browser": "Chromium 1 of admin"}, {})
    assert {person.base for person in world.people.people.values()} == {"http://127.0.0.1:4000"}


def test_what_is_written(world):
    """Each message is written on the page of its channel, to its audience, and a fence the same way to everybody."""
    world.ask()
    said = [each for each in world.site.written if not each[3].startswith(("fence", "long"))]
    assert len(said) == 15
    assert (said[0][:3], said[4][:3], said[14][:3]) == (
        ("admin", "broadcast", ""),
        ("admin", "user", "John"),
        ("Mary", "group", "chatusers"),
    )
    # Its texts are its own: other connections, to another server with the same broker, may hear them.
    assert not any("(abc)" in each[3] for each in world.site.written)
    fences = [each for each in world.site.written if each[3].startswith("fence")]
    assert {everyone for *_, everyone in fences} == {True}
    assert [each[:2] for each in fences[1:16]] == [each[:2] for each in said]


def test_missing(world):
    """A message that a page does not show is missed there."""
    world.site.hides = message(5, place("John", "user"))
    assert world.ask()[FIFTEEN] == (
        "14 of 15 are seen; first: user from admin to John is missing on John's user page",
        False,
    )


def long(text: str, *places: Endpoint, where: Endpoint) -> bool:
    return text.startswith("long (") and where in places


def test_a_long_one_that_is_missing(world):
    """A long message that some pages do not show is missed there, and it is no matter of the fifteen."""
    places = (place("John", "user"), place("Mary", "group"))
    world.site.hides = lambda text, where: long(text, *places, where=where)
    found = world.ask()
    assert found[LONG] == ("is missing on 2 of 9 pages", False)
    assert found[FIFTEEN] == ("15 of 15 are seen", True)


def test_a_long_one_twice(world):
    """A long message that a page shows twice is seen more than once."""

    def twice(text, where):
        world.site.shown[where] += [text] * long(text, place("John", "user"), where=where)
        return text

    world.site.turns = twice
    assert world.ask()[LONG] == ("is seen more than once", False)


def test_a_long_one_in_pieces(world):
    """What a page shows beside a long message, such as half of it, was sent by nobody; its beginning is shown."""
    world.site.turns = lambda text, where: text[:70_000] if long(text, place("John", "user"), where=where) else text
    seen, good = world.ask()[LONG]
    assert (seen.startswith("with it comes 'long ("), seen.endswith("', which nobody sent"), good) == (
        *(True, True),
        False,
    )
    assert len(seen) < 140


def test_a_long_one_that_is_not_sent(world):
    """A long message that its page does not send is told with what the page says."""
    world.site.refuses = lambda text: "too long" if text.startswith("long (") else ""
    assert world.ask()[LONG] == ("is not sent: admin's broadcast page says: too long", False)


def test_shown_to_others(world):
    """A message that somebody else's page shows as well is too many there."""
    sees = world.site.sees
    world.site.sees = lambda where, page, audience, everyone: sees(where, page, audience, everyone) or page == "group"
    seen, good = world.ask()[FIFTEEN]
    assert (seen.startswith("12 of 15 are seen; first: group from admin to chatusers is extra on admin's"), good) == (
        *(True, False),
    )
    assert "(Hello (…) chatusers, this is admin with message 13)" in seen


def test_behind_the_senders_name(world):
    """A page that puts the sender before a message shows it."""
    world.site.turns = lambda text, where: f"{world.site.written[-1][0]}: {text}"
    assert world.ask()[FIFTEEN] == ("15 of 15 are seen", True)


def test_behind_another_name(world):
    """A page that puts somebody else before a message shows another message."""
    world.site.turns = lambda text, where: f"Mary: {text}" if message(5, place("John", "user"))(text, where) else text
    seen, good = world.ask()[FIFTEEN]
    assert good is False
    assert seen == (
        "14 of 15 are seen; first: user from admin to John is altered on John's user page"
        " (Mary: Hello (…) John, this is admin with message 5)"
    )


def test_not_sent(world):
    """A message that its page does not send was not sent, and it is said what the page says."""
    world.site.refuses = lambda text: "not sent: status 500" if text.endswith(" message 5") else ""
    seen, good = world.ask()[FIFTEEN]
    assert seen == (
        "14 of 15 are seen; first: user from admin to John is not sent on John's broadcast page"
        " (admin's user page says: not sent: status 500)"
    )
    assert good is False


def test_pages_for_strangers(world):
    """Pages that show themselves without a login are named, each once."""
    world.site.open_to_strangers = ("/", "/chat/user/")
    assert world.ask()[LOGIN] == ("sees /, /chat/user/", False)


def test_no_script(world):
    """Pages whose own script does not run say nothing of the library, and nothing more is asked."""
    world.site.scripts = False
    found = world.ask()
    assert found[FIFTEEN] == (
        "not proved: the pages' own script is not loaded, so nothing is known of the library",
        None,
    )
    assert world.questions == [LOGIN, FIFTEEN]
    assert len(world.server.starts) == 1


def test_no_page_connects(world):
    """Where no page connects that is what is said of the fifteen; the console is asked, and the server not again."""
    world.site.states = {place(member, page): "connecting" for member in MEMBERS for page in PAGES}
    world.site.complaints = ["WebSocket failed"]
    before = world.clock.now
    found = world.ask()
    assert found[FIFTEEN] == ("no page connects within 10 s; they say: connecting", False)
    assert world.questions == [LOGIN, FIFTEEN, CONSOLE]
    assert world.clock.now - before == 10.0
    assert world.site.written == []


def test_not_every_page_connects(world):
    """Where some pages connect it is said that others do not, with all that there is to be read."""
    world.site.states = {place("Mary", "group"): "closed"}
    assert world.ask()[FIFTEEN] == ("not every page connects within 10 s; they say: closed, connected", False)


def test_console(world):
    """What the browsers complain of is told by its first line, without the port of the server, and counted."""
    world.site.port = 4321
    world.site.complaints = ["http://127.0.0.1:4321/x 404", "another"]
    found = world.ask()
    assert found[CONSOLE] == ("http://127.0.0.1:<port>/x 404", False)
    assert world.observed.counted == {CONSOLE: "2 in all"}


def test_nothing_is_told_while_it_is_away(world):
    """Pages that do not say that the connection is lost say what they do."""
    world.site.away = "connected"
    assert world.ask()[AWAY] == ("says: connected", False)


@pytest.mark.parametrize("told", ["connection lost", LOST])
def test_lost(world, told):
    """Whether or not a page tries again, it says that the connection is lost."""
    world.site.away = told
    assert world.ask()[AWAY] == ("says that the connection is lost", True)


def test_it_does_not_return(world):
    """A page that stays lost once the server is back does not show what is said then."""

    def stay():
        world.site.states = {place("John", "user"): "connection lost"}

    world.server.changes[2] = stay
    before = world.clock.now
    assert world.ask()[RETURN] == ("does not; it says: connected, connection lost", False)
    assert world.clock.now - before == 20.0


def test_it_returns_deaf(world):
    """A page that connects again and shows nothing has not come back."""

    def deaf():
        world.site.hides = lambda text, where: where == place("John", "user")

    world.server.changes[2] = deaf
    assert world.ask()[RETURN] == ("does not; it says: connected", False)


def test_hurry(world):
    """What is not seen is waited for; once three messages never were it is waited for briefly."""
    world.site.hides = lambda text, where: text.startswith("Hello")
    before = world.clock.now
    seen, good = world.ask()[FIFTEEN]
    assert (seen.startswith("0 of 15 are seen; first: broadcast from admin to all is missing on"), good) == (
        True,
        False,
    )
    assert world.clock.now - before == pytest.approx(3 * 2.0 + 12 * 0.1)


def test_seen_late_is_no_reason_to_hurry(world):
    """What was seen after all, only later, is no reason to hurry."""
    held = []

    def hides(text, where):
        if text.startswith("Hello"):
            held.append((text, where))
            return True
        for late, there in held:
            if late not in world.site.shown[there]:
                world.site.shown[there].append(late)
        return False

    world.site.hides = hides
    before = world.clock.now
    world.ask()
    assert world.clock.now - before == 15 * 2.0


def test_pictures_and_frames(world):
    """A picture of each member's first page and the frames of all browsers, in the order of time, are evidence."""
    world.ask()
    evidence = world.server.recorder.evidence
    assert {path.name: path.read_text() for path in evidence.glob("*.png")} == {
        f"browser-{member}.png": "broadcast" for member in MEMBERS
    }
    frames = [json.loads(line) for line in (evidence / "frames-browser.jsonl").read_text().splitlines()]
    assert [(frame["member"], frame["seconds"]) for frame in frames] == [("John", 0.0), ("Mary", 0.0), ("admin", 1.0)]


# Rooms


KITCHEN = "A message in a room's page ({})"
GARDEN = "The same message on another room's page ({})"


def test_rooms(world):
    """Those who have the same room open hear each other, and nobody else; its pages are left again."""
    world.library.roomy = (Rooms("async", "/chat/room/"), Rooms("memory", "/chat/room/", {"CHAT_LAYER": "memory"}))
    found = world.ask()
    for name in ("async", "memory"):
        assert found[KITCHEN.format(name)] == ("is seen once by all who are in it", True)
        assert found[GARDEN.format(name)] == ("is not seen", True)
    assert world.questions == [
        *(LOGIN, FIFTEEN, LONG, KITCHEN.format("async"), GARDEN.format("async"), CONSOLE, AWAY, RETURN),
        *(KITCHEN.format("memory"), GARDEN.format("memory")),
    ]
    assert [each[:2] for each in world.server.starts][2:] == [
        ("runserver for browsers, memory", {"CHAT_LAYER": "memory"})
    ]
    assert world.people["John"].left == ["kitchen", "kitchen"]
    assert world.people["admin"].left == ["garden", "garden"]


def test_rooms_that_leak(world):
    """A message that is seen on another room's page has leaked."""
    world.library.roomy = (Rooms("async", "/chat/room/"),)
    world.site.leaks = True
    found = world.ask()
    assert found[GARDEN.format("async")] == ("is seen", False)


def test_a_room_that_hears_nothing(world):
    """A message that one of those in the room does not see is not heard."""
    world.library.roomy = (Rooms("async", "/chat/room/"),)
    world.site.hides = lambda text, where: text.startswith("dinner") and where == place("Mary", "kitchen")
    found = world.ask()
    assert found[KITCHEN.format("async")] == ("is not", False)
    assert found[GARDEN.format("async")] == ("is not seen", True)


def test_a_garden_that_proves_nothing(world):
    """Where nothing is seen in the other room, not even its own, nothing is proved of it."""
    world.library.roomy = (Rooms("async", "/chat/room/"),)
    world.site.hides = lambda text, where: where == place("admin", "garden")
    assert world.ask()[GARDEN.format("async")] == ("not proved: nothing is seen there", None)


# What goes wrong with the browsers


def test_no_browser(world):
    """Without a browser the fifteen are not tested, and it is said why."""
    world.opening = NoBrowser("there is no chromium")
    assert world.ask() == {FIFTEEN: ("not tested: there is no chromium", None)}
    assert world.server.starts == []


def test_a_browser_that_breaks(world):
    """A browser that breaks on the way is none of the library's; what was found before is kept, with its frames."""
    world.site.breaks = WebDriverException("tab crashed")
    found = world.ask()
    assert found == {
        LOGIN: ("sees the login form, and no chat", True),
        "Could all of this be seen?": ("not proved: the browser failed (WebDriverException)", None),
    }
    assert (world.server.recorder.evidence / "frames-browser.jsonl").exists()


def test_a_server_that_does_not_start(world):
    """Where the server for browsers does not start that is a failure of the cell, which breaks the probe off."""
    world.server.failures["runserver for browsers"] = failed("no")
    with pytest.raises(type(failed("")), match=r"^no$"):
        world.ask()
