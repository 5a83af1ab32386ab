"""The chat as Django's own tests see it: fixture, pages, logins, and what a posted message is handed to."""

from __future__ import unicode_literals

import re

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.test import override_settings

from DjangoTestWebsockets.compat import reverse
from DjangoTestWebsockets.testing import PASSWORD, ChatTestCase, PagesForMembers
from myapp import chat, members

published = []
#: A message to an audience that cannot exist.
NOBODY = '{"channel": "user", "audience": ["Mary"], "message": "x"}'


def publish(*message):
    published.append(message)


class PageTest(PagesForMembers, ChatTestCase):
    def test_pages_name_their_socket(self):
        """Each page tells its script where to connect and what to speak."""
        self.client.login(username="John", password=PASSWORD)
        response = self.client.get(reverse("user_chat"))
        self.assertContains(response, 'data-socket="%s"' % settings.CHAT_SOCKET.replace("&", "&amp;"))
        self.assertContains(response, 'data-protocol="%s"' % settings.CHAT_PROTOCOL)


class RoomTest(ChatTestCase):
    def test_rooms(self):
        """Where the library's chat has rooms the start page leads there and a member can enter one; elsewhere not."""
        self.client.login(username="John", password=PASSWORD)
        link = 'href="%s"' % reverse("choose_room")
        self.assertContains(self.client.get(reverse("index")), link, count=1 if settings.CHAT_ROOMS else 0)
        for kind, page in [("", "room"), ("sync", "sync_room")]:
            response = self.client.get(reverse(page, kwargs={"room": "lobby"}))
            if kind in settings.CHAT_ROOMS:
                self.assertContains(response, 'data-socket="%slobby/"' % settings.CHAT_ROOMS[kind])
            else:
                self.assertEqual(response.status_code, 404)


class OpenRoomTest(ChatTestCase):
    """Rooms that need no login; where the library's chat has none there are no such pages."""

    def setUp(self):
        self.rooms = settings.CHAT_ROOMS.get("")

    def get(self, page, **fields):
        response = self.client.get(page, fields)
        if self.rooms is None:
            self.assertEqual(response.status_code, 404)
        return response

    def test_names(self):
        """The name of a room leads to its page, which connects to the room's own socket."""
        for name, address in [
            ("lobby", "lobby"),
            ("  two  words ", "two%20words"),
            ("J\xfcrgen", "J%C3%BCrgen"),
            ("a/b", "a/b"),
            ("100% #1?", "100%25%20%231%3F"),
            ("x" * 200, "x" * 200),
        ]:
            chosen = self.get("/chat/", room=name)
            if self.rooms is not None:
                self.assertRedirects(chosen, "/chat/%s/" % address)
                self.assertContains(self.client.get(chosen["Location"]), 'data-socket="%s%s/"' % (self.rooms, address))

    def test_names_that_are_taken(self):
        """A room that has the name of a page, or that browsers do not find, is refused with the reason."""
        for name in ["broadcast", "user", "group", "room", "room/lobby", "sync-room"]:
            refused = self.get("/chat/", room=name)
            if self.rooms is not None:
                self.assertContains(refused, "No room can be called %s" % name.split("/")[0])
        for name, why in [("..", "No room can be called that"), ("a/./b", "browsers"), (" ", "A room needs a name")]:
            refused = self.get("/chat/", room=name)
            if self.rooms is not None:
                self.assertContains(refused, why)
        for name in ["room", "sync-room"]:
            self.assertEqual(self.client.get("/chat/%s/" % name).status_code, 404)

    def test_nothing_is_asked_twice(self):
        """Before anybody has named a room nothing is said to be wrong."""
        page = self.get("/chat/")
        if self.rooms is not None:
            self.assertNotContains(page, "alert")


class MemberTest(ChatTestCase):
    def test_whose_cookie_it_is(self):
        """A connection belongs to the member whose session its cookie names, whichever session engine the site has."""
        for engine in ["db", "signed_cookies"]:
            with override_settings(SESSION_ENGINE="django.contrib.sessions.backends." + engine):
                self.client.login(username="John", password=PASSWORD)
                cookies = self.client.cookies.output(header="", sep=";")
                self.assertEqual(members.member(cookies)[0], "John")
        self.assertIsNone(members.member(""))


@override_settings(CHAT_PUBLISH="myapp.tests.publish")
class PostTest(ChatTestCase):
    def setUp(self):
        del published[:]
        self.client.login(username="John", password=PASSWORD)

    def test_posted_messages_are_published(self):
        """A posted message is handed to the library with its audience and its sender."""
        self.client.post(reverse("broadcast_chat"), {"message": "hello"})
        self.client.post(reverse("user_chat"), {"message": "hello", "user": "Mary"})
        self.client.post(reverse("group_chat"), {"message": "hello", "group": "chatusers"})
        expected = [("broadcast", ""), ("user", "Mary"), ("group", "chatusers")]
        self.assertEqual(published, [each + ("John", "hello") for each in expected])

    def test_no_addressee(self):
        """A message to nobody is refused, and says what is missing."""
        response = self.client.post(reverse("user_chat"), {"message": "hello"})
        self.assertEqual(response.status_code, 400)
        self.assertIn(b"user", response.content)
        self.assertEqual(published, [])

    def test_unknown_addressee(self):
        """A message to a user who does not exist is refused as well."""
        response = self.client.post(reverse("user_chat"), {"message": "hello", "user": "nobody"})
        self.assertEqual(response.status_code, 400)
        self.assertEqual(published, [])

    def test_white_space_is_kept(self):
        """A message is published as it was typed."""
        self.client.post(reverse("broadcast_chat"), {"message": " hello "})
        self.assertEqual(published, [("broadcast", "", "John", " hello ")])


class HearingTest(ChatTestCase):
    def test_who_hears_what(self):
        """Members receive broadcasts, messages to them, and those of the groups that they are in."""
        self.assertEqual(chat.keys_of(get_user_model().objects.get(username="admin")), ["broadcast", "user.admin"])
        self.assertEqual(
            chat.keys_of(get_user_model().objects.get(username="Mary")), ["broadcast", "user.Mary", "group.chatusers"]
        )
        self.assertFalse(AnonymousUser().groups.exists())

    def test_names_that_no_library_takes(self):
        """Whatever somebody is called, the name of the group is one that every library takes, and nobody else's."""
        for name in ["a@b.c", "x" * 150, "J\xfcrgen", ".digest", "Mary\n"]:
            key = chat.key("user", name)
            self.assertTrue(re.match(r"user\.[A-Za-z0-9_.-]{1,90}$", key), key)
            self.assertNotEqual(key, chat.key("user", name + "2"))
        self.assertEqual(chat.key("user", "Mary"), "user.Mary")

    def test_rooms(self):
        """What is said in a room has no other fields than the message."""
        self.assertEqual(chat.read_in_room(chat.written_in_room("hello")), "hello")
        for text in ["hello", "[]", "{}"]:
            self.assertRaises(chat.NotAMessage, chat.read_in_room, text)

    def test_what_is_no_message(self):
        """What is no JSON, lacks a field or names an unknown channel is no message."""
        for text in [
            "hello",
            "[]",
            "{}",
            '{"channel": "user", "message": "x"}',
            '{"channel": "all", "message": "x"}',
            NOBODY,
        ]:
            self.assertRaises(chat.NotAMessage, chat.read, text)
        self.assertEqual(chat.read('{"channel": "broadcast", "message": "x"}'), ("broadcast", "", "x"))
