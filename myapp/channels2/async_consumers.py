"""The chat as async consumers: all of them in the server's event loop."""

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from myapp import chat
from myapp.channels2 import events


class MemberConsumer(AsyncWebsocketConsumer):
    """One member's connection, subscribed to all that the member may receive."""

    keys = ()

    async def connect(self):
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.close()
            return
        self.name, self.keys = user.get_username(), await database_sync_to_async(chat.keys_of)(user)
        for key in self.keys:
            await self.channel_layer.group_add(key, self.channel_name)
        await self.accept()

    async def disconnect(self, close_code):
        for key in self.keys:
            await self.channel_layer.group_discard(key, self.channel_name)

    async def receive(self, text_data=None, bytes_data=None):
        try:
            group, event = events.received(self.name, text_data, bytes_data)
        except chat.NotAMessage:
            await self.close(code=chat.NO_MESSAGE)
            return
        await self.channel_layer.group_send(group, event)

    async def chat_message(self, event):
        """Pass on what was said to one of this connection's groups."""
        await self.send(**events.shown(event))


class RoomConsumer(AsyncWebsocketConsumer):
    """A room of Channels' tutorial: each message is sent to all connections in it."""

    async def connect(self):
        self.group = chat.key("room", self.scope["url_route"]["kwargs"]["room"])
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, close_code):
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data=None, bytes_data=None):
        if text_data is None:
            await self.close(code=chat.NOT_TAKEN)
            return
        try:
            event = {"type": "room.message", "message": chat.read_in_room(text_data)}
        except chat.NotAMessage:
            await self.close(code=chat.NO_MESSAGE)
            return
        await self.channel_layer.group_send(self.group, event)

    async def room_message(self, event):
        """Pass on what was said in the room."""
        await self.send(chat.written_in_room(event["message"]))


class EchoConsumer(AsyncWebsocketConsumer):
    """The tutorial's first consumer: what it is sent comes back."""

    async def receive(self, text_data=None, bytes_data=None):
        await self.send(text_data=text_data, bytes_data=bytes_data)
