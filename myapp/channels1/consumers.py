"""The chat as consumers of Channels 1, which workers run one message at a time."""

from channels import Group
from channels.generic.websockets import WebsocketConsumer
from channels.security.websockets import allowed_hosts_only

from DjangoTestWebsockets.compat import is_member
from myapp import chat


def publish(channel, audience, sender, message):
    """Push a message from a view, as from anywhere else."""
    Group(chat.key(channel, audience)).send({"text": chat.written(channel, sender, message)}, immediately=True)


class MemberConsumer(WebsocketConsumer):
    """One member's connection, subscribed to all that the member may receive."""

    http_user = True
    # Without it any worker takes any message, and what one browser sends is mixed up.
    strict_ordering = True

    def connect(self, message, **kwargs):
        # The validator is made for functions; it turns away pages of other sites.
        allowed_hosts_only(self.admit)(message)

    def admit(self, message):
        """Let a member in; a stranger is refused."""
        user = message.user
        if not is_member(user):
            message.reply_channel.send({"accept": False})
            return
        message.channel_session["name"] = user.get_username()
        message.channel_session["keys"] = chat.keys_of(user)
        for key in chat.keys_of(user):
            Group(key).add(message.reply_channel)
        message.reply_channel.send({"accept": True})

    def disconnect(self, message, **kwargs):
        for key in message.channel_session.get("keys", ()):
            Group(key).discard(message.reply_channel)

    def receive(self, text=None, bytes=None, **kwargs):
        if text is None:
            Group(chat.key("broadcast")).send({"bytes": bytes})
            return
        try:
            channel, audience, message = chat.read(text)
        except chat.NotAMessage:
            self.close(chat.NO_MESSAGE)
            return
        publish(channel, audience, self.message.channel_session["name"], message)


class RoomConsumer(WebsocketConsumer):
    """A room of Channels' tutorial: each message is sent to all connections in it."""

    strict_ordering = True

    def connection_groups(self, room, **kwargs):
        return [chat.key("room", room)]

    def receive(self, text=None, bytes=None, room=None, **kwargs):
        if text is None:
            self.close(chat.NOT_TAKEN)
            return
        try:
            said = chat.written_in_room(chat.read_in_room(text))
        except chat.NotAMessage:
            self.close(chat.NO_MESSAGE)
            return
        Group(chat.key("room", room)).send({"text": said})


class EchoConsumer(WebsocketConsumer):
    """The first consumer of everybody: what it is sent comes back."""

    def receive(self, text=None, bytes=None, **kwargs):
        self.send(text=text, bytes=bytes)
