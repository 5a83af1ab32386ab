"""A conversation: who is connected, what is sent where, and what is known before anything is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from talkers import THREE, Switchboard, Talker, answer, any_of, endpoints

from harness.chat import conversation
from harness.chat.conversation import Chat
from harness.chat.ledger import Said
from harness.chat.members import ChannelRow, channel_table
from harness.clients.connection import Endpoint, HandshakeRefused, SendFailed
from harness.clients.frame_format import FrameFormat
from harness.clients.http import HttpSession
from harness.clients.transcript import Message
from harness.clients.websocket import Offer
from harness.errors import CellFailure
from harness.verdict import Reason

LINE = Endpoint("John", "user")


def test_the_fifteen():
    """There are three broadcasts, nine user messages and three group messages, each with its recipients."""
    rows = channel_table()
    assert [row.number for row in rows] == list(range(1, 16))
    assert [(row.channel, row.sender, row.audience) for row in rows[:3]] == [
        ("broadcast", each, "all") for each in ("admin", "John", "Mary")
    ]
    assert {row.recipients for row in rows[:3]} == {("admin", "John", "Mary")}
    assert [(row.sender, row.recipients) for row in rows[3:12]] == [
        (sender, (to,)) for sender in ("admin", "John", "Mary") for to in ("admin", "John", "Mary")
    ]
    assert {(row.channel, row.audience, row.recipients) for row in rows[12:]} == {
        ("group", "chatusers", ("John", "Mary"))
    }


def test_all_are_connected(board):
    """Every member holds every connection, each at its path, with the member's own cookie and the site's origin."""
    chat = board.talk()
    assert chat.endpoints == endpoints()
    assert {(each.endpoint, each.path, each.member, each.origin) for each in board.lines} == {
        (Endpoint(member, name), path, member, "http://127.0.0.1:1")
        for member in ("admin", "John", "Mary")
        for name, path in THREE.items()
    }
    assert chat.owners == {each: each.member for each in endpoints()}
    assert (chat.fences_sent, chat.fences_sent_again) == (1, 0)
    assert chat.ledger.said == [Said("fence 1 (abc)", "")]


def test_paths_of_a_variant(board):
    """A chat that is carried another way has other connections than its client's usual ones."""
    chat = Chat(Talker(board), board.server, paths={"chat": "/ws/chat"}, sessions=board.chat().sessions)
    chat.log_in()
    chat.connect()
    assert chat.endpoints == endpoints("chat")


def test_a_refused_handshake(board):
    """Who is not let in is named, with the connection and what was answered."""
    board.refuses = lambda endpoint, path, member, origin: "status 403" if endpoint == LINE else ""
    with pytest.raises(CellFailure) as raised:
        board.talk()
    assert (raised.value.reason, raised.value.text) == (
        Reason.HANDSHAKE_REFUSED,
        "the handshake of John's user connection failed: status 403",
    )


def test_somebody_who_cannot_log_in(board):
    """Who cannot log in ends the conversation before it begins."""
    board.locked_out = "Mary"
    with pytest.raises(CellFailure, match="Mary cannot log in"):
        board.chat().log_in()


def test_a_connection_that_receives_nothing(board, clock):
    """A connection that opens and never receives is found out, after the time that it may take."""
    board.drops = lambda text, line: line.endpoint == LINE
    before = clock.now
    with pytest.raises(CellFailure) as raised:
        board.talk()
    assert (raised.value.reason, raised.value.text) == (
        Reason.EXCHANGE_WRONG,
        "John's user connection was opened, but nothing arrives on it",
    )
    assert clock.now - before == conversation.SUBSCRIBE_DEADLINE


def test_a_connection_that_is_closed_again(board):
    """A connection that is closed before anything arrives was not really let in, and it is said how it closed."""
    board.closes = lambda text, line: line.endpoint == LINE
    with pytest.raises(CellFailure) as raised:
        board.talk()
    assert (raised.value.reason, raised.value.text) == (
        Reason.HANDSHAKE_REFUSED,
        "John's user connection was opened, but closed by the server with 1011",
    )


def test_a_connection_that_is_lost(board):
    """A connection that breaks off before anything arrives was not refused by the server."""
    board.then = lambda text: next(each for each in board.lines if each.endpoint == LINE).end("connection lost")
    board.drops = lambda text, line: line.endpoint == LINE
    with pytest.raises(CellFailure) as raised:
        board.talk()
    assert (raised.value.reason, raised.value.text) == (
        Reason.EXCHANGE_WRONG,
        "John's user connection was opened, but connection lost",
    )


