"""Ask the channel layer for what it is there for: ``python -m myapp.channels1.layer``.

It sends to a channel and receives from it; ``CHAT_LAYER`` in the environment chooses the layer.
"""

from __future__ import print_function, unicode_literals

import os
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "myapp.channels1.settings")

import django

#: Seconds for what was sent to arrive.
PATIENCE = 5


def sent_and_received():
    """Return what came out of a channel that something was sent to; None where nothing came."""
    from channels.asgi import channel_layers

    layer = channel_layers["default"]
    layer.send("test", {"type": "hello"})
    until = time.time() + PATIENCE
    while time.time() < until:
        channel, message = layer.receive(["test"], block=True)
        if channel is not None:
            return message
    return None


if __name__ == "__main__":
    django.setup()
    received = sent_and_received()
    assert received == {"type": "hello"}, received
    print("sent and received %s" % received["type"])
