"""The listeners of this process, and their keys. Everything but :func:`publish` runs in the server's event loop."""

import asyncio
import itertools
from collections import defaultdict, deque

from myapp import chat

_listeners = defaultdict(set)
_loop = None
# The last messages, each with its number and its audience: a client that polls asks for those since a number.
_said = deque(maxlen=1000)
_numbers = itertools.count(1)
_copies = []


class Listener:
    """One connection: receives the messages to any of its *keys*, in the order in which they were sent."""

    def __init__(self, keys):
        global _loop
        _loop = asyncio.get_event_loop()
        self.keys = keys
        self.queue = asyncio.Queue()
        for key in keys:
            _listeners[key].add(self)

    def close(self):
        """Receive nothing more."""
        for key in self.keys:
            _listeners[key].discard(self)


def say(key, data):
    """Send *data* to every listener to *key*."""
    said = (next(_numbers), key, data)
    _said.append(said)
    for queue in _copies:
        queue.put_nowait(said)
    for listener in _listeners[key]:
        listener.queue.put_nowait(data)


def since(number, keys):
    """Return the messages to any of *keys* after message *number*."""
    return [data for each, key, data in _said if each > number and key in keys and isinstance(data, str)]


def copies():
    """Return a queue of the last messages and of all that follow: number, key and data of each."""
    queue = asyncio.Queue()
    for said in _said:
        queue.put_nowait(said)
    _copies.append(queue)
    return queue


def last():
    """Return the number of the last message."""
    return _said[-1][0] if _said else 0


def publish(channel, audience, sender, message):
    """Send a message from a view, which Django runs in a thread."""
    if _loop is not None:
        _loop.call_soon_threadsafe(say, chat.key(channel, audience), chat.written(channel, sender, message))
