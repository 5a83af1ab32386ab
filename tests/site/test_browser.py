"""The site in a real browser, from the file system: filters, links, keyboard, and nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import made
import many
import needs
import pytest
from advised import IDLE, works
from htmlpages import script

from harness.report.view import read_view
from harness.results.document import save_result
from harness.results.folder import Reports
from harness.site.build import build

ui = pytest.importorskip("selenium.webdriver.support.ui")
Select, WebDriverWait = ui.Select, ui.WebDriverWait
pytestmark = [pytest.mark.cell, needs.chromium, pytest.mark.usefixtures("quiet")]

#: The cell whose frames were published.
FRAMES = "py311-django10-channels4"


@pytest.fixture(scope="module")
def address(once) -> str:
    """The site of 80 cells; its folder has a blank and a letter that is not ASCII in its name."""

    def fill(folder: Path) -> None:
        many.write(folder, 80)
        reports = Reports(folder)
        made.frames(reports.evidence(FRAMES), ["hello", "<b>bold</b>", "x" * 5000])
        build(read_view(reports), reports, script, reports.site)

    return (Reports(once("a site with ä", fill)).site / "index.html").as_uri()


def shown(browser) -> list[str]:
    """Return the cells that can be seen."""
    script = """return Array.from(document.querySelectorAll('td[data-cell]'))
        .filter(cell => cell.querySelector('a').checkVisibility({visibilityProperty: true}))
        .map(cell => cell.dataset.cell)"""
    return browser.execute_script(script)


def choose(browser, name: str, text: str) -> None:
    Select(browser.find_element("name", name)).select_by_visible_text(text)


def test_filters(browser, address):
    """A filter leaves what fits, counts it, and stands in the address; whoever opens that address sees the same."""
    browser.get(address)
    assert len(shown(browser)) == 80
    browser.find_element("css selector", "details.more summary").click()
    choose(browser, "library", "django-websocket-redis")
    choose(browser, "verdict", "✗ No")
    left = shown(browser)
    assert left
    assert browser.find_element("css selector", "output").text == f"{len(left)} of 80 cells"
    assert {cell.count("-") for cell in left} == {1}, left
    counted = [each.text.rpartition(": ")[2] for each in browser.find_elements("css selector", "caption") if each.text]
    assert sum(int(re.fullmatch(r"of those that fit, 0 of (\d+) work", each)[1]) for each in counted) == len(left)
    linked = browser.current_url
    assert "library=django-websocket-redis&verdict=does%20not%20work" in linked
    browser.get("about:blank")
    browser.get(linked)
    assert shown(browser) == left
    browser.find_element("css selector", "button[type=reset]").click()
    assert len(shown(browser)) == 80
    assert browser.current_url == address
    assert not any("fit" in each.text for each in browser.find_elements("css selector", "caption"))


def test_filters_count_as_the_page_does(browser, tmp_path):
    """What a caption counts of the cells that fit is what it counted of all, where all fit."""
    reports = Reports(tmp_path)
    for each in (works("py313-django51-channels4"), works("py313-django52-channels4", IDLE)):
        save_result(each, reports.result(each.cell))
    build(read_view(reports), reports, script, reports.site)
    browser.get((reports.site / "index.html").as_uri())
    read = "return Array.from(document.querySelectorAll('.counted')).map(each => each.textContent)"
    whole = browser.execute_script(read)
    assert whole == ["2 of 2 work, 1 of them with a catch, 1 more perhaps, as others have it"]
    browser.find_element("css selector", "details.more summary").click()
    choose(browser, "library", "Django Channels 4")
    assert browser.execute_script(read) == [f"of those that fit, {each}" for each in whole]


@pytest.mark.parametrize(
    ("query", "expected"),
    [("?python=3.6", 8), ("?supported=yes&python=3.6", 0), ("?verdict=nonsense", 80), ("?reason=<script>", 80)],
)
def test_addresses(browser, address, query, expected):
    """Any address shows what it asks for; what no filter knows is left out of account."""
    browser.get(address + query)
    cells = shown(browser)
    assert len(cells) == expected
    sections = browser.find_elements("css selector", "section.library")
    assert [section.is_displayed() for section in sections] == [expected > 0] * 6  # so many libraries there are


def test_links(browser, address):
    """A cell leads to its page, that to the library's, and that back to the matrix."""
    browser.get(address)
    cell = browser.find_element("css selector", "td[data-library=channels4] a")
    name = cell.find_element("xpath", "..").get_attribute("data-cell")
    cell.click()
    assert browser.find_element("tag name", "h1").text.startswith(f"{name} ")
    browser.find_element("link text", "Django Channels 4").click()
    assert browser.find_element("tag name", "h1").text == "Django Channels 4"
    browser.find_element("link text", "Answer").click()
    assert browser.current_url == address


