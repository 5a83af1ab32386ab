"""The crowd's sockets without a network: who is let in, what arrives, and who is gone."""

from __future__ import annotations

import asyncio
import errno
from types import SimpleNamespace

import picows
import pytest

from harness.clients.frame_format import FrameFormat
from harness.load import crowd as module
from harness.load.crowd import CLIENT_FULL, PUBLISHERS, Crowd, Ended, named, room_for_sockets
from harness.load.plan import Plan, Visitor

JOHN, NOBODY = Visitor(name="John", cookie="sessionid=j"), Visitor(name="", cookie="")
KIND = picows.WSMsgType
FORMAT = FrameFormat(
    "/",
    lambda text: text.split("|"),
    broadcast=lambda text: f"say {text}",
    opened=("hello", "it is me"),
    answers={"ping": "pong"},
    every=("beat", 1.0),
)


class Transport:
    def __init__(self) -> None:
        self.sent: list[tuple[object, bytes]] = []
        self.ended: list[bool] = []

    def send(self, kind, data):
        self.sent.append((kind, data))

    def disconnect(self, graceful=True):
        self.ended.append(graceful)


class Network:
    """Lets sockets in, or does what it is told with each, one after the other."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, object]]] = []
        self.outcomes: list[object] = []
        self.usual: object = None

    async def ws_connect(self, factory, url, **options):
        self.asked.append((url, options))
        outcome = self.outcomes.pop(0) if self.outcomes else self.usual
        await asyncio.sleep(0)
        if isinstance(outcome, Exception):
            raise outcome
        if outcome != "silent":
            factory().on_ws_connected(Transport())

    @property
    def headers(self) -> list[dict[str, str]]:
        return [dict(options["extra_headers"]) for _, options in self.asked]


@pytest.fixture
def network(monkeypatch) -> Network:
    made = Network()
    monkeypatch.setattr(module.picows, "ws_connect", made.ws_connect)
    return made


def crowd_of(sockets: int = 3, **more: object) -> Crowd:
    plan = Plan(
        cell="py311-django22",
        library="",
        url="ws://127.0.0.1:1/ws/",
        origin="http://127.0.0.1:1",
        visitors=[JOHN, NOBODY],
        publisher=JOHN,
        sockets=sockets,
        deadline=10.0,
        **more,
    )
    return Crowd(plan, FORMAT)


def connected(network: Network, sockets: int = 3, **more: object) -> Crowd:
    made = crowd_of(sockets, **more)
    asyncio.run(made.connect())
    return made


def refused(status: int) -> Exception:
    error = picows.WSInvalidStatusError.__new__(picows.WSInvalidStatusError)
    error.response = SimpleNamespace(status=status)
    return error


def frame(data: bytes, kind: object = KIND.TEXT, fin: bool = True, code: int = 0) -> SimpleNamespace:
    return SimpleNamespace(
        msg_type=kind,
        fin=fin,
        get_payload_as_bytes=lambda: data,
        get_close_code=lambda: SimpleNamespace(value=code),
    )


def hears(crowd: Crowd, socket: int, *frames: SimpleNamespace) -> None:
    listener = crowd.publisher if socket < 0 else crowd.listeners[socket]
    for each in frames:
        listener.on_ws_frame(listener.transport, each)


# Who is let in


def test_everybody(network):
    """The publisher is let in first, then each socket of the crowd, whose they are in turn."""
    crowd = connected(network, 3)
    assert [headers.get("Cookie") for headers in network.headers] == ["sessionid=j", "sessionid=j", None, "sessionid=j"]
    assert {headers["Origin"] for headers in network.headers} == {"http://127.0.0.1:1"}
    assert {url for url, _ in network.asked} == {"ws://127.0.0.1:1/ws/"}
    assert sorted(listener.number for listener in crowd.listeners) == [0, 1, 2]
    assert (crowd.publisher.number, crowd.published_by) == (-1, 1)
    assert (crowd.refused, crowd.closed) == ({}, {})


def test_how_they_are_opened(network):
    """No socket goes by a proxy or another address, and each has its time for a handshake."""
    connected(network, 1, handshake=7.0)
    _, options = network.asked[0]
    assert (options["websocket_handshake_timeout"], options["max_redirects"], options["proxy"]) == (7.0, 0, None)


def test_what_is_said_first(network):
    """Whoever is let in says what the protocol wants to hear first."""
    crowd = connected(network, 1)
    assert crowd.listeners[0].transport.sent == [(KIND.TEXT, b"hello"), (KIND.TEXT, b"it is me")]


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (refused(503), "status 503"),
        (TimeoutError(), "no answer within 10 s"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "no"), "ECONNREFUSED"),
        (OSError("no number"), "OSError"),
        (picows.WSError("what is this"), "WSError"),
        ("silent", "closed without an answer"),
    ],
)
def test_refused(network, outcome, why):
    """Whoever is not let in is counted by what was met, and the next one is let in."""
    network.outcomes = [None, outcome, None, outcome]
    crowd = connected(network, 3, at_once=1)
    assert crowd.refused == {why: 2}
    assert [listener.number for listener in crowd.listeners] == [1]


def test_no_more_than_so_many_at_once(network):
    """No more handshakes are under way at once than the plan says."""
    under_way, most = [0], [0]
    original = network.ws_connect

    async def counted(factory, url, **options):
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        await asyncio.sleep(0)
        await original(factory, url, **options)
        under_way[0] -= 1

    module.picows.ws_connect = counted
    connected(network, 20, at_once=4)
    assert most == [4]


def test_given_up(network):
    """After very many handshakes that failed one after the other no more are tried."""
    network.outcomes, network.usual = [None], refused(500)
    crowd = connected(network, 1000, at_once=1)
    assert crowd.refused == {"status 500": 200}


def test_not_given_up(network):
    """One handshake that succeeds begins the count of failures anew."""
    network.outcomes = [None, *[refused(500)] * 199, None, *[refused(500)] * 199]
    crowd = connected(network, 410, at_once=1)
    assert (crowd.refused["status 500"], len(crowd.listeners)) == (398, 12)


def test_no_file_is_left(network):
    """Where this process may open no more files no more is tried, for it would only meet the same."""
    network.outcomes, network.usual = [None, None], OSError(errno.EMFILE, "too many open files")
    crowd = connected(network, 1000, at_once=3)
    assert crowd.refused == {CLIENT_FULL: 3}


def test_the_publisher_is_not_let_in(network):
    """Without a publisher there is no step."""
    network.usual = refused(403)
    with pytest.raises(Ended, match=r"^the publisher was not let in: status 403$"):
        connected(network)


def test_a_publisher_who_is_closed(network):
    """A publisher's connection that is closed is opened again, and that is counted."""
    crowd = connected(network, 1)
    first = crowd.publisher
    first.on_ws_disconnected(first.transport)
    assert crowd.publisher is None
    asyncio.run(crowd.have_publisher())
    assert crowd.publisher is not first
    assert (crowd.published_by, crowd.closed) == (2, {})


