"""A scenario with a server that runs: what it does wrong is found, by the same judge as in a cell."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from chats import OwnChat

from harness.chat import exchanges
from harness.chat.conversation import Chat
from harness.chat.parties import RunningServer
from harness.results import catches
from harness.results.questions import identifier
from harness.scenario.checked import Checked, checked, junit
from harness.scenario.client import ScenarioClient
from harness.scenario.read import parse
from harness.scenario.talk import talk
from harness.verdict import Verdict

pytestmark = pytest.mark.usefixtures("impatient")
ROOMS = """
[members]
ann = { %(ann)s }
bob = { %(bob)s }
eve = { %(eve)s }
[connections.lobby]
path = "/lobby"
members = ["ann", "bob"]
[connections.other]
path = "/other"
members = ["eve"]
[frames]
send = '{"message": "$TEXT"}'
read = ".message"
%(frames)s
[[exchanges]]
from = "ann"
on = "lobby"
[[exchanges]]
from = "bob"
on = "lobby"
%(more)s
"""
THIRD = '[[exchanges]]\nfrom = "eve"\non = "other"\n'
WHO = {name: f'cookie = "who={name}"' for name in ("ann", "bob", "eve")}


def asked(own: OwnChat, more: str = THIRD, cookies: bool = False, frames: str = "") -> Checked:
    """Return what is found of a chat with two rooms."""
    who = WHO if cookies else dict.fromkeys(WHO, "")
    client = ScenarioClient(parse(ROOMS % {**who, "more": more, "frames": frames}))
    chat = Chat(client, RunningServer(port=own.port, form=client.form))
    return checked(own.url, chat, client, talk(chat, client), 1.0)


def test_rooms():
    """Who is in a room hears it, who is not does not, and both is proved: by a fence in each room."""
    with OwnChat().running() as own:
        found = asked(own)
    assert (found.verdict, found.text) == (Verdict.WORKS, "3 of 3 exchanges right in 2 rounds")
    lobby = found.exchanges[0]
    assert (lobby.hears, lobby.hears_not) == (["ann (lobby)", "bob (lobby)"], ["eve (other)"])
    assert (lobby.proved, lobby.waited) == (["ann (lobby)", "bob (lobby)", "eve (other)"], [])
    assert lobby.latency_ms is not None


def test_a_quiet_window():
    """Whom no fence reaches is watched for a while, and that is said; the others are proved."""
    with OwnChat().running() as own:
        found = asked(own, more="", frames="")
    assert found.verdict is Verdict.WORKS
    assert (found.exchanges[0].proved, found.exchanges[0].waited) == (["ann (lobby)", "bob (lobby)"], ["eve (other)"])
    assert found.exchanges[0].waited_seconds == 1.0


@pytest.mark.parametrize("more", [THIRD, ""], ids=["proved", "waited for"])
def test_a_leak(more):
    """A message that comes to another room as well is found, fence or not, and it is said who heard it."""
    with OwnChat("leaks").running() as own:
        found = asked(own, more=more)
    assert found.verdict is Verdict.DOES_NOT_WORK
    faults = found.exchanges[0].faults
    assert any("is extra on eve's other connection" in each for each in faults)
    # The same in both rounds is said once.
    assert len(set(faults)) == len(faults)


WRONG = {
    "twice": "is duplicated on",
    "not to oneself": "opened, but nothing arrives on it",
    "drops": "is missing on",
    "alters": "is altered on",
    "never": "opened, but nothing arrives on it",
    "closes": "was opened, but closed by the server with 4000 enough",
    "shouts later": "is extra on",
    "drops repeats": "connection (the text had been said before)",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong(wrong):
    """Each way to be wrong is found, and named."""
    with OwnChat(wrong).running() as own:
        found = asked(own)
    assert found.verdict is Verdict.DOES_NOT_WORK
    assert WRONG[wrong] in found.text
    assert found.hint or found.exchanges


def test_a_welcome():
    """What is said before anybody says anything is the chat's own."""
    with OwnChat(welcome='{"message": "welcome"}').running() as own:
        assert asked(own).verdict is Verdict.WORKS


def test_heartbeats():
    """A frame of the chat's own that has the key of the message as well, and nothing in it, is none."""
    with OwnChat(welcome='{"message": null}').running() as own:
        assert asked(own).verdict is Verdict.WORKS


def test_who_comes_is_told():
    """What a chat tells of strangers who come while they are tried is nobody's fault."""
    with OwnChat(announcing=True).running() as own:
        assert asked(own).verdict is Verdict.WORKS


def test_an_origin_of_each():
    """Where members come from a site that the scenario names they come from no other."""
    who = dict.fromkeys(WHO, 'headers = { Origin = "https://chat.example" }')
    client = ScenarioClient(parse(ROOMS % {**who, "more": THIRD, "frames": ""}))
    with OwnChat(header=("Origin", "https://chat.example")).running() as own:
        chat = Chat(client, RunningServer(port=own.port, form=client.form))
        assert talk(chat, client).failure is None


def test_one_place_at_a_time(monkeypatch):
    """Where a page with a member's cookie takes that member's place this is found of the page, not of the exchanges."""
    monkeypatch.setattr(exchanges, "HORIZON", 0.3)
    with OwnChat(alone=True).running() as own:
        found = asked(own, cookies=True)
    assert (found.verdict, found.text) == (Verdict.WORKS, "3 of 3 exchanges right in 2 rounds")
    text, good = seen(found)["Do members stay connected while strangers try?"]
    assert "ann's lobby is closed by the server with 4001 you are somewhere else" in text
    assert good is False