def test_a_connection_that_receives_something_else(board):
    """A connection on which something else arrives than what is sent says what that is, at first."""
    board.alters = lambda text, line: line.endpoint == LINE
    with pytest.raises(CellFailure) as raised:
        board.talk()
    assert (raised.value.reason, raised.value.text) == (
        Reason.EXCHANGE_WRONG,
        "John's user connection was opened, but what arrives on it is not what was sent, at first 'fence 1 (abc)?'",
    )


def test_a_connection_that_receives_something_else_and_closes(board):
    """One that is closed behind that was let in; it says that it was closed as well."""
    board.alters = lambda text, line: line.endpoint == LINE
    board.closes = lambda text, line: line.endpoint == LINE and text == "fence 2 (abc)"
    with pytest.raises(CellFailure) as raised:
        board.talk()
    assert raised.value.reason is Reason.EXCHANGE_WRONG
    assert raised.value.text.endswith(", at first 'fence 1 (abc)?'; then closed by the server with 1011")


def test_nothing_can_be_broadcast(board):
    """Where not even the first fence can be sent, that is why nothing is known of the connections."""
    board.fails = lambda member, text: "no"
    with pytest.raises(CellFailure) as raised:
        board.talk()
    assert (raised.value.reason, raised.value.text) == (
        Reason.EXCHANGE_WRONG,
        "nothing can be broadcast: POST /chat/broadcast/ answers with status 500",
    )


class Subscribing(Talker):
    """A client whose broker has all subscriptions after so many seconds."""

    def __init__(self, board: Switchboard, seconds: float) -> None:
        super().__init__(board)
        self.asked: list[int] = []
        self.stands: list[bool] = []
        board.clock.later(seconds, lambda: self.stands.append(True))

    def subscribed(self, chat: Chat) -> bool:
        self.asked.append(len(self.board.said))
        return bool(self.stands)


@pytest.mark.parametrize(("seconds", "waited"), [(4.0, 4.0), (60.0, conversation.SUBSCRIBE_DEADLINE)])
def test_the_broker_is_asked_first(board, clock, seconds, waited):
    """Until the broker has each subscription no fence is sent, but for no longer than a subscription may take."""
    client, before = Subscribing(board, seconds), clock.now
    board.talk(client)
    assert set(client.asked) == {0}
    assert clock.now - before == waited
    assert len(board.said) == 1


def test_who_is_closed_is_not_waited_for(board):
    """A connection that is closed already is not waited for until the broker has its subscription."""
    chat = board.talk()
    late = Endpoint("John", "late")
    chat.open(late, "/ws/user", "John").end("closed by the server with 1011")
    chat.client.subscribed = lambda chat: False
    before = board.clock.now
    with pytest.raises(CellFailure, match="was opened, but closed by the server with 1011") as raised:
        chat.wait_subscribed([late])
    assert (raised.value.reason, board.clock.now) == (Reason.HANDSHAKE_REFUSED, before)


def test_what_was_said_is_not_called_something_else(board):
    """A connection that was closed behind a broadcast of the harness's own did not receive what was not sent."""
    chat = board.talk()
    late = Endpoint("John", "late")
    line = chat.open(late, "/ws/user", "John")
    chat.announce("admin", "good morning")
    line.end("closed by the server with 1011")
    with pytest.raises(CellFailure) as raised:
        chat.wait_subscribed([late])
    assert "not what was sent" not in raised.value.text


def test_whose_a_connection_was(board):
    """It is known whose cookies a connection had, also when it is closed, or was refused."""
    chat = board.talk()
    chat.open(Endpoint("eavesdropper", "1"), "/ws/user", "Mary")
    chat.close()
    board.refuses = lambda endpoint, path, member, origin: "status 403"
    with pytest.raises(HandshakeRefused):
        chat.open(Endpoint("eavesdropper", "2"), "/ws/user", "John")
    assert [chat.owners[each] for each in (LINE, Endpoint("eavesdropper", "1"), Endpoint("eavesdropper", "2"))] == [
        *("John", "Mary", "John")
    ]


def test_nobody_has_no_cookie(board):
    """A connection of nobody is opened without a cookie, also when somebody is logged in."""
    chat = board.talk()
    chat.open(Endpoint("stranger", "1"), "/ws/user", origin="http://elsewhere.invalid")
    line = board.lines[-1]
    assert (line.member, line.origin) == ("", "http://elsewhere.invalid")
    assert (chat.cookie(""), chat.cookie("John")) == ("", "session=John")


def test_who_is_not_logged_in(board):
    """A session that has not been used yet is there, and has no cookie."""
    chat = Chat(Talker(board), board.server)
    session = chat.session("John")
    assert isinstance(session, HttpSession)
    assert (session.base, session.cookie) == ("http://127.0.0.1:1", "")
    assert chat.session("John") is session


