"""A conversation: who is connected, what is sent where, and what is known before anything is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from talkers import FORM, THREE, Clock, Switchboard, Talker, answer, any_of, endpoints, fences

from harness.chat import conversation
from harness.chat.conversation import Chat, FrameFormat, RunningServer
from harness.chat.members import ChannelRow, channel_table
from harness.clients.connection import Endpoint, HandshakeRefused, SendFailed
from harness.clients.http import HttpSession
from harness.errors import CellFailure
from harness.verdict import Reason

LINE = Endpoint("John", "user")


@pytest.fixture
def clock(monkeypatch) -> Clock:
    return Clock.reigning(monkeypatch)


@pytest.fixture
def board(clock) -> Switchboard:
    return Switchboard(clock)


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
    assert chat.fences == ["fence 1 (abc)"]


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
    line = next(each for each in board.lines if each.endpoint == LINE)
    line.end("closed by the server with 1011")
    chat.client.subscribed = lambda chat: False
    before = board.clock.now
    with pytest.raises(CellFailure, match="was opened, but closed by the server with 1011"):
        chat.wait_subscribed([LINE])
    assert board.clock.now == before


def test_a_fence_is_sent_again(board, clock):
    """While one is outstanding a fence is sent at each interval, until all have one of them."""
    chat = board.talk()
    board.drops = lambda text, line: line.endpoint == LINE and text in ("fence 2 (abc)", "fence 3 (abc)")
    before = clock.now
    texts = chat.fence_all(lambda text: chat.client.announce(chat, "admin", text), chat.endpoints)
    assert texts == ("fence 2 (abc)", "fence 3 (abc)", "fence 4 (abc)")
    assert (chat.fences[1:], chat.fences_sent_again) == ([*texts], 2)
    assert clock.now - before == 2 * conversation.FENCE_INTERVAL


def test_fences_have_an_end(board, clock):
    """A fence that never comes is given up after its deadline, with all that were sent."""
    chat = board.talk()
    board.drops = fences
    before = clock.now
    texts = chat.fence_all(lambda text: chat.client.announce(chat, "admin", text), [LINE], 1.0)
    assert len(texts) == 1.0 / conversation.FENCE_INTERVAL
    assert clock.now - before == 1.0
    assert not chat.transcript.has_one(LINE, texts)


def test_members_alone(board):
    """The connections of a chat are the members', whoever else is connected."""
    chat = board.talk()
    chat.open(Endpoint("eavesdropper", "1"), "/ws/user")
    assert Endpoint("eavesdropper", "1") in chat.connections
    assert chat.endpoints == endpoints()


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


def test_beside_the_fifteen(board):
    """What is said beside the fifteen is remembered as the harness's own, before it is sent."""
    chat = board.talk()
    seen = []
    board.then = lambda text: seen.append(text in chat.said)
    chat.say(ChannelRow(0, "user", "John", "Mary", ("Mary",)), "psst")
    assert (chat.said, seen) == ({"psst"}, [True])


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


def test_a_running_server():
    """A server of which nothing else is known runs, and has no subscriptions."""
    server = RunningServer(port=8000, form=FORM)
    assert server.base == "http://127.0.0.1:8000"
    assert server.exit_status() is None
    assert server.subscriptions(["a", "b"]) == {"a": 0, "b": 0}


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
            {"cookie": "session=John", "origin": "http://127.0.0.1:8000"},
        )
    ]


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
