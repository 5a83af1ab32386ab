"""Who listens in this process, and to what. Everything but :func:`publish` runs in the server's event loop."""

import asyncio
from collections import defaultdict

from myapp import chat

_listeners = defaultdict(set)
_loop = None


class Listener:
    """One connection: hears what is said to any of its *keys*, in the order in which it was said."""

    def __init__(self, keys):
        global _loop
        _loop = asyncio.get_event_loop()
        self.keys = keys
        self.queue = asyncio.Queue()
        for key in keys:
            _listeners[key].add(self)

    def close(self):
        """Hear no more."""
        for key in self.keys:
            _listeners[key].discard(self)


def say(key, data):
    """Hand *data* to everyone who listens to *key*."""
    for listener in _listeners[key]:
        listener.queue.put_nowait(data)


def publish(channel, audience, sender, message):
    """Say something from a view, which Django runs in a thread."""
    if _loop is not None:
        _loop.call_soon_threadsafe(say, chat.key(channel, audience), chat.written(channel, sender, message))
