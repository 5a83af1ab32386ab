"""Isolation against a server that is none: who hears what is not for them, and who speaks without being let in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from talkers import LOGIN, Switchboard, answer

from harness.chat import exchanges
from harness.chat.isolation import look_again, overhear, post_unknown, publish_unknown
from harness.chat.parties import Eavesdropper
from harness.chat.rounds import first_round
from harness.clients.connection import Endpoint

STRANGER = Eavesdropper("an unknown client", "/ws/user")
MARY = Eavesdropper("Mary, who asks for John's channel", "/ws/user", "Mary")
FOREIGN = Eavesdropper("a page of a foreign Origin", "/ws/chat", "John", origin="http://elsewhere.invalid")
#: The Origin of the site's own pages.
OWN = "http://127.0.0.1:1"
#: How each of them is called where it is connected.
PLACES = {"1": "stranger", "2": "Mary", "3": "foreign"}


def place(line) -> str:
    """Return which eavesdropper has a connection; nothing for that of a member."""
    return PLACES.get(line.endpoint.name, "") if line.endpoint.member == "eavesdropper" else ""


def private(text: str) -> bool:
    return text.startswith("private")


def asked(board: Switchboard) -> list[tuple[str, bool | None]]:
    """Return what each of the three hears, and whether that is as expected."""
    findings = list(overhear(board.talk(), [STRANGER, MARY, FOREIGN]))
    assert [each.question for each in findings] == [
        "What reaches an unknown client?",
        "What reaches Mary, who asks for John's channel?",
        "What reaches a page of a foreign Origin?",
    ]
    assert [each.expected for each in findings] == [
        *(["nothing meant for others"] * 2),
        "the connection is refused",
    ]
    return [(each.seen, each.good) for each in findings]


def test_nobody_hears(board):
    """Who hears only broadcasts, or what is their own, hears nothing of another's; a foreign page must be refused."""
    board.refuses = lambda endpoint, path, member, origin: "" if origin == OWN else "status 403"
    assert asked(board) == [("nothing private", True), ("nothing private", True), ("refused: status 403", True)]


@pytest.mark.parametrize("origin", ["null", "http://127.0.0.1.elsewhere.invalid", "http://elsewhere-127.0.0.1"])
def test_an_origin_that_is_like_the_own_one(board, origin):
    """A foreign page tries Origins that a careless check takes for the site's own; the answer says which was let in."""
    board.refuses = lambda endpoint, path, member, came: "" if came == OWN or came.startswith(origin) else "status 403"
    seen, good = asked(board)[2]
    assert seen.startswith(("the private messages to John", "accepted, but nothing private"))
    assert (f"(with the Origin {origin}" in seen, good) == (True, False)


def test_what_is_sent(board):
    """Three user messages and one to the group are sent, each noted with who may hear it, and of no exchange."""
    chat = board.talk()
    already = len(board.said)
    list(overhear(chat, [STRANGER]))
    sent = [(channel, audience, who) for channel, audience, who, text in board.said[already:] if private(text)]
    assert sent == [
        ("user", "admin", "admin"),
        ("user", "John", "admin"),
        ("user", "Mary", "admin"),
        ("group", "chatusers", "John"),
    ]
    assert [(each.text, each.hearers, each.exchange) for each in chat.ledger.said if each.hearers] == [
        ("private user message to admin (abc)", {"admin"}, None),
        ("private user message to John (abc)", {"John"}, None),
        ("private user message to Mary (abc)", {"Mary"}, None),
        ("private group message to chatusers (abc)", {"John", "Mary"}, None),
    ]


def test_a_foreign_page_hears_its_victim(board):
    """A foreign page that is let in hears whatever is for the member whose cookie it has."""
    assert asked(board)[2] == ("the private messages to John, chatusers", False)


def test_a_foreign_page_that_hears_nothing(board):
    """A foreign page that is let in is none of isolation's good ones, also when it hears nothing private."""
    board.drops = lambda text, line: place(line) == "foreign" and private(text)
    assert asked(board)[2] == ("accepted, but nothing private", False)


