"""A NATS server of our own: its address once it listens; where it does not start, its last word."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from harness.system import nats

LISTENS = """\
import socket, sys, time
port = int(sys.argv[sys.argv.index("--port") + 1])
with socket.create_server((sys.argv[sys.argv.index("--addr") + 1], port)):
    time.sleep(60)
"""


@pytest.fixture
def program(tmp_path):
    def made(script: str):
        file = tmp_path / "nats-server"
        file.write_text(f"#!{sys.executable}\n{script}")
        file.chmod(0o755)
        return tmp_path

    return made


@pytest.mark.usefixtures("no_survivors")
def test_it_runs_for_as_long_as_it_is_needed(program, tmp_path):
    """It listens on loopback at the address that is given, until it is not needed any more."""
    with nats.running(program(LISTENS), dict(os.environ), tmp_path / "nats.log") as url:
        host, _, port = url.removeprefix("nats://").partition(":")
        assert host == "127.0.0.1"
        socket.create_connection((host, int(port))).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))


@pytest.mark.parametrize(("script", "said"), [("raise SystemExit('no memory')", "no memory"), ("", "it says nothing")])
def test_it_does_not_start(program, tmp_path, script, said):
    """One that does not start says why in its last line."""
    with (
        pytest.raises(nats.NoNats, match=f"^the NATS server does not start: {said}$"),
        nats.running(program(script), dict(os.environ), tmp_path / "nats.log"),
    ):
        pytest.fail("it does not run")
