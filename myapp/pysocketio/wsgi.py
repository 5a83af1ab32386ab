"""The chat over WSGI: threads, or greenlets when ``CHAT_ASYNC_MODE`` says ``gevent``."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "myapp.pysocketio.settings")

from django.core.wsgi import get_wsgi_application

_django = get_wsgi_application()

import socketio
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler

from myapp import chat
from myapp.members import member

# One event of a connection at a time: left to itself the library handles them side by side.
server = socketio.Server(
    async_mode=os.environ.get("CHAT_ASYNC_MODE", "threading"),
    async_handlers=False,
    client_manager=socketio.RedisManager(settings.CHAT_REDIS_URL, channel=settings.CHAT_PREFIX),
)
application = socketio.WSGIApp(server, StaticFilesHandler(_django))


@server.on("connect")
def connect(sid, environ, *auth):
    """Accept a member, and subscribe the connection to all that the member may receive."""
    found = member(environ.get("HTTP_COOKIE", ""))
    if found is None:
        return False
    name, keys = found
    server.save_session(sid, {"name": name})
    for key in keys:
        server.enter_room(sid, key)
    return None


@server.on("chat")
def said(sid, fields):
    """Send a message to its audience."""
    try:
        channel, audience, message = chat.address(fields)
    except chat.NotAMessage:
        server.disconnect(sid)
        return
    name = server.get_session(sid)["name"]
    server.emit("chat", chat.addressed(channel, name, message), room=chat.key(channel, audience))
