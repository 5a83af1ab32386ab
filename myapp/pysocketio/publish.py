"""From a view to everybody's server: the library's manager writes to Redis, the servers read there."""

import socketio
from django.conf import settings

from myapp import chat

# One for the process: each has a connection to Redis of its own.
_managers = []


def _manager():
    if not _managers:
        _managers.append(socketio.RedisManager(settings.CHAT_REDIS_URL, channel=settings.CHAT_PREFIX, write_only=True))
    return _managers[0]


def publish(channel, audience, sender, message):
    """Push a message from a view, as the library's documentation does from other processes."""
    _manager().emit("chat", chat.addressed(channel, sender, message), room=chat.key(channel, audience))
