"""Hold a cell's server up, with its broker and its three members, for trying by hand what is red or green."""

from __future__ import annotations

import threading
from collections.abc import Callable

from harness.cell.outcome import Observations
from harness.cell.server import CellServer, Ends
from harness.chat.conversation import Chat
from harness.chat.members import MEMBERS
from harness.clients.connection import Endpoint
from harness.errors import CellFailure, Interrupted
from harness.libraries.base import LOGIN
from harness.verdict import Reason

#: Seconds between two looks at what has come.
_EACH = 0.2

#: Shows a line.
Tell = Callable[[str], None]


def hold(server: CellServer, tell: Tell) -> None:
    """Start the server, let the members in, say where it is, and show what they receive, until somebody interrupts.

    Raises:
        CellFailure: it does not start, or ends by itself.
    """
    with server.serving(server.name, Observations(), ends=Ends.AT_ONCE) as chat:
        try:
            _let_in(chat, tell)
            tell(f"{chat.server.base}/ is up; its broker is {server.broker.url}.")
            tell(f"Log in as {', '.join(map(_login, MEMBERS))}. Ctrl-C ends it; nothing is recorded.")
            _watch(chat, tell)
        except Interrupted:
            tell("Held until it was interrupted; nothing was recorded.")


def _let_in(chat: Chat, tell: Tell) -> None:
    """Log the members in and connect them; what fails is told, for that is what somebody wants to look at."""
    try:
        chat.log_in()
        chat.connect()
        tell(f"{', '.join(MEMBERS)} are connected: what they receive is shown here.")
    except CellFailure as failure:
        tell(f"It is red: {failure}")


def _login(member: str) -> str:
    fields = LOGIN.fields(member)
    return f"{member} ({fields['password']})"


def _watch(chat: Chat, tell: Tell) -> None:
    """Show what every connection of a member receives, and that it is closed.

    Raises:
        CellFailure: the server ends by itself.
    """
    seen: dict[Endpoint, int] = {each: len(chat.transcript.messages(each)) for each in chat.endpoints}
    standing = set(seen)
    while (status := chat.server.exit_status()) is None:
        for endpoint in seen:
            who = f"  {endpoint.member} ({endpoint.name})"
            for message in chat.transcript.messages(endpoint)[seen[endpoint] :]:
                seen[endpoint] += 1
                tell(f"{who} receives {message.text!r}")
            if endpoint in standing and (closed := chat.transcript.closed(endpoint)):
                standing.discard(endpoint)
                tell(f"{who} is {closed}")
        threading.Event().wait(_EACH)
    raise CellFailure(Reason.SERVER_DID_NOT_START, f"the server ended by itself, with exit status {status}")
