"""From a view to the channel layer."""

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from myapp.channels2 import events


def publish(channel, audience, sender, message):
    """Push a message from a view, as Channels' documentation does from outside of consumers."""
    group, event = events.said(channel, audience, sender, message)
    async_to_sync(get_channel_layer().group_send)(group, event)
