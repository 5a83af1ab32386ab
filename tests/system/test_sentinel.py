"""A broker with a replica: when it is killed the replica takes over, and has what it had."""

from __future__ import annotations

import os

import pytest
import redis

from harness.errors import HarnessError
from harness.system import sentinel
from harness.system.sentinel import NAME, WatchedBroker

pytestmark = pytest.mark.cell


def test_the_replica_takes_over(tmp_path):
    """Once the master is killed a Sentinel names the replica, which has the data; in the end nothing of it runs."""
    with WatchedBroker(dict(os.environ), tmp_path) as watched:
        client = redis.Redis(port=watched.port, socket_timeout=5)
        first = redis.Redis(port=watched.master.port)
        first.set("key", "value")
        assert first.wait(1, 5000) == 1
        watched.fail_over()
        address = client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)
        assert int(address[1]) == watched.replica.port
        second = redis.Redis(port=watched.replica.port)
        assert second.get("key") == b"value"
        for each in (client, first, second):
            each.close()
    with pytest.raises(redis.ConnectionError):
        redis.Redis(port=watched.port).ping()


def test_it_does_not_start(tmp_path, monkeypatch):
    """Where they do not find each other that is the machine's fault, and nothing of them runs any more."""
    monkeypatch.setattr(sentinel, "_KNOWN", 0.0)
    monkeypatch.setattr(WatchedBroker, "_knows", lambda self: False)
    watched = WatchedBroker(dict(os.environ), tmp_path)
    with pytest.raises(HarnessError, match=r"^a Sentinel did not start; its output is in sentinel\.log$"), watched:
        pytest.fail("it has not started")
    with pytest.raises(redis.ConnectionError):
        redis.Redis(port=watched.master.port).ping()


def test_nobody_takes_over(tmp_path, monkeypatch):
    """Where nobody takes over that is the machine's fault as well."""
    monkeypatch.setattr(sentinel, "_TAKEN_OVER", 0.0)
    monkeypatch.setattr(WatchedBroker, "_master_port", lambda self: self.master.port)
    with pytest.raises(HarnessError, match="did not take over"):
        WatchedBroker(dict(os.environ), tmp_path).fail_over()
