"""Strangers at chats of several kinds: they are where members are, as far as they can know what to say there."""

from __future__ import annotations

import pytest
from chats import OwnChat

from harness.chat.conversation import Chat
from harness.chat.parties import RunningServer
from harness.scenario.client import ScenarioClient
from harness.scenario.read import parse
from harness.scenario.talk import talk

pytestmark = pytest.mark.usefixtures("impatient")
MEMBERS = '[members]\nann = { cookie = "who=ann" }\nbob = { cookie = "who=bob" }\n'
FRAMES = "[frames]\nsend = '{\"message\": \"$TEXT\"}'\nread = '.message'\n"
UNKNOWN, FOREIGN = "What reaches an unknown client?", "What reaches a page of a foreign Origin, with a member's cookie?"
SPEAKS = "Can an unknown client broadcast through a WebSocket?"


def seen(own: OwnChat, scenario: str) -> dict[str, tuple[str, bool | None]]:
    """Return what strangers may do at a chat that works."""
    client = ScenarioClient(parse(scenario))
    with own.running():
        chat = Chat(client, RunningServer(port=own.port, form=client.form))
        talked = talk(chat, client)
    assert talked.failure is None
    return {each.question: (each.seen, each.good) for each in talked.findings}


def test_one_path_for_several_connections():
    """Connections that one path leads to are told apart by what is said first; a stranger says it as well."""
    rooms = "".join(
        f'[connections.{name}]\npath = "/ws"\nopened = [\'{{"join": "{name}"}}\']\nmembers = ["{member}"]\n'
        for name, member in (("one", "ann"), ("other", "bob"))
    )
    exchanges = '[[exchanges]]\nfrom = "ann"\non = "one"\n[[exchanges]]\nfrom = "bob"\non = "other"\n'
    found = seen(OwnChat(joining=True), MEMBERS + rooms + FRAMES + exchanges)
    assert found[f"{UNKNOWN} On one"] == ("the private messages to ann", False)
    assert found[f"{UNKNOWN} On other"] == ("the private messages to bob", False)
    assert found[f"{FOREIGN} On other"] == ("the private messages to bob", False)


def test_a_path_with_a_name_in_it():
    """Where a path has a member's name in it a stranger gives that name, and hears what is theirs."""
    own = '[connections.me]\npath = "/to/$MEMBER"\n'
    exchanges = "".join(f'[[exchanges]]\nfrom = "{name}"\nhears = ["{name}"]\n' for name in ("ann", "bob"))
    found = seen(OwnChat(), MEMBERS + own + FRAMES + exchanges)
    assert found[UNKNOWN] == ("the private messages to ann", False)
    assert found[SPEAKS] == ("received by ann", False)


def test_frames_of_exchanges():
    """Where each exchange has a frame of its own a stranger speaks in one of those, which the chat understands."""
    room = '[connections.room]\npath = "/room"\n'
    frames = "[frames]\nsend = 'never $TEXT'\nread = '.message'\n"
    exchanges = '[[exchanges]]\nfrom = "ann"\nsend = \'{"message": "$TEXT", "to": "$TO"}\'\nto = "everybody"\n'
    found = seen(OwnChat(), MEMBERS + room + frames + exchanges)
    assert found[SPEAKS] == ("received by ann, bob", False)


def test_a_foreign_page_knows_no_secret():
    """A page of a foreign site has a member's cookie, and nothing that only the member's own page can know."""
    members = MEMBERS.replace(" }", ', token = "secret" }')
    room = '[connections.room]\npath = "/room?$TOKEN"\n'
    found = seen(OwnChat(token="secret"), members + room + FRAMES + '[[exchanges]]\nfrom = "ann"\n')
    assert [good for _, good in found.values()] == [True, True, True]
    assert found[FOREIGN][0].startswith("refused: ")


def test_whom_a_stranger_speaks_to():
    """What a stranger says is addressed as an exchange that somebody hears is; one that nobody hears proves nothing."""
    room = '[connections.room]\npath = "/room"\n'
    frames = '[frames]\nsend = \'{"message": "$TEXT", "to": "$TO"}\'\nread = \'.message\'\n'
    nobody = '[[exchanges]]\nfrom = "bob"\nhears = []\nsend = \'{"message": "$TEXT", "to": "nobody"}\'\n'
    exchanges = f'{nobody}[[exchanges]]\nfrom = "ann"\nto = "everybody"\n'
    found = seen(OwnChat(addressed=True), MEMBERS + room + frames + exchanges)
    assert found[SPEAKS] == ("received by ann, bob", False)


def test_a_cookie_that_is_given_as_a_header():
    """A cookie is one however it is given: a page of a foreign site has it as well."""
    members = "".join(f'[members.{name}]\nheaders = {{ Cookie = "who={name}" }}\n' for name in ("ann", "bob"))
    room = '[connections.room]\npath = "/room"\n'
    found = seen(OwnChat(login=True), members + room + FRAMES + '[[exchanges]]\nfrom = "ann"\n')
    assert found[UNKNOWN][0].startswith("refused: ")
    assert found[FOREIGN] == ("the private messages to all", False)


def test_a_header_of_the_connection_that_lets_in():
    """A header by which somebody is let in is no stranger's, also where it stands with the connection."""
    room = '[connections.room]\npath = "/room"\nheaders = { X-Token = "secret" }\n'
    members = "[members]\nann = {}\nbob = {}\n"
    found = seen(OwnChat(header=("X-Token", "secret")), members + room + FRAMES + '[[exchanges]]\nfrom = "ann"\n')
    assert [good for question, (_, good) in found.items() if question in (UNKNOWN, SPEAKS)] == [True, True]
