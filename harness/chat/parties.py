"""With whom a conversation is held: a running server; and who listens to it without being meant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from harness.clients.connection import Endpoint
from harness.clients.http import LoginForm
from harness.results.result import Decides

#: A site that there is not (RFC 6761): its pages have no business at the chat.
FOREIGN = "http://elsewhere.invalid"


def foreign_origins(base: str) -> list[str]:
    """Return the Origins of foreign pages that a careless check takes for that of *base*, such as ``http://here:8000``.

    A frame that is sandboxed has the Origin ``null`` (https://html.spec.whatwg.org/#sandboxed-origin-browsing-context-flag);
    the others begin or end like the site's own.
    """
    parts = urlsplit(base)
    host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    return ["null", f"{parts.scheme}://{host}.elsewhere.invalid{port}", f"{parts.scheme}://elsewhere-{host}{port}"]


@dataclass(frozen=True)
class RunningServer:
    """A server as its clients have to know it."""

    #: Its TCP port on 127.0.0.1.
    port: int
    #: How members log in to it.
    form: LoginForm
    #: Returns the exit status of its process; None while it runs.
    exit_status: Callable[[], int | None] = lambda: None
    #: Returns how many subscriptions the broker has of each of some channels.
    subscriptions: Callable[[list[str]], dict[str, int]] = lambda channels: dict.fromkeys(channels, 0)
    #: What the names of this server's channels begin with at the broker.
    prefix: str = ""
    host: str = "127.0.0.1"
    #: Whether it is spoken to under TLS, and the file of certificates that it is trusted by; empty for the system's.
    secure: bool = False
    certificates: str = ""

    @property
    def base(self) -> str:
        """The HTTP address, such as ``http://127.0.0.1:8000``."""
        return f"http{'s' if self.secure else ''}://{self._place}"

    @property
    def sockets(self) -> str:
        """The address of WebSockets, such as ``ws://127.0.0.1:8000``."""
        return f"ws{'s' if self.secure else ''}://{self._place}"

    @property
    def _place(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        # No browser names a port that its scheme has anyway (RFC 6454, section 6.2), and who compares Origins knows.
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


@dataclass(frozen=True)
class Eavesdropper:
    """Somebody who opens a connection to hear what is not for them."""

    #: Who it is, as a question names them.
    who: str
    path: str
    #: Whose cookies they have; empty for nobody's.
    member: str = ""
    #: The site whose page opens the connection; empty for the server's own.
    origin: str = ""
    #: The site that look-alikes of such an Origin are like; the server's own where it is empty.
    near: str = ""
    #: Where, if there are several places; it ends the question.
    at: str = ""
    #: Why they may hear all the same; empty where they may not.
    welcome: str = ""
    decided_by: Decides = ""


@dataclass
class Listening:
    """Those who listen to what is not for them: who they are, and how they fared."""

    eavesdroppers: dict[Endpoint, Eavesdropper]
    #: Whose connection was refused, and how.
    refused: dict[Endpoint, str] = field(default_factory=dict)
    #: The Origin by which somebody was let in who had been refused with another.
    origins: dict[Endpoint, str] = field(default_factory=dict)
    #: When what is private was said (:func:`time.monotonic`).
    since: float = 0.0
    #: Fences that were sent behind what is private.
    fences: tuple[str, ...] = ()
