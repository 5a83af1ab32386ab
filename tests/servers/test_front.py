"""What stands before a server: found where it is, started, and gone in the end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import needs
import pytest
from crowds import client, plan_for, serving

from harness.servers import front, haproxy, nginx
from harness.servers.front import NoFront
from harness.system.ports import free_port

LISTENS = f"""\
#!{sys.executable}
import socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(60)
"""


def program(folder: Path, text: str) -> Path:
    path = folder / "front"
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_it_is_found(tmp_path, monkeypatch):
    """A program on PATH is found, or the one that a variable names; of one that is not here it is said what to do."""
    found = program(tmp_path, LISTENS)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert front.find("front", "HARNESS_FRONT", "front-light") == str(found)
    monkeypatch.setenv("HARNESS_FRONT", "another")
    said = r"^there is no front; install Debian's package front-light, or name the program in HARNESS_FRONT$"
    with pytest.raises(NoFront, match=said):
        front.find("front", "HARNESS_FRONT", "front-light")


@pytest.mark.usefixtures("no_survivors")
@pytest.mark.cell
@pytest.mark.parametrize(
    ("before", "sockets"),
    [
        pytest.param(nginx.before, 200, marks=needs.nginx, id="nginx"),
        pytest.param(haproxy.before, 100, marks=needs.haproxy, id="haproxy"),
    ],
)
def test_a_crowd(tmp_path, before, sockets):
    """A crowd that comes through a proxy is the same crowd."""
    env = {"PATH": os.environ["PATH"]}
    with serving("well") as behind, before([behind], env, tmp_path / "proxy") as (port, child):
        with client(plan_for(port, sockets, path="/ws/chat"), tmp_path) as (process, read):
            _, said = process.communicate(timeout=60)
            assert process.returncode == 0, said
        assert read().whole
        assert child.exit_status is None
    assert child.exit_status is not None


@pytest.mark.usefixtures("no_survivors")
def test_it_runs(tmp_path):
    """It is there once it listens, and gone when the block is left."""
    port = free_port()
    command = [str(program(tmp_path, LISTENS)), str(port)]
    with front.running(command, {"PATH": os.environ["PATH"]}, tmp_path, port) as child:
        assert child.listens_on(port)
    assert child.exit_status is not None


@pytest.mark.parametrize(("text", "says"), [("echo wrong >&2; exit 1", "wrong"), ("exit 1", "it says nothing")])
def test_it_does_not_start(tmp_path, text, says):
    """The last that it says is the reason where it does not start."""
    command = [str(program(tmp_path, f"#!/bin/sh\n{text}\n"))]
    with (
        pytest.raises(NoFront, match=f"^front does not start: {says}$"),
        front.running(command, {"PATH": os.environ["PATH"]}, tmp_path, free_port()),
    ):
        pytest.fail("it has not started")
