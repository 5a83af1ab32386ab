"""Chat servers that look right for as long as nobody looks twice: later, in another order, or as a browser does."""

import asyncio
import json
import os
import struct
import sys
import time
from pathlib import Path

from aiohttp import WSMsgType, web
from sly import SlyChat

#: How much later than its message a copy or a leak comes.
MUCH_LATER = 3.0
#: What each of these sends instead of a frame that a browser takes; the text is short enough for one byte of length.
RAW = {
    "masks-frames": lambda data: b"\x81" + bytes([0x80 | len(data)]) + b"\0\0\0\0" + data,
    "writes-long-lengths": lambda data: b"\x81\x7f" + struct.pack("!Q", len(data)) + data,
    "sets-reserved-bits": lambda data: b"\xa1" + bytes([len(data)]) + data,
    "breaks-utf-8": lambda data: b"\x81" + bytes([len(data) + 1]) + data + b"\xff",
    "nests-json": lambda data: b"\x81\x7e" + struct.pack("!H", 60000) + b"[" * 60000,
}
MEMBERS = ("admin", "John", "Mary")


class CheatingChat(SlyChat):
    """Each fake changes one thing of a chat that behaves well."""

    def __init__(self, fake: str) -> None:
        super().__init__(fake)
        self.history: list[str] = []
        self.line: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.stalled = 0.0
        self.came = self.said = 0

    async def publish(self, channel: str, text: str) -> None:
        fake, message, private = self.fake, text.startswith("Hello"), text.startswith("private")
        repeated = message and text in self.history
        self.history.append(text)
        if fake == "leaks-much-later" and message and channel.startswith("user:"):
            self.later(MUCH_LATER, "broadcast", text)
        if fake == "repeats-much-later" and message:
            self.later(MUCH_LATER, channel, text)
        if fake == "copies-beside-the-fifteen" and private:
            self.later(0.2, channel, text)
        if fake == "drops-repeats" and repeated:
            return
        if fake == "trickles":
            await self.line.put((channel, text))
            return
        if fake == "serves-strangers-late" and "of a stranger (" in text:
            self.later(1.5, channel, text)
            return
        await super().publish(channel, text)
        if fake == "closes-afterwards" and message and "message 15" in text:
            asyncio.get_running_loop().call_later(0.3, self.close_all)
        self.said += message
        if fake == "ends-quietly" and message and self.said == 15:
            asyncio.get_running_loop().call_later(0.7, os._exit, 3)

    def close_all(self) -> None:
        for _, _, connection in self.connections:
            asyncio.get_running_loop().create_task(connection.close(code=1011))

    async def in_line(self) -> None:
        """Deliver one message after the other, each half a second after the one before."""
        while True:
            channel, text = await self.line.get()
            await asyncio.sleep(0.2)
            await super().deliver(channel, text)

    async def deliver(self, channel: str, text: str) -> None:
        if self.fake == "stalls-by-itself" and text.startswith("burst") and text.endswith("message 40"):
            await asyncio.sleep(0.8)
        if self.fake not in RAW:
            await super().deliver(channel, text)
            return
        for _, channels, connection in list(self.connections):
            if channel in channels and not connection.closed:
                transport = connection._req.transport
                transport.write(RAW[self.fake](text.encode()))

    def may_publish(self, member: str, asked: set[str]) -> bool:
        late = self.fake == "serves-strangers-late" and "publish-broadcast" in asked
        return late or super().may_publish(member, asked)

    def shown(self, member: str, channel: str) -> str:
        return super().shown("John" if self.fake == "shows-johns-pages" else member, channel)

    def wrapped(self, text: str, sender: str, channel: str) -> str:
        """Return the JSON of a message, with what this fake writes into it."""
        if self.fake == "names-another-sender":
            sender = "Mary" if sender == "admin" else sender
        if self.fake == "names-another-channel" and channel == "user":
            channel = "broadcast"
        fields = {"message": text, "sender": sender, "channel": channel}
        if self.fake == "tells-what-was-said":
            fields["before"] = self.history[-2:]
        told = json.dumps(fields)
        if self.fake == "tells-it-by-numbers":
            before = "".join(f"\\u{ord(letter):04x}" for letter in "|".join(self.history[-2:]))
            told = f'{told[:-1]}, "before": "{before}"}}'
        return told

    async def json_socket(self, request: web.Request) -> web.StreamResponse:
        """One connection for each member, which hears and says everything in JSON."""
        member = self.member(request)
        if self.fake == "knows-by-order" and self.came < len(MEMBERS):
            member, self.came = MEMBERS[self.came], self.came + 1
        if not member:
            return web.Response(status=403)
        connection = web.WebSocketResponse()
        await connection.prepare(request)
        mine = {"broadcast", f"user:{member}", *(["group:chatusers"] if member != "admin" else [])}
        self.connections.append((member, mine, connection))
        async for message in connection:
            if message.type is WSMsgType.TEXT:
                said = json.loads(message.data)
                kind, text = said["channel"], said["message"]
                channel = kind if kind == "broadcast" else f"{kind}:{said['audience']}"
                frame = self.wrapped(text, member, kind)
                self.history.append(text)
                await self.deliver(channel, frame)
        self.connections = [each for each in self.connections if each[2] is not connection]
        return connection

    async def websocket(self, request: web.Request) -> web.StreamResponse:
        fake = self.fake
        assert request.transport is not None
        if fake == "drips-a-handshake":
            for byte in b"HTTP/1.1 101 Switching Protocols\r\n":
                request.transport.write(bytes([byte]))
                await asyncio.sleep(3)
        if fake in ("chooses-a-subprotocol", "chooses-an-extension"):
            name = "Sec-WebSocket-Protocol" if fake == "chooses-a-subprotocol" else "Sec-WebSocket-Extensions"
            value = "chat" if fake == "chooses-a-subprotocol" else "x-webkit-deflate-frame"
            request[name] = value
        if fake == "tells-strangers-everything" and not self.member(request):
            asyncio.get_running_loop().call_later(0.5, lambda: asyncio.create_task(self.tell_all()))
        return await super().websocket(request)

    async def tell_all(self) -> None:
        """Hand every stranger who is still there all that was said before."""
        for user, _, connection in self.connections:
            if not user and not connection.closed:
                for text in self.history:
                    await connection.send_str(text)


async def more_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add to a handshake what this fake chooses and nobody offered."""
    for name in ("Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"):
        if name in request:
            response.headers[name] = request[name]


def before_listening(fake: str) -> None:
    note = Path(os.environ["FAKE_NOTE"])
    if fake == "starts-once":
        if note.exists():
            time.sleep(60)
        note.touch()
    if fake == "complains-of-room":
        sys.exit("OSError: [Errno 28] inotify: No space left on device")
    if fake == "says-in-use":
        print("the address of another server is already in use", flush=True)
        time.sleep(60)
