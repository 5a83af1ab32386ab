"""How members of somebody's own chat are let in, and what strangers come with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from harness.chat.conversation import Chat
from harness.clients.connection import Connection, Endpoint, HandshakeRefused
from harness.clients.http import HttpSession, LoginForm
from harness.clients.websocket import Offer, WebSocketConnection
from harness.errors import CellFailure
from harness.scenario.frames import filled, words_in
from harness.scenario.model import ConnectionTable, Scenario
from harness.scenario.opening import Address, Credentials, cookies, lets_in, made_up, ticket_for, trusting
from harness.scenario.wording import SECRETS, Wording
from harness.verdict import Reason

#: Returns what each member, with a name to log in with, is let in by: it runs the lines of Python of the scenario.
SignIn = Callable[[Mapping[str, str]], Mapping[str, Credentials]]


class Doors:
    """Lets members of *scenario* in. *sign_in* runs its lines of Python; None where nothing can."""

    def __init__(self, scenario: Scenario, wording: Wording, sign_in: SignIn | None) -> None:
        self._scenario, self._wording, self._sign_in = scenario, wording, sign_in
        self._signing = threading.Lock()
        self._signed: Mapping[str, Credentials] | None = None
        #: What each member sends with every handshake, once they have logged in.
        self._headers: dict[str, dict[str, str]] = {}

    @property
    def form(self) -> LoginForm:
        """The form by which members log in."""
        login, words = self._scenario.login, self._wording.words
        return LoginForm(
            path=login.form if login and login.form else "/",
            fields=lambda member: {
                name: filled(value, words(member)) for name, value in (login.fields if login else {}).items()
            },
            session_cookie=login.cookie if login else "sessionid",
            csrf_cookie="csrftoken",
            csrf_field="csrfmiddlewaretoken",
        )

    @property
    def has_login(self) -> bool:
        """Whether members are told from strangers."""
        given = any(each.cookie or each.headers or each.token for each in self._scenario.members.values())
        fixed = any(lets_in(name) for each in self._scenario.connections.values() for name in each.headers)
        return self._scenario.login is not None or given or fixed

    def log_in(self, chat: Chat, member: str) -> None:
        """Let *member* in at the site, as the scenario says.

        Raises:
            CellFailure: it does not work.
        """
        table, login = self._scenario.members[member], self._scenario.login
        found = Credentials(cookies(table.cookie), table.headers, table.token)
        if login and login.python:
            if self._sign_in is None:
                raise CellFailure(
                    Reason.PAGE_FAILED,
                    f"{member} logs in by Python, which nothing runs for a server that is up already",
                )
            found = self._signed_in(self._sign_in)[member]
        session = chat.session(member)
        # A page of another site has a cookie as well, and no other header.
        headers = {name: value for name, value in found.headers.items() if name.lower() != "cookie"}
        given = next((value for name, value in found.headers.items() if name not in headers), "")
        session.take({**found.cookies, **cookies(given)}, headers)
        self._headers[member] = headers
        self._wording.tokens[member] = found.token
        if login and login.form:
            session.log_in(member)

    def _signed_in(self, sign_in: SignIn) -> Mapping[str, Credentials]:
        """Return what all members are let in by: it takes as long for all as for one."""
        with self._signing:
            if self._signed is None:
                users = {name: table.user or name for name, table in self._scenario.members.items()}
                self._signed = sign_in(users)
            return self._signed

    def can_be_made_up(self, chat: Chat, connection: str, member: str) -> bool:
        """Tell whether *member* is let in at *connection* by something that others can make up: a cookie or a token."""
        table = self._scenario.connections[connection]
        templates = (table.path, *table.opened, *table.subprotocols, *table.headers.values())
        words = set[str]().union(*map(words_in, templates)) & set(SECRETS)
        known = self._wording.words(member)
        headers = [*self._headers.get(member, {}), *table.headers]
        return bool(
            chat.cookie(member) or table.ticket or any(map(lets_in, headers)) or any(known.get(each) for each in words)
        )

    def own_origin(self, chat: Chat, connection: str, member: str) -> str:
        """Return the site whose pages open *connection* for *member*: the server's own, unless headers name another."""
        headers = {**self._headers.get(member, {}), **self._scenario.connections[connection].headers}
        named = (value for name, value in headers.items() if name.lower() == "origin")
        return filled(next(named, chat.server.base), self._wording.words(member))

    def open(self, chat: Chat, endpoint: Endpoint, path: str, member: str, origin: str) -> Connection:
        """Open *endpoint* at *path*, an :class:`Address`, for a page of the site *origin*; a stranger is no *member*.

        Raises:
            HandshakeRefused: the server does not let them in.
        """
        address, foreign = Address.of(path), origin not in ("", chat.server.base)
        who, table = member or address.claimed, self._scenario.connections[address.connection]
        session = chat.session(member) if member else self._strange_session(chat, address)
        words = self._words(chat, address, member, session, foreign)
        if not foreign and who:
            # Some chats let in only those who come from another site than the server's.
            origin = self.own_origin(chat, address.connection, who)
        connection = WebSocketConnection(
            endpoint,
            chat.server.sockets + filled(address.path, words),
            chat.transcript,
            cookie=session.cookie_at(filled(address.path, words)),
            origin=origin,
            offer=Offer(
                compression=True,
                subprotocols=[filled(each, words) for each in table.subprotocols],
                headers={} if foreign else self._headers_of(address, member, table, words),
                tls=trusting(chat.server.certificates) if chat.server.secure else None,
            ),
            answer=self._scenario.frames.answers.get,
        )
        try:
            for frame in table.opened:
                connection.send(filled(frame, words))
        except OSError as error:
            connection.close()
            raise HandshakeRefused(f"it is open, and takes nothing ({type(error).__name__})") from error
        return connection

    def _strange_session(self, chat: Chat, address: Address) -> HttpSession:
        """Return the session of a stranger, who may have made cookies up."""
        session = HttpSession(chat.server.base, self.form, chat.server.certificates)
        if address.made_up:
            session.take({name: made_up(value) for name, value in cookies(chat.cookie(address.claimed)).items()}, {})
        return session

    def _words(self, chat: Chat, address: Address, member: str, session: HttpSession, foreign: bool) -> dict[str, str]:
        """Return what stands for the words of templates where somebody comes, with the *session* of their own."""
        who, ticket = member or address.claimed, self._scenario.connections[address.connection].ticket
        words = self._wording.words(who)
        # A page in a browser has the cookies, and neither knows a secret nor reads another site's pages.
        if foreign or not (member or address.made_up):
            words |= dict.fromkeys(SECRETS, "")
        if ticket and not foreign:
            words["TICKET"] = ticket_for(chat.session(who) if address.made_up else session, ticket, words)
        if address.made_up:
            words |= {each: made_up(words.get(each, "")) for each in SECRETS}
        return words

    def _headers_of(
        self, address: Address, member: str, table: ConnectionTable, words: Mapping[str, str]
    ) -> dict[str, str]:
        """Return the headers of a handshake, but for ``Origin``: what lets members in strangers lack, or make up."""
        given = {**self._headers.get(member or address.claimed, {}), **table.headers}
        found: dict[str, str] = {}
        for name, value in given.items():
            if name.lower() == "origin":
                continue
            if member or not lets_in(name):
                found[name] = filled(value, words)
            elif address.made_up:  # what a word stands for is made up already
                found[name] = filled(value, words) if words_in(value) else made_up(value)
        return found
