"""Rooms that are entered and written in with the keyboard alone, as in the tutorial of Channels; nobody logs in.

With CHAT_LAYER=memory and CHAT_TEST_DATABASE=test.sqlite3 in the environment, as two processes share no memory:

    python manage.py test --settings myapp.channels2.settings -p channels_tutorial.py tests/examples
"""

from __future__ import annotations

from urllib.parse import quote

from channels.testing import ChannelsLiveServerTestCase
from room import open_browser, wait
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import expected_conditions as expected


class TutorialTest(ChannelsLiveServerTestCase):
    """What is typed goes to whatever has the focus: first the field for a room's name, then the one for messages."""

    def setUp(self) -> None:
        self.browser = self.enterContext(open_browser())

    def type(self, text: str) -> None:
        ActionChains(self.browser).send_keys(text, Keys.ENTER).perform()

    def enter(self, room: str) -> str:
        """Open a window, type the name of a room there, and return the window once it hears what is said."""
        self.browser.switch_to.new_window("window")
        self.browser.get(f"{self.live_server_url}/chat/")
        self.type(room)
        wait(self.browser).until(expected.url_contains(f"/chat/{quote(room)}/"))
        wait(self.browser).until(expected.text_to_be_present_in_element((By.ID, "state"), "connected"))
        return self.browser.current_window_handle

    def log(self, window: str) -> str:
        """Return what is seen in a window."""
        self.browser.switch_to.window(window)
        return self.browser.find_element(By.CSS_SELECTOR, "#chat-log").get_property("value")

    def say(self, window: str, message: str) -> None:
        self.browser.switch_to.window(window)
        self.type(message)

    def wait_for(self, window: str, message: str) -> None:
        wait(self.browser).until(lambda _: message in self.log(window), f"{message!r} is not seen")

    def test_same_room(self) -> None:
        """What is said in a room is seen in every window that has it open, whatever the room is called."""
        for room in ("lobby", "Café 1"):
            here, there = self.enter(room), self.enter(room)
            self.say(here, "hello")
            self.wait_for(here, "hello")
            self.wait_for(there, "hello")

    def test_other_room(self) -> None:
        """What is said in a room is not seen in another."""
        lobby, garden = self.enter("lobby"), self.enter("garden")
        self.say(lobby, "hello")
        self.wait_for(lobby, "hello")
        # Had "hello" gone to the garden as well, it would stand before what is said there now.
        self.say(garden, "world")
        self.wait_for(garden, "world")
        self.assertEqual(self.log(garden), "world\n")

    def test_name_that_is_taken(self) -> None:
        """Who types the name of another page stays at the field, and reads why."""
        self.browser.get(f"{self.live_server_url}/chat/")
        self.type("broadcast")
        told = wait(self.browser).until(expected.visibility_of_element_located((By.CSS_SELECTOR, "[role=alert]")))
        self.assertIn("No room can be called broadcast", told.text)
        self.assertEqual(self.browser.switch_to.active_element.get_property("value"), "broadcast")
