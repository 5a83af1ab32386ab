"""The plan of a step on a server that somebody else has started: who visits it, and where."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from harness.cells import Cell
from harness.chat.members import MEMBERS
from harness.clients.frame_format import FrameFormat
from harness.clients.http import HttpSession
from harness.errors import UsageError
from harness.libraries import registry
from harness.libraries.base import LOGIN
from harness.libraries.setup import Setup
from harness.load.locust.websocket_client import BROKEN, WebSocketClient
from harness.load.plan import Plan, Visitor, publisher_of
from harness.system.waiting import Deadline

#: Seconds that a stranger's connection has to stay open.
_STAYS = 0.3


def setup_of(cell: str, folders: Sequence[str]) -> Setup:
    """Return what the server of *cell* runs on.

    Raises:
        UsageError: there is no such cell.
    """
    return registry.setup_for(Cell.parse(cell), registry.discover(tuple(Path(each) for each in folders)))


def plan_for(base: str, cell: str, folders: Sequence[str], sockets: int, messages: int, deadline: float) -> Plan:
    """Log the members in at *base*, find out whether strangers are let in, and plan for all of them.

    Raises:
        UsageError: there is no such cell, or no address.
        CellFailure: somebody cannot log in.
    """
    if not base.startswith(("http://", "https://")):
        raise UsageError(f"{base!r} is no address of a server", "give it as http://127.0.0.1:8000")
    library = setup_of(cell, folders).library
    frame_format = library.client(Cell.parse(cell)).frame_format()
    visitors = [_visitor(base, member) for member in MEMBERS]
    plan = Plan(
        cell=cell,
        library=library.suffix,
        folders=[str(Path(each).resolve()) for each in folders],
        url=base.replace("http", "ws", 1) + frame_format.path,
        origin=base,
        visitors=visitors,
        publisher=publisher_of(visitors),
        sockets=sockets,
        messages=messages,
        deadline=deadline,
    )
    stranger = Visitor(name="", cookie="")
    return (
        msgspec.structs.replace(plan, visitors=[*visitors, stranger]) if lets_in(plan, frame_format, stranger) else plan
    )


def lets_in(plan: Plan, frame_format: FrameFormat, visitor: Visitor) -> bool:
    """Tell whether the chat lets *visitor* connect, and stay, and has no objection."""
    client = WebSocketClient(plan, visitor)
    if client.connect():
        return False
    deadline = Deadline(_STAYS)
    objects = False
    with suppress(*BROKEN):
        for text in frame_format.opened:
            client.send(text)
    for data in client.frames(_STAYS):
        objects = objects or bool(frame_format.messages(data.decode("utf-8", "replace")))
        if deadline.over:
            break
    client.leave()
    return not client.ended and not objects


def _visitor(base: str, member: str) -> Visitor:
    """Return *member*, logged in through the login form.

    Raises:
        CellFailure: that does not work.
    """
    session = HttpSession(base, LOGIN)
    session.log_in(member)
    return Visitor(name=member, cookie=session.cookie)
