"""The consumers, driven by Channels' own test client, over the in-memory layer."""

from __future__ import unicode_literals  # which the layers ask of names on Python 2.7

import json

from channels.test import ChannelTestCase, WSClient

from DjangoTestWebsockets.testing import PASSWORD
from myapp.channels1 import consumers


class ConsumerTest(ChannelTestCase):
    fixtures = ["data.json"]

    def connect(self, client):
        # As a server hands them over; the client itself sends a dictionary, which has no place for an Origin.
        headers = [[b"cookie", client.headers["cookie"]], [b"origin", b"http://127.0.0.1"]]
        client.send_and_consume("websocket.connect", {"path": "/ws/members/", "headers": headers})
        return client

    def member(self, name):
        client = WSClient(ordered=True)
        client.login(username=name, password=PASSWORD)
        return self.connect(client)

    def test_members_hear_each_other(self):
        """A message to Mary reaches Mary, and not the one who said it."""
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

    def test_strangers_are_refused(self):
        """Who is not logged in gets no connection."""
        with self.assertRaises(AssertionError):  # the client says so of a connection that is not accepted
            self.connect(WSClient(ordered=True))
