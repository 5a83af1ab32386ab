"""HAProxy before a server; that a crowd comes through it is in ``test_front.py``."""

from __future__ import annotations

import pytest

from harness.servers import haproxy
from harness.servers.front import NoFront


def test_missing(monkeypatch):
    """Where it is not here, what to install is said."""
    monkeypatch.setenv(haproxy.HAPROXY, "no-such-haproxy")
    with pytest.raises(NoFront, match="install Debian's package haproxy"):
        haproxy.find()
