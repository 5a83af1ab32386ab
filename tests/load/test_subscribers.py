"""The subscribers of a stress test, against a small server of their own."""

from __future__ import annotations

import json
import threading
from contextlib import suppress

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from harness.clients.frame_format import FrameFormat
from harness.load import subscribers
from harness.load.subscribers import Stressed, StressPlan, _Test


class Hub:
    """A server that hands on to all what one says, but for what it drops; it can keep the last message."""

    def __init__(self) -> None:
        self.connections: set = set()
        self.lock = threading.Lock()
        self.drops = lambda number, text: False
        self.kept: str | None = None
        self.keeps = False
        self.refuses = lambda request: False

    def handle(self, connection) -> None:
        with self.lock:
            number = len(self.connections)
            self.connections.add(connection)
        if self.kept is not None:
            connection.send(self.kept)
        with suppress(ConnectionClosed):
            for text in connection:
                self.kept = text if self.keeps else None
                with self.lock:
                    there = list(enumerate(self.connections))
                for place, each in there:
                    if not self.drops(place, text):
                        with suppress(ConnectionClosed):
                            each.send(text)
        assert number >= 0


@pytest.fixture
def hub():
    made = Hub()
    with serve(made.handle, "127.0.0.1", 0) as server:
        made.port = server.socket.getsockname()[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(subscribers, "STANDING", 0.5)
    monkeypatch.setattr(subscribers, "ARRIVING", 0.5)
    monkeypatch.setattr(subscribers, "_FENCES", 0.05)


def stressed(hub, kept: bool = False, **frames) -> Stressed:
    plan = StressPlan(
        cell="py311-django52",
        library="",
        url=f"ws://127.0.0.1:{hub.port}/ws/",
        origin=f"http://127.0.0.1:{hub.port}",
        cookies=["sessionid=a", "sessionid=b"],
        publisher="sessionid=a",
        sockets=20,
        kept=kept,
        token="abc",
    )
    return _Test(plan, FrameFormat("/ws/", **{"messages": lambda data: [data], **frames})).run()


def test_all_receive_it(hub):
    """Everybody is let in, subscribed, and receives the message, and the time until then is told."""
    found = stressed(hub)
    assert (found.connected, found.subscribed, found.received, found.refused) == (20, 20, 20, {})
    assert 0 < found.seconds < 10


def test_a_message_that_is_kept(hub):
    """A message that was published before is received by everybody who comes, and no fence is needed."""
    hub.keeps = True
    found = stressed(hub, kept=True)
    assert (found.connected, found.subscribed, found.received) == (20, 20, 20)


def test_one_that_nobody_keeps(hub):
    """Where it is not kept nobody receives it."""
    hub.drops = lambda place, text: True  # who comes early must not hear it live
    assert stressed(hub, kept=True).received == 0


def test_some_do_not_receive_it(hub):
    """Who never receives anything is not subscribed; who receives fences alone is, and has not received it."""
    hub.drops = lambda place, text: place in (3, 4) or (place == 5 and not text.startswith("fence"))
    found = stressed(hub)
    assert found.connected == 20
    # One of the places can be the publisher's, who is no subscriber.
    assert (found.subscribed, found.received) in {(18, 17), (19, 18), (18, 18)}


def test_frames(hub):
    """What is said when a connection opens, and what messages are wrapped in, is the library's."""
    found = stressed(
        hub,
        opened=(json.dumps({"hello": 1}),),
        broadcast=lambda text: json.dumps({"said": text}),
        messages=lambda data: [json.loads(data)["said"]] if "said" in data else [],
    )
    assert found.received == 20


def test_a_handshake_that_hangs(hub, monkeypatch):
    """One handshake that is never answered leaves the others as they are, who are given their time after it."""
    monkeypatch.setattr(subscribers, "CONNECTING", 1.0)
    original = _Test._open
    opened = []

    def opening(test, cookie):
        opened.append(cookie)
        if len(opened) == 5:
            threading.Event().wait(1.0)
            raise TimeoutError
        return original(test, cookie)

    monkeypatch.setattr(_Test, "_open", opening)
    found = stressed(hub)
    assert (found.connected, found.subscribed, found.received) == (19, 19, 19)


def test_what_somebody_else_says(hub):
    """What is left of another stress test is no sign of a subscription."""
    hub.kept = "to 20 subscribers (another)"
    hub.drops = lambda place, text: True
    found = stressed(hub, kept=True)
    assert (found.connected, found.subscribed, found.received) == (20, 0, 0)


def test_nobody_is_let_in(hub, monkeypatch):
    """Handshakes that fail are counted by why."""
    opened = []
    original = _Test._open

    def opening(test, cookie):
        opened.append(cookie)
        if len(opened) > 1:
            raise ConnectionRefusedError
        return original(test, cookie)

    monkeypatch.setattr(_Test, "_open", opening)
    found = stressed(hub)
    assert (found.connected, found.refused) == (0, {"ConnectionRefusedError": 20})


def test_from_file_to_file(hub, tmp_path, monkeypatch):
    """The plan is read from a file, the library says how it speaks, and what came of it is written to a file."""
    plan = StressPlan(
        cell="py311-django52-asgi",
        library="asgi",
        url=f"ws://127.0.0.1:{hub.port}/ws/",
        origin="http://127.0.0.1",
        cookies=[""],
        publisher="",
        sockets=3,
        kept=False,
        token="abc",
    )
    (tmp_path / "plan").write_bytes(msgspec.json.encode(plan))
    monkeypatch.setattr(subscribers.threading, "stack_size", lambda size: None)
    subscribers.run(tmp_path / "plan", tmp_path / "result")
    assert msgspec.json.decode((tmp_path / "result").read_bytes(), type=Stressed).connected == 3
