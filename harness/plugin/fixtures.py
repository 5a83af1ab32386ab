"""The fixtures and options of the plug-in; the entry point names this module."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest

from harness.clients.connection import HandshakeRefused
from harness.plugin import database
from harness.plugin.member import Hall, Member
from harness.plugin.serving import SERVERS, Counted, NoServer, ServerName, installed, serving
from harness.system.waiting import wait_until

#: Seconds that consumers may take to end.
_LEAVING = 5.0


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("dtws", "members of a chat, and who heard what")
    group.addoption("--ws-server", choices=SERVERS, help="the server of ws_server: uvicorn unless only daphne is there")
    group.addoption(
        "--ws-application", metavar="MODULE:NAME", help="its application: settings.ASGI_APPLICATION unless given"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """Have what the server sees be committed: pytest-django decides by the names of a test's fixtures."""
    names: list[str] = getattr(item, "fixturenames", [])
    if "ws_server" in names and _has_django(item.config) and "transactional_db" not in names:
        names.insert(0, "transactional_db")


def _has_django(config: pytest.Config) -> bool:
    """Tell whether pytest-django is here, with settings."""
    if not config.pluginmanager.hasplugin("django"):
        return False
    from django.conf import settings

    return bool(settings.configured) or bool(os.environ.get("DJANGO_SETTINGS_MODULE"))


@dataclass(frozen=True)
class WsServer:
    """A server that runs."""

    #: ``ws://127.0.0.1:8000``, and the same for pages.
    url: str
    http: str
    port: int
    #: Its name.
    server: ServerName
    #: What it serves.
    application: Counted


@pytest.fixture(scope="session")
def _ws_served(request: pytest.FixtureRequest) -> Iterator[WsServer]:
    """Serve the application as long as there are tests."""
    name = request.config.getoption("--ws-server")
    try:
        chosen: ServerName = name or installed()
        application = Counted(_application(request.config.getoption("--ws-application")))
        with serving(application, chosen) as port:
            yield WsServer(f"ws://127.0.0.1:{port}", f"http://127.0.0.1:{port}", port, chosen, application)
    except ImportError as error:
        pytest.fail(f"ws_server: {error}; install what is missing: pip install {error.name}", pytrace=False)
    except (NoServer, AttributeError) as error:
        pytest.fail(f"ws_server: {error}", pytrace=False)


def _application(named: str | None) -> Any:
    """Return the ASGI application *named* ``MODULE:NAME``, or that of Django's settings.

    Raises:
        NoServer: nobody names one.
    """
    if named is None:
        from django.conf import settings

        # A validator of hosts keeps those that there are when the application is made.
        settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "127.0.0.1", "localhost"]
        named = getattr(settings, "ASGI_APPLICATION", None)
    if not named:
        raise NoServer("no settings name an ASGI_APPLICATION; give --ws-application MODULE:NAME")
    module, _, name = named.replace(":", ".").rpartition(".")
    return getattr(import_module(module), name)


@pytest.fixture
def ws_server(request: pytest.FixtureRequest) -> Iterator[WsServer]:
    """The project's ASGI application on a real port, with the database of the tests."""
    if not _has_django(request.config):
        yield request.getfixturevalue("_ws_served")
        return
    request.getfixturevalue("transactional_db")
    served: WsServer = request.getfixturevalue("_ws_served")
    with database.shared():
        yield served


@pytest.fixture
def members(ws_server: WsServer) -> Iterator[Callable[..., list[Member]]]:
    """Connect members: ``members(path, number)`` returns so many more; they leave when the test is over."""
    hall = Hall(ws_server.url, ws_server.http)

    def connect(
        path: str,
        number: int | None = None,
        *,
        users: Sequence[Any] = (),
        cookies: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        subprotocols: Sequence[str] = (),
        origin: str | None = None,
    ) -> list[Member]:
        """Connect *number* members to *path*, one for each of *users* where these are given, who are logged in then.

        *cookies* and *headers* are sent with each handshake, *subprotocols* are offered. *origin* is the site whose
        page opens the connection: the server's own unless given.

        Raises:
            AssertionError: the server does not let one in.
            ValueError: there are not as many users as members, or *path* is none.
        """
        __tracebackhide__ = True
        if not path.startswith("/"):
            raise ValueError(f"{path!r} is no path of this server: write it like '/ws/chat/lobby/'")
        wanted = (len(users) or 1) if number is None else number
        if users and len(users) != wanted:
            raise ValueError(f"{len(users)} users are given for {wanted} members")
        given = "; ".join(f"{name}={value}" for name, value in (cookies or {}).items())
        each = [_session(user) for user in users] or [given] * wanted
        try:
            return hall.enter(path, wanted, each, headers or {}, subprotocols, origin)
        except HandshakeRefused as error:
            # How the client came to know is of no use to who reads it.
            raise AssertionError(f"{path} lets nobody in like that: {error}") from None

    try:
        yield connect
    finally:
        hall.leave()
        # What a consumer does at the end may need the database, which is gone when this test is.
        wait_until(lambda: not ws_server.application.handled, _LEAVING)


def _session(user: Any) -> str:
    """Return the cookies of somebody who is logged in as *user*, as a request header has them."""

    def log_in() -> str:
        from django.test import Client

        client = Client()
        client.force_login(user)
        return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())

    return database.in_any_test(log_in)
