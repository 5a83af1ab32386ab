"""The ASGI application: Django for HTTP, and the chat for WebSockets."""

import asyncio
import os
from http.cookies import SimpleCookie
from urllib.parse import urlparse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "myapp.plain.settings")

from asgiref.sync import sync_to_async
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

# Before anything that needs Django's applications to be loaded.
_django = ASGIStaticFilesHandler(get_asgi_application())

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host

from myapp import chat
from myapp.plain import hub, polling


async def application(scope, receive, send):
    """Serve one connection (ASGI 3)."""
    if scope["type"] == "http" and scope["path"] in ("/poll/", "/long-poll/"):
        name, keys = await sync_to_async(_member)(_headers(scope))
        if name:
            await polling.answer(scope, keys, send)
            return
    if scope["type"] != "websocket":
        await _django(scope, receive, send)
        return
    await receive()  # websocket.connect
    headers = _headers(scope)
    name, keys = await sync_to_async(_member)(headers)
    if not name or not _same_site(headers) or scope["path"] != settings.CHAT_SOCKET:
        await send({"type": "websocket.close", "code": 4403})
        return
    listener = hub.Listener(keys)
    await send({"type": "websocket.accept"})
    sending = asyncio.ensure_future(_send_what_is_heard(listener, send))
    try:
        await _receive_what_is_said(name, receive, send)
    finally:
        listener.close()
        sending.cancel()


def _headers(scope):
    return {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}


def _member(headers):
    """Return the name of whoever the session's cookie belongs to, and what they hear; nothing for a stranger."""
    cookie = SimpleCookie(headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
    request = HttpRequest()
    request.session = SessionStore(cookie.value if cookie else None)
    user = get_user(request)
    return (user.get_username(), chat.keys_of(user)) if user.is_authenticated else ("", [])


def _same_site(headers):
    """Tell whether a page of this site opened the WebSocket: browsers let any page do so, with the cookie."""
    host, _ = split_domain_port(urlparse(headers.get("origin", "")).netloc.lower())
    return validate_host(host, settings.ALLOWED_HOSTS)


async def _send_what_is_heard(listener, send):
    while True:
        data = await listener.queue.get()
        await send({"type": "websocket.send", "bytes" if isinstance(data, bytes) else "text": data})


async def _receive_what_is_said(name, receive, send):
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            return
        if event.get("text") is None:
            hub.say(chat.key("broadcast"), event["bytes"])
            continue
        try:
            channel, audience, message = chat.read(event["text"])
        except chat.NotAMessage as error:
            await send({"type": "websocket.close", "code": 4400, "reason": str(error)})
            return
        hub.say(chat.key(channel, audience), chat.written(channel, name, message))
