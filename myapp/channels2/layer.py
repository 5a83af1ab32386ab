"""Ask the channel layer for what it is there for: ``python -m myapp.channels2.layer``.

It sends to a channel and receives from it, as the tutorial does in ``manage.py shell``; ``CHAT_LAYER`` in the
environment chooses the layer.
"""

import asyncio
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "myapp.channels2.settings")

import django
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

#: Seconds for what was sent to arrive.
PATIENCE = 5


async def _sent_and_received():
    layer = get_channel_layer()
    # The tutorial makes up a name; the Pub/Sub layer receives only on names that it has made itself.
    channel = await layer.new_channel()
    await layer.send(channel, {"type": "hello"})
    return await asyncio.wait_for(layer.receive(channel), PATIENCE)


if __name__ == "__main__":
    django.setup()
    received = async_to_sync(_sent_and_received)()
    assert received["type"] == "hello", received
    print("sent and received %s" % received["type"])
