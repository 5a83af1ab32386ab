"""Holding a server up: what is told while somebody tries it by hand, and that nothing is left of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
import requests
from cellservers import TalkingLibrary, failed, standing_in
from shared import FAKES, ROOT, fake_cell

from harness.clients.connection import Endpoint
from harness.errors import CellFailure, Interrupted
from harness.run import hold
from harness.verdict import Reason


@pytest.fixture
def server(tmp_path, board):
    return standing_in(tmp_path, board, TalkingLibrary(board))


@pytest.fixture
def told(server, monkeypatch):
    """Hold the server; each of the things that *happen* does at one look, and then it is interrupted."""

    def run(*happen) -> list[str]:
        left = [*happen, lambda: (_ for _ in ()).throw(Interrupted(signal.SIGINT))]
        waits = SimpleNamespace(wait=lambda seconds: left.pop(0)())
        monkeypatch.setattr(hold, "threading", SimpleNamespace(Event=lambda: waits))
        lines: list[str] = []
        hold.hold(server, lines.append)
        return lines

    return run


def test_what_is_told(told, board):
    """Where it is, who can log in, what the members receive, and which connection is closed."""
    lines = told(
        lambda: board.say("user", "John", "Mary", "hello by hand"),
        lambda: next(each for each in board.lines if each.endpoint == Endpoint("Mary", "group")).transcript.add(
            Endpoint("Mary", "group"), "in", "closed", "lost"
        ),
    )
    assert lines[0] == "admin, John, Mary are connected: what they receive is shown here."
    assert lines[1].endswith("/ is up; its broker is redis://127.0.0.1:6379/0.")
    assert lines[2].startswith("Log in as admin (")
    assert "  John (user) receives 'hello by hand'" in lines
    assert [line for line in lines if line.startswith("  Mary (group) is ")] == ["  Mary (group) is lost"]
    assert lines[-1] == "Held until it was interrupted; nothing was recorded."


def test_what_is_red(told, board):
    """Where the members cannot connect the server is held all the same, and it is told why not."""
    board.refuses = lambda endpoint, path, member, origin: "status 403"
    lines = told()
    assert lines[0].startswith("It is red: the handshake of admin's broadcast connection failed: status 403")
    assert " is up; " in lines[1]


def test_it_does_not_start(server):
    """What does not start cannot be held."""
    server.failures["runserver"] = failed("it ended with exit status 1")
    with pytest.raises(CellFailure, match=r"^it ended with exit status 1$"):
        hold.hold(server, print)


def test_it_ends_by_itself(told, board):
    """A server that ends is held no longer."""
    with pytest.raises(CellFailure, match=r"^the server ended by itself, with exit status 3$") as raised:
        told(lambda: setattr(board, "exit_status", 3))
    assert raised.value.reason is Reason.SERVER_DID_NOT_START


@pytest.mark.cell
def test_a_real_one(tmp_path, no_survivors):
    """A whole cell is held until Ctrl-C: its pages answer meanwhile, and nothing is recorded or left running."""
    env = {**os.environ, "HARNESS_REPORTS": str(tmp_path), "HARNESS_LIBRARIES": str(FAKES)}
    command = [sys.executable, "-u", "-m", "harness", "run", fake_cell("behaves"), "--python", sys.executable, "--hold"]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    address = ""
    for line in process.stdout:
        if found := re.match(r"(http://\S+/) is up", line):
            address = found[1]
        if line.startswith("Log in as"):
            assert requests.get(f"{address}accounts/login/", timeout=20).status_code == 200
            process.send_signal(signal.SIGINT)
            break
    rest = process.stdout.read()
    assert process.wait(timeout=60) == 0, rest
    assert rest.endswith("Held until it was interrupted; nothing was recorded.\n")
    assert [each for each in tmp_path.rglob("*") if each.is_file() and not each.name.endswith(".lock")] == []
    assert [each.name for each in tmp_path.glob("*/*")] == [f".{fake_cell('behaves')}.lock"]