def test_closing_some(board):
    """Only those that are named are closed, and those that are not there are passed over."""
    chat = board.talk()
    chat.close([LINE, Endpoint("nobody", "1")])
    assert LINE not in chat.connections
    assert len(board.lines) == 8
    chat.close([LINE])
    assert len(board.lines) == 8


def test_closing_all(board):
    """Without names all are closed, strangers as well."""
    chat = board.talk()
    chat.open(Endpoint("stranger", "1"), "/ws/user")
    chat.close()
    assert (board.lines, chat.connections) == ([], {})
    assert chat.transcript.closed(LINE) == "closed here"


@pytest.mark.parametrize(
    ("channel", "audience", "form"),
    [
        ("broadcast", "all", {"message": "hi"}),
        ("user", "Mary", {"message": "hi", "user": "Mary"}),
        ("group", "chatusers", {"message": "hi", "group": "chatusers"}),
    ],
)
def test_forms(board, channel, audience, form):
    """A message is posted as the form of its page has it: to whom, unless it is for all."""
    chat, posted = board.talk(), []

    class Session:
        def post(self, path, form):
            posted.append((path, form))
            return answer(200)

    chat.sessions["John"] = Session()
    chat.client.post(chat, "John", channel, audience, "hi")
    assert posted == [(f"/chat/{channel}/", form)]


def test_a_page_without_an_answer(board):
    """A page that does not answer has not taken the message; it is said why."""
    chat = board.talk()

    class Session:
        def post(self, path, form):
            raise CellFailure(Reason.PAGE_FAILED, "POST /chat/user/ brought no answer (Timeout)")

    chat.sessions["John"] = Session()
    with pytest.raises(SendFailed, match=r"^POST /chat/user/ brought no answer \(Timeout\)$"):
        chat.client.post(chat, "John", "user", "Mary", "hi")


def test_redirected(board):
    """A page that sends the message elsewhere has not taken it."""
    chat = board.chat()
    with pytest.raises(SendFailed, match=r"^POST /chat/user/ answers with status 302$"):
        chat.client.post(chat, "John", "user", "Mary", "hi")


def test_sending_where_nobody_is(board):
    """What is sent through a connection that has ended was not sent; whose it was is said."""
    chat = board.talk()
    board.lines[0].end("gone")
    endpoint = chat.endpoints[0]
    with pytest.raises(SendFailed, match=r"^admin's connection is gone \(BrokenPipeError\)$"):
        chat.client.broadcast(chat, endpoint, "hi")


SAYING = {
    "a user message": (
        lambda chat: chat.say(ChannelRow(0, "user", "John", "Mary", ("Mary",)), "psst"),
        *(Said("psst", "John", frozenset({"Mary"})), ("user", "Mary", "John", "psst")),
    ),
    "an exchange": (
        lambda chat: chat.say(channel_table()[12], "all of you", 13),
        *(Said("all of you", "admin", frozenset({"John", "Mary"}), 13), ("group", "chatusers", "admin", "all of you")),
    ),
    "a broadcast of a member": (
        lambda chat: chat.say(channel_table()[1], "hi"),
        *(Said("hi", "John"), ("broadcast", "all", "John", "hi")),
    ),
    "on a connection": (
        lambda chat: chat.broadcast(Endpoint("Mary", "broadcast"), "hi"),
        *(Said("hi", "Mary"), ("broadcast", "all", "Mary", "hi")),
    ),
    "bytes": (
        lambda chat: chat.broadcast(Endpoint("Mary", "broadcast"), b"hi"),
        *(Said("(binary) hi", "Mary"), ("broadcast", "all", "Mary", b"hi")),
    ),
    "an announcement": (
        lambda chat: chat.announce("John", "hear"),
        *(Said("hear", "John"), ("broadcast", "all", "John", "hear")),
    ),
    "a form": (
        lambda chat: chat.post("John", "user", "Mary", "psst", ["Mary"]),
        *(Said("psst", "John", frozenset({"Mary"})), ("user", "Mary", "John", "psst")),
    ),
    "a form for all": (
        lambda chat: chat.post("John", "broadcast", "all", "hi", None),
        *(Said("hi", "John"), ("broadcast", "all", "John", "hi")),
    ),
}


@pytest.mark.parametrize(("say", "noted", "said"), SAYING.values(), ids=SAYING)
def test_what_is_said_is_noted(board, say, noted, said):
    """Whatever is said stands in the ledger, with who said it and who may hear it, before it is sent."""
    chat, seen = board.talk(), []
    board.then = lambda text: seen.append(chat.ledger.said[-1])
    say(chat)
    assert (chat.ledger.said[-1], seen, board.said[-1]) == (noted, [noted], said)


