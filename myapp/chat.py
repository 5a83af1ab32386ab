"""What every chat here agrees on: who receives what, and the format of a message.

A browser sends ``{"channel": "user", "audience": "Mary", "message": "hello"}``, and its audience
receives ``{"channel": "user", "sender": "John", "message": "hello"}``. In rooms it is ``{"message": "hello"}`` in both
directions, as Channels' tutorial has it.
"""

import hashlib
import json
import re

#: The names that every library takes as a part of the name of a group; Channels takes no others.
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,60}\Z")

#: Closes a connection that brings data of a kind that is not taken; RFC 6455, 7.4.1.
NOT_TAKEN = 1003
#: Closes a connection that brings what is no message of this chat; the numbers from 4000 on are free for that.
NO_MESSAGE = 4400

CHANNELS = ("broadcast", "user", "group")


class NotAMessage(ValueError):
    """What arrived is no message of this chat; the text says what is missing."""


def key(channel, audience=""):
    """Return the name under which the library knows the audience of a message.

    Names of people and rooms may have characters in them that no library takes, such as the @ of an address, or be
    longer than it takes; a digest stands for those.
    """
    if channel == "broadcast":
        return channel
    if not _PLAIN.match(audience):
        audience = "." + hashlib.sha256(audience.encode("utf-8")).hexdigest()
    return "%s.%s" % (channel, audience)


def keys_of(user):
    """Return the names of all audiences that *user* belongs to."""
    groups = user.groups.values_list("name", flat=True)
    return [key("broadcast"), key("user", user.get_username())] + [key("group", name) for name in groups]


def read(text):
    """Return the channel, the audience and the message of what a browser sent.

    Raises:
        NotAMessage: it is no JSON, or something is missing in it.
    """
    return address(_fields(text))


def read_in_room(text):
    """Return the message of what a browser sent to a room.

    Raises:
        NotAMessage: it is no JSON, or there is no message in it.
    """
    try:
        return _fields(text)["message"]
    except (KeyError, TypeError):
        raise NotAMessage("no message in it")


def _fields(text):
    try:
        return json.loads(text)
    except ValueError:
        raise NotAMessage("that is no JSON")


def address(fields):
    """Return the channel, the audience and the message in *fields*.

    Raises:
        NotAMessage: something is missing in them.
    """
    try:
        channel, message = fields["channel"], fields["message"]
        audience = "" if channel == "broadcast" else fields["audience"]
    except (KeyError, TypeError) as missing:
        raise NotAMessage("no %s in the message" % missing)
    if channel not in CHANNELS:
        raise NotAMessage("there is no channel %s" % channel)
    if not hasattr(audience, "encode"):
        raise NotAMessage("the audience is no text")
    return channel, audience, message


def written(channel, sender, message):
    """Return the text of a message as its audience receives it."""
    return json.dumps(addressed(channel, sender, message))


def written_in_room(message):
    """Return what is sent to everybody in a room."""
    return json.dumps({"message": message})


def addressed(channel, sender, message):
    """Return the fields of a message as its audience receives them."""
    return {"channel": channel, "sender": sender, "message": message}
