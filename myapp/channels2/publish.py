"""From a view to the channel layer."""

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from myapp import chat


def publish(channel, audience, sender, message):
    """Push a message from a view, as Channels' documentation does from outside of consumers."""
    event = dict(chat.addressed(channel, sender, message), type="chat.message")
    async_to_sync(get_channel_layer().group_send)(chat.key(channel, audience), event)