@pytest.mark.parametrize(("who", "number", "seen"), [("stranger", 0, "admin, John, Mary, chatusers"), ("Mary", 1, "")])
def test_a_leak(board, who, number, seen):
    """What leaks to somebody is told by whom it was for; what is Mary's own is no leak to her."""
    board.leaks = lambda text, line: place(line) == who
    assert asked(board)[number] == (f"the private messages to {seen or 'admin, John'}", False)


def test_a_leak_that_is_wrapped(board):
    """A private text has been heard also when something else stands around it."""
    board.leaks = board.alters = lambda text, line: place(line) == "stranger" and "to John" in text
    assert asked(board)[0] == ("the private messages to John", False)


def test_a_leak_counts_more_than_a_closed_connection(board):
    """Who has heard something has heard it, also when the connection is closed behind it."""
    board.leaks = lambda text, line: place(line) == "stranger" and "to Mary" in text

    def close(text):
        if text == "private user message to Mary (abc)":
            next(each for each in board.lines if place(each) == "stranger").end("closed with 1008")

    board.then = close
    assert asked(board)[0] == ("the private messages to Mary", False)


def test_closed_again(board):
    """A connection that the server closes again hears nothing, and that is good."""
    board.closes = lambda text, line: place(line) == "stranger"
    assert asked(board)[0] == ("its connection is closed again", True)


def test_not_proved(board, clock):
    """Silence where not even broadcasts arrive proves nothing, and is neither good nor bad."""
    board.drops = lambda text, line: place(line) == "stranger"
    assert asked(board)[0] == ("nothing, but no broadcast arrives either: not proved", None)


def test_refused(board):
    """A stranger who is refused hears nothing, with what the server answered."""
    board.refuses = lambda endpoint, path, member, origin: "" if member else "status 401"
    assert asked(board)[0] == ("refused: status 401", True)


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_a_refusal_of_anybody(board, status):
    """An answer that says nothing of who asked proves nothing of strangers."""
    board.refuses = lambda endpoint, path, member, origin: "" if member else f"status {status}: no"
    seen, good = asked(board)[0]
    assert (seen, good) == (f"refused: status {status}: no: not proved, anybody may be answered like that", None)
    welcome = replace(STRANGER, welcome="there is no login")
    assert [each.good for each in overhear(board.talk(), [welcome])] == [None]


def test_a_refusal_that_tells(board):
    """A stranger who is refused by a page on which something private stands has read that."""
    text = "private user message to John (abc)"
    board.refuses = lambda endpoint, path, member, origin: "" if member else f"status 403: {text}"
    assert asked(board)[0] == ("the private messages to John", False)


def test_closed_later(board, clock):
    """A foreign page whose connection is closed only after a while was let in."""

    def close(text):
        if text == "private user message to Mary (abc)":
            clock.now += 1.0
            next(each for each in board.lines if place(each) == "foreign").end("closed with 4001")

    board.then, board.drops = close, lambda text, line: place(line) == "foreign" and private(text)
    assert asked(board)[2] == ("accepted, and later closed with 4001; nothing private", False)


def test_they_stay_until_they_are_asked_about_again(board):
    """The eavesdroppers listen until they have been asked about again; then they are gone, and the members are not."""
    chat = board.talk()
    findings = list(overhear(chat, [STRANGER, MARY]))
    assert len(board.lines) == 9 + 2
    look_again(chat, findings)
    assert sorted(chat.connections) == sorted(chat.endpoints)
    assert len(board.lines) == 9


def eavesdropping(board: Switchboard, number: str):
    """Return the line of the eavesdropper with that number."""
    return next(each for each in board.lines if each.endpoint == Endpoint("eavesdropper", number))


def test_nothing_later(board):
    """Where nothing more has come the second look brings what the first one did."""
    chat = board.talk()
    findings = list(overhear(chat, [STRANGER, MARY]))
    before = list(findings)
    look_again(chat, findings)
    assert findings == before


