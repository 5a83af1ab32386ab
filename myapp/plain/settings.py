"""The chat on plain ASGI; any ASGI server serves it, ``manage.py runserver`` does not know WebSockets."""

from myapp.settings import *  # noqa: F403
from myapp.settings import INSTALLED_APPS

INSTALLED_APPS = INSTALLED_APPS + ["myapp.plain"]
ASGI_APPLICATION = "myapp.plain.asgi.application"
CHAT_ROOMS = {"": "/ws/chat/"}
CHAT_PUBLISH = "myapp.plain.hub.publish"
