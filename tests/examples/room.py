"""A room of the chat, as somebody at a browser has it: what the tests in a browser have in common."""

from __future__ import annotations

import shutil

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.ui import WebDriverWait


def open_browser() -> webdriver.Chrome:
    """Start a browser that needs no screen."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    # Chromium has no sandbox for root, which is who runs tests in most containers. Left to itself it asks Google about
    # the password, the form and updates, even without background networking: it is to find no other host.
    alone = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
    for argument in ("--headless=new", "--no-sandbox", "--disable-background-networking", alone):
        options.add_argument(argument)
    return webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))


def wait(browser: webdriver.Chrome) -> WebDriverWait:
    """Return what waits until a condition holds; it asks ten times a second, instead of Selenium's two."""
    return WebDriverWait(browser, timeout=10, poll_frequency=0.1)


def log_in(browser: webdriver.Chrome, site: str, name: str) -> None:
    """Log in through the form; the members of the fixture all have one password."""
    browser.get(f"{site}/accounts/login/")
    browser.find_element(By.NAME, "username").send_keys(name)
    browser.find_element(By.NAME, "password").send_keys("secret")
    browser.find_element(By.CSS_SELECTOR, "main button").click()
    wait(browser).until(expected.text_to_be_present_in_element((By.ID, "me"), name))


class Room:
    """A room, open in a window of its own."""

    def __init__(self, browser: webdriver.Chrome, site: str, name: str) -> None:
        browser.switch_to.new_window("window")
        browser.get(f"{site}/chat/room/{name}/")
        self.browser, self.window = browser, browser.current_window_handle
        # The server accepts a connection once it is in the room, so nothing said from here on is missed.
        wait(browser).until(expected.text_to_be_present_in_element((By.ID, "state"), "connected"))

    def say(self, message: str) -> None:
        """Type a message, and send it."""
        self.browser.switch_to.window(self.window)
        self.browser.find_element(By.ID, "message").send_keys(message)
        self.browser.find_element(By.CSS_SELECTOR, "#chat button").click()

    def messages(self) -> list[str]:
        """Return the messages that are seen in the room, in the order in which they came."""
        self.browser.switch_to.window(self.window)
        # The page has the newest on top.
        return [item.text for item in reversed(self.browser.find_elements(By.CSS_SELECTOR, "#messages li"))]

    def wait_for(self, message: str) -> None:
        """Wait until a message is seen in the room."""
        wait(self.browser).until(lambda _: message in self.messages(), f"{message!r} is not seen")
