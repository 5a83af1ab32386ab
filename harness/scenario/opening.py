"""How a connection of a scenario is opened: where, as whom, and with what somebody is let in by."""

from __future__ import annotations

import re
import secrets
import ssl
import string
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.clients.connection import HandshakeRefused
from harness.clients.http import HttpSession, status_of
from harness.errors import CellFailure
from harness.scenario.frames import filled, found_at, pointer, points
from harness.scenario.model import TicketTable

#: What ends the address of a stranger whose cookies are made up.
_MADE_UP = "made-up"
#: What is kept of something made up, and what is changed.
_PARTS = re.compile(r"(.*(?:[.:]|%3A| ))([^.: ]+)", re.IGNORECASE | re.DOTALL)
_LETTERS = re.compile(r"%[0-9A-F]{2}|.", re.IGNORECASE | re.DOTALL)
#: Where a word begins in a name such as ``apiKey``.
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
#: Digits of a number that nobody has.
_LONG_NUMBER = 12
_ALIKE = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
#: The names of what somebody is let in by, and among them of secrets, as far as names tell.
_LETS_IN = re.compile(r"auth|cookie|token|key|secret|session|ticket|user(?!-agent)", re.IGNORECASE)
_SECRET = re.compile(
    r"auth(?!or)|token|secret|session|ticket|passw|jwt|credential|(?<![a-z])(?:key|sig|signature)(?![a-z])",
    re.IGNORECASE,
)


def lets_in(name: str) -> bool:
    """Tell whether a header of that *name* lets somebody in, as far as names tell."""
    return _LETS_IN.search(name) is not None


def is_secret(name: str) -> bool:
    """Tell whether a parameter of an address of that *name* is a secret: what others may claim to be is none."""
    return _SECRET.search(_HUMP.sub("_", name)) is not None


@dataclass(frozen=True)
class Credentials:
    """What somebody is let in by."""

    cookies: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    token: str = ""


@dataclass(frozen=True)
class Address:
    """Which connection is opened, and who is said to open it: several connections can have one path.

    As a text it is ``PATH#CONNECTION``, with ``,MEMBER`` or ``,MEMBER,made-up`` behind it: the address of a WebSocket
    has no fragment of its own (RFC 6455, section 3).
    """

    #: The path, which may be a template.
    path: str
    #: The name of the connection; empty for a path of nobody's.
    connection: str = ""
    #: The member whose name a stranger gives; empty for one's own.
    claimed: str = ""
    #: Whether the stranger has cookies and tokens like those of that member, which are made up.
    made_up: bool = False

    @classmethod
    def of(cls, text: str) -> Address:
        """Return the address that *text* is."""
        path, _, rest = text.partition("#")
        connection, _, who = rest.partition(",")
        claimed, _, how = who.partition(",")
        return cls(path, connection, claimed, how == _MADE_UP)

    def __str__(self) -> str:
        who = [self.claimed, *([_MADE_UP] if self.made_up else [])] if self.claimed else []
        return f"{self.path}#{','.join([self.connection, *who])}"


def made_up(value: str) -> str:
    """Return what looks like *value*, and lets nobody in: other letters and digits in the same places.

    What is signed keeps what is signed: only what stands behind the last dot or colon, or behind the last space, is
    made up (``Bearer abc``, a JSON Web Token, ``value:time:signature``); so does what is escaped (``%3A``). What is so
    short that it might be somebody else's becomes longer.
    """
    parts = _PARTS.fullmatch(value)
    kept, changed = parts.groups() if parts else ("", value)
    if changed.isdigit():
        changed = changed.ljust(_LONG_NUMBER, "0")
    return kept + "".join(each if len(each) > 1 else _another(each) for each in _LETTERS.findall(changed))


def _another(letter: str) -> str:
    alike = next((each for each in _ALIKE if letter in each), letter)
    return secrets.choice(alike.replace(letter, "") or letter)


def cookies(header: str) -> dict[str, str]:
    """Return the cookies in a header ``Cookie``: names → values."""
    pairs = (each.partition("=") for each in header.split(";") if "=" in each)
    return {name.strip(): value.strip() for name, _, value in pairs}


def trusting(certificates: str) -> ssl.SSLContext:
    """Return what trusts the *certificates* in a file, those of the system where that is empty.

    Raises:
        HandshakeRefused: there are none in the file.
    """
    try:
        return ssl.create_default_context(cafile=certificates or None)
    except OSError as error:  # which an SSLError is as well
        raise HandshakeRefused(f"{certificates} is no certificate in PEM: {error}") from error


def ticket_for(session: HttpSession, ticket: TicketTable, words: Mapping[str, str]) -> str:
    """Return what is fetched before a connection is opened; *words* are those of a path that is a template.

    Raises:
        HandshakeRefused: it is not to be had.
    """
    path = filled(ticket.path, words)
    try:
        answer = session.post(path, {}) if ticket.post else session.get(path)
        if answer.status_code >= 300:
            raise HandshakeRefused(f"the ticket is not to be had: {path} answers with {status_of(answer)}")
        if not ticket.read:
            return answer.text
        if points(ticket.read):
            return str(found_at(answer.json(), pointer(ticket.read)))
        found = re.search(ticket.read, answer.text)
        if found is None:
            raise KeyError(ticket.read)
        return found[1]
    except CellFailure as error:
        raise HandshakeRefused(f"the ticket is not to be had: {error.text}") from error
    except (KeyError, ValueError, IndexError) as error:
        text = f"the ticket is not to be had: there is no {ticket.read} in what {path} answers"
        raise HandshakeRefused(text) from error
