"""An ASGI application under uvicorn or daphne, in a thread of this process: it has the database of the tests."""

from __future__ import annotations

import importlib.util
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

#: Seconds that a server may take to start, and to end.
_DEADLINE = 20.0

ServerName = Literal["uvicorn", "daphne"]
SERVERS: tuple[ServerName, ...] = ("uvicorn", "daphne")


class NoServer(Exception):
    """No server can be started; the message says why."""


class Counted:
    """An ASGI application that counts how many connections of it are being handled."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._lock = threading.Lock()
        self.handled = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handle one connection, or one request."""
        self._count(1)
        try:
            await self._application(scope, receive, send)
        finally:
            self._count(-1)

    def _count(self, more: int) -> None:
        with self._lock:
            self.handled += more


def installed() -> ServerName:
    """Return the first of :data:`SERVERS` that is installed.

    Raises:
        NoServer: none is.
    """
    for name in SERVERS:
        if importlib.util.find_spec(name) is not None:
            return name
    raise NoServer("neither uvicorn (with websockets or wsproto) nor daphne is installed")


@contextmanager
def serving(application: Any, name: ServerName) -> Iterator[int]:
    """Serve *application* until the block is left, and yield the port on 127.0.0.1.

    Raises:
        NoServer: it does not start.
    """
    run, stop, started, port = (_uvicorn if name == "uvicorn" else _daphne)(application)
    failed: list[BaseException] = []

    def serve() -> None:
        try:
            run()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=serve, name=f"dtws {name}", daemon=True)
    thread.start()
    waited = threading.Event()
    for _ in range(int(_DEADLINE / 0.01)):
        if started() or failed or not thread.is_alive():
            break
        waited.wait(0.01)
    if failed or not started():
        raise NoServer(f"{name} does not start: {failed[0] if failed else 'it does not say why'}")
    try:
        yield port()
    finally:
        stop()
        thread.join(_DEADLINE)


#: What runs a server, what ends it, what tells whether it has started, and what returns its port.
_Served = tuple[Callable[[], object], Callable[[], object], Callable[[], bool], Callable[[], int]]


def _uvicorn(application: Any) -> _Served:
    import uvicorn

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(application, log_level="warning", lifespan="off", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    return (
        lambda: server.run(sockets=[listening]),
        stop,
        lambda: server.started,
        lambda: int(listening.getsockname()[1]),
    )


def _daphne(application: Any) -> _Served:
    from daphne.server import Server
    from twisted.internet import reactor

    ready = threading.Event()
    server = Server(
        application,
        endpoints=["tcp:port=0:interface=127.0.0.1"],
        signal_handlers=False,
        ready_callable=ready.set,
        verbosity=0,
    )
    return (
        server.run,
        lambda: reactor.callFromThread(reactor.stop),
        lambda: ready.is_set() and bool(server.listening_addresses),
        lambda: int(server.listening_addresses[0][1]),
    )
