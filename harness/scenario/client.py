"""How clients speak to somebody's own chat, as its scenario describes it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from urllib.parse import parse_qs, urlsplit

from harness.captured.output import shorten
from harness.chat.conversation import Chat, Client
from harness.chat.fencing import FenceWay
from harness.chat.members import ChannelRow, Script
from harness.clients.connection import Connection, Endpoint, HandshakeRefused, SendFailed
from harness.clients.frame_format import FrameFormat
from harness.clients.http import LoginForm, status_of
from harness.clients.transcript import Message
from harness.errors import CellFailure
from harness.scenario import fences
from harness.scenario.doors import Doors, SignIn
from harness.scenario.frames import filled, words_in
from harness.scenario.model import ExchangeTable, Scenario
from harness.scenario.opening import Address
from harness.scenario.wording import SECRETS, Wording

#: Letters of a frame that is shown.
_SHOWN = 200


class ScenarioClient(Client):
    """Speaks as *scenario* says. *sign_in* runs its lines of Python; None where nothing can."""

    greets = True
    has_pages = False

    def __init__(self, scenario: Scenario, sign_in: SignIn | None = None) -> None:
        self.scenario = scenario
        self.script = Script(tuple(scenario.members), tuple(_rows(scenario)), echoes=True)
        self.quiet = scenario.quiet
        self._wording = Wording(scenario)
        self._reader = self._wording.reader()
        #: When each member may speak again, in :func:`time.monotonic`.
        self._may_speak: dict[str, float] = {}
        self._turns = threading.Lock()
        self.doors = Doors(scenario, self._wording, sign_in)

    @property
    def form(self) -> LoginForm:
        """The form by which members log in."""
        return self.doors.form

    @property
    def has_login(self) -> bool:
        """Whether members are told from strangers."""
        return self.doors.has_login

    @property
    def by_cookies(self) -> bool:
        """Whether a member's cookies are all that the connection on which everybody speaks is opened by."""
        table, login = self.scenario.connections[self._main], self.scenario.login
        words = set().union(*(words_in(each) for each in (table.path, *table.opened)))
        words |= words_in(self._wording.template(self._main)) & set(SECRETS)
        headers = table.headers or any(each.headers for each in self.scenario.members.values())
        # What lines of Python leave is known once they have run.
        left = login is not None and "headers" in login.python
        return not (words or headers or left or table.subprotocols or table.ticket)

    def log_in(self, chat: Chat, member: str) -> None:
        self.doors.log_in(chat, member)

    @property
    def held_endpoints(self) -> frozenset[Endpoint]:
        """The connections of all members."""
        names = self.scenario.connections
        return frozenset(Endpoint(member, name) for name in names for member in self.scenario.holders(name))

    def paths(self) -> dict[str, str]:
        return {name: str(Address(each.path, name)) for name, each in self.scenario.connections.items()}

    def held(self, member: str, paths: Mapping[str, str]) -> dict[str, str]:
        return {name: path for name, path in paths.items() if member in self.scenario.holders(name)}

    def path_for(self, channel: str, paths: Mapping[str, str] | None = None) -> str:
        paths = paths or self.paths()
        return paths.get(channel) or paths[self.common or next(iter(paths))]

    def address_as(self, connection: str, member: str, made_up: bool = False) -> str:
        """Return the address of *connection* for a stranger who claims to be *member*; see :class:`Address`."""
        return str(Address(self.scenario.connections[connection].path, connection, member, made_up))

    def connect(self, chat: Chat, endpoint: Endpoint, path: str, member: str, origin: str) -> Connection:
        return self.doors.open(chat, endpoint, path, member, origin)

    def _exchange(self, row: ChannelRow) -> ExchangeTable:
        return self.scenario.exchanges[row.number - 1]

    def expected(self, row: ChannelRow) -> frozenset[Endpoint]:
        heard_on = self.scenario.heard_on(self._exchange(row))
        return frozenset(
            Endpoint(member, name)
            for name in heard_on
            for member in row.recipients
            if member in self.scenario.holders(name)
        )

    def hearers(self, row: ChannelRow) -> tuple[str, ...]:
        return row.recipients

    def transport(self, row: ChannelRow) -> str:
        return "POST" if self._exchange(row).post else "WebSocket"

    def say(self, chat: Chat, row: ChannelRow, text: str) -> None:
        self._take_turn(row.sender)
        name = self.scenario.said_on(self._exchange(row))
        if name is None:
            self._post(chat, row.sender, self._exchange(row), text)
        else:
            self._say_on(chat, Endpoint(row.sender, name), row, text)

    def turn_in(self, member: str) -> float:
        return max(self._may_speak.get(member, 0.0) - time.monotonic(), 0.0)

    def _take_turn(self, member: str) -> None:
        """Wait until *member* may speak again, and note that they do."""
        with self._turns:
            now = time.monotonic()
            at = max(now, self._may_speak.get(member, 0.0))
            self._may_speak[member] = at + self.scenario.pause
        threading.Event().wait(at - now)

    def _say_on(self, chat: Chat, endpoint: Endpoint, row: ChannelRow, text: str) -> None:
        """Say *text* on the connection *endpoint*, as *row* has it said."""
        exchange = self._exchange(row)
        if endpoint.name != self.scenario.said_on(exchange):  # a herald's, which nobody has waited for
            self._take_turn(row.sender)
        if endpoint not in chat.connections:
            raise SendFailed(f"{endpoint.member} is not connected")
        self.send(chat, endpoint, self._wording.frame(exchange, text))

    def _post(self, chat: Chat, sender: str, exchange: ExchangeTable, text: str) -> None:
        words = self._wording.saying(sender, text, exchange.to)
        path, session = filled(exchange.post or "", words), chat.session(sender)
        try:
            if exchange.body:
                answer = session.post_json(path, filled(exchange.body, words))
            else:
                answer = session.post(path, {name: filled(value, words) for name, value in exchange.form.items()})
        except CellFailure as error:
            raise SendFailed(error.text) from error
        if answer.status_code >= 400:
            raise SendFailed(f"POST {path} answers with {status_of(answer)}")
        where, login = urlsplit(answer.headers.get("Location", "")), self.scenario.login
        back = urlsplit(path).path in (urlsplit(each).path for each in parse_qs(where.query).get("next", []))
        # The form may be on the page that follows on what was posted; where somebody hears it, it was.
        form = login is not None and login.form == where.path and not self.scenario.hearers(exchange)
        if answer.is_redirect and (back or form):
            raise SendFailed(f"POST {path} is answered by the login page")

    def fence(self, chat: Chat, row: ChannelRow, text: str) -> None:
        self.say(chat, row, text)

    def announce(self, chat: Chat, sender: str, text: str) -> None:
        if not self._covering:
            raise SendFailed("nobody says anything that somebody hears")
        by_sender = [each for each in self._covering if each.sender == sender]
        self._herald([*by_sender, *self._covering][0], chat, text)

    def _herald(self, row: ChannelRow, chat: Chat, text: str) -> None:
        """Say *text* as *row* says, on a connection for that alone where its sender has none that is open.

        Raises:
            SendFailed: the server does not take it.
        """
        name = self.scenario.said_on(self._exchange(row))
        own = Endpoint(row.sender, name or "")
        if name is None or (own in chat.connections and not chat.transcript.closed(own)):
            self.say(chat, row, text)
            return
        herald = Endpoint(row.sender, f"herald on {name}")
        try:
            if herald not in chat.connections or chat.transcript.closed(herald):
                chat.open(herald, self.paths()[name], row.sender)
        except HandshakeRefused as error:
            raise SendFailed(f"{row.sender} is not let in: {error}") from error
        self._say_on(chat, herald, row, text)

    def fences(self, row: ChannelRow) -> Sequence[FenceWay]:
        wanted = self._fencing
        own = self._way(row)
        same = [each.number for each in wanted if each.sender == row.sender and self._way(each) == own]
        rows = fences.behind(row, wanted, self.expected, same)
        # What takes another road than the message may overtake it.
        proves = any(each.number in same for each in rows)
        return [self._way_of(each, partial(self._fence, each), proves) for each in rows]

    def _fence(self, row: ChannelRow, chat: Chat, text: str) -> None:
        self.fence(chat, row, text)

    def announcing(self, sender: str) -> Sequence[FenceWay]:
        return [self._way_of(each, partial(self._herald, each)) for each in self._covering]

    @cached_property
    def _fencing(self) -> list[ChannelRow]:
        """The rows whose exchanges may be fences."""
        named = self.scenario.fence
        return [each for each in self.script.rows if named is None or self._exchange(each).name in named]

    @cached_property
    def _covering(self) -> list[ChannelRow]:
        """The rows by which everybody is reached who can be."""
        return fences.covering(self._fencing, self.expected)

    def _way(self, row: ChannelRow) -> str:
        """Return what road a row's message takes."""
        exchange = self._exchange(row)
        return f"POST {exchange.post}" if exchange.post else str(self.scenario.said_on(exchange))

    def _way_of(self, row: ChannelRow, send: Callable[[Chat, str], object], proves: bool = True) -> FenceWay:
        return FenceWay(send, partial(self._reaches, row), frozenset(row.recipients), proves)

    def _reaches(self, row: ChannelRow, chat: Chat, endpoint: Endpoint) -> bool:
        """Tell whether *endpoint* is to receive what is said as *row* says; perhaps as one of many like it."""
        expected = self.expected(row)
        if endpoint in expected:
            return True
        if endpoint.member in self.script.members and endpoint.name in self.scenario.connections:
            return False
        address = Address.of(chat.addresses.get(endpoint, ""))
        who, name = chat.owners.get(endpoint, "") or address.claimed, address.connection or self._main
        return any(each.name == name and who in ("", each.member) for each in expected)

    @cached_property
    def common(self) -> str | None:
        """The connection on which each member can speak to all members; None where there is none."""
        for name in self.scenario.connections:
            everybody = frozenset(Endpoint(member, name) for member in self.script.members)
            speakers = {
                row.sender
                for row in self.script.rows
                if self.scenario.said_on(self._exchange(row)) == name
                and not self._exchange(row).send
                and everybody <= self.expected(row)
            }
            if speakers == set(self.script.members):
                return name
        return None

    @property
    def _main(self) -> str:
        """The connection on which somebody speaks where no exchange says on which."""
        return self.common or next(iter(self.scenario.connections))

    def broadcast(self, chat: Chat, endpoint: Endpoint, text: str | bytes) -> None:
        owner, address = chat.owners.get(endpoint, ""), Address.of(chat.addresses.get(endpoint, ""))
        if not isinstance(text, bytes):
            text = self._wording.frame_on(address.connection or self._main, text, owner or address.claimed)
        self.send(chat, endpoint, text)

    def sends_binary(self) -> bool:
        return False

    def messages(self, data: str) -> list[str]:
        return [each.text for each in self._reader.messages(data)]

    def read(self, data: str) -> list[Message]:
        return self._reader.messages(data)

    def says(self, row: ChannelRow, text: str, fence: bool = False) -> Mapping[str, str]:
        # It may be another exchange that is repeated as a fence.
        return {} if fence else self._wording.says(self._exchange(row), text)

    def frame_format(self) -> FrameFormat:
        table, words = self.scenario.connections[self._main], self._wording.words(self.script.members[0])
        return FrameFormat(
            filled(table.path, words),
            self.messages,
            # Of a crowd the second publishes, if there are two.
            lambda text: self._wording.frame_on(self._main, text, self.script.members[:2][-1]),
            opened=tuple(filled(each, words) for each in table.opened),
            answers=dict(self.scenario.frames.answers),
        )

    def silence(self, chat: Chat, endpoint: Endpoint) -> str:
        arrived: list[str] = []
        for each in [each for each in list(chat.transcript.frames) if each.endpoint == endpoint]:
            if each.kind == "open":  # perhaps again
                arrived.clear()
            elif each.direction == "in" and each.kind in ("text", "binary"):
                arrived.append(each.data)
        if not arrived:
            return super().silence(chat, endpoint)
        if all(map(self._reader.ignores, arrived)):
            return f"all that arrives on it is ignored; the first frame is {shorten(arrived[0])[:_SHOWN]}"
        return f"no message is found in what arrives on it; the first frame is {shorten(arrived[0])[:_SHOWN]}"


def _rows(scenario: Scenario) -> list[ChannelRow]:
    rows = []
    for number, each in enumerate(scenario.exchanges, 1):
        said_on, hearers = scenario.said_on(each), scenario.hearers(each)
        audience = each.to or ("all" if hearers == list(scenario.members) else ", ".join(hearers) or "nobody")
        rows.append(ChannelRow(number, said_on or each.post or "", each.sender, audience, tuple(hearers)))
    return rows
