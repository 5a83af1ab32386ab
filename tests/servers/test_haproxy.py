"""HAProxy before a server."""

from __future__ import annotations

import os

import needs
import pytest
from crowds import client, plan_for, serving

from harness.servers import haproxy
from harness.servers.front import NoFront

pytestmark = pytest.mark.usefixtures("no_survivors")


@needs.haproxy
def test_before(tmp_path):
    """A crowd that comes through HAProxy is the same crowd."""
    with (
        serving("well") as behind,
        haproxy.before([behind], {"PATH": os.environ["PATH"]}, tmp_path / "haproxy") as (port, child),
    ):
        with client(plan_for(port, 100, path="/ws/chat"), tmp_path) as (process, read):
            _, said = process.communicate(timeout=60)
            assert process.returncode == 0, said
        assert read().whole
    assert child.exit_status is not None


def test_missing(monkeypatch):
    """Where it is not here, what to install is said."""
    monkeypatch.setenv(haproxy.HAPROXY, "no-such-haproxy")
    with pytest.raises(NoFront, match="install Debian's package haproxy"):
        haproxy.find()
