"""The consumers, driven by Channels' own test client, over the in-memory layer."""

import json

from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.test import SimpleTestCase, override_settings

from myapp import chat
from myapp.channels2 import async_consumers, consumers

MEMORY = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
HELLO = json.dumps({"message": "hello"})
#: The names of two rooms that no layer takes; two visitors are in the first.
ODD = ["J\xfcrgen & Co. / 1", "J\xfcrgen & Co. / 1", "J\xfcrgen & Co. / 2"]
SAID = json.dumps({"channel": "user", "audience": "Mary", "message": "hello"})


@override_settings(CHANNEL_LAYERS=MEMORY)
class ConsumerTest(SimpleTestCase):
    def setUp(self):
        # Consumers ask for a member's groups in a thread, where a test's transaction is not seen.
        self.keys_of, chat.keys_of = chat.keys_of, lambda user: ["broadcast", "user.%s" % user.username]

    def tearDown(self):
        chat.keys_of = self.keys_of

    def visitor(self, kind, user, consumer="MemberConsumer", room="lobby"):
        application = getattr(kind, consumer)
        client = WebsocketCommunicator(application if settings.GENERATION < 3 else application.as_asgi(), "/")
        client.scope["user"] = user
        client.scope["url_route"] = {"kwargs": {"room": room}}
        return client

    async def strangers_are_refused(self, kind):
        client = self.visitor(kind, AnonymousUser())
        connected, _ = await client.connect()
        self.assertFalse(connected)

    async def members_hear_each_other(self, kind):
        mary, john = [self.visitor(kind, User(username=name)) for name in ("Mary", "John")]
        for client in (mary, john):
            connected, _ = await client.connect()
            self.assertTrue(connected)
        await john.send_to(text_data=SAID)
        self.assertEqual(
            json.loads(await mary.receive_from()), {"channel": "user", "sender": "John", "message": "hello"}
        )
        self.assertTrue(await john.receive_nothing())
        for client in (mary, john):
            await client.disconnect()

    async def echo_comes_back(self, kind):
        client = self.visitor(kind, AnonymousUser(), "EchoConsumer")
        await client.connect()
        await client.send_to(text_data="hello")
        self.assertEqual(await client.receive_from(), "hello")
        await client.disconnect()

    async def rooms_take_texts_alone(self, kind):
        room = [self.visitor(kind, AnonymousUser(), "RoomConsumer") for _ in range(2)]
        for client in room:
            await client.connect()
        await room[0].send_to(bytes_data=b"\x00")
        self.assertEqual((await room[0].receive_output())["code"], chat.NOT_TAKEN)
        await room[1].send_to(text_data=HELLO)
        self.assertEqual(await room[1].receive_from(), HELLO)
        await room[1].send_to(text_data="hello")
        self.assertEqual((await room[1].receive_output())["code"], chat.NO_MESSAGE)

    async def rooms_are_apart(self, kind):
        visitors = [self.visitor(kind, AnonymousUser(), "RoomConsumer", room) for room in ODD]
        for client in visitors:
            connected, _ = await client.connect()
            self.assertTrue(connected)
        await visitors[0].send_to(text_data=HELLO)
        self.assertEqual([await each.receive_from() for each in visitors[:2]], [HELLO] * 2)
        self.assertTrue(await visitors[2].receive_nothing())
        for client in visitors:
            await client.disconnect()

    def each(self, check):
        for kind in (consumers, async_consumers):
            async_to_sync(check)(kind)

    def test_strangers_are_refused(self):
        """Who is not logged in gets no connection."""
        self.each(self.strangers_are_refused)

    def test_members_hear_each_other(self):
        """A message to Mary reaches Mary, and not its sender."""
        self.each(self.members_hear_each_other)

    def test_rooms_take_texts_alone(self):
        """A connection that sends bytes, or something other than a message, to a room is closed, and no other is."""
        self.each(self.rooms_take_texts_alone)

    def test_rooms_are_apart(self):
        """What is said in a room is heard in it alone, whatever it is called."""
        self.each(self.rooms_are_apart)

    def test_echo_comes_back(self):
        """The tutorial's echo sends back what it is sent."""
        self.each(self.echo_comes_back)
