"""Strangers at chats of several kinds: they are where members are, as far as they can know what to say there."""

from __future__ import annotations

import json
from http import HTTPStatus

import pytest
from chats import KNOWN, OwnChat

from harness.chat import exchanges
from harness.chat.conversation import Chat
from harness.chat.parties import RunningServer
from harness.scenario.client import ScenarioClient
from harness.scenario.read import parse
from harness.scenario.talk import talk

pytestmark = pytest.mark.usefixtures("impatient")
MEMBERS = '[members]\nann = { cookie = "who=ann" }\nbob = { cookie = "who=bob" }\n'
FRAMES = "[frames]\nsend = '{\"message\": \"$TEXT\"}'\nread = '.message'\n"
UNKNOWN, FOREIGN = "What reaches an unknown client?", "What reaches a page of a foreign Origin, with a member's cookie?"
MADE_UP = "What reaches a client with a made-up cookie or token?"
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
    assert all(good is not False for _, good in found.values())
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


@pytest.mark.parametrize(("wrong", "good"), [("", True), ("any cookie", False)])
def test_a_cookie_that_is_made_up(wrong, good):
    """A client whose cookie only looks like a member's is to hear nothing, whatever cookie a server lets in."""
    room = '[connections.room]\npath = "/room"\n'
    found = seen(OwnChat(wrong, login=True, own_origin=True), MEMBERS + room + FRAMES + '[[exchanges]]\nfrom = "ann"\n')
    assert found[MADE_UP][1] is good
    assert found[UNKNOWN] == ("refused: status 403: who is that?", True)


@pytest.mark.parametrize("where", ["token", "header"])
def test_a_token_that_is_made_up(where):
    """A token, or a header with one, is made up as well; where a chat takes any there is the same answer."""
    path = {"token": 'path = "/room?$TOKEN"', "header": 'path = "/room"\nheaders = { X-Token = "s3cret" }'}[where]
    members = MEMBERS.replace(" }", ', token = "s3cret" }')
    own = OwnChat(token="s3cret") if where == "token" else OwnChat(header=("X-Token", "s3cret"))
    found = seen(own, f'{members}[connections.room]\n{path}\n{FRAMES}[[exchanges]]\nfrom = "ann"\n')
    assert found[MADE_UP] == ("refused: status 403: with what?", True)


def test_what_a_made_up_token_says():
    """Who has made up a token, and hears nothing, may still be heard; that is asked as well."""

    class Deaf(OwnChat):
        async def _handle(self, connection):
            if connection.request.headers.get("Cookie", "").partition("=")[2] in KNOWN:
                await super()._handle(connection)
            else:
                async for text in connection:
                    await self._hand_on(connection, "/room", json.loads(text)["message"])

    room = '[connections.room]\npath = "/room"\n'
    own = Deaf("any cookie", login=True, own_origin=True)
    found = seen(own, MEMBERS + room + FRAMES + '[[exchanges]]\nfrom = "ann"\n')
    assert found[MADE_UP][1] is None
    assert found["Can a client with a made-up cookie or token broadcast through a WebSocket?"] == (
        "received by ann, bob",
        False,
    )


@pytest.mark.parametrize("origin", ["https://chat.example.elsewhere.invalid", "https://elsewhere-chat.example"])
def test_origins_like_that_of_members(origin):
    """Where members come from another site than the server's it is that one which foreign Origins are like."""

    class Careless(OwnChat):
        async def _request(self, connection, request):
            came = request.headers.get("Origin", "")
            if came in ("https://chat.example", origin):
                return await super()._request(connection, request)
            return connection.respond(HTTPStatus.FORBIDDEN, "from where?")

    room = '[connections.room]\npath = "/room"\nheaders = { Origin = "https://chat.example" }\n'
    found = seen(Careless(login=True), MEMBERS + room + FRAMES + '[[exchanges]]\nfrom = "ann"\n')
    assert found[FOREIGN] == (f"the private messages to all (with the Origin {origin})", False)
    assert found[UNKNOWN][0] == "refused: status 403: who is that?"


def test_a_page_that_is_closed_at_once():
    """A foreign page that is let in, and closed before anything comes, was refused; it tries other Origins then."""

    class Late(OwnChat):
        async def _handle(self, connection):
            if connection.request.headers.get("Origin") in ("null", *self._own_origins):
                await super()._handle(connection)
            else:
                await connection.close(4403, "from where?")

    room = '[connections.room]\npath = "/room"\n'
    scenario = MEMBERS + room + FRAMES + '[[exchanges]]\nfrom = "ann"\n'
    assert seen(Late(login=True), scenario)[FOREIGN] == ("the private messages to all (with the Origin null)", False)


@pytest.mark.parametrize("soon", [True, False])
def test_strangers_at_a_slow_chat(monkeypatch, soon):
    """What is slow is not missing: strangers are tried there as well, or it is said that there was no time for them."""
    room = '[connections.room]\npath = "/room"\n'
    answers = iter([False, soon])
    monkeypatch.setattr(exchanges, "right_by_now", lambda chat, played: next(answers, soon))
    found = seen(OwnChat(), MEMBERS + room + FRAMES + '[[exchanges]]\nfrom = "ann"\n')
    assert (UNKNOWN in found, "Were strangers tried?" in found) == (soon, not soon)


def test_nothing_to_make_up():
    """Where nobody is let in by anything nothing is made up."""
    room = '[connections.room]\npath = "/room"\n'
    assert MADE_UP not in seen(OwnChat(), "[members]\nann = {}\n" + room + FRAMES + '[[exchanges]]\nfrom = "ann"\n')


def test_an_origin_that_is_null():
    """A page whose Origin is null is a foreign one as well; the answer says that it was that one."""
    room = '[connections.room]\npath = "/room"\n'
    own = OwnChat("null", login=True, own_origin=True)
    found = seen(own, MEMBERS + room + FRAMES + '[[exchanges]]\nfrom = "ann"\n')
    assert found[FOREIGN] == ("the private messages to all (with the Origin null)", False)


def test_what_is_said_to_one():
    """What is said to one member alone is overheard by strangers whom no message to all reaches."""

    class Slip(OwnChat):
        async def _handle(self, connection):
            self.rooms.setdefault("strangers", [])
            known = bool(connection.request.headers.get("Cookie"))
            connection.request.path = "/room" if known else "strangers"
            await super()._handle(connection)

        async def _hand_on(self, sender, path, message):
            await super()._hand_on(sender, path, message)
            if "bob" in message:
                for each in self.rooms["strangers"]:
                    await each.send(message)

    room = '[connections.room]\npath = "/room"\n'
    exchanges = '[[exchanges]]\nfrom = "ann"\n[[exchanges]]\nfrom = "ann"\nto = "bob"\n'
    found = seen(Slip(), MEMBERS + room + FRAMES + exchanges)
    assert found[UNKNOWN] == ("the private messages to bob", False)