def test_a_publisher_who_is_closed_each_time(network):
    """A publisher who is closed each time is no publisher."""
    crowd = connected(network, 1)
    for _ in range(PUBLISHERS):
        crowd.gone(crowd.publisher)
        asyncio.run(crowd.have_publisher())
    crowd.gone(crowd.publisher)
    with pytest.raises(Ended, match=f"^the publisher's connection was closed {PUBLISHERS} times$"):
        asyncio.run(crowd.have_publisher())


# What is sent


def test_published(network):
    """A text is sent as the protocol broadcasts it, and known by its number from then on."""
    crowd = connected(network, 1)
    assert [crowd.publish("one", at=5.0), crowd.publish("two", at=6.0)] == [0, 1]
    assert crowd.publisher.transport.sent[2:] == [(KIND.TEXT, b"say one"), (KIND.TEXT, b"say two")]
    assert [(each.text, each.at) for each in crowd.tally.sent] == [("one", 5.0), ("two", 6.0)]
    assert crowd.decoder.numbers == {"one": 0, "two": 1}


def test_nobody_to_publish(network):
    """Without the publisher's connection nothing can be sent."""
    crowd = connected(network, 1)
    crowd.gone(crowd.publisher)
    with pytest.raises(Ended, match=r"^the publisher's connection was closed$"):
        crowd.publish("one")


def test_kept_alive(network):
    """What keeps connections alive is sent on each, the publisher's too, as long as nobody leaves."""
    crowd = connected(network, 2)
    crowd.keep_alive()
    everyone = [*crowd.listeners, crowd.publisher]
    assert [listener.transport.sent[-1] for listener in everyone] == [(KIND.TEXT, b"beat")] * 3
    crowd.leave()
    crowd.keep_alive()
    assert [len(listener.transport.sent) for listener in everyone] == [3] * 3


# What arrives


@pytest.fixture
def spoken(network) -> Crowd:
    """A crowd of two, to whom two texts were sent."""
    crowd = connected(network, 2, at_once=1)
    crowd.publish("one", at=0.0)
    crowd.publish("two", at=0.0)
    return crowd


def counts(crowd: Crowd) -> list[list[int]]:
    return [list(each.counts) for each in crowd.tally.sent]


def test_arrived(spoken):
    """What arrives is counted on its socket; that all have it is noticed."""
    hears(spoken, 0, frame(b"one|two"))
    assert counts(spoken) == [[1, 0], [1, 0]]
    spoken.changed.clear()
    hears(spoken, 1, frame(b"one"))
    assert (counts(spoken), spoken.changed.is_set()) == ([[1, 1], [1, 0]], True)


