"""The servers that a chat can be served by: how each is installed and started.

Readiness is asked of all alike, over HTTP; so is the end, by signals (:mod:`harness.processes`).
The commands are those of each server's documentation, on one port of loopback; one process serves,
but for uWSGI, where two do.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

#: Starts several processes that share one listening socket.
_SHARE = Path(__file__).parent / "shared_socket.py"


@dataclass(frozen=True)
class Application:
    """Where a server finds the chat: the import path of its ASGI or WSGI application, or a module to run."""

    asgi: str = ""
    wsgi: str = ""
    module: str = ""


@dataclass(frozen=True)
class Deployment:
    """A way to deploy a server: how many processes it has, its settings, and whether NGINX stands before it."""

    name: str
    processes: int = 1
    environment: dict[str, str] = field(default_factory=dict)
    proxied: bool = False


@dataclass(frozen=True)
class Server:
    """One server. *arguments* follow the interpreter, or *program* of its environment where there is one."""

    name: str
    arguments: tuple[str, ...]
    requirements: tuple[str, ...] = ()
    program: str = ""
    #: A variable that tells it the port, where its command line does not.
    port_variable: str = ""
    #: The arguments for a chat that is an ASGI application alone; empty where they are the same.
    asgi: tuple[str, ...] = ()
    #: The arguments with which it pings each WebSocket every other second, and those with which all that it serves is
    #: under ``/sub``; empty where it cannot.
    pings: tuple[str, ...] = ()
    rooted: tuple[str, ...] = ()
    #: The arguments with which it has several processes; empty where it cannot.
    several: tuple[str, ...] = ()
    #: How many threads it has for a WSGI application, each of which a socket takes up; 0 where there is no such bound.
    threads: int = 0
    #: Whether those share a socket that somebody else has opened, which each gets as its standard input.
    shares: bool = False
    processes: int = 1

    def command(self, python: Path, port: int, application: Application) -> list[str]:
        """Return the command that serves *application* on *port* of 127.0.0.1."""
        first = str(python.with_name(self.program)) if self.program else str(python)
        values = {
            "bin": str(python.parent),
            "port": str(port),
            "processes": str(self.processes),
            "asgi": application.asgi,
            "wsgi": application.wsgi,
            "module": application.module,
        }
        arguments = self.asgi if self.asgi and not application.wsgi else self.arguments
        command = [first, *(argument.format(**values) for argument in arguments)]
        if self.shares and self.processes > 1:
            return [sys.executable, str(_SHARE), str(port), str(self.processes), *command]
        return command

    def having(self, more: tuple[str, ...]) -> Server:
        """Return the server with further arguments."""
        return replace(self, arguments=self.arguments + more)

    def numbers(self) -> list[tuple[int, str]]:
        """Return the numbers of processes that are compared, and how each is called."""
        return [(1, "1 process"), *([(2, "2 processes")] if self.several else [])]

    def deployed(self, deployment: Deployment) -> Server:
        """Return the server with as many processes as *deployment* says."""
        if deployment.processes == self.processes:
            return self
        return replace(self, arguments=self.several, processes=deployment.processes)


def _module(*arguments: str) -> tuple[str, ...]:
    # -Wd: deprecations are part of the report.
    return ("-Wd", "-m", *arguments)


_UVICORN = _module("uvicorn", "{asgi}", "--host", "127.0.0.1", "--port", "{port}", "--lifespan", "off")
_HYPERCORN = _module("hypercorn", "{asgi}", "--bind", "127.0.0.1:{port}")
_GRANIAN = _module("granian", "--interface", "asginl", "--host", "127.0.0.1", "--port", "{port}", "{asgi}")
_ROOTED = ("--root-path", "/sub")
_WORKERS = ("--workers", "{processes}")
_THREADS = 100
_UWSGI = (
    *("--http-socket", "127.0.0.1:{port}", "--http-websockets", "--gevent", "1000", "--master", *_WORKERS),
    *("--die-on-term", "--module", "{wsgi}"),
)

_ALL = (
    # Without the reloader there is one process, and its end is the server's end.
    Server("runserver", ("-Wd", "manage.py", "runserver", "127.0.0.1:{port}", "--noreload")),
    Server("runserver_socketio", ("-Wd", "manage.py", "runserver_socketio"), port_variable="CHAT_PORT"),
    Server(
        "daphne",
        # Before its release 3 it is no module to be run.
        ("-Wd", "{bin}/daphne", "-b", "127.0.0.1", "-p", "{port}", "{asgi}"),
        ("daphne",),
        # As Channels' documentation deploys it under Supervisor.
        several=("-Wd", "{bin}/daphne", "--fd", "0", "{asgi}"),
        shares=True,
        pings=("--ping-interval", "2"),
        rooted=_ROOTED,
    ),
    Server(
        "uvicorn",
        _UVICORN,
        ("uvicorn[standard]",),
        several=_UVICORN + _WORKERS,
        pings=("--ws-ping-interval", "2"),
        rooted=_ROOTED,
    ),
    Server(
        "hypercorn",
        _HYPERCORN,
        ("hypercorn",),
        several=_HYPERCORN + _WORKERS,
        pings=("--websocket-ping-interval", "2"),
        rooted=_ROOTED,
    ),
    Server(
        "granian",
        _GRANIAN,
        ("granian",),
        several=_GRANIAN + _WORKERS,
        rooted=("--url-path-prefix", "/sub"),
    ),
    Server(
        "gunicorn",
        _module(
            *("gunicorn", "{wsgi}", "--bind", "127.0.0.1:{port}", "--worker-class", "gthread"),
            *("--threads", str(_THREADS)),
        ),
        ("gunicorn",),
        threads=_THREADS,
        # Each instance would have a socket in the home folder, by which it can be told what to do.
        asgi=_module(
            *("gunicorn", "{asgi}", "--bind", "127.0.0.1:{port}", "--worker-class", "asgi", "--no-control-socket")
        ),
    ),
    Server("gevent", _module("{module}", "{port}"), ("gevent", "gevent-websocket")),
    Server("uwsgi", _UWSGI, ("uwsgi",), program="uwsgi", several=_UWSGI, processes=2),
)
#: Every server by the name that cells have for it.
SERVERS = {server.name: server for server in _ALL}
#: The names of those that serve any ASGI application.
OF_ASGI = tuple(server.name for server in _ALL if "{asgi}" in (*server.arguments, *server.asgi))
