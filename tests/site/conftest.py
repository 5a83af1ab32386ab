"""A real browser for the tests of the site, which says what it is not meant to."""

from __future__ import annotations

import json

import needs
import pytest


@pytest.fixture(scope="module")
def browser():
    """A Chromium without a window, which reaches nothing but this machine."""
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = needs.CHROMIUM
    # Left to itself Chromium asks for hosts of its maker.
    alone = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,900", alone):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(needs.CHROMEDRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def quiet(browser):
    """Nothing may be said on the console, and nothing asked for that is not of the site."""
    yield
    assert not browser.get_log("browser")
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"]
    assert asked
    assert not [url for url in asked if not url.startswith(("file:", "data:"))]
