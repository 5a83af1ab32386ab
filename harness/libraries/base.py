"""What the harness has to know of a library: the interface that each module here fills."""

from __future__ import annotations

import inspect
import json
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from harness.cells import Cell
from harness.chat.conversation import Chat, Client
from harness.chat.rooms import Rooms
from harness.clients.connection import Endpoint
from harness.clients.http import LoginForm
from harness.results.installed import Pin
from harness.results.result import Decides, Finding
from harness.servers.catalogue import SERVERS, Application, Deployment, Server


@dataclass(frozen=True)
class Beside:
    """A package that a variant needs beside the library, and the service that it talks to."""

    #: What the installer is asked for, which is also what Django calls it where it has tables.
    requirement: str
    #: The environment variable that tells a server where the service is; without a service it talks to the broker.
    variable: str = ""
    service: Literal["", "postgresql", "nats"] = ""
    #: What is installed with it.
    further: tuple[str, ...] = ()


@dataclass(frozen=True)
class Variant:
    """Another way of the library to carry the same chat: its server's settings and its connections."""

    name: str
    #: The environment variables that its server is started with; empty where the usual server carries it as well.
    environment: dict[str, str] = field(default_factory=dict)
    #: The connections that each member holds, names → paths; empty where they are the usual ones.
    paths: dict[str, str] = field(default_factory=dict)
    #: Whether messages go through the broker.
    uses_broker: bool = True
    #: What it needs beside the library, if anything.
    beside: Beside | None = None
    #: Whether it is about who is let in, so that it is asked of handshakes as well.
    guards: bool = False


@dataclass(frozen=True)
class ShellCheck:
    """What a library's documentation has one try without a server: a module of the server side that does it."""

    name: str
    #: It prints what it saw as its last line, and ends with 0 where that is right.
    module: str
    #: Further environment variables.
    environment: dict[str, str] = field(default_factory=dict)


#: Django's own login view and its protection of forms; in the fixture all members have one password.
LOGIN = LoginForm(
    path="/accounts/login/",
    fields=lambda member: {"username": member, "password": "secret", "next": "/"},
    session_cookie="sessionid",
    csrf_cookie="csrftoken",
    csrf_field="csrfmiddlewaretoken",
)
#: Runs lines of Python with arguments in a cell's own environment, and returns what they print.
Inside = Callable[..., str]


@dataclass(frozen=True)
class Command:
    """A program of the project that is run in the cell as a step."""

    #: The name of the step.
    name: str
    arguments: tuple[str, ...]
    #: Seconds that it may take.
    deadline: float


#: The environment variable that names the file for what a server's side sees of trials; see ``myapp/trials``.
TRIALS = "CHAT_TRIALS"
#: Everything that a connection may be asked to do.
ALL_TRIALS = frozenset({"note", "raise", "close", "await", "sleep", "burst", "weigh", "grow"})


