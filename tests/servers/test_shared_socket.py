"""Several processes that share one listening socket."""

from __future__ import annotations

import signal
import socket
import sys

import pytest

from harness.servers import shared_socket
from harness.system.ports import can_bind, free_port

#: Ends with the number of bytes that it read off its first connection.
SERVES = """
import socket, sys
with socket.socket(fileno=0) as listener:
    connection, _ = listener.accept()
    sys.exit(len(connection.recv(100)))
"""


@pytest.fixture(autouse=True)
def handlers():
    """Have signals be as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Process:
    """A process that is none; it ends when it is told to."""

    def __init__(self, command: list[str], stdin: int) -> None:
        self.command, self.signals, self.told = command, [], False
        #: None while it runs.
        self.status: int | None = None
        with socket.socket(fileno=socket.dup(stdin)) as listener:
            self.port = listener.getsockname()[1]
            self.listens = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)

    def poll(self) -> int | None:
        return self.status

    def wait(self) -> int:
        assert self.told or self.status is not None, "nothing would end it"
        return self.status or 0

    def terminate(self) -> None:
        self.told = True

    def send_signal(self, number: int) -> None:
        self.signals.append(number)


class Processes(list[Process]):
    """Those that were started; *happens* is what does while they are waited for."""

    def happens(self) -> None:
        self[0].status = 1


@pytest.fixture
def processes(monkeypatch) -> Processes:
    made = Processes()

    def started(command: list[str], stdin: int) -> Process:
        made.append(Process(command, stdin))
        return made[-1]

    monkeypatch.setattr(shared_socket.subprocess, "Popen", started)
    monkeypatch.setattr(shared_socket.os, "waitid", lambda *asked: made.happens())
    return made


def test_they_share_a_socket(processes):
    """Each process gets the same listening socket as its standard input, and the port is free again in the end."""
    port = free_port()
    assert shared_socket.main(port, 3, ["serve", "--fd", "0"]) == 1
    assert [process.command for process in processes] == [["serve", "--fd", "0"]] * 3
    assert {(process.port, process.listens) for process in processes} == {(port, 1)}
    assert can_bind(port)


@pytest.mark.parametrize("first", [0, 1, 2])
def test_all_end_together(processes, monkeypatch, first):
    """Once any of them has ended the others are ended, and its status is told."""
    monkeypatch.setattr(processes, "happens", lambda: setattr(processes[first], "status", 7))
    assert shared_socket.main(free_port(), 3, ["serve"]) == 7
    assert all(process.told for process in processes if process is not processes[first])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_handed_on(processes, monkeypatch, number):
    """A signal to this process goes to all of them."""

    def interrupted() -> None:
        signal.raise_signal(number)
        processes[0].status = 0

    monkeypatch.setattr(processes, "happens", interrupted)
    shared_socket.main(free_port(), 2, ["serve"])
    assert {tuple(process.signals) for process in processes} == {(number,)}


def test_the_second_ends(monkeypatch):
    """Of two real processes the second ends, and the first does not outlive it."""
    started, original = [], shared_socket.subprocess.Popen

    def start(command, stdin):
        started.append(original(["sh", "-c", command[0] if started else "exec sleep 60"], stdin=stdin))
        return started[-1]

    monkeypatch.setattr(shared_socket.subprocess, "Popen", start)
    assert shared_socket.main(free_port(), 2, ["exit 3"]) == 3
    assert [each.returncode for each in started] == [-signal.SIGTERM, 3]


def test_a_taken_port():
    """A port that somebody has cannot be shared."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        shared_socket.main(taken.getsockname()[1], 2, ["serve"])


def test_a_process_that_serves(monkeypatch):
    """A process that is one accepts what comes to the port."""
    port = free_port()
    original = shared_socket.subprocess.Popen

    def started(command, stdin):
        process = original(command, stdin=stdin)
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"hello")
        return process

    monkeypatch.setattr(shared_socket.subprocess, "Popen", started)
    assert shared_socket.main(port, 1, [sys.executable, "-S", "-c", SERVES]) == 5
