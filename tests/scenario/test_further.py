"""What is asked of a chat whose exchanges are right: any text, at the same time, and away for a while."""

from __future__ import annotations

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
    assert all(each.good is (each.seen == "yes") for each in found)
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
    assert found[AT_ONCE] == "no: of 27 messages that were to arrive 18 did not, 9 came twice"
    assert found[SCRIPTS] == found[RETURNING] == "yes"


def test_who_comes_back():
    """Whoever is let in again, and is in no room any more, hears nothing; that is the answer."""
    found = asked(OwnChat("forgets"))
    assert found[RETURNING].startswith("no: eve's room connection was opened, but nothing arrives on it")
    assert found[SCRIPTS] == found[AT_ONCE] == "yes"


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
    assert set(asked(OwnChat(), alone)) == {SCRIPTS}


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
