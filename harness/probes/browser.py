"""Browser: the chat as people meet it, typed and clicked in three browsers, and read off the pages."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import get_args

from selenium.common.exceptions import WebDriverException

from harness.captured.output import shorten
from harness.cell.outcome import Observations
from harness.cell.server import CellServer
from harness.chat.conversation import Chat
from harness.chat.judge import Received, SentExchange, judge
from harness.chat.members import MEMBERS, Channel, ChannelRow, channel_table
from harness.chat.rooms import Rooms, two_rooms
from harness.clients import chromium
from harness.clients.chromium import Browsers, Person
from harness.clients.connection import Endpoint, SendFailed
from harness.clients.transcript import Message, write_frames
from harness.results.result import Finding
from harness.system.ports import can_bind, free_port
from harness.system.waiting import Deadline, wait_until

#: The pages that each member has open, a window each.
_PAGES: tuple[Channel, ...] = get_args(Channel)
#: Seconds until a page has to be connected, and again after its server was away.
_CONNECT_DEADLINE = 10.0
_RETURN_DEADLINE = 20.0
#: Seconds that a message may take until it is seen; the second once several were never seen.
_PATIENCE = 2.0
_SHORT_PATIENCE = 0.1
_HURRY_AFTER = 3
#: Seconds for a fence to be seen on every page, and after which another one is sent.
_FENCE_DEADLINE = 6.0
_FENCE_INTERVAL = 0.5
#: Seconds until the port of a server that was ended is free again.
_PORT_DEADLINE = 10.0
#: How many characters a browser sends in more than one fragment; Chromium begins one at each 131072 bytes.
_LONG = 140_000

_LOGIN = "An anonymous visitor"
_FIFTEEN = "The fifteen exchanges, typed and clicked in three browsers"
_LENGTHY = "A message of 140 kB, pasted into a page"
_CONSOLE = "Errors on the browsers' consoles"
_AWAY = "A page whose server is away"
_RETURN = "The same page once the server is back"
_NO_SCRIPT = "not proved: the pages' own script is not loaded, so nothing is known of the library"
_ALL = f"{len(channel_table())} of {len(channel_table())} are seen"


def ask(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Ask everything of a server of its own, for it is to be stopped and started again."""
    try:
        programs = chromium.find()
        with chromium.opened(programs, MEMBERS, server.env, chat.server.form) as opened:
            observed.tools["browser"] = chromium.version(programs, opened[MEMBERS[0]])
            # Texts of its own: members' connections to the other server hear what is published here.
            yield from _Asking(server, observed, opened, secrets.token_hex(3)).ask()
    except chromium.NoBrowser as error:
        yield Finding(question=_FIFTEEN, expected=_ALL, seen=f"not tested: {error}", good=None)
    except WebDriverException as error:
        # The browser's own trouble is none of the library's.
        seen = f"not proved: the browser failed ({type(error).__name__})"
        yield Finding(question="Could all of this be seen?", expected="yes", seen=seen, good=None)


