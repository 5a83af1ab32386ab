"""What happens when a browser connects, subscribes, says something and leaves.

Browsers subscribe by themselves, as the library's README shows; it is up to the events to unsubscribe
those who may not receive its messages.
"""

from django_socketio import NoSocket, broadcast_channel, events

from DjangoTestWebsockets.compat import is_member
from myapp import chat

#: Before each channel: the library runs an event's handlers for channels that match a pattern.
PREFIX = "chat."


def publish(channel, audience, sender, message):
    """Push a message from a view; it runs in the server's own process."""
    try:
        broadcast_channel(chat.addressed(channel, sender, message), PREFIX + chat.key(channel, audience))
    except (NoSocket, IndexError):  # nobody listens
        pass


def connected(request, socket, context):
    """Keep the name of the member who connects; a connection without a login gets none, and receives nothing."""
    if is_member(request.user):
        context["name"] = request.user.get_username()
        context["channels"] = [PREFIX + key for key in chat.keys_of(request.user)]


def subscribed(request, socket, context, channel):
    """Undo a subscription to a channel that the connection may not receive."""
    if channel not in context.get("channels", ()):
        socket.unsubscribe(channel)


def said(request, socket, context, message):
    """Send a message to its audience; a message of a connection without a login is dropped."""
    if "name" not in context:
        return
    try:
        channel, audience, text = chat.address(message)
    except chat.NotAMessage:
        return
    fields = chat.addressed(channel, context["name"], text)
    key = PREFIX + chat.key(channel, audience)
    socket.broadcast_channel(fields, key)
    if key in socket.channels:
        socket.send(fields)


def finished(request, socket, context):
    """Remove the name of the member; the library removes the subscriptions itself."""
    context.clear()


# Not as decorators: those of the library return nothing, and the functions would have no name.
events.on_connect(connected)
events.on_subscribe(subscribed, channel="^" + PREFIX)
events.on_message(said, channel="^" + PREFIX)
events.on_finish(finished, channel="^" + PREFIX)
