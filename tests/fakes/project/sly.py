"""Chat servers that misbehave where nobody looks at first: late, towards strangers, or in disguise."""

import asyncio
import json
import os
import socket
import subprocess
import sys

from aiohttp import web
from server import Chat

LATER = 0.6
KEPT: list[socket.socket] = []
SECRET = "Traceback in /root/secret/place.py of /home/somebody, sessionid=abcdef, \x1b]0;pwned\x07"


class SlyChat(Chat):
    """Each fake changes one thing of a chat that behaves well."""

    stranger_spoke = fence_lost = False

    def later(self, seconds: float, channel: str, text: str) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, lambda: loop.create_task(super(SlyChat, self).deliver(channel, text)))

    async def publish(self, channel: str, text: str) -> None:
        fake, message = self.fake, text.startswith("Hello")
        self.stranger_spoke |= "stranger (" in text
        if fake == "slow":
            return self.later(1.1, channel, text)
        if fake == "loses-broadcasts" and text.startswith("fence") and self.fence_lost:
            self.fence_lost = False
            return None
        self.fence_lost |= message
        if fake == "dies-of-strangers" and self.stranger_spoke:
            os._exit(3)
        if fake == "repeats-later" and message:
            self.later(LATER, channel, text)
        if fake == "leaks-later" and message and channel.startswith("user:"):
            self.later(LATER, "broadcast", text)
        if fake == "tells-secrets" and message:
            text = SECRET + "x" * 100_000
        if fake == "doubles-bursts" and text.startswith("burst"):
            await self.deliver(channel, text)
        private = text.startswith("private")
        if fake == "leaks-to-strangers" and private:
            await self.deliver("strangers", text)
        if fake == "leaks-wrapped" and private:
            await self.deliver("strangers", json.dumps({"msg": text}))
        return await super().publish(channel, text)

    async def deliver(self, channel: str, text: str) -> None:
        for _, channels, connection in list(self.connections):
            if channel in channels and not connection.closed:
                if self.fake == "sends-binary":
                    await connection.send_bytes(text.encode())
                else:
                    await connection.send_str(text)

    def channels(self, member: str, asked: set[str]) -> set[str]:
        found = super().channels(member, asked)
        if member or not self.fake.startswith("leaks-"):
            return found
        return {"strangers"} if self.fake == "leaks-to-strangers" else {*found, "strangers"}

    def may_publish(self, member: str, asked: set[str]) -> bool:
        return super().may_publish(member, asked) or (
            self.fake in ("dies-of-strangers", "hears-strangers") and "publish-broadcast" in asked
        )

    async def page(self, request: web.Request) -> web.StreamResponse:
        if self.fake == "posts-for-strangers" and not self.member(request) and request.method == "POST":
            form = await request.post()
            await self.publish("broadcast", str(form["message"]))
            return web.Response(status=302, headers={"Location": "/accounts/login/"})
        if self.fake == "drips" and self.member(request):
            response = web.StreamResponse()
            await response.prepare(request)
            while True:
                await response.write(b"<p>John")
                await asyncio.sleep(0.5)
        return await super().page(request)

    async def websocket(self, request: web.Request) -> web.StreamResponse:
        if self.fake == "redirects" and "moved" not in request.query_string:
            return web.Response(status=302, headers={"Location": f"ws://{request.host}{request.path_qs}&moved"})
        if self.fake == "refuses-with-secrets":
            return web.Response(status=500, text=SECRET)
        return await super().websocket(request)


def before_listening(fake: str) -> None:
    if fake == "listens-elsewhere":
        KEPT.append(socket.create_server(("127.0.0.1", 0)))
    if fake == "leaves-a-daemon":
        # Its own session, no environment, and its parent gone.
        code = "import os, signal\nif os.fork() == 0:\n    os.setsid()\n    signal.pause()\n"
        subprocess.run([sys.executable, "-c", code], env={}, check=True)
    if fake == "warns-a-lot":
        for number in range(600):
            print(f"/lib/module{number}.py:{number}: DeprecationWarning: function {number} will go away, use another")
        sys.stdout.flush()
    if fake == "prints-its-environment":
        sys.exit(f"RuntimeError: {dict(os.environ)}")
