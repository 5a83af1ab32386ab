"""The ASGI application: Django for HTTP, consumers for WebSockets; async ones, and sync ones under /ws/sync/."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "myapp.channels2.settings")

import django

try:
    from django.core.asgi import get_asgi_application
except ImportError:  # before Django 3.0; Channels has one of its own
    django.setup()
    http = {}
else:
    http = {"http": get_asgi_application()}

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings

from DjangoTestWebsockets.compat import re_path
from myapp.channels2 import async_consumers, consumers


def _served(consumer):
    """Return what a route of this Channels leads to: the class itself before Channels 3."""
    return consumer if settings.GENERATION < 3 else consumer.as_asgi()


if settings.GENERATION < 4:
    from channels.staticfiles import StaticFilesWrapper as StaticFiles
else:
    from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler as StaticFiles

if settings.GENERATION < 3:
    http = {}
elif not http:
    from channels.http import AsgiHandler

    http = {"http": AsgiHandler()}


def _routes(path, kind):
    return [
        re_path(r"^ws/%smembers/$" % path, _served(kind.MemberConsumer)),
        re_path(r"^ws/%schat/(?P<room>.+)/$" % path, _served(kind.RoomConsumer)),
        re_path(r"^ws/%secho/$" % path, _served(kind.EchoConsumer)),
    ]


_websocket = URLRouter(_routes("", async_consumers) + _routes("sync/", consumers))
_websocket = AuthMiddlewareStack(_websocket)
if settings.CHAT_CHECKS_ORIGIN:
    _websocket = AllowedHostsOriginValidator(_websocket)
# runserver brings the pages' script and style by itself; the other servers have to be told.
application = StaticFiles(ProtocolTypeRouter(dict(http, websocket=_websocket)))
