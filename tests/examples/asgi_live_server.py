"""A page of Channels in a browser, with pytest-django; its live_server is made to serve WebSockets too.

With CHAT_LAYER=memory and CHAT_TEST_DATABASE=test.sqlite3 in the environment; the settings stand in pytest.ini:

    pytest tests/examples/asgi_live_server.py
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace

import pytest
import uvicorn
from channels.routing import get_default_application
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.management import call_command
from django.test import modify_settings
from room import Room, log_in, open_browser

HOST = "127.0.0.1"


@pytest.fixture(scope="session")
def live_server() -> Iterator[SimpleNamespace]:
    """Serve the ASGI application in a thread; the fixture of pytest-django that this replaces serves the WSGI one."""
    allowed = modify_settings(ALLOWED_HOSTS={"append": HOST})
    with allowed:  # AllowedHostsOriginValidator reads them once, when the application is loaded
        application = ASGIStaticFilesHandler(get_default_application())
    config = uvicorn.Config(application, lifespan="off", log_level="warning", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    # It listens from here on: a browser that is faster than the server waits in the queue.
    listening = socket.create_server((HOST, 0))
    url = f"http://{HOST}:{listening.getsockname()[1]}"

    def serve() -> None:
        with listening:  # closed also when the server cannot start, or the browser would go on waiting
            server.run([listening])

    with ThreadPoolExecutor() as threads:
        serving = threads.submit(serve)
        # pytest-django turns these settings on, and off again, for each test that uses a live_server.
        yield SimpleNamespace(url=url, _live_server_modified_settings=allowed)
        server.should_exit = True
        serving.result()


@pytest.fixture
def enter(live_server: SimpleNamespace, transactional_db: None) -> Iterator[Callable[[str], Room]]:
    """Log Mary in, and return what opens a room in another window."""
    call_command("loaddata", "data.json", verbosity=0)
    with open_browser() as browser:
        log_in(browser, live_server.url, "Mary")
        yield partial(Room, browser, live_server.url)


def test_same_room(enter: Callable[[str], Room]) -> None:
    """What is said in a room is seen by everyone in it."""
    here, there = enter("lobby"), enter("lobby")
    here.say("hello")
    here.wait_for("hello")
    there.wait_for("hello")


def test_other_room(enter: Callable[[str], Room]) -> None:
    """What is said in a room is not seen in another."""
    lobby, garden = enter("lobby"), enter("garden")
    lobby.say("hello")
    lobby.wait_for("hello")
    # Had "hello" gone to the garden as well, it would stand before what is said there now.
    garden.say("world")
    garden.wait_for("world")
    assert garden.messages() == ["world"]
