"""Sessions: what an open connection may still do when its member may not, and which handshakes are let in.

What is expected follows OWASP's WebSocket Security Cheat Sheet: a connection ends with the session, and a handshake of
a foreign origin, or without a session, is refused.
Source: https://cheatsheetseries.owasp.org/cheatsheets/WebSocket_Security_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import msgspec

from harness.cell.outcome import Observations
from harness.cell.questions import guarded, twice
from harness.cell.server import CellServer, Ends
from harness.chat import raw
from harness.chat.conversation import Chat
from harness.chat.members import GROUP, GROUP_MEMBERS, Channel, ChannelRow
from harness.chat.parties import FOREIGN
from harness.clients.connection import Endpoint, HandshakeRefused, SendFailed
from harness.clients.visits import Visitor, knock
from harness.results.questions import put_to
from harness.results.result import Decides, Finding

_LOGOUT = "/accounts/logout/"
#: Seconds for a message.
_PATIENCE = 2.0
#: Seconds after which a connection that was let in stands.
_STANDS = 1.0
#: What happens to Mary, what ``myapp.trials.act`` calls it (nothing: she logs out), and in which channel she may not
#: receive any more what is said.
_EVENTS: tuple[tuple[str, str, Channel], ...] = (
    ("a logout in another tab", "", "user"),
    ("the deletion of the session", "delete", "user"),
    ("the end of the session's time", "expire", "user"),
    ("a change of the password", "password", "user"),
    ("the deactivation of the member", "deactivate", "user"),
    ("the member has left the group", "leave", "group"),
)
_MARY, _JOHN = "Mary", "John"
#: What stands for the status where there is none.
_NO_ANSWER = "without an answer"
#: How many headers are too many.
_HEADERS = 1000


@dataclass(frozen=True)
class _Door:
    """A handshake that is tried: who comes, from where, and whether it ought to be let in (None: either is fine)."""

    what: str
    #: The Origin, of which ``{port}`` is the server's port; None sends none.
    origin: str | None
    member: str = _MARY
    opens: bool | None = False


_DOORS = (
    _Door("of the site's own page", "http://127.0.0.1:{port}", opens=True),
    _Door("without an Origin", None, opens=None),
    _Door("of an Origin that is null", "null"),
    _Door("of a foreign Origin, with a member's cookie", FOREIGN),
    # Where a proxy speaks TLS that is the site's own page; and browsers write an Origin in small letters.
    _Door("of an Origin with another port", "http://127.0.0.1:1", opens=None),
    _Door("of an Origin with another scheme", "https://127.0.0.1:{port}", opens=None),
    _Door("of the own Origin in capital letters", "HTTP://127.0.0.1:{port}", opens=None),
    _Door("without a cookie", "http://127.0.0.1:{port}", member=""),
)


def ask(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Ask on a server of its own, with a database of its own: members are changed there."""
    apart = server.with_own_members("sessions")
    with apart.serving(f"{server.name} sessions", observed, ends=Ends.AT_ONCE) as own:
        own.log_in()
        decides = server.library.decides
        for event in _EVENTS:
            after = partial(twice, partial(_after, own, apart, *event))
            question = f"After {event[0]}: does the open connection receive messages?"
            if server.wants(f"After {event[0]}"):
                yield from _decided(decides["after"], guarded(question, after))
        if not server.wants("A handshake"):
            return
        yield from _handshakes(own, decides)
        for asking in (_unknown_subprotocol, _another_method, _many_headers):
            yield from _decided("server", twice(partial(asking, own)))
    for variant in server.library.variants(server.cell):
        if not variant.guards or not server.wants_way(variant.name):
            continue
        name, settings = f"{server.name} sessions {variant.name}", server.settings_for(variant)
        with apart.serving(name, observed, settings, ends=Ends.AT_ONCE) as own:
            own.log_in()
            for finding in _handshakes(own, decides):
                yield msgspec.structs.replace(finding, question=put_to(finding.question, variant.name))


def _handshakes(chat: Chat, decides: Mapping[str, Decides]) -> Iterator[Finding]:
    """Try every door, and one that a member has lost the key of."""
    for number, door in enumerate(_DOORS):
        yield from _decided(decides["origin" if door.member else "login"], twice(partial(_at, chat, door, number)))
    yield from _decided(decides["login"], twice(partial(_with_an_ended_session, chat)))


