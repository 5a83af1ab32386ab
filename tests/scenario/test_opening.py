"""Addresses of connections, and what is fetched before one is opened."""

from __future__ import annotations

import pytest

from harness.chat.conversation import Chat
from harness.chat.parties import RunningServer
from harness.clients.connection import HandshakeRefused, SendFailed
from harness.scenario.client import ScenarioClient
from harness.scenario.model import TicketTable
from harness.scenario.opening import Address, is_secret, made_up, ticket_for
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
        ("/ws/?a=$TOKEN#room", ("/ws/?a=$TOKEN", "room", "", False)),
        ("/ws/#room,ann", ("/ws/", "room", "ann", False)),
        ("/ws/#room,ann,made-up", ("/ws/", "room", "ann", True)),
        ("/ws/", ("/ws/", "", "", False)),
    ],
)
def test_addresses(text, parts):
    """An address says which connection it is of, and whose name is given; it can be written again."""
    found = Address.of(text)
    assert (found.path, found.connection, found.claimed, found.made_up) == parts
    assert Address.of(str(found)) == found


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("abcDEF123", ""),
        ("Bearer abcdef", "Bearer "),
        ("eyJh.eyJzdWIi.c2lnbmF0dXJl", "eyJh.eyJzdWIi."),
        ("Bearer eyJh.eyJzdWIi.c2lnbmF0dXJl", "Bearer eyJh.eyJzdWIi."),
        ("ann:1uaBcd:signature", "ann:1uaBcd:"),
        ("s%3Aann.signature", "s%3Aann."),
    ],
)
def test_what_is_made_up(value, kept):
    """What is signed keeps what is signed; the rest has other letters in the same places, each time others."""
    found = made_up(value)
    assert found.startswith(kept)
    assert len(found) == len(value)
    assert not any(mine == theirs for mine, theirs in zip(found[len(kept) :], value[len(kept) :], strict=True))


def test_what_cannot_be_made_up():
    """Escapes stay what they are; a number becomes one that nobody has; of nothing there is nothing to make up."""
    assert made_up("%7Ba%7D")[:3] + made_up("%7Ba%7D")[-3:] == "%7B%7D"
    assert (len(made_up("7")), made_up("7").isdigit(), made_up("")) == (12, True, "")


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        *[(each, True) for each in ("token", "access_token", "api_key", "apiKey", "key", "auth", "sessionid", "sig")],
        *[(each, False) for each in ("user", "username", "nick", "keyboard", "author", "design", "room")],
    ],
)
def test_secrets(name, secret):
    """Names tell secrets from what others may claim to be."""
    assert is_secret(name) is secret


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