@pytest.mark.parametrize("after", [0.0, 0.05, 0.3])
def test_what_was_said_yesterday(after):
    """What a chat tells whoever comes is its own, also where that takes a moment."""
    with OwnChat(yesterday=after).running() as own:
        assert asked(own).text == "3 of 3 exchanges right in 2 rounds"


def test_as_many_wrong_as_are_shown():
    """How many exchanges are wrong is counted over both rounds, and the first of them is the first that is shown."""
    with OwnChat("drops").running() as own:
        found = asked(own)
    wrong = [each for each in found.exchanges if not each.good]
    assert found.text.startswith(f"{len(wrong)} of 3 exchanges are wrong; first: {wrong[0].faults[0]}")


def test_what_nobody_hears():
    """An exchange that nobody has to hear is wrong where somebody does."""
    alone = '[[exchanges]]\nfrom = "eve"\non = "other"\nhears = []\n'
    with OwnChat().running() as own:
        found = asked(own, more=alone.replace("hears = []", 'hears = ["eve"]') + alone)
    assert found.exchanges[3].good is False  # eve hears it, and nobody was to
    assert found.verdict is Verdict.DOES_NOT_WORK


def test_two_runs_at_once():
    """What another run says to the same chat at the same time is nobody's fault."""
    with OwnChat().running() as own, ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: asked(own), range(2)))
    assert [each.verdict for each in found] == [Verdict.WORKS] * 2


def test_nothing_is_found():
    """Where the pointer finds nothing the first frame is shown, with what to do."""
    rooms = ROOMS % {**dict.fromkeys(WHO, ""), "more": THIRD, "frames": ""}
    client = ScenarioClient(parse(rooms.replace(".message", ".text")))
    with OwnChat().running() as own:
        chat = Chat(client, RunningServer(port=own.port, form=client.form))
        found = checked(own.url, chat, client, talk(chat, client), 1.0)
    assert 'the first frame is {"message": "fence 1' in found.text
    assert "--read" in found.hint


def test_who_is_said_to_speak():
    """What a frame says of who has spoken, and of more, is held against who did; so is that it says nothing."""
    says = 'says = { ".by" = "$MEMBER" }'
    for wrong, said in (("", []), ("misnames", ["(its /by is ann, and has to be bob)"] * 2)):
        with OwnChat(wrong, naming=True).running() as own:
            found = asked(own, cookies=True, frames=says)
        assert [fault.partition("connection ")[2] for fault in found.exchanges[1].faults] == said
        assert found.exchanges[0].good
    with OwnChat().running() as own:
        found = asked(own, cookies=True, frames='says = { ".room" = "here" }')
    assert "its /room is not there, and has to be here" in found.text


def test_another_run():
    """What another run says while this one does is no fault of the chat, and said to have come."""

    class Remembering(OwnChat):
        async def _hand_on(self, sender, path, message):
            await super()._hand_on(sender, path, message)
            await super()._hand_on(sender, path, "Hello (0a1b2c) all, this is ann with message 1")

    with Remembering().running() as own:
        found = asked(own)
    question = "Do messages of other runs, or of earlier ones, stay away?"
    assert found.verdict is Verdict.WORKS
    assert seen(found)[question][1] is None
    assert "the first on ann's lobby: Hello (0a1b2c) all, this is ann" in seen(found)[question][0]


def seen(found: Checked) -> dict[str, tuple[str, bool | None]]:
    return {each.question: (each.seen, each.good) for each in found.findings}


def test_strangers_where_there_is_no_login():
    """Where there is no login nobody is a stranger; a page of a foreign site is told from others all the same."""
    with OwnChat(own_origin=True).running() as own:
        found = seen(asked(own))
    assert found["What reaches an unknown client? On lobby"] == ("the private messages to ann, bob", None)
    assert found["What reaches a page of a foreign Origin, with a member's cookie? On lobby"][1] is True
    assert found["Can an unknown client broadcast through a WebSocket?"] == ("received by ann, bob", None)


def test_strangers_are_refused():
    """Where there is a login, and strangers are refused, that is as it has to be."""
    with OwnChat(login=True, own_origin=True).running() as own:
        found = asked(own, cookies=True)
    assert found.verdict is Verdict.WORKS
    assert all(each.good for each in found.findings)
    assert [each.question for each in found.findings[-6:]] == [
        "What reaches a page of a foreign Origin, with a member's cookie? On other",
        "Can an unknown client broadcast through a WebSocket?",
        "Can a client with a made-up cookie or token broadcast through a WebSocket?",
        "Do texts in any script arrive as they were sent?",
        "Do messages that are sent at the same time all arrive?",
        "Does a member who leaves and comes back hear again?",
    ]


def test_strangers_are_let_in():
    """Where there is a login, and the chat does not look at it, that is a fault; so is letting a foreign page in."""
    with OwnChat().running() as own:
        found = seen(asked(own, cookies=True))
    assert found["What reaches an unknown client? On lobby"] == ("the private messages to ann, bob", False)
    assert found["What reaches a page of a foreign Origin, with a member's cookie? On lobby"][1] is False
    assert found["Can an unknown client broadcast through a WebSocket?"] == ("received by ann, bob", False)


def test_catches():
    """What strangers may do is a catch by the names that the questions have in every cell, wherever it is asked."""
    for place in ("", " On lobby"):
        for question, trouble in (
            (f"What reaches an unknown client?{place}", "strangers"),
            (f"What reaches a page of a foreign Origin, with a member's cookie?{place}", "foreign"),
        ):
            found = catches.trouble_of(identifier(question))
            assert found is not None
            assert (found.id, question.endswith(")")) == (trouble, False)


def test_junit():
    """A test for each exchange fails where that did; what strangers may do fails nothing."""
    with OwnChat("leaks").running() as own:
        text = junit(asked(own))
    assert 'tests="3" failures="3"' in text
    assert "is extra on eve" in text
