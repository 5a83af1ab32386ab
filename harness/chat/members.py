"""The members of this project's chat and its fifteen exchanges; and what a script is, of which these are one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.captured.output import shorten
from harness.results.result import Fault

MEMBERS = ("admin", "John", "Mary")
GROUP = "chatusers"
GROUP_MEMBERS = ("John", "Mary")

Channel = Literal["broadcast", "user", "group"]


@dataclass(frozen=True)
class ChannelRow:
    """One exchange: who says something in which channel to whom, and who has to receive it."""

    #: Its place in the channel table, from 1 on; 0 for what is said beside the fifteen.
    number: int
    #: What it is said in: one of :data:`Channel` here, in somebody else's chat the name of a connection.
    channel: str
    sender: str
    audience: str
    recipients: tuple[str, ...]

    def message(self, token: str) -> str:
        """Return what is said in it, with the token of the chat in which it is."""
        return f"Hello ({token}) {self.audience}, this is {self.sender} with message {self.number}"

    def with_fault(self, fault: Fault, place: str) -> str:
        """Return in one line what *fault* its *place*, a connection or a page, shows."""
        text = f"{self.channel} from {self.sender} to {self.audience} is {fault.kind} on {fault.member}'s"
        text += f" {fault.connection} {place}"
        return text + f" ({shorten(fault.text)})" if fault.text else text


def channel_table() -> list[ChannelRow]:
    """Return the fifteen exchanges: three broadcasts, nine user messages, three group messages."""
    table: list[tuple[Channel, str, str, tuple[str, ...]]] = []
    table += [("broadcast", sender, "all", MEMBERS) for sender in MEMBERS]
    table += [("user", sender, to, (to,)) for sender in MEMBERS for to in MEMBERS]
    table += [("group", sender, GROUP, GROUP_MEMBERS) for sender in MEMBERS]
    return [ChannelRow(number, *row) for number, row in enumerate(table, 1)]


@dataclass(frozen=True)
class Script:
    """Who talks in a chat, and what is said between them in one round."""

    members: tuple[str, ...]
    #: In the order of their numbers, which begin with 1.
    rows: tuple[ChannelRow, ...]
    #: Whether somebody may be sent what they have just said themselves: django-websocket-redis drops that by design.
    echoes: bool = False


#: The script of this project's chat.
FIFTEEN = Script(MEMBERS, tuple(channel_table()))
