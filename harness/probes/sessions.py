"""Sessions: what an open connection may still do when its member may not, and which handshakes are let in.

What is expected follows OWASP's WebSocket Security Cheat Sheet: a connection ends with the session, and a handshake of
a foreign origin, or without a session, is refused.
Source: https://cheatsheetseries.owasp.org/cheatsheets/WebSocket_Security_Cheat_Sheet.html
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from harness.cell.outcome import Observations
from harness.cell.questions import twice
from harness.cell.server import CellServer, Ends
from harness.chat.conversation import Chat
from harness.chat.members import GROUP, GROUP_MEMBERS, Channel, ChannelRow
from harness.clients.connection import Endpoint, HandshakeRefused, SendFailed
from harness.errors import CellFailure
from harness.results.result import Finding
from harness.system import processes
from harness.verdict import Reason

_LOGOUT = "/accounts/logout/"
#: Seconds for a message, and for what the server's side has to do to a member.
_PATIENCE = 2.0
_ACTING = 30.0
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
    _Door("of a foreign Origin, with a member's cookie", "http://elsewhere.invalid"),
    _Door("of an Origin with another port", "http://127.0.0.1:1"),
    _Door("of an Origin with another scheme", "https://127.0.0.1:{port}"),
    _Door("of the own Origin in capital letters", "HTTP://127.0.0.1:{port}", opens=True),
    _Door("without a cookie", "http://127.0.0.1:{port}", member=""),
)


def ask(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Ask on a server of its own, with a database of its own: members are changed there."""
    database = server.recorder.work / "sessions.sqlite3"
    shutil.copyfile(server.recorder.work / "chat.sqlite3", database)
    apart = server.apart("sessions", database)
    with apart.serving(f"{server.name} sessions", observed, ends=Ends.AT_ONCE) as own:
        own.log_in()
        for event in _EVENTS:
            yield from twice(partial(_after, own, apart, *event))
        for number, door in enumerate(_DOORS):
            yield from twice(partial(_at, own, door, number))
        yield from twice(partial(_with_an_ended_session, own))


def _after(chat: Chat, server: CellServer, what: str, act: str, channel: Channel) -> list[Finding]:
    """Have something happen to Mary while her connections are open, and look at what they may still do."""
    try:
        chat.connect()
        if act:
            _act(server, act)
        else:
            chat.session(_MARY).post(_LOGOUT, {})
        known = channel == "user" and _is_known(chat)
        receives, good = _receives(chat, channel)
        sends, sends_good = _sends(chat)
    finally:
        chat.close()
        _act(server, "restore")
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


def _is_known(chat: Chat) -> bool:
    """Tell whether the pages still take Mary for logged in: then nothing has happened to her."""
    return chat.session(_MARY).get("/").status_code == 200


def _act(server: CellServer, what: str) -> None:
    """Have the server's side do something to Mary.

    Raises:
        CellFailure: it could not.
    """
    log = server.recorder.work / "act.log"
    command = [str(server.python), "-m", "myapp.trials.act", what, _MARY]
    ended = processes.run(command, server.env, server.project, log, _ACTING)
    if ended.exit_status != 0:
        text = server.recorder.scrub(log.read_text("utf-8", "replace"))[-200:]
        raise CellFailure(Reason.EXCHANGE_WRONG, f"{what} could not be done to {_MARY}: {text}")


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
    return (f"no: {closed[0]}" if closed else "no: it stays open, and receives nothing"), True


def _sends(chat: Chat) -> tuple[str, bool | None]:
    """Return whether what Mary's connection sends reaches John."""
    text = f"a message that {_MARY} may not send any more ({chat.token}, {len(chat.ledger.said)})"
    row = ChannelRow(0, "broadcast", _MARY, "all", ("admin", _JOHN, _MARY))
    try:
        chat.say(row, text)
    except (SendFailed, OSError):
        return "no: it is closed", True
    his = [each for each in chat.client.expected(row) if each.member == _JOHN]
    chat.transcript.wait(his, [text], _PATIENCE)
    if any(chat.transcript.arrival(each, text) is not None for each in his):
        return "yes", False
    return "no: what it sends does not arrive", True


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
    ended = chat.transcript.wait_closed(endpoint, 0.3)
    closed = chat.transcript.closed(endpoint)
    chat.close([endpoint])
    return (f"is let in, and {closed}", False) if ended else ("is let in", True)


def _with_an_ended_session(chat: Chat) -> list[Finding]:
    """Come with the cookie of a session that has ended."""
    session = chat.session(_MARY)
    cookie = session.cookie
    session.post(_LOGOUT, {})
    chat.sessions[_MARY] = _Held(session, cookie)  # type: ignore[assignment]
    try:
        seen, opened = _try(chat, Endpoint("visitor", "ended"), _MARY, chat.server.base)
    finally:
        chat.sessions.pop(_MARY)
        chat.session(_MARY).log_in(_MARY)
    return [
        Finding(question="A handshake with a session that has ended", expected="is refused", seen=seen, good=not opened)
    ]


@dataclass(frozen=True)
class _Held:
    """A session whose cookies are held on to, although the server has told the browser to forget them."""

    session: object
    cookie: str
