"""The plan of a step on a server that somebody else has started, with stand-ins for its pages and its sockets."""

from __future__ import annotations

import msgspec
import pytest
from bareserver import BINARY, CLOSE, PING, TEXT, frame, handshake, serving

from harness.clients.frame_format import FrameFormat
from harness.errors import UsageError
from harness.load.locust import remote_plan
from harness.load.locust.remote_plan import lets_in, plan_for, setup_of
from harness.load.locust.websocket_client import WebSocketClient
from harness.load.plan import Plan, Visitor
from harness.system.ports import free_port

CELL = "py311-django52-asgi"
NOBODY, JOHN = Visitor(name="", cookie=""), Visitor(name="John", cookie="sessionid=j")
FORMAT = FrameFormat("/", lambda text: [] if text == "beat" else [text], opened=("hello",))


def plan_to(port: int) -> Plan:
    return Plan(
        cell=CELL,
        library="asgi",
        url=f"ws://127.0.0.1:{port}/ws/",
        origin="http://127.0.0.1",
        visitors=[JOHN],
        publisher=JOHN,
        sockets=1,
        handshake=5.0,
        deadline=10.0,
    )


# The plan


class Session:
    """A session with pages that let everybody in."""

    def __init__(self, base: str, form: object) -> None:
        self.base, self.cookie = base, ""

    def log_in(self, member: str) -> None:
        self.cookie = f"sessionid={member} at {self.base}"


@pytest.fixture
def planned(monkeypatch):
    """Return a way to plan for a server that lets strangers in, or not."""
    asked = []

    def plan(base="http://127.0.0.1:8000", cell=CELL, strangers=True):
        def lets(plan, frame_format, visitor):
            asked.append((plan.url, frame_format.path, visitor.name))
            return strangers

        monkeypatch.setattr(remote_plan, "HttpSession", Session)
        monkeypatch.setattr(remote_plan, "lets_in", lets)
        return plan_for(base, cell, [], 60, 5, 30.0)

    plan.asked = asked
    return plan


def test_planned(planned):
    """The members come with the cookies of their logins; where strangers are let in they come as well."""
    plan = planned()
    assert [(each.name, each.cookie) for each in plan.visitors] == [
        ("admin", "sessionid=admin at http://127.0.0.1:8000"),
        ("John", "sessionid=John at http://127.0.0.1:8000"),
        ("Mary", "sessionid=Mary at http://127.0.0.1:8000"),
        ("", ""),
    ]
    assert plan.publisher.name == "John"
    assert (plan.url, plan.origin) == ("ws://127.0.0.1:8000/ws/members/", "http://127.0.0.1:8000")
    assert (plan.cell, plan.library, plan.sockets, plan.messages, plan.deadline) == (CELL, "asgi", 60, 5, 30.0)
    assert planned.asked == [("ws://127.0.0.1:8000/ws/members/", "/ws/members/", "")]


def test_no_strangers(planned):
    """Where strangers are turned away only members come."""
    assert [each.name for each in planned(strangers=False).visitors] == ["admin", "John", "Mary"]


def test_behind_tls(planned):
    """A site behind TLS has its sockets there as well."""
    assert planned("https://chat.example").url == "wss://chat.example/ws/members/"


@pytest.mark.parametrize("address", ["", "127.0.0.1:8000", "ws://127.0.0.1:8000", "ftp://chat.example"])
def test_no_address(planned, address):
    """What no browser could open is refused, and it is said what to write."""
    with pytest.raises(UsageError, match=r"is no address of a server$") as raised:
        planned(address)
    assert raised.value.hint == "give it as http://127.0.0.1:8000"


@pytest.mark.parametrize("cell", ["nonsense", "py311-django52-nosuch"])
def test_no_cell(planned, cell):
    """What is no cell cannot be planned for."""
    with pytest.raises(UsageError):
        planned(cell=cell)


