"""Somebody's own chat in the place of a library: prepared, served and spoken to as its scenario says."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from harness.cells import Cell
from harness.chat.conversation import Chat, Client
from harness.clients.http import LoginForm
from harness.environments import requirements
from harness.errors import CellFailure, UsageError
from harness.libraries.base import Command, Inside, Library
from harness.results.result import Finding, Result
from harness.scenario import strangers
from harness.scenario.client import ScenarioClient
from harness.scenario.model import BrokerTable, Scenario
from harness.scenario.opening import Credentials
from harness.scenario.read import read
from harness.servers.catalogue import OF_ASGI, SERVERS, Application, Server
from harness.verdict import Reason

#: The module of settings that stands before the project's own; see there.
_SETTINGS = Path(__file__).parent / "settings"
_MODULE = "dtws_settings"
#: Where ``manage.py`` names the project's settings.
_NAMED = re.compile(r"""setdefault\(\s*["']DJANGO_SETTINGS_MODULE["']\s*,\s*["']([\w.]+)["']""")
_FIXED = re.compile(r"""environ\[["']DJANGO_SETTINGS_MODULE["']\]\s*=""")
#: What says that there is no Redis.
_REDIS = re.compile(r"redis|:6379\b", re.IGNORECASE)
#: Seconds for each command.
_DEADLINE = 600.0
#: What follows ``python`` in a command that is called by what comes then.
_BEFORE_NAME = {"python", "python3", "-m", "manage.py", "-Wd"}
#: Runs the lines of a scenario by which members log in, and prints what they have left as its last line.
_SIGN_IN = """
import json, sys
import django
django.setup()
left = {}
for member, user in json.loads(sys.argv[1]).items():
    scope = {"member": member, "user": user}
    exec(compile(sys.argv[2], "login.python", "exec"), scope)
    left[member] = {name: scope.get(name) for name in ("cookies", "headers", "token")}
print(json.dumps(left))
"""


def library(path: Path) -> type[Library]:
    """Return the library that the scenario in the file *path* is.

    Raises:
        UsageError: there is no such file, or it is no scenario.
    """
    described = read(path)
    members: dict[str, Any] = {
        "name": described.name,
        "suffix": described.name,
        "described": described,
        "file": path.resolve(),
        "folder": path.resolve().parent,
        "servers": OF_ASGI if described.server.application else (),
        "application": Application(asgi=described.server.application),
        "uses_broker": described.broker is not None,
        "ready": described.server.ready,
        "ready_deadline": described.server.deadline,
        "form": ScenarioClient(described).form,
        "settings": _MODULE,
        "__module__": __name__,
        "__doc__": f"The chat of {path.name}.",
    }
    return type("OwnChat", (OwnChat,), members)


class OwnChat(ScenarioClient, Library):
    """What every scenario has in common; :func:`library` makes the class of one."""

    described: ClassVar[Scenario]
    #: The file of the scenario, and its folder.
    file: ClassVar[Path]
    folder: ClassVar[Path]
    #: What is installed instead of what it says.
    asked: ClassVar[tuple[str, ...]] = ()
    form: ClassVar[LoginForm]
    pages: ClassVar[tuple[str, ...]] = ()
    counts_tests: ClassVar[bool] = False
    keeps_apart: ClassVar[bool] = False
    browsed: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__(self.described)

    @classmethod
    def place(cls) -> Path:
        return cls.file

    def hint(self, result: Result) -> str:
        """Return what to do about a *result* that is none that works; empty where there is nothing to say."""
        if result.verdicts.overall.reason is Reason.INSTALLATION_FAILED:
            return ""
        said = " ".join([result.verdicts.overall.text, *(each.excerpt for each in result.steps if each.good is False)])
        if self.described.broker is None and _REDIS.search(said):
            return f"{self.file.name} has no [broker]: with that table a Redis is started for each run"
        return ""

    def lacks(self, hand: bool) -> str:
        if hand:
            return "it needs a hand inside the application"
        return "" if self.common else "there is no connection on which each member speaks to all members"

    def requirements(self, cell: Cell) -> list[str]:
        return requirements.read(*self._wanted)

    def left_out(self) -> list[str]:
        """Return what the project asks for of Django, which is the cell's own."""
        return requirements.left_out(*self._wanted)

    @property
    def _wanted(self) -> tuple[Sequence[str], Path]:
        """What the project asks an installer for, and the folder from which its paths are seen."""
        # What a command line asks for is seen from where it is typed.
        return (self.asked, Path()) if self.asked else (self.described.server.install, self.folder)

    def own_server(self, cell: Cell) -> Server:
        table = self.described.server
        if table.serve:
            return Server(_name(table.serve), ())
        if table.application:
            return SERVERS[self.servers[0]]
        hint = 'add serve = "daphne -p {port} mysite.asgi:application" under [server]'
        raise UsageError("the scenario does not say how the chat is served", hint)

    def project(self, root: Path) -> Path:
        found = (self.folder / self.described.server.folder).resolve()
        if not found.is_dir():
            raise UsageError(f"there is no folder {found}", "folder, under [server], is that of manage.py")
        return found

    def _own_settings(self) -> str:
        """Return the settings module of the project.

        Raises:
            UsageError: nobody says which it is.
        """
        table, project = self.described.server, self.project(Path())
        module = table.application.partition(":")[0].replace(".", "/")
        files = [project / name for name in ("manage.py", *([f"{module}.py"] if module else []))]
        texts = {each.name: each.read_text("utf-8", "replace") for each in files if each.exists()}
        for name, text in texts.items():
            if _FIXED.search(text):
                hint = "use os.environ.setdefault there, as Django does"
                raise UsageError(f"{name} sets DJANGO_SETTINGS_MODULE whatever stands in the environment", hint)
        for command in (*table.prepare, table.serve, table.test):
            if "--settings" in command and table.database == "own":
                hint = 'name them with settings = "…" under [server]'
                raise UsageError(f"{command!r} names settings, which would not have a database of their own", hint)
        if table.settings:
            return table.settings
        text = texts.get("manage.py", "")
        if found := _NAMED.search(text):
            return found[1]
        hint = 'add settings = "mysite.settings" under [server]'
        raise UsageError("nobody says which the settings of the project are", hint)

    def environment(self, redis_url: str, prefix: str, database: Path) -> dict[str, str]:
        table, broker = self.described.server, self.described.broker
        project = str(self.project(Path()))
        own = {
            "DTWS_SETTINGS": self._own_settings(),
            "DTWS_DATABASE": str(database) if table.database == "own" else "",
            "DTWS_REDIS_URL": redis_url if broker else "",
            "DTWS_CACHES_URL": _for_caches(redis_url, broker) if broker else "",
            "DTWS_PREFIX": prefix,
            "PYTHONPATH": f"{_SETTINGS}:{project}",
        }
        return {**own, **({broker.variable: redis_url} if broker and broker.variable else {}), **table.environment}

    def serve(self, python: Path, port: int, server: Server) -> list[str]:
        if not server.arguments:
            return _command(python, self.described.server.serve.replace("{port}", str(port)))
        return super().serve(python, port, server)

    def prepare(self, python: Path) -> list[Command]:
        commands = self.described.server.prepare
        return [Command(_name(each), tuple(_command(python, each)), _DEADLINE) for each in commands]

    def inspect(self, python: Path) -> list[Command]:
        found = super().inspect(python) if (self.project(Path()) / "manage.py").exists() else []
        test = self.described.server.test
        return [*found, *([Command("test", tuple(_command(python, test)), _DEADLINE)] if test else [])]

    def client(self, cell: Cell, inside: Inside | None = None) -> Client:
        return ScenarioClient(self.described, partial(self._let_in, inside) if inside else None)

    def _let_in(self, inside: Inside, users: Mapping[str, str]) -> Mapping[str, Credentials]:
        """Run the lines of Python by which members log in; *users* are their names to log in with, by their own.

        Raises:
            CellFailure: they fail, or leave nothing that somebody can be let in by.
        """
        login = self.described.login
        assert login is not None
        printed = inside(_SIGN_IN, json.dumps(users), login.python).strip().rpartition("\n")[2]
        try:
            found = {member: _credentials(left) for member, left in json.loads(printed).items()}
        except (ValueError, TypeError, AttributeError, KeyError):
            found = {}
        if not all(found.get(member, Credentials()) != Credentials() for member in users):
            text = "the lines of Python by which members log in leave neither cookies, headers nor a token"
            raise CellFailure(Reason.PAGE_FAILED, text)
        return found

    def isolation(self, chat: Chat) -> Iterator[Finding]:
        client = chat.client
        assert isinstance(client, ScenarioClient)
        yield from strangers.ask(chat, client)


def _for_caches(redis_url: str, broker: BrokerTable) -> str:
    """Return the URL of the Redis for caches: to clear one empties a database, in which no layer may be.

    Of a Redis that somebody has named no other database is touched.
    """
    return redis_url if broker.named_by else urlsplit(redis_url)._replace(path="/1").geturl()


def _credentials(left: Mapping[str, Any]) -> Credentials:
    """Return what the lines of Python have *left* for one member."""
    return Credentials(
        {str(name): str(value) for name, value in (left["cookies"] or {}).items()},
        {str(name): str(value) for name, value in (left["headers"] or {}).items()},
        str(left["token"] or ""),
    )


def _command(python: Path, line: str) -> list[str]:
    """Return the command *line* with the programs of the environment of *python*.

    Raises:
        UsageError: there is no such program.
    """
    first, *rest = shlex.split(line)
    own = python.with_name(first)
    if first in ("python", "python3"):
        return [str(python), *rest]
    if not own.exists() and "/" not in first and shutil.which(first) is None:
        hint = "is it spelled right under [server], and is what brings it in install?"
        raise UsageError(f"there is no program {first}, by which {line!r} begins", hint)
    return [str(own) if own.exists() else first, *rest]


def _name(line: str) -> str:
    """Return what a command *line* is called: ``python manage.py migrate`` is ``migrate``."""
    words = shlex.split(line)
    named = next((word for word in words if word not in _BEFORE_NAME), words[0])
    return re.sub(r"[^\w-]+", "-", Path(named).name).strip("-").lower() or "server"
