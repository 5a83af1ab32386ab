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
    """A process that is none; it ends when it is told to, with its number."""

    def __init__(self, all_of_them: list[Process], command: list[str], stdin: int) -> None:
        self.command, self.signals, self.ended = command, [], False
        with socket.socket(fileno=socket.dup(stdin)) as listener:
            self.port = listener.getsockname()[1]
            self.listens = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        all_of_them.append(self)
        self.status = len(all_of_them)

    def wait(self) -> int:
        return self.status

    def terminate(self) -> None:
        self.ended = True

    def send_signal(self, number: int) -> None:
        self.signals.append(number)


@pytest.fixture
def processes(monkeypatch) -> list[Process]:
    made: list[Process] = []
    monkeypatch.setattr(shared_socket.subprocess, "Popen", lambda command, stdin: Process(made, command, stdin))
    return made


def test_they_share_a_socket(processes):
    """Each process gets the same listening socket as its standard input, and the port is free again in the end."""
    port = free_port()
    assert shared_socket.main(port, 3, ["serve", "--fd", "0"]) == 1
    assert [process.command for process in processes] == [["serve", "--fd", "0"]] * 3
    assert {(process.port, process.listens) for process in processes} == {(port, 1)}
    assert can_bind(port)


def test_all_end_together(processes):
    """Once the first has ended the others are ended, and a status that is not zero is told."""
    shared_socket.main(free_port(), 3, ["serve"])
    assert [process.ended for process in processes] == [False, True, True]


def test_the_status_of_another(processes, monkeypatch):
    """Where the first ends well the status of another one is told."""
    waits = iter((0, 0, 5))
    monkeypatch.setattr(Process, "wait", lambda process: next(waits))
    assert shared_socket.main(free_port(), 3, ["serve"]) == 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_handed_on(processes, monkeypatch, number):
    """A signal to this process goes to all of them."""

    def interrupted(process):
        signal.raise_signal(number)
        return 0

    monkeypatch.setattr(Process, "wait", interrupted)
    shared_socket.main(free_port(), 2, ["serve"])
    assert {tuple(process.signals) for process in processes} == {(number, number)}


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