def test_setup():
    """What a cell's server runs on follows from its name."""
    setup = setup_of("py311-django52-channels4-uvicorn-pins", [])
    assert (setup.library.name, setup.server.name, setup.profile) == ("channels4", "uvicorn", "pins")


# Who is let in


def let_in(monkeypatch, *said: bytes, stays: bool = True, **more) -> tuple[bool, list[tuple[int, bytes]]]:
    monkeypatch.setattr(remote_plan, "_STAYS", 0.05)
    with serving(*said, stays=stays, **more) as (port, heard):
        return lets_in(plan_to(port), FORMAT, NOBODY), heard.frames


def test_let_in(monkeypatch):
    """Who may connect, and stays, and is told nothing, is let in; what the protocol wants to hear first is said."""
    assert let_in(monkeypatch) == (True, [(TEXT, b"hello")])


def test_told_what_is_no_message(monkeypatch):
    """What is only the protocol's own is no objection."""
    assert let_in(monkeypatch, answer=lambda request: handshake(request) + frame(TEXT, b"beat"))[0]


def test_objections(monkeypatch):
    """Who is told something is not let in, whatever that is."""
    assert not let_in(monkeypatch, answer=lambda request: handshake(request) + frame(TEXT, b"who are you?"))[0]


def test_sent_away(monkeypatch):
    """Who is sent away again, or dropped, is not let in."""
    assert not let_in(monkeypatch, frame(CLOSE, b"\x03\xf0"))[0]
    assert not let_in(monkeypatch, stays=False)[0]


def test_refused(monkeypatch):
    """Who is refused is not let in."""
    refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    assert not let_in(monkeypatch, answer=lambda request: refusal, stays=False)[0]


# The client


def test_connected():
    """It comes with its cookie and the site's origin, and what is sent is a text."""
    with serving() as (port, heard):
        client = WebSocketClient(plan_to(port), JOHN)
        assert client.connect() == ""
        client.send("hi")
        assert heard.wait(1) == [(TEXT, b"hi")]
        client.leave()
    assert b"Cookie: sessionid=j\r\n" in heard.request
    assert b"Origin: http://127.0.0.1\r\n" in heard.request


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "status 503"),
        (b"", "closed without an answer"),
    ],
)
def test_not_connected(answer, why):
    """Why it is not connected is said as the client on one machine says it."""
    with serving(answer=lambda request: answer, stays=False) as (port, _):
        assert WebSocketClient(plan_to(port), NOBODY).connect() == why


def test_nobody_listens():
    """Where nobody listens that has the system's name."""
    assert WebSocketClient(plan_to(free_port()), NOBODY).connect() == "ECONNREFUSED"


def test_no_answer():
    """A server that does not answer in time is not waited for."""
    with serving(answer=lambda request: b"") as (port, _):
        plan = msgspec.structs.replace(plan_to(port), handshake=0.05)
        client = WebSocketClient(plan, NOBODY)
        assert client.connect() == "no answer within 0 s"
        client.leave()


@pytest.mark.parametrize(
    ("said", "stays", "ended"),
    [
        ([frame(CLOSE, b"\x03\xf3no")], True, "close code 1011"),
        ([frame(CLOSE)], True, "close code 1005"),
        ([], False, "dropped"),
    ],
)
def test_how_it_ends(said, stays, ended):
    """What comes before the end is told, and how it ended stands with the client."""
    with serving(frame(TEXT, b"one"), frame(PING, b"?"), frame(BINARY, b"two"), *said, stays=stays) as (port, _):
        client = WebSocketClient(plan_to(port), NOBODY)
        client.connect()
        assert list(client.frames(5)) == [b"one", b"two"]
        assert client.ended == ended


def test_nothing_comes():
    """Who waits for no longer than some seconds goes away without an end."""
    with serving(answer=lambda request: handshake(request) + frame(TEXT, b"one")) as (port, _):
        client = WebSocketClient(plan_to(port), NOBODY)
        client.connect()
        assert list(client.frames(0.05)) == [b"one"]
        assert client.ended == ""
        client.leave()
