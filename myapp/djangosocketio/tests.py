"""The events, with a socket that only remembers."""

from django.contrib.auth.models import AnonymousUser, User
from django.test import RequestFactory, TestCase

from myapp import chat
from myapp.djangosocketio import events


class Socket(object):
    def __init__(self):
        self.channels, self.sent, self.broadcast = [], [], []

    def unsubscribe(self, channel):
        self.channels.remove(channel)

    def send(self, message):
        self.sent.append(message)

    def broadcast_channel(self, message, channel):
        self.broadcast.append((channel, message))


class EventTest(TestCase):
    fixtures = ["data.json"]

    def connect(self, user, *channels):
        request, socket, context = RequestFactory().get("/"), Socket(), {}
        request.user = user
        events.connected(request, socket, context)
        for channel in channels:
            socket.channels.append(events.PREFIX + channel)
            events.subscribed(request, socket, context, events.PREFIX + channel)
        return request, socket, context

    def test_members_stay_in_their_channels(self):
        """A member receives what is meant for that member; subscribing to anything else ends the connection."""
        _, socket, _ = self.connect(User.objects.get(username="John"), "broadcast", "user.John", "user.Mary")
        self.assertEqual(socket.channels, ["chat.broadcast", "chat.user.John"])

    def test_strangers_hear_nothing(self):
        """A connection without a login is subscribed to no channel."""
        _, socket, _ = self.connect(AnonymousUser(), "broadcast", "group.chatusers")
        self.assertEqual(socket.channels, [])

    def test_messages_go_to_their_audience(self):
        """A message to Mary goes to her channel; one to a group comes back to its sender, who is a member of it."""
        request, socket, context = self.connect(User.objects.get(username="John"), "group.chatusers")
        for channel, audience in [("user", "Mary"), ("group", "chatusers")]:
            events.said(request, socket, context, {"channel": channel, "audience": audience, "message": "hello"})
        self.assertEqual([channel for channel, _ in socket.broadcast], ["chat.user.Mary", "chat.group.chatusers"])
        self.assertEqual(socket.sent, [chat.addressed("group", "John", "hello")])
