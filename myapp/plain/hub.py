"""Who listens in this process, and to what. Everything but :func:`publish` runs in the server's event loop."""

import asyncio
import itertools
from collections import defaultdict, deque

from myapp import chat

_listeners = defaultdict(set)
_loop = None
# What was said last, with its number and who it is for: whoever polls asks for what came since.
_said = deque(maxlen=1000)
_numbers = itertools.count(1)


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
    _said.append((next(_numbers), key, data))
    for listener in _listeners[key]:
        listener.queue.put_nowait(data)


def since(number, keys):
    """Return what was said to any of *keys* after message *number*, each with its own number."""
    return [(each, data) for each, key, data in _said if each > number and key in keys and isinstance(data, str)]


def last():
    """Return the number of the last message."""
    return _said[-1][0] if _said else 0


def publish(channel, audience, sender, message):
    """Say something from a view, which Django runs in a thread."""
    if _loop is not None:
        _loop.call_soon_threadsafe(say, chat.key(channel, audience), chat.written(channel, sender, message))
