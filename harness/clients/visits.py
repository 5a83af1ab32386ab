"""Many short WebSocket connections, byte by byte: opened by a handshake, held, and left with or without goodbye."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from wsproto.frame_protocol import FrameProtocol

from harness.system.ports import reset_at_end

#: Seconds for one handshake, and how many are under way at once.
_DEADLINE = 20.0
_AT_ONCE = 8


@dataclass(frozen=True)
class Visitor:
    """How a connection is opened: its path, what the request says of it, and the frames that are sent at first."""

    port: int
    path: str
    cookie: str = ""
    origin: str = ""
    opened: tuple[str, ...] = ()
    method: str = "GET"
    #: Further headers.
    headers: tuple[str, ...] = ()

    def request(self) -> bytes:
        """Return the request of a handshake (RFC 6455, 4.1)."""
        lines = [
            f"{self.method} {self.path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            "Sec-WebSocket-Version: 13",
            *([f"Origin: {self.origin}"] if self.origin else []),
            *([f"Cookie: {self.cookie}"] if self.cookie else []),
            *self.headers,
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


@dataclass(frozen=True)
class Visits:
    """What came of many: how many were let in, and what the first of the others met."""

    opened: int
    refused: str = ""


def knock(visitor: Visitor) -> tuple[str, dict[str, str]]:
    """Shake hands, and leave; return the status of the answer with its headers, by their names in small letters.

    Raises:
        OSError: no answer came.
    """
    with socket.create_connection(("127.0.0.1", visitor.port), _DEADLINE) as line:
        line.sendall(visitor.request())
        head = b""
        with line.makefile("rb") as answer:
            while (read := answer.readline(65536)) not in (b"\r\n", b"\n", b""):
                head += read
    if not head.startswith(b"HTTP/"):
        raise ConnectionResetError("the connection is closed without an answer")
    first, *rest = head.decode("latin-1").splitlines()
    pairs = (each.partition(":") for each in rest)
    return first.partition(" ")[2].partition(" ")[0], {name.strip().lower(): value.strip() for name, _, value in pairs}


def visit(visitors: Sequence[Visitor]) -> Visits:
    """Open a connection for each of *visitors*, hold all of them, and leave: every other one without a word."""
    return asyncio.run(_visit(visitors))


async def _visit(visitors: Sequence[Visitor]) -> Visits:
    gate = asyncio.Semaphore(_AT_ONCE)
    opened: list[asyncio.StreamWriter] = []
    refused: list[str] = []

    async def come(visitor: Visitor) -> None:
        async with gate:
            try:
                opened.append(await asyncio.wait_for(_open(visitor), _DEADLINE))
            except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
                refused.append(f"{type(error).__name__}: {error}".removesuffix(": "))

    await asyncio.gather(*(come(each) for each in visitors))
    for number, writer in enumerate(opened):
        _leave(writer, goodbye=number % 2 == 0)
    return Visits(len(opened), refused[0] if refused else "")


async def _open(visitor: Visitor) -> asyncio.StreamWriter:
    """Shake hands.

    Raises:
        OSError: the connection was not let in.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", visitor.port)
    try:
        return await _shake_hands(visitor, reader, writer)
    except BaseException:
        writer.transport.abort()
        raise


async def _shake_hands(
    visitor: Visitor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> asyncio.StreamWriter:
    writer.write(visitor.request())
    head = await reader.readuntil(b"\r\n\r\n")
    status = head.partition(b" ")[2].partition(b" ")[0].decode("latin-1") if head.startswith(b"HTTP/") else "no HTTP"
    if status != "101":
        raise ConnectionRefusedError(f"status {status}")
    frames = FrameProtocol(client=True, extensions=[])
    for frame in visitor.opened:
        writer.write(frames.send_data(frame))
    await writer.drain()
    return writer


def _leave(writer: asyncio.StreamWriter, goodbye: bool) -> None:
    if goodbye:
        writer.write(FrameProtocol(client=True, extensions=[]).close(1000))
        writer.close()
        return
    reset_at_end(writer.get_extra_info("socket"))
    writer.transport.abort()
