"""The chat as Django's own tests see it: pages, logins, and what a posted message publishes."""

import unittest
import uuid

import redis
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.exceptions import PermissionDenied
from django.test import RequestFactory

from chatserver.allowed import members_on_our_pages
from DjangoTestWebsockets.compat import reverse
from DjangoTestWebsockets.testing import PASSWORD, ChatTestCase, PagesForMembers


class FixtureTest(ChatTestCase):
    def test_members_and_their_group(self):
        """The fixture holds admin, John and Mary; the group chatusers is John and Mary."""
        names = sorted(User.objects.values_list("username", flat=True))
        self.assertEqual(names, ["John", "Mary", "admin"])
        group = Group.objects.get(name="chatusers")
        self.assertEqual(sorted(group.user_set.values_list("username", flat=True)), ["John", "Mary"])


class PageTest(PagesForMembers, ChatTestCase):
    def test_pages_subscribe_to_their_channel(self):
        """Each page names the channels of the library that it subscribes to."""
        self.client.login(username="John", password=PASSWORD)
        for page, channel in [("broadcast_chat", "broadcast"), ("user_chat", "user"), ("group_chat", "group")]:
            self.assertContains(self.client.get(reverse(page)), "subscribe-" + channel)

    def test_heartbeat_reaches_the_script(self):
        """The heartbeat is handed over as JSON inside an attribute, with its quotes escaped."""
        self.client.login(username="John", password=PASSWORD)
        response = self.client.get(reverse("user_chat"))
        self.assertContains(response, 'data-heartbeat="&quot;%s&quot;"' % settings.WS4REDIS_HEARTBEAT)

    def test_wrong_password(self):
        """A wrong password shows the form again, with an error."""
        response = self.client.post(reverse("login"), {"username": "John", "password": "wrong"})
        self.assertContains(response, "do not belong together")


class AllowedTest(ChatTestCase):
    """Who may subscribe, where WS4REDIS_ALLOWED_CHANNELS says so."""

    def ask(self, user, **headers):
        request = RequestFactory().get("/ws/chat", **headers)
        request.user = user
        return members_on_our_pages(request, ["subscribe-broadcast"])

    def test_members(self):
        """A member is let in from a page of the site, and from a program, and nobody from a foreign page."""
        john = User.objects.get(username="John")
        self.assertEqual(self.ask(john), ["subscribe-broadcast"])
        self.assertEqual(self.ask(john, HTTP_ORIGIN="http://testserver"), ["subscribe-broadcast"])
        with self.assertRaises(PermissionDenied):
            self.ask(john, HTTP_ORIGIN="http://evil.example")

    def test_strangers(self):
        """Nobody is let in without a login, with a session or without."""
        for stranger in (None, AnonymousUser()):
            with self.assertRaises(PermissionDenied):
                self.ask(stranger)


class PublishTest(ChatTestCase):
    """What a posted message does in the broker. Needs the broker that the settings name."""

    def setUp(self):
        self.redis = redis.StrictRedis(**settings.WS4REDIS_CONNECTION)
        try:
            self.redis.ping()
        except redis.exceptions.ConnectionError:
            raise unittest.SkipTest("no Redis at the address that the settings name")
        self.client.login(username="John", password=PASSWORD)
        self.text = "hello %s" % uuid.uuid4()

    def published(self, page, form):
        """Post *form* and return (channel, text) of the one message that it published."""
        pubsub = self.redis.pubsub()
        pubsub.psubscribe(settings.WS4REDIS_PREFIX + ":*")
        self.assertEqual(pubsub.parse_response()[0], b"psubscribe")
        try:
            response = self.client.post(reverse(page), form)
            self.assertEqual(response.status_code, 200)
            _, _, channel, data = pubsub.parse_response()
        finally:
            pubsub.close()
        return channel.decode("utf-8"), data.decode("utf-8")

    def expect(self, page, channel, **form):
        form["message"] = self.text
        full = "%s:%s:chat" % (settings.WS4REDIS_PREFIX, channel)
        self.assertEqual(self.published(page, form), (full, self.text))

    def test_broadcast(self):
        """A broadcast is published once, to everyone's channel."""
        self.expect("broadcast_chat", "broadcast")

    def test_user(self):
        """A message to Mary is published to Mary's channel."""
        self.expect("user_chat", "user:Mary", user="Mary")

    def test_group(self):
        """A message to chatusers is published to that group's channel."""
        self.expect("group_chat", "group:chatusers", group="chatusers")

    def test_nothing_is_kept(self):
        """With WS4REDIS_EXPIRE at 0 no message stays behind in the broker."""
        self.client.post(reverse("broadcast_chat"), {"message": self.text})
        self.assertEqual(self.redis.exists("%s:broadcast:chat" % settings.WS4REDIS_PREFIX), 0)

    def test_no_addressee(self):
        """A message to nobody is refused, and says what is missing."""
        response = self.client.post(reverse("user_chat"), {"message": self.text})
        self.assertEqual(response.status_code, 400)
        self.assertIn(b"user", response.content)
