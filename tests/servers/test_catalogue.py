"""The servers: the commands that start them, alone and several, and what has to be installed for them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.servers.catalogue import SERVERS, Application, Deployment

PYTHON = Path("/cell/bin/python")
CHAT = Application(asgi="chat.asgi:application", wsgi="chat.wsgi", module="chat.gevent_server")


@pytest.mark.parametrize("name", SERVERS)
def test_on_loopback(name):
    """Every server is told its port and listens on loopback alone, and nothing in its command is left to fill in."""
    server = SERVERS[name]
    command = " ".join(server.command(PYTHON, 8765, CHAT))
    assert "{" not in command
    assert ("8765" in command) != bool(server.port_variable)
    assert "0.0.0.0" not in command
    assert server.name == name


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("runserver", "/cell/bin/python -Wd manage.py runserver 127.0.0.1:8765 --noreload"),
        ("daphne", "/cell/bin/python -Wd /cell/bin/daphne -b 127.0.0.1 -p 8765 chat.asgi:application"),
        ("gevent", "/cell/bin/python -Wd -m chat.gevent_server 8765"),
    ],
)
def test_commands(name, command):
    """A server is started by the cell's Python, with the chat where that has it."""
    assert " ".join(SERVERS[name].command(PYTHON, 8765, CHAT)) == command


def test_a_program():
    """uWSGI is a program of the cell's environment, with two processes."""
    command = SERVERS["uwsgi"].command(PYTHON, 8765, CHAT)
    assert command[0] == "/cell/bin/uwsgi"
    assert command[command.index("--workers") + 1] == "2"
    assert command[-2:] == ["--module", "chat.wsgi"]


@pytest.mark.parametrize("name", ["uvicorn", "hypercorn", "granian", "uwsgi"])
def test_several_processes(name):
    """A server that can have several processes is told how many."""
    command = SERVERS[name].deployed(Deployment("4", 4)).command(PYTHON, 8765, CHAT)
    assert command[command.index("--workers") + 1] == "4"


def test_a_shared_socket():
    """Several processes of daphne share a socket that somebody else has opened; one alone opens its own."""
    several = SERVERS["daphne"].deployed(Deployment("2 processes", 2))
    command = several.command(PYTHON, 8765, CHAT)
    assert command[0] == sys.executable
    assert (Path(command[1]).name, command[2:4]) == ("shared_socket.py", ["8765", "2"])
    assert command[4:] == ["/cell/bin/python", "-Wd", "/cell/bin/daphne", "--fd", "0", "chat.asgi:application"]
    assert several.deployed(Deployment("2 processes", 2)) is several


def test_as_it_is():
    """A deployment with as many processes as the server has anyhow changes nothing."""
    for server in SERVERS.values():
        assert server.deployed(Deployment("usual", server.processes)) is server


def test_numbers():
    """One process is compared with two where the server can have two."""
    assert SERVERS["uvicorn"].numbers() == [(1, "1 process"), (2, "2 processes")]
    assert SERVERS["runserver"].numbers() == [(1, "1 process")]
