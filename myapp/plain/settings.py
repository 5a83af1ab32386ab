"""The chat on plain ASGI; any ASGI server serves it, ``manage.py runserver`` does not know WebSockets."""

from myapp.settings import *  # noqa: F403

ASGI_APPLICATION = "myapp.plain.asgi.application"
CHAT_PUBLISH = "myapp.plain.hub.publish"
