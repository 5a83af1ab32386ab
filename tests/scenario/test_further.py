"""What is asked of a chat whose exchanges are right: any text, at the same time, and away for a while."""

from __future__ import annotations

import asyncio
import html
import json
import re
from http import HTTPStatus
from typing import ClassVar

import pytest
from chats import OwnChat

from harness.chat.conversation import Chat
from harness.chat.parties import RunningServer
from harness.results.result import Finding
from harness.scenario import further
from harness.scenario.client import ScenarioClient
from harness.scenario.read import parse
from harness.scenario.talk import talk

pytestmark = pytest.mark.usefixtures("impatient")
CHAT = """
[members]
ann = { cookie = "who=ann" }
bob = { cookie = "who=bob" }
eve = { cookie = "who=eve" }
[connections.room]
path = "/room"
[frames]
send = '{"message": "$TEXT"}'
read = ".message"
"""
ALL = "".join(f'[[exchanges]]\nfrom = "{name}"\n' for name in ("ann", "bob", "eve"))
SCRIPTS = "Do texts in any script arrive as they were sent?"
AT_ONCE = "Do messages that are sent at the same time all arrive?"
RETURNING = "Does a member who leaves and comes back hear again?"


def asked(own: OwnChat, scenario: str = CHAT + ALL) -> dict[str, str]:
    """Return what is answered of a chat with which everybody is connected; good is what says yes."""
    client = ScenarioClient(parse(scenario))
    with own.running():
        chat = Chat(client, RunningServer(port=own.port, form=client.form))
        chat.log_in()
        chat.connect()
        found = list(further.ask(chat))
        chat.close()
    assert all(each.good is {"yes": True, "not asked": None}.get(_short(each), False) for each in found)
    return {each.question: each.seen for each in found}


def test_a_right_chat():
    """A chat that does all of it answers yes three times."""
    assert asked(OwnChat()) == {SCRIPTS: "yes", AT_ONCE: "yes", RETURNING: "yes"}


def test_other_scripts():
    """Letters that are replaced on their way are told, with what arrived."""
    found = asked(OwnChat("ASCII"))
    assert "arrives on ann's room as 'Gr??e, ?????" in found.pop(SCRIPTS)
    assert set(found.values()) == {"yes"}


def test_at_the_same_time():
    """What is mixed up where two speak at the same time is counted."""
    found = asked(OwnChat("races"))
    assert re.fullmatch(r"no: of 27 messages that were to arrive \d+ did not, \d+ came twice", found[AT_ONCE])
    assert found[SCRIPTS] == found[RETURNING] == "yes"


def test_who_comes_back():
    """Whoever is let in again, and is in no room any more, hears nothing; that is the answer."""
    found = asked(OwnChat("forgets"))
    assert found[RETURNING].startswith("no: bob's room connection was opened, but nothing arrives on it")
    assert found[SCRIPTS] == found[AT_ONCE] == "yes"


def test_who_leaves_behind_a_gap():
    """Where one who has left costs those behind them a message, they are told of; nothing is asked again then."""

    class Gap(OwnChat):
        async def _hand_on(self, sender, path, message):
            for place, each in enumerate(list(self.rooms[path])):
                if self.left.pop((path, place), None):
                    return
                await each.send(json.dumps({"message": message}))

        async def _handle(self, connection):
            await super()._handle(connection)
            self.left[(connection.request.path, 1)] = True

        left: ClassVar[dict] = {}

    assert asked(Gap())[RETURNING] == "no: what is said meanwhile is not received on eve's room, from ann"


def test_who_is_not_heard_any_more():
    """Whoever comes back is to be heard as well, and nothing else than before is to be heard by them."""

    class Mute(OwnChat):
        async def _handle(self, connection):
            cookie = connection.request.headers.get("Cookie", "")
            self.mute = getattr(self, "mute", set()) | ({connection} if cookie in self.said else set())
            await super()._handle(connection)

        async def _hand_on(self, sender, path, message):
            if sender not in self.mute or message.startswith("fence"):
                await super()._hand_on(sender, path, message)

    assert asked(Mute())[RETURNING] == "no: what is said then is not received on ann's room, from bob"


def test_who_is_said_to_have_spoken():
    """Where senders are mixed up when several speak at once, that is counted too."""

    class Mixing(OwnChat):
        async def _hand_on(self, sender, path, message):
            self.last = sender
            await asyncio.sleep(0.1)
            await super()._hand_on(self.last, path, message)

    says = CHAT.replace('read = ".message"', 'read = ".message"\nsays = { ".by" = "$MEMBER" }')
    found = asked(Mixing(naming=True), says + ALL)
    told = r"no: of 27 messages that were to arrive \d+ said something else of who sent it"
    assert re.fullmatch(told, found[AT_ONCE])


def test_escaped_for_html():
    """A chat that escapes texts for HTML may mean to: that is neither good nor bad."""

    class Escaping(OwnChat):
        async def _hand_on(self, sender, path, message):
            await super()._hand_on(sender, path, html.escape(message))

    client = ScenarioClient(parse(CHAT + ALL))
    with Escaping().running() as own:
        found = talk(Chat(client, RunningServer(port=own.port, form=client.form)), client).findings
    (answer,) = [each for each in found if each.question == SCRIPTS]
    assert (answer.seen, answer.good) == ("they arrive escaped for HTML", None)


@pytest.mark.parametrize("status", [403, 429])
def test_who_is_not_let_in_again(status):
    """A server that lets nobody in any more, once strangers have been refused, has not failed a member."""

    class Banning(OwnChat):
        refused = 0

        async def _request(self, connection, request):
            answer = await super()._request(connection, request)
            self.refused += answer is not None
            return connection.respond(HTTPStatus(status), "not now") if self.refused > 3 else answer

    client = ScenarioClient(parse(CHAT + ALL))
    with Banning(login=True, own_origin=True).running() as own:
        found = talk(Chat(client, RunningServer(port=own.port, form=client.form)), client).findings
    (answer,) = [each for each in found if each.question == RETURNING]
    assert answer.good is None
    assert answer.seen == f"not asked: nobody is let in any more: status {status}: not now"


def test_what_closes_a_connection():
    """A connection that a question has closed is opened again before the next one, which is told for itself."""

    class Strict(OwnChat):
        async def _hand_on(self, sender, path, message):
            if message.isascii():
                await super()._hand_on(sender, path, message)
            else:
                await sender.close(1003, "ASCII only")

    found = asked(Strict())
    assert found[SCRIPTS].endswith("arrives on ann's room closed by the server with 1003 ASCII only")
    assert found[AT_ONCE] == found[RETURNING] == "yes"


def test_whom_nobody_hears():
    """Of a chat with one who speaks to nobody else nothing is asked that takes two."""
    alone = CHAT.replace('path = "/room"', 'path = "/room"\nmembers = ["ann"]') + '[[exchanges]]\nfrom = "ann"\n'
    found = asked(OwnChat(), alone)
    assert found.pop(SCRIPTS) == "yes"
    assert all(each.startswith("not asked: ") for each in found.values())


def test_after_the_verdict():
    """It is asked once all else is right, and is no part of the verdict."""
    client = ScenarioClient(parse(CHAT + ALL))
    with OwnChat("races").running() as own:
        talked = talk(chat := Chat(client, RunningServer(port=own.port, form=client.form)), client)
    assert (talked.failure, [each.good for each in talked.exchanges]) == (None, [True] * 3)
    assert [_short(each) for each in talked.findings[-3:]] == ["yes", "no", "yes"]
    assert not chat.connections


def _short(finding: Finding) -> str:
    return finding.seen.partition(":")[0]
