"""Somebody's own chat: rooms by their paths, messages in JSON; and each way in which one can be wrong."""

from __future__ import annotations

import asyncio
import http
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

#: The cookie that lets somebody in where there is a login, and its values.
COOKIE = "who"
KNOWN = ("ann", "bob", "eve")


@dataclass
class OwnChat:
    """A chat that hands on ``{"message": …}`` in each room; what it does wrong is chosen."""

    #: What it does wrong: ``leaks``, ``twice``, ``not to oneself``, ``drops``, ``alters``, ``never``, ``closes``,
    #: ``hurries nobody``, ``shouts later``, ``drops repeats``, ``any cookie``, ``null``,
    #: ``misnames``, ``ASCII``, ``races``, ``forgets``.
    wrong: str = ""
    #: Whether only those are let in who have the cookie, and only pages of its own.
    login: bool = False
    own_origin: bool = False
    #: What everybody hears at first, and beside messages.
    welcome: str = ""
    #: How many seconds after a handshake somebody is told what was said yesterday; None where nobody is.
    yesterday: float | None = None
    #: The subprotocol that has to be offered.
    subprotocol: str = ""
    #: The status that every handshake is answered with instead.
    status: int = 0
    #: What has to stand behind the path, after a ``?``.
    token: str = ""
    #: The header, a name and a value, without which nobody is let in.
    header: tuple[str, str] = ("", "")
    #: Whether a message is for nobody unless it says ``"to": "everybody"``.
    addressed: bool = False
    #: Whether a room is named by the first frame, ``{"join": …}``, and not by the path.
    joining: bool = False
    #: Whether each message says whose it is, by the cookie.
    naming: bool = False
    #: Whether everybody is told who comes, and whether whoever has a cookie is in one place at a time.
    announcing: bool = False
    alone: bool = False
    #: What has been said, and who is connected by which cookie.
    said: set[str] = field(default_factory=set)
    people: dict[str, ServerConnection] = field(default_factory=dict)
    under_way: str = ""
    spoke: dict[ServerConnection, float] = field(default_factory=dict)
    #: Who is connected, by room.
    rooms: dict[str, list[ServerConnection]] = field(default_factory=dict)
    port: int = 0
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def _request(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.status:
            return connection.respond(http.HTTPStatus(self.status), "no chat here")
        if self.token and urlsplit(request.path).query != self.token:
            return connection.respond(http.HTTPStatus.FORBIDDEN, "with what?")
        if self.header[0] and request.headers.get(self.header[0]) != self.header[1]:
            return connection.respond(http.HTTPStatus.FORBIDDEN, "with what?")
        if self.login and not self._knows(request.headers.get("Cookie", "")):
            return connection.respond(http.HTTPStatus.FORBIDDEN, "who is that?")
        if self.own_origin and request.headers.get("Origin") not in self._own_origins:
            return connection.respond(http.HTTPStatus.FORBIDDEN, "from where?")
        return None

    def _knows(self, cookies: str) -> bool:
        """Tell whether somebody is let in by *cookies*."""
        return COOKIE in cookies if self.wrong == "any cookie" else cookies.partition(f"{COOKIE}=")[2] in KNOWN

    @property
    def _own_origins(self) -> list[str | None]:
        """The Origins of its own pages; what is wrong may be that ``null`` is taken for one."""
        own = [f"{scheme}://{host}:{self.port}" for scheme in ("http", "https") for host in ("127.0.0.1", "localhost")]
        return [*own, *(["null"] if self.wrong == "null" else [])]

    async def _handle(self, connection: ServerConnection) -> None:
        path = json.loads(await connection.recv())["join"] if self.joining else connection.request.path
        self.rooms.setdefault(path, []).append(connection)
        cookie = connection.request.headers.get("Cookie", "")
        if self.wrong == "forgets" and cookie in self.said:
            self.rooms[path].remove(connection)
        self.said.add(cookie)
        if self.announcing:
            for each in list(self.rooms[path]):
                await each.send('{"message": "somebody has come"}')
        if self.alone and cookie:
            if before := self.people.get(cookie):
                await before.close(4001, "you are somewhere else")
            self.people[cookie] = connection
        if self.welcome:
            await connection.send(self.welcome)
        if self.yesterday is not None:
            await asyncio.sleep(self.yesterday)
            await connection.send('{"message": "good night"}')
        try:
            async for text in connection:
                if self.wrong == "closes":
                    await connection.close(4000, "enough")
                    return
                fields = json.loads(text)
                if not self.addressed or fields["to"] == "everybody":
                    await self._hand_on(connection, path, fields["message"])
        finally:
            with suppress(ValueError):
                self.rooms[path].remove(connection)

    async def _hand_on(self, sender: ServerConnection, path: str, message: str) -> None:
        private = not message.startswith("fence")
        if self.wrong == "never" or (self.wrong == "drops repeats" and message in self.said):
            return
        self.said.add(message)
        hearers = list(self.rooms[path])
        if self.wrong == "leaks" and private:
            hearers = [each for room in self.rooms.values() for each in room]
        if self.wrong == "not to oneself":
            hearers.remove(sender)
        if self.wrong == "drops" and private:
            hearers = hearers[:1]
        if self.wrong == "hurries nobody":
            soon = time.monotonic() - self.spoke.get(sender, 0.0) < 0.05
            self.spoke[sender] = time.monotonic()
            if soon:
                return
        if self.wrong == "races":
            self.under_way = message
            await asyncio.sleep(0.1)
            message = self.under_way
        if self.wrong == "ASCII":
            message = message.encode("ascii", "replace").decode()
        fields = {"message": message + "?" if self.wrong == "alters" and private else message}
        if self.naming:
            cookie = sender.request.headers.get("Cookie", "")
            fields["by"] = "ann" if self.wrong == "misnames" else cookie.partition("=")[2]
        text = json.dumps(fields)
        if self.wrong == "shouts later":
            self._tasks.append(asyncio.create_task(self._shout(hearers, message)))
        for each in hearers * (2 if self.wrong == "twice" and private else 1):
            with suppress(ConnectionClosed):  # one that has just left
                await each.send(text)

    async def _shout(self, hearers: list[ServerConnection], message: str) -> None:
        await asyncio.sleep(0.2)
        for each in hearers:
            with suppress(ConnectionClosed):
                await each.send(json.dumps({"message": message.upper()}))

    @contextmanager
    def running(self, certificate: Path | None = None) -> Iterator[OwnChat]:
        """Serve it until the block is left; under TLS where there is a *certificate*, with its key in one file."""
        loop = asyncio.new_event_loop()
        up, over = threading.Event(), asyncio.Event()
        tls = None
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)

        async def run() -> None:
            names = [self.subprotocol] if self.subprotocol else None
            async with serve(
                self._handle, "127.0.0.1", 0, process_request=self._request, subprotocols=names, ssl=tls
            ) as server:
                self.port = server.sockets[0].getsockname()[1]
                up.set()
                await over.wait()
                for each in self._tasks:
                    each.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

        thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
        thread.start()
        assert up.wait(5)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(over.set)
            thread.join(5)
            loop.close()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"
