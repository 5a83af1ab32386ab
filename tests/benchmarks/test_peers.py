"""The clients of the benchmark ``peers``: each counts what it has received, and none of them is measured here."""

from __future__ import annotations

import os
import shutil
import socket

import pytest

from benchmarks.peers import bare, compare
from benchmarks.peers.bare import Bare
from benchmarks.peers.task import Counts, Task, percentiles

pytestmark = pytest.mark.usefixtures("no_survivors")
ARTILLERY = os.environ.get("HARNESS_ARTILLERY") or shutil.which("artillery")
SIZE = {"subscribers": 20, "messages": 2}


@pytest.fixture(scope="module")
def port():
    with compare.serving() as port:
        yield port


@pytest.mark.parametrize("client", [each for each in compare.CLIENTS if each != "artillery" or ARTILLERY])
def test_a_client_counts(client, port):
    """Two messages to twenty subscribers are forty deliveries, and what they took is told."""
    row = compare.perform(client, Task(port, **SIZE))
    assert (row["name"], row["connected"], row["delivered"]) == (client, 20, 40)
    assert (row["lost"], row["duplicated"]) == (0, 0)
    assert 0 < row["p50_ms"] <= row["p99_ms"]
    assert 0 < row["connect_cpu_seconds"] < row["cpu_seconds"]
    assert 0 < row["delivery_cpu_seconds"] < row["cpu_seconds"]
    assert row["connect_seconds"] > 0
    assert 10 < row["memory_mb"] < 1000


def test_artillery_is_absent(port, monkeypatch, tmp_path):
    """Without artillery its row says what to install."""
    monkeypatch.delenv("HARNESS_ARTILLERY", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    row = compare.perform("artillery", Task(port, **SIZE))
    assert row == {"name": "artillery", "connected": 0, "note": "not measured: npm install artillery"}


def test_what_is_lost_and_what_comes_twice():
    """Each subscriber is counted by itself, and the fence counts for nothing."""
    reached = []
    counts = Counts(Task(0, subscribers=3, messages=2), reached.append)
    for subscriber, text in [(0, "message 0"), (1, "message 0"), (0, "message 0"), (2, "message 0"), (1, "message 1")]:
        counts.arrive(subscriber, text)
    for subscriber in range(3):
        counts.arrive(subscriber, "fence")
    result = counts.result()
    assert (result["delivered"], result["lost"], result["duplicated"]) == (4, 2, 1)
    assert reached == [0, 2]
    with pytest.raises(KeyError):
        counts.arrive(0, "what nobody sent")


def test_percentiles():
    """They are in milliseconds, and none where nothing was delivered."""
    assert percentiles([each / 1000 for each in range(1, 101)]) == {"p50_ms": 51.0, "p99_ms": 100.0}
    assert percentiles([]) == {"p50_ms": None, "p99_ms": None}


def test_frames_by_hand():
    """Frames are put together from whatever pieces they arrive in."""
    own = Bare(Task(0))
    assert own._frames(7, b"\x81\x03one\x81") == [b"one"]
    assert own._frames(8, b"\x81\x01a\x81\x01b") == [b"a", b"b"]
    assert own._frames(7, b"\x03tw") == []
    assert own._frames(7, b"o") == [b"two"]
    assert not own.parts
    with pytest.raises(ConnectionError):
        own._frames(7, b"\x88\x00")


def test_who_is_not_answered_is_not_connected(monkeypatch):
    """A socket whose handshake the server leaves unanswered is not counted as connected."""
    monkeypatch.setattr(bare, "CONNECTING", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = Bare(Task(silent.getsockname()[1], subscribers=3, messages=1))
        assert client.connect() == 0
        for each in client.sockets:
            each.close()
