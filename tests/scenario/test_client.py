"""What a scenario says of its members and connections, before anybody has spoken."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.clients.connection import Endpoint
from harness.libraries.base import Library
from harness.libraries.scenario import OwnChat
from harness.probes.registry import PROBES
from harness.scenario.client import ScenarioClient
from harness.scenario.read import parse

EXCHANGE = '[[exchanges]]\nfrom = "ann"\n'


@pytest.mark.parametrize(
    ("member", "connection", "more", "by_cookies"),
    [
        ('cookie = "a=b"', 'path = "/ws/"', "", True),
        ("", "path = \"/ws/\"\nopened = ['hello']", "[login]\nform = '/in/'\n", True),
        ('token = "t"', 'path = "/ws/?token=$TOKEN"', "", False),
        ("", 'path = "/ws/$MEMBER/"', "", False),
        ("", 'path = "/ws/"\nopened = [\'{"as": "$USER"}\']', "", False),
        ('token = "t"', 'path = "/ws/"\nsend = \'{"key": "$TOKEN", "text": "$TEXT"}\'', "", False),
        ('headers = { Authorization = "x" }', 'path = "/ws/"', "", False),
        ("", 'path = "/ws/"\nheaders = { X-Site = "x" }', "", False),
        ("", 'path = "/ws/"\nsubprotocols = ["chat.v1"]', "", False),
        ("", 'path = "/ws/"\nticket = { path = "/ticket/" }', "", False),
        ("", 'path = "/ws/"', '[login]\npython = "headers = {}"\n', False),
    ],
)
def test_what_a_crowd_can_do(member, connection, more, by_cookies):
    """A crowd of sockets has the cookies of members alone; where it takes more to be let in, load is not asked."""
    scenario = parse(f"{more}[members.ann]\n{member}\n[connections.room]\n{connection}\n{EXCHANGE}")
    assert ScenarioClient(scenario).by_cookies is by_cookies

    class Own(OwnChat):
        described = scenario
        name = suffix = "own"

    assert PROBES["endings"].lacks(Own()) == ("" if Own().has_login else "there is no login")
    lacks = PROBES["load"].lacks(Own())
    assert lacks == ("" if by_cookies else "members are let in by more than cookies")


def test_turns():
    """Whoever has said something may say the next thing after a pause; others need not wait for that."""
    scenario = parse(f'pause = 50\n[members]\nann = {{}}\nbob = {{}}\n[connections.room]\npath = "/"\n{EXCHANGE}')
    client, said = ScenarioClient(scenario), []
    chat = SimpleNamespace(connections={Endpoint("ann", "room"): SimpleNamespace(send=said.append)})
    assert client.turn_in("ann") == 0
    client.say(chat, client.script.rows[0], "hi")
    assert said == ["hi"]
    assert 49 < client.turn_in("ann") <= 50
    assert client.turn_in("bob") == 0


def test_libraries_of_the_matrix():
    """Whoever measures the chat of this repository has members who log in, and who come by their cookies."""
    assert (Library.has_login.fget(None), Library.by_cookies.fget(None)) == (True, True)