def test_a_leak_that_comes_later(board):
    """What reaches an eavesdropper before the second look has reached them."""
    chat = board.talk()
    findings = list(overhear(chat, [STRANGER, MARY]))
    assert [each.good for each in findings] == [True, True]
    eavesdropping(board, "2").hear("private user message to John (abc)")
    look_again(chat, findings)
    assert [(each.seen, each.good) for each in findings] == [
        ("nothing private", True),
        ("the private messages to John", False),
    ]


def test_what_was_said_before(board):
    """Private messages of the exchanges that went before are told by their number, of each once."""
    chat = board.talk()
    exchanged = exchanges.run(chat, first_round(chat.token))
    board.refuses = lambda endpoint, path, member, origin: "status 403" if "elsewhere" in origin else ""
    findings = list(overhear(chat, [STRANGER, MARY]))
    for text in [exchanged.sent[place].text for place in (0, 3, 4, 4, 9)]:
        eavesdropping(board, "1").hear(text)
        eavesdropping(board, "2").hear(text)
    look_again(chat, findings)
    assert [(each.seen, each.good) for each in findings] == [
        ("3 private messages said before", False),
        # The tenth exchange is Mary's own.
        ("2 private messages said before", False),
    ]


def test_nobody_listened(board):
    """Where nobody has listened there is nothing to look at again."""
    chat, findings = board.talk(), [*publish_unknown(board.talk(), "/ws/broadcast")]
    before = list(findings)
    look_again(chat, findings)
    assert findings == before


@pytest.mark.parametrize(
    ("ask", "path", "text", "seen"),
    [
        (publish_unknown, "/ws/broadcast", "broadcast of a stranger (abc)", "not received within 1 s"),
        (post_unknown, "/chat/broadcast/", "posted by a stranger (abc)", "it is sent to the login page"),
    ],
)
def test_a_stranger_who_is_heard_later(board, ask, path, text, seen):
    """What a stranger says is heard also when it reaches members only before the second look."""
    chat = board.talk()
    findings = [*overhear(chat, [STRANGER]), *ask(chat, path)]
    assert (findings[1].seen, findings[1].good) == (seen, True)
    next(each for each in board.lines if each.endpoint == Endpoint("Mary", "user")).hear(f"({text})")
    look_again(chat, findings)
    assert (findings[1].seen, findings[1].good) == (f"{seen}, and later the message is received by Mary", False)


def test_a_stranger_who_was_heard_at_once(board):
    """What is known of a stranger to be wrong is not said a second time."""
    board.hears_strangers = True
    chat = board.talk()
    findings = [*overhear(chat, [STRANGER]), *publish_unknown(chat, "/ws/broadcast")]
    look_again(chat, findings)
    assert (findings[1].seen, findings[1].good) == ("received by John, Mary, admin", False)


def test_the_fifteen_are_not_touched(board):
    """What is said to eavesdroppers is no stranger in the exchanges that went before."""
    chat = board.talk()
    exchanged = exchanges.run(chat, first_round(chat.token))
    list(overhear(chat, [STRANGER, MARY, FOREIGN]))
    exchanges.judge_again(chat, exchanged)
    assert str(exchanged) == "15 of 15"


def publishing(board: Switchboard) -> tuple[str, bool | None]:
    """Return what comes of a stranger's broadcast."""
    chat = board.talk()
    (finding,) = publish_unknown(chat, "/ws/broadcast")
    assert finding.question == "Can an unknown client broadcast through a WebSocket?"
    assert finding.expected == "no member receives it"
    assert Endpoint("stranger", "broadcast") not in chat.connections
    return finding.seen, finding.good


def test_a_stranger_is_not_heard(board):
    """A stranger whose messages are thrown away is waited for a moment, and that is good."""
    assert publishing(board) == ("not received within 1 s", True)
    assert ("broadcast", "all", "", "broadcast of a stranger (abc)") in board.said


