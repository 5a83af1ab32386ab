"""What the harness has to know of a library: the interface that each module here fills."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from harness.cells import Cell
from harness.judge import Line
from harness.members import Row
from harness.result import Finding, Pin

if TYPE_CHECKING:
    from harness.chat import Chat


class SendFailed(Exception):
    """A message could not be handed to the server; the message says what the server answered."""


class Library(ABC):
    """One library: how to install, serve, connect, subscribe, speak, and recognise what arrives."""

    #: The name on PyPI, which is the name in reports as well.
    name: ClassVar[str]
    #: What follows ``pyXX-djangoYY-`` in a cell's name; empty for the bare name.
    suffix: ClassVar[str]
    #: The settings module of the server side.
    settings: ClassVar[str]
    #: The pages that every member must be able to read.
    pages: ClassVar[tuple[str, ...]]
    #: The server under test, as reports call it.
    server: ClassVar[str] = "runserver"
    #: Seconds for the server to answer its first request.
    ready_deadline: ClassVar[float] = 60.0
    #: What makes the server keep messages for those who come later; empty where it cannot.
    keeping: ClassVar[dict[str, str]] = {}

    @abstractmethod
    def requirements(self, cell: Cell) -> list[str]:
        """Return what a user of the library would ask the installer for."""

    def pins(self, cell: Cell) -> list[Pin]:
        """Return what is held back on *cell*'s Python and Django, each with its reason."""
        return []

    def project(self, root: Path) -> Path:
        """Return the folder that holds the server side's ``manage.py``; *root* is the checkout."""
        return root

    def environment(self, redis_url: str, prefix: str, database: Path) -> dict[str, str]:
        """Return the environment variables that the server side reads."""
        return {"CHAT_REDIS_URL": redis_url, "CHAT_PREFIX": prefix, "CHAT_DATABASE": str(database)}

    def serve(self, python: Path, port: int) -> list[str]:
        """Return the command that starts the server on *port* of 127.0.0.1."""
        # Without the reloader there is one process, and its end is the server's end.
        return [str(python), "-Wd", "manage.py", "runserver", f"127.0.0.1:{port}", "--noreload"]

    @abstractmethod
    def links(self) -> dict[str, str]:
        """Return the connections that each member holds: their names and their paths."""

    @abstractmethod
    def expected(self, row: Row) -> frozenset[Line]:
        """Return the connections that must receive *row*'s message."""

    @abstractmethod
    def transport(self, row: Row) -> str:
        """Return how *row*'s message travels: ``WebSocket`` or ``POST``."""

    @abstractmethod
    def say(self, chat: Chat, row: Row, text: str) -> None:
        """Send *text* as *row* says.

        Raises:
            SendFailed: the server does not take it.
        """

    @abstractmethod
    def fence(self, chat: Chat, row: Row, text: str) -> None:
        """Broadcast *text*, by the same sender and the same way as *row*'s message went.

        Raises:
            SendFailed: the server does not take it.
        """

    @abstractmethod
    def announce(self, chat: Chat, sender: str, text: str) -> None:
        """Broadcast *text* in whichever way does not depend on a connection.

        Raises:
            SendFailed: the server does not take it.
        """

    def is_noise(self, text: str) -> bool:
        """Tell whether *text* is the library's own, such as a heartbeat."""
        return False

    def subscribed(self, chat: Chat) -> bool:
        """Tell whether the broker has the subscription of every open connection; True where it cannot."""
        return True

    def isolation(self, chat: Chat) -> Iterator[Finding]:
        """Ask whether anybody hears what is not for them; each finding is yielded when it is known."""
        yield from ()
