"""The chat over ASGI: coroutines, and Django behind them."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "myapp.pysocketio.settings")

from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application

_django = get_asgi_application()

import socketio
from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler

from myapp import chat
from myapp.members import member

# One event of a connection at a time: left to itself the library handles them side by side.
server = socketio.AsyncServer(
    async_mode="asgi",
    async_handlers=False,
    client_manager=socketio.AsyncRedisManager(settings.CHAT_REDIS_URL, channel=settings.CHAT_PREFIX),
)
application = socketio.ASGIApp(server, ASGIStaticFilesHandler(_django))


@server.event
async def connect(sid, environ, *auth):
    """Accept a member, and subscribe the connection to all that the member may receive."""
    found = await sync_to_async(member)(environ.get("HTTP_COOKIE", ""))
    if found is None:
        return False
    name, keys = found
    await server.save_session(sid, {"name": name})
    for key in keys:
        entered = server.enter_room(sid, key)
        if entered is not None:  # a coroutine since 5.10
            await entered
    return None


@server.on("chat")
async def said(sid, fields):
    """Send a message to its audience."""
    try:
        channel, audience, message = chat.address(fields)
    except chat.NotAMessage:
        await server.disconnect(sid)
        return
    name = (await server.get_session(sid))["name"]
    await server.emit("chat", chat.addressed(channel, name, message), room=chat.key(channel, audience))