def _decided(by: Decides, asking: Iterable[Finding]) -> Iterator[Finding]:
    """Yield what is found, with whose default or code decides it: an evaluator has to know whose hole it is."""
    for finding in asking:
        yield msgspec.structs.replace(finding, decided_by=by)


def _after(chat: Chat, server: CellServer, what: str, act: str, channel: Channel) -> list[Finding]:
    """Have something happen to Mary while her connections are open, and look at what they may still do."""
    try:
        chat.connect()
        if act:
            server.act(act, _MARY)
        else:
            chat.session(_MARY).post(_LOGOUT, {})
        known = channel == "user" and _is_known(chat)
        receives, good = _proved(chat, lambda: _receives(chat, channel))
        sends, sends_good = _proved(chat, lambda: _sends(chat))
    finally:
        chat.close()
        server.act("restore", _MARY)
        chat.sessions.pop(_MARY, None)
        chat.session(_MARY).log_in(_MARY)
    if known:
        receives = sends = f"not proved: {_MARY} is still let in to the pages"
        good = sends_good = None
    where = "what goes to the group" if channel == "group" else "messages"
    found = [
        Finding(
            question=f"After {what}: does the open connection receive {where}?", expected="no", seen=receives, good=good
        )
    ]
    if channel == "user":
        question = f"After {what}: can the open connection send?"
        found.append(Finding(question=question, expected="no", seen=sends, good=sends_good))
    return found


def _proved(chat: Chat, ask: Callable[[], tuple[str, bool | None]]) -> tuple[str, bool | None]:
    """Ask, and make sure that those to whom nothing happened still talk: or silence says nothing of Mary."""
    others = [endpoint for endpoint in chat.endpoints if endpoint.member != _MARY]
    try:
        seen, good = ask()
        if good is False:
            return seen, good
        fences = chat.fence_all(lambda fence: chat.client.announce(chat, _JOHN, fence), others)
    except SendFailed as error:
        return f"not proved: {error}", None
    if all(chat.transcript.has_one(each, fences) for each in others):
        return seen, good
    closed = next((why for each in others if (why := chat.transcript.closed(each))), "nothing comes any more")
    return f"not proved: of the others' connections, {closed}", None


def _is_known(chat: Chat) -> bool:
    """Tell whether the pages still take Mary for logged in: then nothing has happened to her."""
    return chat.session(_MARY).get("/").status_code == 200


def _receives(chat: Chat, channel: Channel) -> tuple[str, bool | None]:
    """Return whether Mary's connections receive what is said to her."""
    audience, recipients = (GROUP, GROUP_MEMBERS) if channel == "group" else (_MARY, (_MARY,))
    row = ChannelRow(0, channel, _JOHN, audience, recipients)
    text = f"a message that {_MARY} may not read any more ({chat.token}, {len(chat.ledger.said)})"
    chat.say(row, text)
    hers = [endpoint for endpoint in chat.endpoints if endpoint.member == _MARY]
    chat.transcript.wait([each for each in chat.client.expected(row) if each.member == _MARY], [text], _PATIENCE)
    if any(chat.transcript.arrival(each, text) is not None for each in hers):
        return "yes", False
    closed = [why for each in hers if (why := chat.transcript.closed(each))]
    return (f"no: it is {closed[0]}" if closed else "no: it stays open, and receives nothing"), True


def _sends(chat: Chat) -> tuple[str, bool | None]:
    """Return whether what Mary's connection sends reaches John."""
    text = f"a message that {_MARY} may not send any more ({chat.token}, {len(chat.ledger.said)})"
    row = ChannelRow(0, "broadcast", _MARY, "all", ("admin", _JOHN, _MARY))
    with suppress(SendFailed):  # then it is closed, and nothing arrives
        chat.say(row, text)
    his = [each for each in chat.client.expected(row) if each.member == _JOHN]
    chat.transcript.wait(his, [text], _PATIENCE)
    if any(chat.transcript.arrival(each, text) is not None for each in his):
        return "yes", False
    return "no", True


