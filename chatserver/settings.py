"""The chat on django-websocket-redis.

``python manage.py runserver --settings=chatserver.settings`` serves it, as the library's
documentation describes: the library replaces Django's own development server.
"""

import os

try:
    from urllib.parse import unquote, urlparse
except ImportError:  # Python 2.7
    from urllib import unquote

    from urlparse import urlparse

from DjangoTestWebsockets.compat import logging_settings
from DjangoTestWebsockets.settings import *  # noqa: F403
from DjangoTestWebsockets.settings import CHAT_PREFIX, CHAT_REDIS_URL, INSTALLED_APPS, TEMPLATES

INSTALLED_APPS = INSTALLED_APPS + ["ws4redis", "chatserver"]
# The library's runserver logs that WebSockets are enabled.
LOGGING = logging_settings("django_runserver")
WSGI_APPLICATION = "ws4redis.django_runserver.application"
TEMPLATES[0]["OPTIONS"]["context_processors"] += ["ws4redis.context_processors.default"]

# Every WebSocket lives under this path; the last part of it, the facility, keeps chats apart.
WEBSOCKET_URL = "/ws/"

_redis = urlparse(CHAT_REDIS_URL)
WS4REDIS_CONNECTION = {
    "host": _redis.hostname or "127.0.0.1",
    "port": _redis.port or 6379,
    "db": int(_redis.path.strip("/") or 0),
    "password": unquote(_redis.password) if _redis.password else None,
}
WS4REDIS_PREFIX = CHAT_PREFIX

# How many seconds the last message of each channel is kept, to be sent to clients that connect
# later. The library's default is 3600, which shows a newcomer one old message of each channel; a
# chat is about what is said now. The harness asks for another value to try the replay.
WS4REDIS_EXPIRE = int(os.environ.get("CHAT_EXPIRE", "0"))

# The library lets everybody subscribe to everything, until a project names who may what.
if os.environ.get("CHAT_ALLOWED") == "members":
    WS4REDIS_ALLOWED_CHANNELS = "chatserver.allowed.members_on_our_pages"

# Sent at once, every 4 s and after every event, so that browsers notice a dead connection.
# Clients have to skip this text, and the server ignores it when it is sent.
WS4REDIS_HEARTBEAT = "--heartbeat--"
