"""A member of a thousand groups: how long the connection takes, and whether it hears each of them."""

from __future__ import annotations

import time
from collections.abc import Iterator

from harness.cell.outcome import Observations
from harness.cell.server import CellServer, Ends
from harness.chat.conversation import Chat
from harness.chat.members import ChannelRow
from harness.clients.connection import SendFailed
from harness.errors import CellFailure
from harness.results.result import Finding

#: The groups that are spoken to, of those that ``myapp/trials/act.py`` makes.
_GROUPS = ("crowd-0", "crowd-499", "crowd-999")
#: Seconds for a message, and for the connections of all members.
_PATIENCE = 2.0
_CONNECTED = 2.0
_MARY, _JOHN = "Mary", "John"


def ask(server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Make Mary a member of a thousand groups more, connect her, and say something to some of them."""
    apart = server.with_own_members("groups")
    question, expected = "A member of 1000 groups", f"is connected within {_CONNECTED:.0f} s, and hears each"
    with apart.serving(f"{server.name} groups", observed, ends=Ends.AT_ONCE) as own:
        apart.act("join", _MARY)
        own.log_in()
        began = time.monotonic()
        try:
            own.connect()
        except CellFailure as failure:
            yield Finding(question=question, expected=expected, seen=failure.text, good=False)
            return
        took = time.monotonic() - began
        observed.counted[question] = f"connected after {took:.1f} s"
        heard = sum(_hears(own, group) for group in _GROUPS)
    good = heard == len(_GROUPS) and took < _CONNECTED
    some = f"hears {heard} of {len(_GROUPS)} groups"
    seen = expected if good else some if heard < len(_GROUPS) else "takes longer"
    yield Finding(question=question, expected=expected, seen=seen, good=good)


def _hears(chat: Chat, group: str) -> bool:
    """Tell whether what John says to *group* reaches Mary."""
    row = ChannelRow(0, "group", _JOHN, group, (_MARY,))
    text = f"to {group} ({chat.token})"
    try:
        chat.say(row, text)
    except SendFailed:
        return False
    hers = list(chat.client.expected(row))
    return chat.transcript.wait(hers, [text], _PATIENCE) and any(
        chat.transcript.arrival(each, text) is not None for each in hers
    )