def test_a_stranger_is_heard(board):
    """A stranger's broadcast that members receive is told with who received it."""
    board.hears_strangers = True
    board.drops = lambda text, line: "stranger" in text and line.endpoint.member == "admin"
    assert publishing(board) == ("received by John, Mary", False)


def test_a_stranger_is_heard_in_a_wrapping(board):
    """A stranger's broadcast has been received also when something else stands around it."""
    board.hears_strangers = True
    board.alters = lambda text, line: "stranger" in text
    assert publishing(board) == ("received by John, Mary, admin", False)


def test_a_strangers_later_messages(board):
    """A stranger whose first message is lost and whose next ones arrive can broadcast."""
    board.hears_strangers = True
    board.drops = lambda text, line: "stranger" in text
    assert publishing(board) == ("the message was not received, but later ones were", False)


def test_a_stranger_is_closed(board):
    """A stranger whose connection is closed at the first word has not been heard."""

    def close(text):
        if "stranger" in text:
            next(each for each in board.lines if each.endpoint.member == "stranger").end("closed with 1008")

    board.then = close
    assert publishing(board) == ("not received; the connection is closed", True)


def test_a_stranger_beside_members_who_hear_nothing(board):
    """Where the members hear nothing any more nothing is known of who hears a stranger."""
    chat = board.talk()
    board.drops = lambda text, line: True
    (finding,) = publish_unknown(chat, "/ws/broadcast")
    assert (finding.seen, finding.good) == ("not proved: the members hear nothing any more", None)


def test_a_stranger_is_refused(board):
    """A stranger who gets no connection cannot broadcast."""
    board.refuses = lambda endpoint, path, member, origin: "" if member else "status 403"
    assert publishing(board) == ("refused: status 403", True)


def posting(board: Switchboard) -> tuple[str, bool | None]:
    """Return what comes of a stranger's form."""
    chat = board.talk()
    (finding,) = post_unknown(chat, "/chat/broadcast/")
    assert finding.question == "Can an unknown client post a message to a page?"
    assert finding.expected == "it is sent to the login page"
    assert chat.session("stranger").asked == [f"GET {LOGIN}", "POST /chat/broadcast/"]
    assert ("posted by a stranger (abc)", "") in [(each.text, each.sender) for each in chat.ledger.said]
    return finding.seen, finding.good


def test_a_form_of_a_stranger(board):
    """A stranger who posts is sent to the login page."""
    assert posting(board) == ("it is sent to the login page", True)


def test_a_form_that_is_forbidden(board):
    """A stranger who is forbidden to post is kept out as well."""
    chat = board.talk()
    chat.sessions["stranger"] = Answering(403)
    (finding,) = post_unknown(chat, "/chat/broadcast/")
    assert (finding.seen, finding.good) == ("status 403", True)


@pytest.mark.parametrize(("status", "location"), [(200, ""), (302, "/elsewhere/"), (404, "")])
def test_a_form_that_is_answered(board, status, location):
    """Any other answer does not say that the message was refused, even if nobody had it."""
    chat = board.talk()
    chat.sessions["stranger"] = Answering(status, location)
    (finding,) = post_unknown(chat, "/chat/broadcast/")
    assert (finding.seen, finding.good) == (f"status {status}", False)


def test_a_form_that_is_refused_and_carried(board):
    """A message that members receive is a leak, whatever the page answers."""
    board.posts_for_strangers = True
    board.drops = lambda text, line: "stranger" in text and line.endpoint.member == "Mary"
    seen, good = posting(board)
    assert (seen, good) == ("it is sent to the login page, and the message is received by John, admin", False)


class Answering:
    """A session whose forms are answered in one way."""

    def __init__(self, status: int, location: str = "") -> None:
        self.status, self.location = status, location

    def get(self, path):
        return answer(200)

    def post(self, path, form):
        return answer(self.status, location=self.location)
