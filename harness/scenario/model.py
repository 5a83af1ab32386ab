"""What may stand in a scenario: the tables and keys of ``chat.toml``.

A template has words with a dollar in them: ``$TEXT`` is what is said, ``$MEMBER`` who says it, ``$USER`` and
``$PASSWORD`` how they log in, ``$TO`` whom an exchange is addressed to, ``$TOKEN`` what a login gave, and ``$TICKET``
what was fetched before a connection is opened.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from harness.results.model import Model

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][\w-]{0,39}$")]
#: A word in lower-case letters and digits: it becomes part of the names of cells.
Suffix = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9]{0,19}$")]
#: A path on the server, which may be a template.
Path = Annotated[str, msgspec.Meta(pattern=r"^/")]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=600)]
#: Pointers into a frame → templates of what has to stand there.
Says = dict[str, str]
_Names = Annotated[list[Name], msgspec.Meta(min_length=1)]
#: Whether every frame of that kind is no message: a regular expression that the whole frame has to match, or pointers
#: with what has to stand there.
Ignored = str | dict[str, str | int | float | bool | None]


class ServerTable(Model, frozen=True, kw_only=True):
    """``[server]``: how the project is prepared and served; not needed for a server that runs already."""

    #: The folder of ``manage.py``, from that of the scenario on.
    folder: str = "."
    #: What the project needs beside Django, as an installer is asked for it: ``-r requirements.txt``, ``channels>=4``.
    install: list[str] = []
    #: Commands that are run one after the other before the server starts; ``python`` is that of the environment.
    prepare: list[str] = msgspec.field(default_factory=lambda: ["python manage.py migrate --noinput"])
    #: The command that serves the chat on 127.0.0.1; ``{port}`` is its port.
    serve: str = ""
    #: The import path of the ASGI application, for ``--server NAME`` instead of *serve*.
    application: str = ""
    #: The page that is asked for until the server answers; whatever it answers will do.
    ready: Path = "/"
    #: Seconds that it may take.
    deadline: Seconds = 60.0
    #: The settings module; that of ``manage.py`` unless given.
    settings: str = ""
    #: Further environment variables.
    environment: dict[str, str] = {}
    #: ``own`` runs everything with an SQLite database made for it; ``project`` with the one that the settings name.
    database: Annotated[str, msgspec.Meta(pattern="^(own|project)$")] = "own"
    #: The command that runs the project's own tests, if they are to be run as well.
    test: str = ""


class BrokerTable(Model, frozen=True, kw_only=True):
    """``[broker]``: the Redis that the project talks to, if it does.

    One is started for each run. The layers of ``CHANNEL_LAYERS`` are pointed to it.
    """

    #: The environment variable by which the project is told its URL, if it reads one.
    variable: str = ""
    #: The environment variable that names the URL of another Redis, to be used instead of starting one.
    named_by: str = ""


class LoginTable(Model, frozen=True, kw_only=True):
    """``[login]``: how members log in, by a form or by lines of Python; without it nobody does."""

    #: The path of the page with the form.
    form: Path | None = None
    #: What is filled in: names of fields → templates.
    fields: dict[str, str] = msgspec.field(default_factory=lambda: {"username": "$USER", "password": "$PASSWORD"})
    #: The cookie that somebody has who is logged in.
    cookie: str = "sessionid"
    #: Python that is run in the project's own environment, once Django is set up. It finds ``member`` and ``user``, and
    #: leaves ``cookies``, ``headers`` (names → values) or ``token``.
    python: str = ""


class MemberTable(Model, frozen=True, kw_only=True):
    """``[members.NAME]``: one who talks."""

    #: The name to log in with; the member's own unless given.
    user: str = ""
    password: str = ""
    #: What is sent as the header ``Cookie``, and further headers.
    cookie: str = ""
    headers: dict[str, str] = {}
    #: What ``$TOKEN`` stands for.
    token: str = ""


class TicketTable(Model, frozen=True, kw_only=True):
    """``ticket``: a page that is asked for before each connection, for something that stands in its answer."""

    path: Path
    #: Whether it is posted to instead.
    post: bool = False
    #: A JSON pointer into the answer, or a regular expression with one group; the whole answer unless given.
    read: str = ""


class ConnectionTable(Model, frozen=True, kw_only=True):
    """``[connections.NAME]``: a WebSocket that some or all members hold."""

    path: Path
    #: Who holds it; all members unless given.
    members: _Names | None = None
    subprotocols: list[str] = []
    headers: dict[str, str] = {}
    #: Frames that are sent as soon as it is open: templates.
    opened: list[str] = []
    ticket: TicketTable | None = None
    #: The frame that says something on it; that of ``[frames]`` unless given.
    send: str = ""
    #: What stands in the frames of its messages beside those of ``[frames]``, or instead.
    says: Says = {}


class FramesTable(Model, frozen=True, kw_only=True):
    """``[frames]``: how a message is put into a frame, and found in one."""

    #: The frame that says something.
    send: str = "$TEXT"
    #: Where the message stands in a frame: a JSON pointer such as ``/message`` (also ``.message``), of several the
    #: first that finds something; none where the frame is the message. A part ``*`` stands for all that is in a list.
    read: str | list[str] = []
    #: What else has to stand in the frame of each message: pointers → templates, such as ``.user`` → ``$USER``.
    says: Says = {}
    #: What begins every frame that carries a message, before the JSON; frames without it carry none.
    prefix: str = ""
    #: A regular expression whose one group is what was said, where more than that stands there.
    match: str = ""
    #: Frames that are no messages, such as heartbeats and welcomes.
    ignore: list[Ignored] = []
    #: Frames that are answered at once: the frame → the answer.
    answers: dict[str, str] = {}


class ExchangeTable(Model, frozen=True, kw_only=True):
    """``[[exchanges]]``: one thing that is said, and who has to hear it; everybody else must not."""

    sender: Name = msgspec.field(name="from")
    #: The connection on which it is said; the one that there is unless given. Not with *post*.
    on: Name | None = None
    #: Who hears it: names, or ``all`` who hold the connections on which it is heard.
    hears: list[Name] | str = "all"
    #: The connections on which they hear it; the one on which it is said unless given.
    hears_on: _Names | None = None
    #: What ``$TO`` stands for.
    to: str = ""
    #: The frame, where it is another one than that of the connection.
    send: str = ""
    #: What stands in the frames of its message beside that of the connection, or instead.
    says: Says = {}
    #: The path to which it is posted instead, with the fields of a form, or with a body of JSON: templates.
    post: Path | None = None
    form: dict[str, str] = {}
    body: str = ""
    #: A name by which ``fence`` knows it.
    name: str = ""


class Scenario(Model, frozen=True, kw_only=True):
    """A whole scenario."""

    #: What the chat is called in results; the last factor of its cells' names.
    name: Suffix = "chat"
    server: ServerTable = ServerTable()
    broker: BrokerTable | None = None
    login: LoginTable | None = None
    members: Annotated[dict[Name, MemberTable], msgspec.Meta(min_length=1)]
    connections: Annotated[dict[Name, ConnectionTable], msgspec.Meta(min_length=1)]
    frames: FramesTable = FramesTable()
    exchanges: Annotated[list[ExchangeTable], msgspec.Meta(min_length=1)]
    #: The names of the exchanges that are repeated, with a number as the text, to prove that what came before has
    #: arrived; those that reach everybody are found unless given, and with none a quiet window has to do.
    fence: list[str] | None = None
    #: Seconds that pass between two things that a member says, where the chat limits how often somebody may speak.
    pause: Annotated[float, msgspec.Meta(ge=0, le=60)] = 0.0
    #: Seconds of that window.
    quiet: Annotated[float, msgspec.Meta(gt=0, le=60)] = 1.0

    def holders(self, connection: str) -> list[str]:
        """Return who holds *connection*, in the order of the members."""
        named = self.connections[connection].members
        return [each for each in self.members if named is None or each in named]

    def said_on(self, exchange: ExchangeTable) -> str | None:
        """Return the connection on which *exchange* is said; None where it is posted."""
        return None if exchange.post else exchange.on or next(iter(self.connections))

    def heard_on(self, exchange: ExchangeTable) -> list[str]:
        """Return the connections on which *exchange* is heard."""
        said = self.said_on(exchange)
        return exchange.hears_on or ([said] if said else list(self.connections))

    def hearers(self, exchange: ExchangeTable) -> list[str]:
        """Return the members who hear *exchange*, in their order."""
        holding = {member for each in self.heard_on(exchange) for member in self.holders(each)}
        wanted = holding if exchange.hears == "all" else set(exchange.hears)
        return [each for each in self.members if each in wanted]
