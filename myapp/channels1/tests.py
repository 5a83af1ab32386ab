"""The consumers, driven by Channels' own test client, over the in-memory layer."""

from __future__ import unicode_literals  # which the layers ask of names on Python 2.7

import json

from channels.test import ChannelTestCase, WSClient

from DjangoTestWebsockets.testing import PASSWORD
from myapp import chat
from myapp.channels1 import consumers


class ConsumerTest(ChannelTestCase):
    fixtures = ["data.json"]

    def connect(self, client, path="/ws/members/"):
        # As a server hands them over; the client itself sends a dictionary, which has no place for an Origin.
        headers = [[b"cookie", client.headers["cookie"]], [b"origin", b"http://127.0.0.1"]]
        client.send_and_consume("websocket.connect", {"path": path, "headers": headers})
        return client

    def member(self, name):
        client = WSClient(ordered=True)
        client.login(username=name, password=PASSWORD)
        return self.connect(client)

    def test_members_hear_each_other(self):
        """A message to Mary reaches Mary, and not its sender."""
        mary, john = self.member("Mary"), self.member("John")
        john.send_and_consume(
            "websocket.receive",
            {"path": "/ws/members/", "text": json.dumps({"channel": "user", "audience": "Mary", "message": "hello"})},
        )
        self.assertEqual(mary.receive(), {"channel": "user", "sender": "John", "message": "hello"})
        self.assertIsNone(john.receive())

    def test_views_publish(self):
        """What a view publishes to a group reaches its members only."""
        mary, admin = self.member("Mary"), self.member("admin")
        consumers.publish("group", "chatusers", "John", "hello")
        self.assertEqual(mary.receive()["message"], "hello")
        self.assertIsNone(admin.receive())

    def test_rooms_are_apart(self):
        """What is said in a room is heard in it alone, whatever it is called, and needs no login."""
        rooms = ["/ws/chat/J\xfcrgen & Co. / %d/" % number for number in (1, 1, 2)]
        here, there, elsewhere = [self.connect(WSClient(ordered=True), room) for room in rooms]
        here.send_and_consume("websocket.receive", {"path": rooms[0], "text": json.dumps({"message": "hello"})})
        self.assertEqual([here.receive(), there.receive()], [{"message": "hello"}] * 2)
        self.assertIsNone(elsewhere.receive())

    def test_rooms_take_messages_alone(self):
        """A connection that sends something other than a message to a room is closed."""
        client = self.connect(WSClient(ordered=True), "/ws/chat/lobby/")
        client.send_and_consume("websocket.receive", {"path": "/ws/chat/lobby/", "text": "hello"})
        self.assertEqual(client.receive(json=False), {"close": chat.NO_MESSAGE})

    def test_strangers_are_refused(self):
        """Who is not logged in gets no connection."""
        with self.assertRaises(AssertionError):  # the client says so of a connection that is not accepted
            self.connect(WSClient(ordered=True))
