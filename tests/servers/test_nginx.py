"""NGINX before a server."""

from __future__ import annotations

import os

import needs
import pytest
from crowds import client, plan_for, serving

from harness.servers import nginx

pytestmark = pytest.mark.usefixtures("no_survivors")


@needs.nginx
def test_before(tmp_path):
    """A crowd that comes through NGINX is the same crowd."""
    with (
        serving("well") as behind,
        nginx.before(behind, {"PATH": os.environ["PATH"]}, tmp_path / "nginx", 1000) as (port, child),
    ):
        with client(plan_for(port, 200, path="/ws/chat"), tmp_path) as (process, read):
            _, said = process.communicate(timeout=60)
            assert process.returncode == 0, said
        assert read().whole
        assert child.exit_status is None
    assert child.exit_status is not None


@needs.nginx
def test_does_not_start(tmp_path):
    """What it says itself is the reason when it does not start."""
    with (
        pytest.raises(nginx.NoNginx, match=r"nginx does not start: .*invalid number"),
        nginx.before(1, {"PATH": os.environ["PATH"]}, tmp_path / "nginx", 40),
    ):
        pass


def test_missing(monkeypatch):
    """Where it is not here, what to install is said."""
    monkeypatch.setenv(nginx.NGINX, "no-such-nginx")
    with pytest.raises(nginx.NoNginx, match="install Debian's package nginx-light"):
        nginx.find()
