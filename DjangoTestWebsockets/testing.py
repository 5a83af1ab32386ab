"""What the tests of every chat begin with."""

from django.test import TestCase

from DjangoTestWebsockets.compat import reverse

#: The password of each member in the fixture.
PASSWORD = "secret"
PAGES = ["index", "broadcast_chat", "user_chat", "group_chat"]


class ChatTestCase(TestCase):
    fixtures = ["data.json"]


class PagesForMembers(object):
    """Tests of who sees the pages, for a :class:`ChatTestCase`."""

    def test_anonymous_is_sent_to_the_login_page(self):
        """No page is shown to anybody who is not logged in."""
        for page in PAGES:
            response = self.client.get(reverse(page))
            self.assertEqual(response.status_code, 302)
            self.assertIn(reverse("login"), response["Location"])

    def test_members_see_every_page(self):
        """Each page answers each member; only the staff is let into the admin."""
        for member in ["admin", "John", "Mary"]:
            self.assertTrue(self.client.login(username=member, password=PASSWORD))
            for page in PAGES:
                self.assertContains(self.client.get(reverse(page)), member)
            status = 200 if member == "admin" else 302
            self.assertEqual(self.client.get(reverse("admin:auth_user_add")).status_code, status)