class Library(Client):
    """One library: how to install and serve it, and, as a client, how to speak to the chat that it carries."""

    #: The name in reports, and of its file of prose.
    name: ClassVar[str]
    #: The name on PyPI; the same unless given.
    package: ClassVar[str] = ""
    #: What follows ``pyXX-djangoYY-`` in a cell's name; empty for the bare name.
    suffix: ClassVar[str]
    #: The settings module of the server side.
    settings: ClassVar[str]
    #: The pages that every member must be able to read.
    pages: ClassVar[tuple[str, ...]]
    #: How members log in.
    form: ClassVar[LoginForm] = LOGIN
    #: The page that is asked for until a server answers.
    ready: ClassVar[str] = LOGIN.path
    #: Whether the tests of the project are Django's, which are run with what they cover being counted.
    counts_tests: ClassVar[bool] = True
    #: Where servers other than ``manage.py runserver`` find the chat.
    application: ClassVar[Application] = Application()
    #: The servers that the library's documentation names; the first is the one of the bare cell.
    servers: ClassVar[tuple[str, ...]] = ("runserver",)
    #: Seconds for the server to answer its first request.
    ready_deadline: ClassVar[float] = 60.0
    #: What its server side does if the harness asks it to, with :data:`TRIALS`, as ``myapp/trials`` calls it; and where
    #: servers find the chat that does, if that is another application.
    trials: ClassVar[frozenset[str]] = frozenset()
    trial_application: ClassVar[Application | None] = None
    #: The path of an endpoint that sends back what it is sent, and nothing else, and the settings with which its server
    #: takes any client there; where there is none, why.
    echo: ClassVar[str] = ""
    echo_settings: ClassVar[dict[str, str]] = {}
    no_echo: ClassVar[str] = "there is no endpoint that sends back what it is sent"
    #: Whose default or code, the library's or this project's, decides which origins are let in (``origin``), which
    #: strangers and what they may do (``login``), and what becomes of a connection whose member may not use it any more
    #: (``after``).
    decides: ClassVar[dict[str, Decides]] = {
        "origin": "library",
        "login": "library",
        "after": "library",
    }
    #: Whether two servers with prefixes of their own at one broker hear nothing of each other.
    keeps_apart: ClassVar[bool] = True
    #: Whether it talks to the broker.
    uses_broker: ClassVar[bool] = True
    #: Whether Django's own development server is a server of its own here, and judged beside that of the sockets.
    django_server: ClassVar[bool] = False
    #: Whether who is not let in has an HTTP status: there is no protocol on top by which it is said.
    refuses_by_status: ClassVar[bool] = True
    #: Whether variants are tried although the usual way does not work: they are other transports then.
    variants_always: ClassVar[bool] = False
    #: Whether its pages are those of :file:`chatserver/templates`, which a browser can be driven through.
    browsed: ClassVar[bool] = True
    #: Whether the same chat can be polled, to compare what that costs.
    polls: ClassVar[bool] = False
    #: The variable by which its server is told where a Sentinel is, ``HOST:PORT``, that knows the broker; empty where
    #: the library does not document that.
    sentinel: ClassVar[str] = ""
    #: What makes the server keep messages for those who come later; empty where it cannot.
    keeping: ClassVar[dict[str, str]] = {}

    @classmethod
    def place(cls) -> Path:
        """Return where it is found: the folder of its module."""
        return Path(inspect.getfile(cls)).parent

    @property
    def distribution(self) -> str:
        """The name on PyPI."""
        return self.package or self.name

    @abstractmethod
    def requirements(self, cell: Cell) -> list[str]:
        """Return what a user of the library would ask the installer for."""

    def pins(self, cell: Cell) -> list[Pin]:
        """Return what is held back on *cell*'s Python and Django in any case, each with its reason."""
        return []

    def best_pins(self, cell: Cell) -> list[Pin]:
        """Return the best known pins: what the ``pins`` profile of *cell* holds back as well."""
        return []

    def server(self, cell: Cell) -> str:
        """Return the server of the bare cell."""
        return self.servers[0]

    def project(self, root: Path) -> Path:
        """Return the folder that holds the server side's ``manage.py``; *root* is the checkout."""
        return root

    def environment(self, redis_url: str, prefix: str, database: Path) -> dict[str, str]:
        """Return the environment variables that the server side reads."""
        return {"CHAT_REDIS_URL": redis_url, "CHAT_PREFIX": prefix, "CHAT_DATABASE": str(database)}

    def serve(self, python: Path, port: int, server: Server) -> list[str]:
        """Return the command that starts *server* on *port* of 127.0.0.1."""
        return server.command(python, port, self.application)

    def client(self, cell: Cell, inside: Inside | None = None) -> Client:
        """Return how clients speak to the release that *cell* installs; the library itself knows unless that varies.

        *inside* runs Python in the cell, where logging somebody in takes that; None where nothing can.
        """
        return self

    @property
    def has_login(self) -> bool:
        """Whether members are told from strangers."""
        return True

    @property
    def by_cookies(self) -> bool:
        """Whether a member's cookies are all that a connection which hears broadcasts is opened by."""
        return True

    def lacks(self, hand: bool) -> str:
        """Return why a probe cannot be asked, empty where it can.

        With *hand* it needs one inside the application, such as settings and trials of this project's chat; else no
        more than that each member can say something to all.
        """
        return ""

    def own_server(self, cell: Cell) -> Server:
        """Return the server of the bare cell."""
        return SERVERS[self.server(cell)]

    def prepare(self, python: Path) -> list[Command]:
        """Return what is run before the server starts, one after the other; without it there is no chat."""
        manage = (str(python), "manage.py")
        return [
            Command("migrate", (*manage, "migrate", "--noinput"), 120.0),
            Command("loaddata", (*manage, "loaddata", "data.json"), 60.0),
        ]

    def inspect(self, python: Path) -> list[Command]:
        """Return what is run meanwhile, and decides no verdict."""
        return [Command("check", (str(python), "-Wd", "manage.py", "check"), 60.0)]

    def variants(self, cell: Cell) -> list[Variant]:
        """Return the further ways to carry the chat that *cell* is tried with, beside its verdict."""
        return []

    def shell_checks(self, cell: Cell) -> list[ShellCheck]:
        """Return what is tried beside the server; each is a step, and none decides the verdict."""
        return []

    def rooms(self, cell: Cell) -> list[Rooms]:
        """Return the pages of rooms that the chat has, for each way to carry them."""
        return []

    def deployments(self, cell: Cell, server: Server) -> list[Deployment]:
        """Return the ways to deploy *server* that a load run compares."""
        return [Deployment("1 process")]

    def ask_trial(self, chat: Chat, endpoint: Endpoint, trial: dict[str, object]) -> Callable[[], object]:
        """Have the handler of the connection *endpoint* do a *trial*; return what waits until it was taken.

        Raises:
            SendFailed: the server does not take it.
        """
        chat.client.send(chat, endpoint, json.dumps(trial))
        return lambda: None

    def trial_frame(self, trial: dict[str, object]) -> str:
        """Return the frame by which a connection that speaks in plain frames asks for a *trial*."""
        return json.dumps(trial)

    def standing(self, chat: Chat, member: str) -> int:
        """Return how many connections to ``user`` of *member* are subscribed at the broker; 0 where that is unknown."""
        return 0

    def takes(self, trial: str, server: Server) -> bool:
        """Tell whether the chat on *server* does a *trial*."""
        return trial in self.trials

    def said(self, text: str) -> str:
        """Return what a handler is handed when a client broadcasts *text*."""
        return text

    def sets(self, chat: Chat) -> dict[str, Iterator[Finding]]:
        """Return further questions of the library's own, by the name of their set; asked in each of its ways."""
        return {}

    def isolation(self, chat: Chat) -> Iterator[Finding]:
        """Ask whether anybody hears what is not for them; each finding is yielded when it is known."""
        yield from ()