def test_keyboard(browser, address):
    """Everything can be reached and used by keys alone, and shows where the focus is."""
    from selenium.webdriver.common.keys import Keys

    browser.get(address)
    body = browser.find_element("tag name", "body")
    body.send_keys(Keys.TAB)
    skip = browser.switch_to.active_element
    assert skip.text == "Skip to the content"
    assert skip.rect["x"] >= 0
    skip.send_keys(Keys.ENTER)
    browser.switch_to.active_element.send_keys(Keys.TAB)
    field = browser.switch_to.active_element
    assert field.get_attribute("name") == "python"
    field.send_keys(Keys.DOWN)
    assert "python=" in browser.current_url
    field.send_keys(*[Keys.TAB] * 3)
    focused = browser.switch_to.active_element
    assert focused.tag_name == "a"
    assert browser.execute_script("return getComputedStyle(arguments[0]).outlineStyle", focused) != "none"


def test_frames(browser, address):
    """The frames of a cell, which lie compressed in their page, can be read there, as text."""
    browser.get(address.replace("index.html", f"evidence/{FRAMES}.frames.html"))
    table = browser.find_element("css selector", "main table")
    WebDriverWait(browser, 30).until(lambda _: table.is_displayed())
    rows = [row.find_elements("tag name", "td") for row in table.find_elements("css selector", "tbody tr")]
    assert [row[5].text for row in rows[:2]] == ["hello", "<b>bold</b>"]
    assert rows[2][5].text.endswith("(5000 characters)")
    assert not browser.find_element("id", "packed").is_displayed()
    assert browser.find_element("partial link text", ".jsonl.gz").is_displayed()


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("name", ["index", "plots", "compare", "history", "how", "cell", "library"])
def test_narrow(browser, address, width, name):
    """No page is wider than the screen, not even a phone's; what is wide scrolls by itself."""
    folder = address.removesuffix("index.html")
    if name == "cell":
        browser.get(address)
        name = browser.find_element("css selector", "td[data-cell] a").get_attribute("href").removeprefix(folder)
    elif name == "library":
        name = "library/django-websocket-redis.html"
    else:
        name += ".html"
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        browser.get(folder + name)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(browser, address, scheme):
    """Every text of the matrix has a contrast of at least 4.5 (WCAG 2.1, 1.4.3), in the light and in the dark."""
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    browser.get(address)
    pairs = browser.execute_script(
        """
        const own = element => {
            for (let each = element; each; each = each.parentElement) {
                const colour = getComputedStyle(each).backgroundColor;
                if (colour !== 'rgba(0, 0, 0, 0)') { return colour; }
            }
            return 'rgb(255, 255, 255)';
        };
        const found = new Set();
        for (const element of document.querySelectorAll('a, td, th, p, span, label, caption, output, footer, select')) {
            if (element.innerText) { found.add(getComputedStyle(element).color + '/' + own(element)); }
        }
        return Array.from(found);
        """
    )
    assert len(pairs) > 5
    for pair in pairs:
        assert contrast(*pair.split("/")) >= 4.5, pair


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours as CSS writes them."""

    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
