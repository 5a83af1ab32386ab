"""A round that was gone through, and what is looked at in it."""

from __future__ import annotations

from talkers import Line, Switchboard

from harness.chat import exchanges
from harness.chat.conversation import Chat
from harness.chat.fencing import FENCE_INTERVAL
from harness.chat.rounds import first_round
from harness.clients.connection import Endpoint

#: What is waited for at the end of a round where something never came, came late, or had to be asked for twice.
SETTLING = 2 * FENCE_INTERVAL


def played(chat: Chat) -> exchanges.Exchanged:
    """Go through the first round."""
    return exchanges.run(chat, first_round(chat.token))


def line_of(board: Switchboard, member: str, name: str) -> Line:
    return next(each for each in board.lines if each.endpoint == Endpoint(member, name))


def faults(exchanged: exchanges.Exchanged) -> set[tuple[int, str, str, str]]:
    return {
        (row.number, fault.kind, fault.member, fault.connection) for row in exchanged.exchanges for fault in row.faults
    }
