"""The chat as sync consumers: Channels runs each of them in a thread."""

from asgiref.sync import async_to_sync
from channels.generic.websocket import WebsocketConsumer

from myapp import chat
from myapp.channels2 import events


class MemberConsumer(WebsocketConsumer):
    """One member's connection, subscribed to all that the member may receive."""

    keys = ()

    def connect(self):
        user = self.scope["user"]
        if not user.is_authenticated:
            self.close()
            return
        self.name, self.keys = user.get_username(), chat.keys_of(user)
        for key in self.keys:
            async_to_sync(self.channel_layer.group_add)(key, self.channel_name)
        self.accept()

    def disconnect(self, close_code):
        for key in self.keys:
            async_to_sync(self.channel_layer.group_discard)(key, self.channel_name)

    def receive(self, text_data=None, bytes_data=None):
        try:
            group, event = events.received(self.name, text_data, bytes_data)
        except chat.NotAMessage:
            self.close(code=chat.NO_MESSAGE)
            return
        async_to_sync(self.channel_layer.group_send)(group, event)

    def chat_message(self, event):
        """Pass on what was said to one of this connection's groups."""
        self.send(**events.shown(event))


class RoomConsumer(WebsocketConsumer):
    """A room of Channels' tutorial: each message is sent to all connections in it."""

    def connect(self):
        self.group = chat.key("room", self.scope["url_route"]["kwargs"]["room"])
        async_to_sync(self.channel_layer.group_add)(self.group, self.channel_name)
        self.accept()

    def disconnect(self, close_code):
        async_to_sync(self.channel_layer.group_discard)(self.group, self.channel_name)

    def receive(self, text_data=None, bytes_data=None):
        if text_data is None:
            self.close(code=chat.NOT_TAKEN)
            return
        try:
            event = {"type": "room.message", "message": chat.read_in_room(text_data)}
        except chat.NotAMessage:
            self.close(code=chat.NO_MESSAGE)
            return
        async_to_sync(self.channel_layer.group_send)(self.group, event)

    def room_message(self, event):
        """Pass on what was said in the room."""
        self.send(chat.written_in_room(event["message"]))


class EchoConsumer(WebsocketConsumer):
    """The tutorial's first consumer: what it is sent comes back."""

    def receive(self, text_data=None, bytes_data=None):
        self.send(text_data=text_data, bytes_data=bytes_data)
