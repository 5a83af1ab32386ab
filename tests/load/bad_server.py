"""A broadcast server for crowds: it behaves well, or misbehaves in the one way that its argument says.

``bad_server.py WAY`` listens on a free port of loopback, and prints it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import os
import struct
import sys

#: What lets members in, as Django's login view does: a form with a token, and a session for whoever fills it in.
FORM = b"HTTP/1.1 200 OK\r\nSet-Cookie: csrftoken=token; Path=/\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
IN = b"HTTP/1.1 302 Found\r\nSet-Cookie: sessionid=session; Path=/\r\nLocation: /\r\nConnection: close\r\n\r\n"
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(data: bytes, opcode: int = 1) -> bytes:
    """Return *data* as one unmasked frame."""
    size = bytes([len(data)]) if len(data) < 126 else b"\x7e" + struct.pack(">H", len(data))
    return bytes([0x80 | opcode]) + size + data


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return the opcode and the data of a masked frame."""
    first, second = await reader.readexactly(2)
    size = second & 0x7F
    if size == 126:
        (size,) = struct.unpack(">H", await reader.readexactly(2))
    mask = await reader.readexactly(4)
    data = await reader.readexactly(size)
    return first & 0x0F, bytes(each ^ mask[place % 4] for place, each in enumerate(data))


class Server:
    """Everything that anybody sends goes to all who are connected; *way* says what goes wrong with it."""

    def __init__(self, way: str) -> None:
        self.way = way
        self.numbers = itertools.count(1)
        self.writers: dict[int, asyncio.StreamWriter] = {}
        self.first_spoken_to = 0.0

    def is_later(self) -> bool:
        """Tell whether somebody spoke a second ago for the first time."""
        now = asyncio.get_running_loop().time()
        self.first_spoken_to = self.first_spoken_to or now
        return now - self.first_spoken_to > 1

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = 0
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            if b" /accounts/login/ " in request:
                writer.write(FORM if request.startswith(b"GET") else IN)
                return
            number = next(self.numbers)
            await self.talk(number, request, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.writers.pop(number, None)
            writer.close()

    async def talk(
        self, number: int, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self.way == "never answers":
            await reader.read()
        if self.way == "refuses everybody" or (self.way == "refuses" and number > 1):
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        key = next(line for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
        accept = base64.b64encode(hashlib.sha1(key[19:].strip() + MAGIC).digest())
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        writer.write(b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        self.writers[number] = writer
        if self.way == "dies at 60" and number == 61:
            os._exit(3)
        if (self.way, number) == ("closes the first", 1) or (self.way == "closes every tenth" and number % 10 == 0):
            writer.write(frame(struct.pack(">H", 1011), opcode=8))
            return
        if self.way == "sends rubbish":
            writer.write(frame(b"rubbish for %d" % number))
        if self.way == "breaks frames" and number % 2 == 0:
            writer.write(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")
        while True:
            opcode, data = await read_frame(reader)
            if opcode == 8:
                return
            if self.way == "shuns speakers" and not self.is_later():
                return
            if opcode == 1 and self.way != "never speaks":
                await self.broadcast(data)

    async def broadcast(self, data: bytes) -> None:
        for number, writer in list(self.writers.items()):
            if self.way == "withholds" and number % 10 == 0 and data.startswith(b"message"):
                continue
            if self.way == "a byte a second":
                self.drip(writer, frame(data))
                continue
            writer.write(frame(data))
            if self.way == "doubles" and data.startswith(b"message"):
                writer.write(frame(data))

    def drip(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        if data:
            writer.write(data[:1])
            asyncio.get_running_loop().call_later(1.0, self.drip, writer, data[1:])


async def main(way: str) -> None:
    server = await asyncio.start_server(Server(way).serve, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