def _at(chat: Chat, door: _Door, number: int) -> list[Finding]:
    """Try one handshake."""
    origin = None if door.origin is None else door.origin.format(port=chat.server.port)
    seen, opened = _try(chat, Endpoint("visitor", f"door {number}"), door.member, origin)
    expected = {True: "is let in", False: "is refused", None: "is refused, or let in"}[door.opens]
    good = None if door.opens is None else opened is door.opens
    return [Finding(question=f"A handshake {door.what}", expected=expected, seen=seen, good=good)]


def _try(chat: Chat, endpoint: Endpoint, member: str, origin: str | None) -> tuple[str, bool]:
    """Open a connection; return what came of it, and whether it stands."""
    chat.owners[endpoint] = member
    try:
        chat.connections[endpoint] = chat.client.connect(
            chat, endpoint, chat.path_for("broadcast"), member, origin or ""
        )
    except HandshakeRefused as error:
        return f"is refused: {error}", False
    ended = chat.transcript.wait_closed(endpoint, _STANDS)
    closed = chat.transcript.closed(endpoint)
    chat.close([endpoint])
    return (f"is let in, and {closed}", False) if ended else ("is let in", True)


def _with_an_ended_session(chat: Chat) -> list[Finding]:
    """Come with the cookie of a session that has ended."""
    session = chat.session(_MARY)
    cookie = session.cookie
    session.post(_LOGOUT, {})
    known = _is_known(chat)
    chat.sessions[_MARY] = _Held(session, cookie)  # type: ignore[assignment]
    try:
        seen, opened = _try(chat, Endpoint("visitor", "ended"), _MARY, chat.server.base)
    finally:
        chat.sessions.pop(_MARY)
        chat.session(_MARY).log_in(_MARY)
    question, expected = "A handshake with a session that has ended", "is refused"
    if known:
        seen = f"not proved: {_MARY} is still let in to the pages"
    return [Finding(question=question, expected=expected, seen=seen, good=None if known else not opened)]


def _answered(visitor: Visitor) -> tuple[str, dict[str, str]]:
    """Shake hands as *visitor*; return the status, or why there is none, with the headers of the answer."""
    try:
        return knock(visitor)
    except TimeoutError:
        return _NO_ANSWER, {}
    except OSError:
        return "the connection is closed", {}


def _unknown_subprotocol(chat: Chat) -> list[Finding]:
    """Ask for a subprotocol that nobody knows: a server that has not got it names none (RFC 6455, 4.2.2)."""
    status, headers = _answered(raw.visitor(chat, _MARY, headers=("Sec-WebSocket-Protocol: nobody-knows-it",)))
    chosen = headers.get("sec-websocket-protocol", "")
    expected = "is let in without it, or refused"
    seen = "is let in with it" if chosen else "is let in without it" if status == "101" else f"is refused: {status}"
    question = "A handshake that asks for an unknown subprotocol"
    good = None if status == _NO_ANSWER else not chosen and not status.startswith("5")
    return [Finding(question=question, expected=expected, seen=seen, good=good)]


def _another_method(chat: Chat) -> list[Finding]:
    """Shake hands with POST: it has to be GET (RFC 6455, 4.2.1)."""
    status, _ = _answered(raw.visitor(chat, _MARY, method="POST"))
    seen = "is let in" if status == "101" else f"is refused: {status}"
    good = None if status == _NO_ANSWER else not status.startswith(("1", "5"))
    return [Finding(question="A handshake by POST", expected="is refused", seen=seen, good=good)]


def _many_headers(chat: Chat) -> list[Finding]:
    """Shake hands with far too many headers: whatever becomes of it, the server has to go on."""
    headers = tuple(f"X-Padding-{number}: {'x' * 100}" for number in range(_HEADERS))
    status, _ = _answered(raw.visitor(chat, _MARY, headers=headers))
    question, expected = f"A handshake with {_HEADERS} headers", "is refused or let in, and the server goes on"
    after, _ = _answered(raw.visitor(chat, _MARY))
    # Whether a refusal is still read depends on how much was on the way by then.
    good, what = after == "101", "is let in" if status == "101" else "is refused"
    seen = what if good else f"{what}; the next handshake is refused: {after}"
    return [Finding(question=question, expected=expected, seen=seen, good=good)]


@dataclass(frozen=True)
class _Held:
    """A session whose cookies are held on to, although the server has told the browser to forget them."""

    session: object
    cookie: str
