"""A page of Channels in a browser, with Django's own test runner; daphne serves it, in a second process.

With CHAT_LAYER=memory and CHAT_TEST_DATABASE=test.sqlite3 in the environment, as two processes share no memory:

    python manage.py test --settings myapp.channels2.settings -p channels_live_server.py tests/examples
"""

from __future__ import annotations

from channels.testing import ChannelsLiveServerTestCase
from room import Room, log_in, open_browser


class RoomTest(ChannelsLiveServerTestCase):
    """The two tests of Channels' tutorial; the static files are served without further ado."""

    fixtures = ["data.json"]

    def setUp(self) -> None:
        # Not in setUpClass: the server runs by then, and nobody would end it if there were no browser.
        self.browser = self.enterContext(open_browser())
        log_in(self.browser, self.live_server_url, "Mary")

    def enter(self, name: str) -> Room:
        """Open a room in another window."""
        return Room(self.browser, self.live_server_url, name)

    def test_same_room(self) -> None:
        """What is said in a room is seen by everyone in it."""
        here, there = self.enter("lobby"), self.enter("lobby")
        here.say("hello")
        here.wait_for("hello")
        there.wait_for("hello")

    def test_other_room(self) -> None:
        """What is said in a room is not seen in another."""
        lobby, garden = self.enter("lobby"), self.enter("garden")
        lobby.say("hello")
        lobby.wait_for("hello")
        # Had "hello" gone to the garden as well, it would stand before what is said there now.
        garden.say("world")
        garden.wait_for("world")
        self.assertEqual(garden.messages(), ["world"])
