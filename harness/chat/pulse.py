"""A pulse: while something else is done, every connection of the members gets a broadcast each second.

It keeps a connection from being idle, whose death is a question of its own, and brings out what a library only hands on
once something else is said.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from harness.chat.conversation import Chat
from harness.clients.connection import SendFailed
from harness.system.threads import start

#: Seconds between two broadcasts.
INTERVAL = 1.0


@contextmanager
def beating(*chats: Chat) -> Iterator[None]:
    """Broadcast in each of *chats* every second until the block is left."""
    over = threading.Event()
    threads = [threading.Thread(target=_beat, args=(chat, over), name="pulse", daemon=True) for chat in chats]
    for thread in threads:
        start(thread)
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _beat(chat: Chat, over: threading.Event) -> None:
    while not over.wait(INTERVAL):
        for way in chat.client.announcing(chat.members[0]):
            text = chat.new_fence(chat.members[0], way.hearers)
            chat.ledger.pulses.add(text)
            with suppress(SendFailed):  # whether anything can still be said is found out by who looks at the end
                way.send(chat, text)