@dataclass
class _Asking:
    server: CellServer
    observed: Observations
    people: Browsers
    token: str
    texts: list[SentExchange] = field(default_factory=list)
    #: Those of them that their first page did not show in time.
    absent: list[SentExchange] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        #: All that was written on the pages, and by whom.
        self._said: list[tuple[str, str]] = []
        self.endpoints = [Endpoint(member, page) for member in MEMBERS for page in _PAGES]

    def ask(self) -> Iterator[Finding]:
        name, port = self.server.name, free_port()
        connected = False
        try:
            with self.server.serving(f"{name} for browsers", self.observed, at=port) as other:
                self._sit_down(other.server.base)
                yield self._refused()
                if not all(self.people.each(_open_pages)):
                    yield Finding(question=_FIFTEEN, expected=_ALL, seen=_NO_SCRIPT, good=None)
                    return
                connected = self._connected()
                if connected:
                    yield self._fifteen()
                    yield self._long()
                    for rooms in self.server.library.rooms(self.server.cell):
                        if not rooms.environment:
                            yield from self._two_rooms(rooms)
                else:
                    yield self._unconnected()
                yield self._console()
                self._photograph()
            if connected:
                yield self._away()
                yield self._again(name, port)
                yield from self._elsewhere(name)
        finally:
            with suppress(WebDriverException):
                self._keep_frames()

    def _sit_down(self, base: str) -> None:
        for person in self.people.people.values():
            person.base = base

    def _refused(self) -> Finding:
        """Ask for each page without a login; the last of them leads to the one at which everybody logs in."""
        shown = [path for paths in self.people.each(_open_to_strangers) for path in paths]
        seen = f"sees {', '.join(dict.fromkeys(shown))}" if shown else "sees the login form, and no chat"
        return Finding(question=_LOGIN, expected="sees the login form, and no chat", seen=seen, good=not shown)

    def _connected(self) -> bool:
        return self._states(["connected"], _CONNECT_DEADLINE) == {"connected"}

    def _states(self, wanted: Sequence[str], seconds: float) -> set[str]:
        """Wait until the status of each page is one of *wanted*; return those that there are then."""
        deadline = Deadline(seconds)

        def states(person: Person) -> list[str]:
            return [person.wait_state(page, wanted, deadline.left) for page in _PAGES]

        return {state for each in self.people.each(states) for state in each}

    def _unconnected(self) -> Finding:
        states = self._states([], 0.0)
        seen = f"no page connects within {_CONNECT_DEADLINE:.0f} s; they say: {', '.join(sorted(states))}"
        if "connected" in states:
            seen = seen.replace("no page connects", "not every page connects")
        return Finding(question=_FIFTEEN, expected=_ALL, seen=seen, good=False)

    def _fifteen(self) -> Finding:
        self._fence(MEMBERS[0], _PAGES[0], self.endpoints, seconds=_CONNECT_DEADLINE)
        for row in channel_table():
            self.texts.append(self._exchange(row))
        faults = judge(
            self.texts,
            {endpoint: Received([Message(text) for text in self._read(endpoint)]) for endpoint in self.endpoints},
        )
        wrong = [exchange for exchange in self.texts if faults[exchange.number]]
        seen = f"{len(self.texts) - len(wrong)} of {len(self.texts)} are seen"
        if wrong:
            seen += f"; first: {channel_table()[wrong[0].number - 1].with_fault(faults[wrong[0].number][0], 'page')}"
        return Finding(question=_FIFTEEN, expected=_ALL, seen=seen.replace(self.token, "…"), good=not wrong)

    def _long(self) -> Finding:
        """Send something so long that the browser cuts it into fragments."""
        text = f"long ({self.token}) " + "x" * _LONG
        expected = "is seen once on each page, and nothing with it"
        try:
            self._write(MEMBERS[0], _PAGES[0], "", text)
            self._seen(self.endpoints, [text], MEMBERS[0], _PATIENCE)
            self._fence(MEMBERS[0], _PAGES[0], self.endpoints)
        except SendFailed as error:
            return Finding(question=_LENGTHY, expected=expected, seen=f"is not sent: {error}", good=False)
        forms = set(_said(MEMBERS[0], text))
        known = {form for said in self._said for form in _said(*said)}
        shown = [self.people[endpoint.member].shown(endpoint.name) for endpoint in self.endpoints]
        others = [each for texts in shown for each in texts if each not in known]
        counts = [sum(each in forms for each in texts) for texts in shown]
        if others:
            seen = f"with it comes {shorten(others[0].replace(self.token, '…'))[:80]!r}, which nobody sent"
        elif counts != [1] * len(counts):
            seen = (
                f"is missing on {counts.count(0)} of {len(counts)} pages" if 0 in counts else "is seen more than once"
            )
        else:
            seen = expected
        return Finding(question=_LENGTHY, expected=expected, seen=seen, good=seen == expected)

    def _exchange(self, row: ChannelRow) -> SentExchange:
        text = row.message(self.token)
        expected = self.server.library.shown(row)
        # Only what never came is a reason to hurry: slow is not wrong.
        self.absent = [each for each in self.absent if not set(_forms(each)) & set(self._shown_to(each))]
        patience = _SHORT_PATIENCE if len(self.absent) >= _HURRY_AFTER else _PATIENCE
        try:
            self._write(row.sender, row.channel, "" if row.channel == "broadcast" else row.audience, text)
            # The fence tells what all of them have; this only lets the message be ahead of it.
            seen = self._seen([min(expected)], [text], row.sender, patience)
            fences = self._fence(row.sender, row.channel, self.endpoints)
        except SendFailed as error:
            return SentExchange(row.number, text, expected, error=str(error))
        sent = SentExchange(row.number, text, expected, fences)
        self.absent += [] if seen else [sent]
        return sent

    def _shown_to(self, sent: SentExchange) -> list[str]:
        endpoint = min(sent.expected)
        return self.people[endpoint.member].shown(endpoint.name)

    def _read(self, endpoint: Endpoint) -> list[str]:
        """Return what the page shows, as it was sent; some chats put the sender before it, who has to be right then."""
        known: dict[str, str] = {}
        for sent in self.texts:
            for text in (sent.text, *sent.fences):
                known |= dict.fromkeys(_said(channel_table()[sent.number - 1].sender, text), text)
        shown = self.people[endpoint.member].shown(endpoint.name)
        first = next((place for place, text in enumerate(shown) if text in known), len(shown))
        # What came before is the fence that the pages were tried with.
        return [known.get(text, text) for text in shown[first:]]

    def _fence(
        self, sender: str, page: str, endpoints: Sequence[Endpoint], seconds: float = _FENCE_DEADLINE
    ) -> tuple[str, ...]:
        """Send fences from *page*, the same way as its messages go, until *endpoints* show one; return their texts."""
        texts: list[str] = []
        deadline = Deadline(seconds)
        while True:
            texts.append(f"fence {next(self._numbers)} ({self.token})")
            self._write(sender, page, "", texts[-1], everyone=True)
            if self._seen(endpoints, texts, sender, _FENCE_INTERVAL) or deadline.over:
                return tuple(texts)

    def _write(self, sender: str, page: str, audience: str, text: str, everyone: bool = False) -> None:
        """Have *sender* write *text* on *page*, and remember it: see :meth:`Person.write`."""
        self._said.append((sender, text))
        self.people[sender].write(page, audience, text, everyone=everyone)

    def _seen(self, endpoints: Sequence[Endpoint], texts: Sequence[str], sender: str, seconds: float) -> bool:
        """Wait until each of *endpoints* shows one of *texts*; tell whether it does."""
        forms = [form for text in texts for form in _said(sender, text)]
        deadline = Deadline(seconds)

        def wait(person: Person) -> bool:
            mine = [endpoint.name for endpoint in endpoints if endpoint.member == person.name]
            return all(person.wait(page, forms, deadline.left) for page in mine)

        return all(self.people.each(wait))

    def _console(self) -> Finding:
        said = [each for found in self.people.each(Person.complaints) for each in found]
        port = self.people[MEMBERS[0]].base.rpartition(":")[2]
        seen = shorten(said[0]).replace(port, "<port>") if said else "none"
        if said:
            self.observed.counted[_CONSOLE] = f"{len(said)} in all"
        return Finding(question=_CONSOLE, expected="none", seen=seen, good=not said)

    def _photograph(self) -> None:
        evidence = self.server.recorder.evidence
        self.people.each(lambda person: person.photograph(_PAGES[0], evidence / f"browser-{person.name}.png"))

    def _elsewhere(self, name: str) -> Iterator[Finding]:
        """Ask of the rooms that need a server with other settings; one server for those with the same."""
        others = [rooms for rooms in self.server.library.rooms(self.server.cell) if rooms.environment]
        for settings, group in itertools.groupby(others, key=lambda rooms: rooms.environment):
            title = f"{name} for browsers, {' '.join(settings.values())}"
            with self.server.serving(title, self.observed, settings) as other:
                self._sit_down(other.server.base)
                for rooms in group:
                    yield from self._two_rooms(rooms)

    def _two_rooms(self, rooms: Rooms) -> list[Finding]:
        """Ask the two questions of the tutorial's browser tests, with two in one room and one in another."""
        kitchen, garden = [Endpoint("John", "kitchen"), Endpoint("Mary", "kitchen")], [Endpoint("admin", "garden")]
        inside = kitchen + garden
        for endpoint in inside:
            self.people[endpoint.member].go(endpoint.name, f"{rooms.path}{endpoint.name}/")
        for endpoint in inside:
            self.people[endpoint.member].wait_state(endpoint.name, ["connected"], _CONNECT_DEADLINE)
            self._fence_room(endpoint, kitchen if endpoint in kitchen else garden)
        text = f"dinner! ({self.token})"
        self.people["John"].write("kitchen", "", text)
        heard = self._seen(kitchen, [text], "John", _PATIENCE)
        # What comes to the garden after John's next message has come to the kitchen is behind all that was on its way.
        proved = self._fence_room(kitchen[0], kitchen) and self._fence_room(garden[0], garden)
        counts = {endpoint: self.people[endpoint.member].shown(endpoint.name).count(text) for endpoint in inside}
        for endpoint in inside:
            self.people[endpoint.member].leave(endpoint.name)
        heard = heard and all(counts[endpoint] == 1 for endpoint in kitchen)
        leaked = any(counts[endpoint] for endpoint in garden)
        places = f"in a room's page ({rooms.name})", f"on another room's page ({rooms.name})"
        return two_rooms(places, heard, leaked, proved)

    def _fence_room(self, endpoint: Endpoint, room: Sequence[Endpoint]) -> bool:
        text = f"fence {next(self._numbers)} ({self.token})"
        self.people[endpoint.member].write(endpoint.name, "", text)
        return self._seen(room, [text], endpoint.member, _PATIENCE)

    def _away(self) -> Finding:
        """The server has been ended: the pages have to say so."""
        lost = ["connection lost, trying again", "connection lost"]
        states = self._states(lost, _PATIENCE)
        told = states <= set(lost)
        seen = "says that the connection is lost" if told else f"says: {', '.join(sorted(states))}"
        return Finding(question=_AWAY, expected="says that the connection is lost", seen=seen, good=told)

    def _again(self, name: str, port: int) -> Finding:
        expected = "shows what is said then, without a reload"
        wait_until(lambda: can_bind(port), _PORT_DEADLINE, every=0.05)
        with self.server.serving(f"{name} for browsers again", self.observed, at=port):
            states = self._states(["connected"], _RETURN_DEADLINE)
            back = states == {"connected"}
            if back:
                fences = self._fence(MEMBERS[0], _PAGES[0], self.endpoints)
                back = self._seen(self.endpoints, fences, MEMBERS[0], 0.0)
            seen = expected if back else f"does not; it says: {', '.join(sorted(states))}"
            return Finding(question=_RETURN, expected=expected, seen=seen, good=back)

    def _keep_frames(self) -> None:
        found = [each for frames in self.people.each(lambda person: list(person.frames())) for each in frames]
        frames = sorted(found, key=lambda each: each.at)
        if frames:
            path = self.server.recorder.evidence / "frames-browser.jsonl"
            write_frames(frames, frames[0].at, path, self.server.recorder.scrub)


def _open_pages(person: Person) -> bool:
    """Log in and open each page; tell whether their script runs."""
    person.log_in()
    for page in _PAGES:
        person.go(page, f"/chat/{page}/")
    return all(person.runs_script(page) for page in _PAGES)


def _open_to_strangers(person: Person) -> list[str]:
    """Ask for each page without a login, and return those that are shown; the last leads to the login."""
    shown = []
    for path in ("/", *(f"/chat/{page}/" for page in _PAGES)):
        person.go(_PAGES[0], path)
        if not person.at_login():
            shown.append(path)
    return shown


def _said(sender: str, text: str) -> tuple[str, str]:
    """Return how a page may show *text*: as it is, or behind its sender's name."""
    return text, f"{sender}: {text}"


def _forms(sent: SentExchange) -> tuple[str, str]:
    return _said(channel_table()[sent.number - 1].sender, sent.text)
