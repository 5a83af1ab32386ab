"""What stands at the end: whether every member's connection is still open, and receives, when all has been asked."""

from __future__ import annotations

from contextlib import suppress

from harness.chat import exchanges
from harness.chat.conversation import Chat
from harness.chat.exchanges import Exchanged
from harness.chat.fencing import FENCE_DEADLINE
from harness.clients.connection import Endpoint, HandshakeRefused, SendFailed
from harness.results.result import Fault

#: How many times slower than anything of a round its end may be.
_SLOWER = 2.0
#: So many messages at most are sent to a connection that is opened again.
_MESSAGES = 100
#: Seconds for each of these.
_SOON = 1.0


def look_at_the_end(chat: Chat, outcome: Exchanged, until: float | None = None, tried: float | None = None) -> None:
    """Find out at the end of the horizon whether every member's connection still stands, and receives.

    One that does not is a fault of the last exchange: it was closed behind it. Where strangers have tried since *until*
    (:func:`time.monotonic`), and it stands once they do not, it was their doing. *tried* is when they began at this
    very server, None where they did not: it may be they who ended it then, which is a question of its own.
    """
    outcome.exit_status = chat.server.exit_status()
    members = [each for each in chat.endpoints if each.name in chat.paths]
    if outcome.exit_status is not None:
        by_strangers = tried is not None and any(chat.transcript.closed_since(each, tried) for each in members)
        if not by_strangers and not outcome.wrong:  # else that is said of whatever is missing
            text = (
                f"the server had ended with exit status {outcome.exit_status}, within {exchanges.HORIZON:.0f} s of it"
            )
            outcome.ending += [_closed(each, text) for each in members]
        return
    fences: tuple[str, ...] = ()
    with suppress(SendFailed):
        # Who was slow is slow here too.
        fences = chat.announce_fence(seconds=max(FENCE_DEADLINE, _SLOWER * outcome.slowest))
    known = {(fault.member, fault.connection) for each in outcome.wrong for fault in each.faults}
    reached = chat.reached(members)
    for endpoint in members:
        if closed := chat.transcript.closed(endpoint):
            if (endpoint.member, endpoint.name) in known:
                continue  # it was closed before, and that is said
            if until is not None and chat.transcript.closed_since(endpoint, until) and _stands_alone(chat, endpoint):
                outcome.displaced[endpoint] = closed
                continue
            outcome.ending.append(_closed(endpoint, f"{closed}, within {exchanges.HORIZON:.0f} s of the last exchange"))
        elif endpoint in reached and not chat.transcript.has_one(endpoint, fences):
            text = "nothing arrives on it any more"
            outcome.ending.append(Fault(kind="unproven", member=endpoint.member, connection=endpoint.name, text=text))


def _closed(endpoint: Endpoint, text: str) -> Fault:
    return Fault(kind="closed", member=endpoint.member, connection=endpoint.name, text=text)


def _stands_alone(chat: Chat, endpoint: Endpoint) -> bool:
    """Tell whether the connection *endpoint* stands for as long as the horizon when it is opened again.

    Some servers end each connection after so many messages: one that ends again after as many has ended by itself.
    """
    again, received = Endpoint(endpoint.member, f"{endpoint.name} again"), len(chat.transcript.messages(endpoint))
    try:
        chat.open(again, chat.addresses[endpoint], endpoint.member)
    except HandshakeRefused:
        return False
    closed = chat.transcript.wait_closed(again, exchanges.HORIZON)
    with suppress(SendFailed):
        for _ in range(0 if closed else min(received, _MESSAGES) + 1):
            if not chat.transcript.closed(again):
                chat.announce_fence([again], seconds=_SOON)
    # Where a member may have one connection, what is sent to find that out may close it: that is less than as many.
    ended = bool(chat.transcript.closed(again)) and len(chat.transcript.messages(again)) >= received
    chat.close([again])
    return not closed and not ended
