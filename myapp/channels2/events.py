"""What travels through the channel layer: made and read in one way by both kinds of consumers and by views."""

from myapp import chat


def said(channel, audience, sender, message):
    """Return the group that a message goes to, and the event that carries it."""
    return chat.key(channel, audience), dict(chat.addressed(channel, sender, message), type="chat.message")


def received(sender, text_data, bytes_data):
    """Return the group and the event for what a browser sent; bytes go to everyone.

    Raises:
        NotAMessage: it is no message of this chat.
    """
    if text_data is None:
        return chat.key("broadcast"), {"type": "chat.message", "bytes": bytes_data}
    channel, audience, message = chat.read(text_data)
    return said(channel, audience, sender, message)


def shown(event):
    """Return the arguments with which a consumer sends *event* on to its browser."""
    if "bytes" in event:
        return {"bytes_data": event["bytes"]}
    return {"text_data": chat.written(event["channel"], event["sender"], event["message"])}