def test_some_still_wait(spoken):
    """Nobody is woken as long as some of those that stand do not have a text."""
    hears(spoken, 0, frame(b"one"))
    hears(spoken, 1, frame(b"one"))
    spoken.changed.clear()
    hears(spoken, 0, frame(b"two"))
    assert not spoken.changed.is_set()


def test_foreign(spoken):
    """What nobody sent is counted each time it comes."""
    hears(spoken, 0, frame(b"boo"), frame(b"boo|one"))
    assert (spoken.tally.foreign, counts(spoken)[0]) == (2, [1, 0])


def test_what_the_publisher_hears(spoken):
    """What arrives at the publisher counts for nothing, neither ours nor what is foreign."""
    hears(spoken, -1, frame(b"one"), frame(b"boo"))
    assert (counts(spoken)[0], spoken.tally.foreign) == ([0, 0], 0)


def test_answered(spoken):
    """A frame that wants an answer gets it on the same connection, and is no message."""
    hears(spoken, 1, frame(b"ping"))
    assert spoken.listeners[1].transport.sent[-1] == (KIND.TEXT, b"pong")
    assert spoken.tally.foreign == 0


@pytest.mark.parametrize("kind", [KIND.TEXT, KIND.BINARY])
def test_in_pieces(spoken, kind):
    """A message in several frames is one message once the last of them is there."""
    hears(spoken, 0, frame(b"o", kind, fin=False), frame(b"n", KIND.CONTINUATION, fin=False))
    assert counts(spoken)[0] == [0, 0]
    hears(spoken, 0, frame(b"e", KIND.CONTINUATION), frame(b"two", kind))
    assert counts(spoken) == [[1, 0], [1, 0]]


def test_a_piece_of_nothing(spoken):
    """A piece that continues nothing is no message."""
    hears(spoken, 0, frame(b"one", KIND.CONTINUATION))
    assert counts(spoken)[0] == [0, 0]


def test_pings_are_no_messages(spoken):
    """What only belongs to the protocol is nothing that anybody sent."""
    hears(spoken, 0, frame(b"one", KIND.PING), frame(b"one", KIND.PONG))
    assert (counts(spoken)[0], spoken.tally.foreign) == ([0, 0], 0)


# Who is gone


def test_closed_with_a_code(spoken):
    """A socket that is closed is counted by the code that it was closed with, and answered with the same."""
    hears(spoken, 0, frame(b"\x03\xf3", KIND.CLOSE, code=1011))
    listener = spoken.listeners[0]
    assert listener.transport.sent[-1] == (KIND.CLOSE, b"\x03\xf3")
    assert listener.transport.ended == [True]
    assert spoken.closed == {}
    listener.on_ws_disconnected(listener.transport)
    assert (spoken.closed, list(spoken.tally.closed)) == ({"close code 1011": 1}, [1, 0])


def test_dropped(spoken):
    """A socket whose connection just ends was dropped, and whoever waits is told."""
    spoken.changed.clear()
    spoken.gone(spoken.listeners[1])
    assert (spoken.closed, list(spoken.tally.closed), spoken.changed.is_set()) == ({"dropped": 1}, [0, 1], True)


def test_left(spoken):
    """Once the crowd leaves nothing counts any more, and each connection is ended at once."""
    everyone = [*spoken.listeners, spoken.publisher]
    spoken.leave()
    for listener in everyone:
        listener.on_ws_disconnected(listener.transport)
    assert [listener.transport.ended for listener in everyone] == [[False]] * 3
    assert (spoken.closed, sum(spoken.tally.closed)) == ({}, 0)


# Room


@pytest.mark.parametrize(
    ("limits", "room", "raised"),
    [((1024, 20_000), 19_960, (20_000, 20_000)), ((1024, 1024), 984, None)],
)
def test_room(monkeypatch, limits, room, raised):
    """The limit of files is raised as far as it goes, and some of them are no sockets."""
    set_to = []
    monkeypatch.setattr(module.resource, "getrlimit", lambda what: limits)
    monkeypatch.setattr(module.resource, "setrlimit", lambda what, to: set_to.append(to))
    assert room_for_sockets() == room
    assert set_to == ([raised] if raised else [])


@pytest.mark.parametrize("error", [OSError, ValueError])
def test_no_more_room(monkeypatch, error):
    """Where the limit cannot be raised it is what it was."""

    def refuse(what, to):
        raise error

    monkeypatch.setattr(module.resource, "getrlimit", lambda what: (1024, 20_000))
    monkeypatch.setattr(module.resource, "setrlimit", refuse)
    assert room_for_sockets() == 984


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (OSError(errno.ENFILE, "no"), CLIENT_FULL),
        (OSError(errno.EADDRNOTAVAIL, "no"), "EADDRNOTAVAIL"),
        (OSError(99_999, "no"), "OSError"),
        (ConnectionResetError(), "ConnectionResetError"),
        (ValueError("no"), "ValueError"),
    ],
)
def test_names(error, name):
    """An error is called by the system's name for it, or by its own."""
    assert named(error) == name
