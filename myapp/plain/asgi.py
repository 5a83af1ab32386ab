"""The ASGI application: Django for HTTP, and the chat for WebSockets."""

import asyncio
import os
import re
from functools import partial
from urllib.parse import urlparse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "myapp.plain.settings")

from asgiref.sync import sync_to_async
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

# Before anything that needs Django's applications to be loaded.
_django = ASGIStaticFilesHandler(get_asgi_application())

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from myapp import chat
from myapp.members import member
from myapp.plain import hub, polling


async def application(scope, receive, send):
    """Serve one connection (ASGI 3)."""
    if scope["type"] == "http" and scope["path"] in polling.PAGES:
        found = await sync_to_async(member)(_headers(scope).get("cookie", ""))
        if found is not None:
            await polling.answer(scope, found[1], send)
            return
    if scope["type"] != "websocket":
        await _django(scope, receive, send)
        return
    await receive()  # websocket.connect
    keys, said = await _admitted(scope["path"], _headers(scope))
    if not keys:
        await send({"type": "websocket.close", "code": 4403})
        return
    listener = hub.Listener(keys)
    await send({"type": "websocket.accept"})
    tasks = [
        asyncio.ensure_future(_send_what_is_heard(listener, send)),
        asyncio.ensure_future(_receive_what_is_said(said, receive, send)),
    ]
    try:
        # When one of them ends so does the connection, and an error of either is not to be lost.
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        listener.close()
        for task in tasks:
            task.cancel()


async def _admitted(path, headers):
    """Return the keys that a connection to *path* receives (none: it is refused), and the function for its messages."""
    if not _same_site(headers):
        return [], None
    room = re.match(re.escape(settings.CHAT_ROOMS[""]) + "(.+)/$", path)
    if room:  # it is open to everybody who has its address
        key = chat.key("room", room.group(1))
        return [key], partial(_said_in_room, key)
    found = await sync_to_async(member)(headers.get("cookie", ""))
    if found is None or path != settings.CHAT_SOCKET:
        return [], None
    name, keys = found
    return keys, partial(_said_by_member, name)


def _headers(scope):
    return {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}


def _same_site(headers):
    """Tell whether a page of this site opened the WebSocket: browsers let any page do so, with the cookie."""
    host, _ = split_domain_port(urlparse(headers.get("origin", "")).netloc.lower())
    return validate_host(host, settings.ALLOWED_HOSTS)


async def _send_what_is_heard(listener, send):
    while True:
        data = await listener.queue.get()
        await send({"type": "websocket.send", "bytes" if isinstance(data, bytes) else "text": data})


async def _receive_what_is_said(said, receive, send):
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            return
        try:
            said(event.get("text"), event.get("bytes"))
        except chat.NotAMessage as error:
            await send({"type": "websocket.close", "code": chat.NO_MESSAGE, "reason": str(error)})
            return


def _said_by_member(name, text, data):
    if text is None:
        hub.say(chat.key("broadcast"), data)
        return
    channel, audience, message = chat.read(text)
    hub.say(chat.key(channel, audience), chat.written(channel, name, message))


def _said_in_room(key, text, data):
    if text is None:
        raise chat.NotAMessage("rooms take texts alone")
    hub.say(key, chat.written_in_room(chat.read_in_room(text)))
