"""A chat server that behaves well, or misbehaves in the one way its name says."""

import asyncio
import itertools
import os
import secrets
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qsl

from aiohttp import WSMsgType, web

MEMBERS = {"admin": [], "John": ["chatusers"], "Mary": ["chatusers"]}
HOSTILE = (
    b"Title\n=====\n\n.. raw:: html\n\n   <script>alert(1)</script>\n\n`x <javascript:alert(1)>`__ |sub| [1]_ *em\n"
    b"\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07 \xff\xfe\x00\x07 <img src=x onerror=alert(1)>\n"
    b"::\n\n\tliteral\n.. include:: /etc/passwd\n\xe2\x80\xaetfel\n"
)


HEAD = "<!DOCTYPE html><link rel='icon' href='data:,'>"
LOGIN = HEAD + "<main><form method='post'><input name='username'><input name='password'><button>Log in</button></form>"
#: What a browser is driven through: the real chat's script, and the elements that it and the harness know.
PAGE = """{head}<p id="me">{member}</p>
<form id="chat" method="post" data-channel="{channel}" data-protocol="text" data-send="{send}"
 data-socket="/ws/chat?subscribe-broadcast&amp;{subscribe}&amp;echo">
<select id="audience" name="{channel}"><option>admin<option>John<option>Mary<option>chatusers</select>
<input id="message" name="message"><button>Send</button><output id="state">connecting</output></form>
<ol id="messages"></ol><script src="/chat.js"></script>"""
SCRIPT = Path(__file__).parents[3] / "chatserver" / "static" / "chatserver" / "chat.js"


