"""Addresses of connections, and what is fetched before one is opened."""

from __future__ import annotations

import pytest

from harness.chat.conversation import Chat
from harness.chat.parties import RunningServer
from harness.clients.connection import HandshakeRefused, SendFailed
from harness.scenario.client import ScenarioClient
from harness.scenario.model import TicketTable
from harness.scenario.opening import Address, ticket_for
from harness.scenario.read import parse


class Answered:
    """A session whose pages all give the same answer; it remembers what it was asked for."""

    def __init__(self, status: int = 200, text: str = "", location: str = "") -> None:
        self.status_code, self.text, self.headers = status, text, {"Location": location} if location else {}
        self.is_redirect, self.paths = bool(location), []

    def get(self, path: str) -> Answered:
        self.paths.append(path)
        return self

    def post(self, path: str, form: dict[str, str]) -> Answered:
        return self.get(path)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("/ws/?a=$TOKEN#room", ("/ws/?a=$TOKEN", "room", "")),
        ("/ws/#room,ann", ("/ws/", "room", "ann")),
        ("/ws/", ("/ws/", "", "")),
    ],
)
def test_addresses(text, parts):
    """An address says which connection it is of, and whose name is given; it can be written again."""
    found = Address.of(text)
    assert (found.path, found.connection, found.claimed) == parts
    assert Address.of(str(found)) == found


def test_a_ticket_at_a_path_with_a_name_in_it():
    """The path of a ticket is a template as well."""
    session = Answered(text="t-1")
    assert ticket_for(session, TicketTable(path="/ticket/$MEMBER/"), {"MEMBER": "ann"}) == "t-1"
    assert session.paths == ["/ticket/ann/"]


def test_a_ticket_that_is_not_there():
    """Who gets no ticket is refused, and it is said what the page answered."""
    with pytest.raises(HandshakeRefused, match="/ticket/ answers with status 403"):
        ticket_for(Answered(403), TicketTable(path="/ticket/"), {})


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("/rooms/1/", True),
        ("/rooms/1/?next=40", True),
        ("/sign-in/", True),
        ("/accounts/login/?next=/say/", False),
        ("", True),
    ],
)
def test_a_post_that_is_answered_by_a_login(location, sent):
    """What is posted is sent where another page follows, and not where that leads back after a login."""
    client = ScenarioClient(
        parse(
            '[login]\nform = "/sign-in/"\n[members.ann]\n[connections.room]\npath = "/ws/"\n'
            '[[exchanges]]\nfrom = "ann"\npost = "/say/"\nform = { text = "$TEXT" }\n'
        )
    )
    chat = Chat(client, RunningServer(port=1, form=client.form))
    chat.sessions["ann"] = Answered(302 if location else 200, location=location)
    (row,) = client.script.rows
    if sent:
        client.say(chat, row, "hello")
    else:
        with pytest.raises(SendFailed, match="POST /say/ is answered by the login page"):
            client.say(chat, row, "hello")
