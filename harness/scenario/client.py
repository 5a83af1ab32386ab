"""How clients speak to somebody's own chat, as its scenario describes it."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

from harness.captured.output import shorten
from harness.chat.conversation import Chat, Client
from harness.chat.fencing import FenceWay
from harness.chat.members import ChannelRow, Script
from harness.clients.connection import Connection, Endpoint, HandshakeRefused, SendFailed
from harness.clients.frame_format import FrameFormat
from harness.clients.http import HttpSession, LoginForm, status_of
from harness.clients.websocket import Offer, WebSocketConnection
from harness.errors import CellFailure
from harness.scenario import fences
from harness.scenario.frames import Reader, filled, found_at, pointer
from harness.scenario.model import ConnectionTable, ExchangeTable, Scenario, TicketTable
from harness.verdict import Reason

#: Letters of a frame that is shown.
_SHOWN = 200


@dataclass(frozen=True)
class Credentials:
    """What somebody is let in by."""

    cookies: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    token: str = ""


#: Returns what each member, with a name to log in with, is let in by: it runs the lines of Python of the scenario.
SignIn = Callable[[Mapping[str, str]], Mapping[str, Credentials]]


class ScenarioClient(Client):
    """Speaks as *scenario* says. *sign_in* runs its lines of Python; None where nothing can."""

    greets = True
    has_pages = False

    def __init__(self, scenario: Scenario, sign_in: SignIn | None = None) -> None:
        self.scenario, self._sign_in = scenario, sign_in
        self._signing = threading.Lock()
        self._signed: Mapping[str, Credentials] | None = None
        self.script = Script(tuple(scenario.members), tuple(_rows(scenario)))
        self.quiet = scenario.quiet
        frames = scenario.frames
        pointers = [frames.read] if isinstance(frames.read, str) else frames.read
        self._reader = Reader(pointers, frames.prefix, frames.match, frames.ignore)
        self._tokens: dict[str, str] = {name: each.token for name, each in scenario.members.items()}
        self._headers: dict[str, dict[str, str]] = {}

    @property
    def form(self) -> LoginForm:
        """The form by which members log in."""
        login = self.scenario.login
        return LoginForm(
            path=login.form if login and login.form else "/",
            fields=lambda member: {
                name: filled(value, self._words(member)) for name, value in (login.fields if login else {}).items()
            },
            session_cookie=login.cookie if login else "sessionid",
            csrf_cookie="csrftoken",
            csrf_field="csrfmiddlewaretoken",
        )

    @property
    def has_login(self) -> bool:
        """Whether members are told from strangers."""
        given = any(each.cookie or each.headers or each.token for each in self.scenario.members.values())
        return self.scenario.login is not None or given

    def _words(self, member: str) -> dict[str, str]:
        """Return what stands for the words of a template that *member* fills in; a stranger where that is empty."""
        table = self.scenario.members.get(member)
        return {
            "MEMBER": member or "stranger",
            "USER": (table.user if table else "") or member or "stranger",
            "PASSWORD": table.password if table else "",
            "TOKEN": self._tokens.get(member, ""),
        }

    def log_in(self, chat: Chat, member: str) -> None:
        table, login = self.scenario.members[member], self.scenario.login
        found = Credentials(_cookies(table.cookie), table.headers, table.token)
        if login and login.python:
            if self._sign_in is None:
                raise CellFailure(
                    Reason.PAGE_FAILED,
                    f"{member} logs in by Python, which nothing runs for a server that is up already",
                )
            found = self._signed_in(self._sign_in)[member]
        session = chat.session(member)
        session.take(found.cookies, found.headers)
        self._headers[member] = dict(found.headers)
        self._tokens[member] = found.token
        if login and login.form:
            session.log_in(member)

    def _signed_in(self, sign_in: SignIn) -> Mapping[str, Credentials]:
        """Return what all members are let in by: it takes as long for all as for one."""
        with self._signing:
            if self._signed is None:
                users = {name: table.user or name for name, table in self.scenario.members.items()}
                self._signed = sign_in(users)
            return self._signed

    @property
    def held_endpoints(self) -> frozenset[Endpoint]:
        """The connections of all members."""
        names = self.scenario.connections
        return frozenset(Endpoint(member, name) for name in names for member in self.scenario.holders(name))

    def paths(self) -> dict[str, str]:
        return {name: each.path for name, each in self.scenario.connections.items()}

    def held(self, member: str, paths: Mapping[str, str]) -> dict[str, str]:
        return {name: path for name, path in paths.items() if member in self.scenario.holders(name)}

    def path_for(self, channel: str, paths: Mapping[str, str] | None = None) -> str:
        paths = paths or self.paths()
        return paths.get(channel) or paths[self.common or next(iter(paths))]

    def _table(self, endpoint: Endpoint, path: str) -> ConnectionTable:
        """Return what the scenario says of the connection *endpoint*, which is opened to *path*."""
        connections = self.scenario.connections
        if endpoint.name in connections and endpoint.member in self.script.members:
            return connections[endpoint.name]
        return next((each for each in connections.values() if each.path == path), next(iter(connections.values())))

    def connect(self, chat: Chat, endpoint: Endpoint, path: str, member: str, origin: str) -> Connection:
        table, words = self._table(endpoint, path), self._words(member)
        session = chat.session(member) if member else HttpSession(chat.server.base, self.form, chat.server.certificates)
        if table.ticket:
            words["TICKET"] = _ticket(session, table.ticket)
        headers = {
            **self._headers.get(member, {}),
            **{name: filled(value, words) for name, value in table.headers.items()},
        }
        connection = WebSocketConnection(
            endpoint,
            chat.server.sockets + filled(path, words),
            chat.transcript,
            cookie=session.cookie,
            origin=origin,
            offer=Offer(
                compression=True,
                subprotocols=table.subprotocols,
                headers=headers,
                tls=_trusting(chat.server.certificates) if chat.server.secure else None,
            ),
            answer=self.scenario.frames.answers.get,
        )
        try:
            for frame in table.opened:
                connection.send(filled(frame, words))
        except OSError as error:
            connection.close()
            raise HandshakeRefused(f"it is open, and takes nothing ({type(error).__name__})") from error
        return connection

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
        name = self.scenario.said_on(self._exchange(row))
        if name is None:
            self._post(chat, row.sender, self._exchange(row), text)
        else:
            self._say_on(chat, Endpoint(row.sender, name), row, text)

    def _say_on(self, chat: Chat, endpoint: Endpoint, row: ChannelRow, text: str) -> None:
        """Say *text* on the connection *endpoint*, as *row* has it said."""
        exchange = self._exchange(row)
        if endpoint not in chat.connections:
            raise SendFailed(f"{endpoint.member} is not connected")
        frame = exchange.send or self._template(self.scenario.said_on(exchange) or "")
        self.send(chat, endpoint, filled(frame, self._saying(row.sender, text, exchange.to)))

    def _template(self, name: str) -> str:
        """Return the frame that says something on the connection *name*."""
        return self.scenario.connections[name].send or self.scenario.frames.send

    def _saying(self, member: str, text: str, to: str = "") -> dict[str, str]:
        """Return what stands for the words of a template in which *member* says *text*."""
        return {**self._words(member), "TEXT": text, "TO": to}

    def _post(self, chat: Chat, sender: str, exchange: ExchangeTable, text: str) -> None:
        words = self._saying(sender, text, exchange.to)
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
                chat.open(herald, self.scenario.connections[name].path, row.sender)
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
        """Tell whether *endpoint* is to receive what is said as *row* says; perhaps as one of many to the same path."""
        expected = self.expected(row)
        if endpoint in expected:
            return True
        if endpoint.member in self.script.members and endpoint.name in self.scenario.connections:
            return False
        owner, path = chat.owners.get(endpoint, ""), chat.addresses.get(endpoint, "")
        return any(chat.addresses.get(each) == path and owner in ("", each.member) for each in expected)

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

    def _broadcast_frame(self, text: str, member: str = "") -> str:
        return filled(self._template(self._main), self._saying(member, text))

    def broadcast(self, chat: Chat, endpoint: Endpoint, text: str | bytes) -> None:
        owner = chat.owners.get(endpoint, "")
        self.send(chat, endpoint, text if isinstance(text, bytes) else self._broadcast_frame(text, owner))

    def sends_binary(self) -> bool:
        return False

    def heard(self, data: str) -> str | None:
        return self._reader.message(data)

    def frame_format(self) -> FrameFormat:
        table, words = self.scenario.connections[self._main], self._words(self.script.members[0])
        return FrameFormat(
            filled(table.path, words),
            self.messages,
            self._broadcast_frame,
            opened=tuple(filled(each, words) for each in table.opened),
            answers=dict(self.scenario.frames.answers),
        )

    def silence(self, chat: Chat, endpoint: Endpoint) -> str:
        frames = [each for each in list(chat.transcript.frames) if each.endpoint == endpoint]
        arrived = [each.data for each in frames if each.direction == "in" and each.kind in ("text", "binary")]
        if not arrived:
            return super().silence(chat, endpoint)
        return f"no message is found in what arrives on it; the first frame is {shorten(arrived[0])[:_SHOWN]}"


def _rows(scenario: Scenario) -> list[ChannelRow]:
    rows = []
    for number, each in enumerate(scenario.exchanges, 1):
        said_on, hearers = scenario.said_on(each), scenario.hearers(each)
        audience = each.to or ("all" if hearers == list(scenario.members) else ", ".join(hearers) or "nobody")
        rows.append(ChannelRow(number, said_on or each.post or "", each.sender, audience, tuple(hearers)))
    return rows


def _trusting(certificates: str) -> ssl.SSLContext:
    """Return what trusts the *certificates* in a file, those of the system where that is empty.

    Raises:
        HandshakeRefused: there are none in the file.
    """
    try:
        return ssl.create_default_context(cafile=certificates or None)
    except OSError as error:  # which an SSLError is as well
        raise HandshakeRefused(f"{certificates} is no certificate in PEM: {error}") from error


def _cookies(header: str) -> dict[str, str]:
    """Return the cookies in a header ``Cookie``: names → values."""
    pairs = (each.partition("=") for each in header.split(";") if "=" in each)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _ticket(session: HttpSession, ticket: TicketTable) -> str:
    """Return what is fetched before a connection is opened.

    Raises:
        HandshakeRefused: it is not to be had.
    """
    try:
        answer = session.post(ticket.path, {}) if ticket.post else session.get(ticket.path)
        if answer.status_code >= 300:
            raise HandshakeRefused(f"the ticket is not to be had: {ticket.path} answers with {status_of(answer)}")
        if not ticket.read:
            return answer.text
        if ticket.read.startswith(("/", ".")):
            return str(found_at(answer.json(), pointer(ticket.read)))
        found = re.search(ticket.read, answer.text)
        if found is None:
            raise KeyError(ticket.read)
        return found[1]
    except CellFailure as error:
        raise HandshakeRefused(f"the ticket is not to be had: {error.text}") from error
    except (KeyError, ValueError, IndexError) as error:
        text = f"the ticket is not to be had: there is no {ticket.read} in what {ticket.path} answers"
        raise HandshakeRefused(text) from error