class Chat:
    def __init__(self, fake: str) -> None:
        self.fake = fake
        self.connections: list[tuple[str, set[str], web.WebSocketResponse]] = []
        self.numbers = itertools.count(1)
        self.held: list[tuple[str, str]] = []
        self.queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def member(self, request: web.Request) -> str:
        # The session names its member: who restarts this server is still logged in.
        return request.cookies.get("sessionid", "").rpartition("-")[0]

    async def publish(self, channel: str, text: str) -> None:
        """Deliver a message, or do to it what this fake does."""
        fake, message = self.fake, text.startswith("Hello")
        number = next(self.numbers) if message else 0
        if fake == "delays":
            await self.queue.put((channel, text))
            return
        if fake == "drops" and number == 5:
            return
        if fake in ("reorders", "stalls") and (number == 13 if fake == "reorders" else number == 5):
            self.held.append((channel, text))
            return
        if fake == "is-killed" and number == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        if fake == "ends-the-broker" and number == 5:
            import redis  # which takes a quarter of the time that this server needs to start

            redis.Redis.from_url(os.environ["CHAT_REDIS_URL"]).shutdown(nosave=True)
        if fake == "dies-mid" and number == 5:
            os._exit(3)
        if fake == "closes" and number == 6:
            for user, _, connection in self.connections:
                if user == "Mary":
                    await connection.close(code=1011)
        if fake == "stalls":
            await self.release()
        if fake == "truncates" and number == 5:
            text = text[:-9]
        if fake == "recodes" and number == 5:
            text = text.replace("Hello", "HÃ©llo")
        await self.deliver(channel, text)
        if fake == "twice" and number == 5:
            await self.deliver(channel, text)
        if fake == "leaks-user" and message and channel.startswith("user:"):
            await self.deliver("broadcast", text)
        if fake == "leaks-group" and message and channel.startswith("group:"):
            for user, channels, connection in self.connections:
                if user == "admin" and "group" in channels:
                    await connection.send_str(text)
        await self.release()

    async def release(self) -> None:
        held, self.held = self.held, []
        for channel, text in held:
            await self.deliver(channel, text)

    async def deliver(self, channel: str, text: str) -> None:
        for _, channels, connection in list(self.connections):
            if channel in channels and not connection.closed:
                await connection.send_str(text)

    async def slowly(self) -> None:
        while True:
            channel, text = await self.queue.get()
            await asyncio.sleep(0.1)
            await self.deliver(channel, text)

    async def login(self, request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            response = web.Response(text=LOGIN, content_type="text/html")
            response.set_cookie("csrftoken", "t" * 32)
            return response
        form = await request.post()
        if self.fake == "locks-out":
            return web.Response(status=500, text="no")
        session = f"{form['username']}-{secrets.token_hex(8)}"
        response = web.Response(status=302, headers={"Location": "/"})
        response.set_cookie("sessionid", session)
        return response

    async def page(self, request: web.Request) -> web.StreamResponse:
        member = self.member(request)
        if not member:
            return web.Response(status=302, headers={"Location": "/accounts/login/?next=" + request.path})
        if self.fake == "breaks-pages":
            return web.Response(status=500, text="Server Error")
        if request.method == "GET":
            channel = request.match_info.get("channel", "")
            return web.Response(text=self.shown(member, channel), content_type="text/html")
        form = await request.post()
        channel = request.match_info["channel"]
        await self.publish(channel if channel == "broadcast" else f"{channel}:{form[channel]}", str(form["message"]))
        return web.Response(text="OK")

    def shown(self, member: str, channel: str) -> str:
        broadcast = channel == "broadcast"
        if not channel:
            return f"{HEAD}<p id='me'>{member}</p>"
        return PAGE.format(
            head=HEAD,
            member=member,
            channel=channel,
            send="websocket" if broadcast else "post",
            subscribe="publish-broadcast" if broadcast else f"subscribe-{channel}",
        )

    async def script(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=404) if self.fake == "loses-its-script" else web.FileResponse(SCRIPT)

    def channels(self, member: str, asked: set[str]) -> set[str]:
        channels = {"broadcast"} if "subscribe-broadcast" in asked else set()
        if member and "subscribe-user" in asked:
            channels.add(f"user:{member}")
        if member and "subscribe-group" in asked:
            channels |= {"group", *(f"group:{group}" for group in MEMBERS[member])}
        return channels

    def may_publish(self, member: str, asked: set[str]) -> bool:
        return bool(member) and "publish-broadcast" in asked

    async def publish_bytes(self, data: bytes) -> None:
        for _, channels, connection in list(self.connections):
            if "broadcast" in channels and not connection.closed:
                await connection.send_bytes(data)

    async def websocket(self, request: web.Request) -> web.StreamResponse:
        if self.fake in ("refuses-403", "refuses-500"):
            return web.Response(status=int(self.fake[-3:]), text="no <b>sockets</b>")
        if self.fake == "answers-garbage":
            assert request.transport is not None
            request.transport.write(b"\x00\xffgarbage\r\n\r\n")
            request.transport.close()
        if self.fake == "dies":
            os._exit(3)
        connection = web.WebSocketResponse()
        await connection.prepare(request)
        asked = {name for name, _ in parse_qsl(request.query_string, keep_blank_values=True)}
        member = self.member(request)
        self.connections.append((member, self.channels(member, asked), connection))
        async for message in connection:
            if message.type is WSMsgType.TEXT and self.may_publish(member, asked):
                await self.publish("broadcast", message.data)
            elif message.type is WSMsgType.BINARY and self.may_publish(member, asked):
                await self.publish_bytes(message.data)
        self.connections = [each for each in self.connections if each[2] is not connection]
        return connection


def serve(fake: str, port: int) -> int:
    import cheats
    import sly

    before_listening(fake, port)
    sly.before_listening(fake)
    cheats.before_listening(fake)
    chat = cheats.CheatingChat(fake)
    application = web.Application()
    application.router.add_route("*", "/accounts/login/", chat.login)
    application.router.add_get("/", chat.page)
    application.router.add_route("*", "/chat/{channel}/", chat.page)
    application.router.add_get("/ws/chat", chat.websocket)
    application.router.add_get("/ws/members/", chat.json_socket)
    application.router.add_get("/chat.js", chat.script)

    async def delays(_: web.Application) -> None:
        asyncio.get_running_loop().create_task(chat.slowly())
        asyncio.get_running_loop().create_task(chat.in_line())

    async def hang_up(request: web.Request, response: web.StreamResponse) -> None:
        if fake == "hangs-up" and not isinstance(response, web.WebSocketResponse):
            # HTTP/1.1, no "Connection: close", and gone a moment later.
            assert request.transport is not None
            response.headers.pop("Connection", None)
            asyncio.get_running_loop().call_later(0.003, request.transport.close)

    application.on_response_prepare.append(hang_up)
    application.on_response_prepare.append(cheats.more_headers)
    application.on_startup.append(delays)
    stubborn = fake == "ignores-signals"
    try:
        web.run_app(
            application, host="127.0.0.1", port=port, handle_signals=not stubborn, print=print, shutdown_timeout=0.1
        )
    except KeyboardInterrupt:
        pass
    return 0


def before_listening(fake: str, port: int) -> None:
    if fake == "fails-to-start":
        sys.stdout.buffer.write(HOSTILE)
        sys.exit('Traceback (most recent call last):\n  File "x.py", line 1\nRuntimeError: *no* `server` |today|')
    if fake == "never-ready":
        with socket.create_server(("127.0.0.1", port)):
            signal.pause()
    if fake == "never-listens":
        signal.pause()
    if fake == "speaks-garbage":
        with socket.create_server(("127.0.0.1", port)) as listener:
            while True:
                connection, _ = listener.accept()
                connection.sendall(b"\x00\x01 220 mail.example ESMTP\r\n")
                connection.close()
    if fake == "ignores-signals":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if fake == "leaves-a-grandchild":
        # In a session of its own, so that no signal to the server's group reaches it.
        subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
    if fake == "floods":
        line = b"x" * 1023 + b"\n"
        for _ in range(100 * 1024):
            sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
    if fake == "prints-hostile-text":
        sys.stdout.buffer.write(HOSTILE)
        sys.stdout.buffer.flush()
    if fake in ("port-taken-once", "port-taken-always"):
        note = Path(os.environ["FAKE_NOTE"])
        if fake == "port-taken-always" or not note.exists():
            note.touch()
            sys.exit("Error: That port is already in use.")