def test_a_stranger_who_speaks(board):
    """What a stranger says on a connection was said by nobody who is known."""
    chat = board.talk()
    chat.open(Endpoint("stranger", "1"), "/ws/broadcast")
    chat.broadcast(Endpoint("stranger", "1"), "hi")
    assert chat.ledger.said[-1] == Said("hi", "")


def test_what_could_not_be_said_is_noted(board):
    """Also what the server does not take stands in the ledger: it may have got through all the same."""
    chat = board.talk()
    board.fails = lambda member, text: "no"
    with pytest.raises(SendFailed):
        chat.announce("John", "hear")
    assert chat.ledger.said[-1] == Said("hear", "John")


def test_two_chats_with_one_server(board):
    """Chats that share a ledger know what the other one says."""
    one = board.chat()
    other = Chat(one.client, one.server, ledger=one.ledger)
    other.new_fence("John")
    assert one.ledger.texts() == {f"fence 1 ({other.token})"}


def test_paths():
    """A channel without a connection of its own is heard on the first one."""
    three, one = Talker(Switchboard()), Talker(Switchboard(), {"chat": "/ws/chat"})
    assert [three.path_for(each) for each in THREE] == list(THREE.values())
    assert [one.path_for(each) for each in THREE] == ["/ws/chat"] * 3


def test_pages_that_show():
    """Unless a library says otherwise each recipient sees a message on all three pages."""
    row = channel_table()[12]
    assert Talker(Switchboard()).shown(row) == {
        Endpoint(member, page) for member in ("John", "Mary") for page in ("broadcast", "user", "group")
    }


def test_frames_of_a_plain_chat():
    """Unless a library says otherwise a frame is its message, and a crowd broadcasts where broadcasts are heard."""
    client = Talker(Switchboard())
    assert client.messages("--hi--") == ["--hi--"]
    assert client.sends_binary()
    assert client.subscribed(Chat(client, Switchboard().server))
    assert client.frame_format() == FrameFormat("/ws/broadcast", client.messages)
    assert client.frame_format().broadcast("hi") == "hi"


def test_noise_is_no_message():
    """A frame that is the library's own holds no message."""

    class Beating(Talker):
        def heard(self, data):
            return None if data == "beat" else data

    client = Beating(Switchboard())
    assert (client.messages("beat"), client.messages("hi")) == ([], ["hi"])
    assert (client.read("beat"), client.read("hi")) == ([], [Message("hi")])


def test_two_conversations_say_different_things(board):
    """Each conversation has a token of its own."""
    tokens = {Chat(Talker(board), board.server).token for _ in range(20)}
    assert len(tokens) == 20
    assert {len(each) for each in tokens} == {6}


def test_real_connections(board, monkeypatch):
    """A client that says nothing else opens a WebSocket of its own on the server's port, with cookie and origin."""
    opened = []
    monkeypatch.setattr(
        conversation, "WebSocketConnection", lambda *arguments, **options: opened.append((arguments, options))
    )
    chat = board.talk()
    chat.server = replace(chat.server, port=8000)
    conversation.Client.connect(chat.client, chat, LINE, "/ws/user", "John", "http://127.0.0.1:8000")
    assert opened == [
        (
            (LINE, "ws://127.0.0.1:8000/ws/user", chat.transcript),
            {"cookie": "session=John", "origin": "http://127.0.0.1:8000", "offer": Offer()},
        )
    ]


def test_one_of_each_members_connections_offers_compression(board, monkeypatch):
    """The first connection of each member offers what browsers offer; the others, and strangers', offer nothing."""
    offered = []
    monkeypatch.setattr(
        conversation,
        "WebSocketConnection",
        lambda endpoint, *arguments, offer, **options: offered.append((endpoint, offer.compression)),
    )
    chat = board.talk()
    others = [*endpoints(), Endpoint("eavesdropper", "broadcast")]
    for each in others:
        conversation.Client.connect(chat.client, chat, each, "/ws", "John", "http://127.0.0.1:1")
    assert offered == [(each, each in endpoints("broadcast")) for each in others]


def test_refusal_reaches_who_asks(board):
    """Who opens a connection of their own is told how it was refused, and has none."""
    board.refuses = lambda endpoint, path, member, origin: "status 500"
    chat = board.chat()
    with pytest.raises(HandshakeRefused, match=r"^status 500$"):
        chat.open(LINE, "/ws/user")
    assert chat.connections == {}


def test_switches_join(board):
    """The switches of the stand-in itself can be joined: one that is chosen by either is chosen."""
    board.drops = any_of(lambda text, line: text == "one", lambda text, line: text == "two")
    chat = board.talk()
    for text in ("one", "two", "three"):
        chat.client.announce(chat, "admin", text)
    assert chat.transcript.texts(LINE)[-1:] == ["three"]
    assert "one" not in chat.transcript.texts(LINE)
