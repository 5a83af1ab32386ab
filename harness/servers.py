"""The servers that a chat can be served by: how each is installed and started.

Readiness is asked of all alike, over HTTP; so is the end, by signals (:mod:`harness.processes`).
The commands are those of each server's documentation, on one port of loopback; one process serves,
but for uWSGI, where two do.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Application:
    """Where a server finds the chat: the import path of its ASGI or WSGI application, or a module to run."""

    asgi: str = ""
    wsgi: str = ""
    module: str = ""


@dataclass(frozen=True)
class Server:
    """One server. *arguments* follow the interpreter, or *program* of its environment where there is one."""

    name: str
    arguments: tuple[str, ...]
    requirements: tuple[str, ...] = ()
    program: str = ""
    #: A variable that tells it the port, where its command line does not.
    port_variable: str = ""

    def command(self, python: Path, port: int, application: Application) -> list[str]:
        """Return the command that serves *application* on *port* of 127.0.0.1."""
        first = str(python.with_name(self.program)) if self.program else str(python)
        values = {
            "bin": str(python.parent),
            "port": str(port),
            "asgi": application.asgi,
            "wsgi": application.wsgi,
            "module": application.module,
        }
        return [first, *(argument.format(**values) for argument in self.arguments)]


def _module(*arguments: str) -> tuple[str, ...]:
    # -Wd: deprecations are part of the report.
    return ("-Wd", "-m", *arguments)


_ALL = (
    # Without the reloader there is one process, and its end is the server's end.
    Server("runserver", ("-Wd", "manage.py", "runserver", "127.0.0.1:{port}", "--noreload")),
    Server("runserver_socketio", ("-Wd", "manage.py", "runserver_socketio"), port_variable="CHAT_PORT"),
    # Before its release 3 it is no module to be run.
    Server("daphne", ("-Wd", "{bin}/daphne", "-b", "127.0.0.1", "-p", "{port}", "{asgi}"), ("daphne",)),
    Server(
        "uvicorn",
        _module("uvicorn", "{asgi}", "--host", "127.0.0.1", "--port", "{port}", "--lifespan", "off"),
        ("uvicorn[standard]",),
    ),
    Server("hypercorn", _module("hypercorn", "{asgi}", "--bind", "127.0.0.1:{port}"), ("hypercorn",)),
    Server(
        "granian",
        _module("granian", "--interface", "asginl", "--host", "127.0.0.1", "--port", "{port}", "{asgi}"),
        ("granian",),
    ),
    Server(
        "gunicorn",
        _module("gunicorn", "{wsgi}", "--bind", "127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "100"),
        ("gunicorn",),
    ),
    Server("gevent", _module("{module}", "{port}"), ("gevent", "gevent-websocket")),
    Server(
        "uwsgi",
        (
            *(
                "--http-socket",
                "127.0.0.1:{port}",
                "--http-websockets",
                "--gevent",
                "100",
                "--master",
                "--workers",
                "2",
            ),
            *("--die-on-term", "--module", "{wsgi}"),
        ),
        ("uwsgi",),
        program="uwsgi",
    ),
)
#: Every server by the name that cells have for it.
SERVERS = {server.name: server for server in _ALL}
