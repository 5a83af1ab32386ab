"""What visitors come with, answered by the site of the recorded results: from the first page, by clicking."""

from __future__ import annotations

import re
from pathlib import Path

import needs
import pytest
from htmlpages import script

from harness.report.view import read_view
from harness.results.folder import Reports
from harness.site.build import build

ui = pytest.importorskip("selenium.webdriver.support.ui")
gone = pytest.importorskip("selenium.webdriver.support.expected_conditions").staleness_of
pytestmark = [pytest.mark.cell, needs.chromium, pytest.mark.usefixtures("quiet")]


@pytest.fixture(scope="module")
def address(once) -> str:
    """The first page of the site of the recorded results."""

    def fill(folder: Path) -> None:
        reports = Reports.of_checkout()
        build(read_view(reports), reports, script, folder / "site")

    return (once("the recorded site", fill) / "site" / "index.html").as_uri()


@pytest.fixture
def first(browser, address):
    browser.get(address)
    return browser


def choose(browser, name: str, value: str) -> None:
    ui.Select(browser.find_element("name", name)).select_by_value(value)


def click(browser, text: str) -> None:
    browser.find_element("partial link text", text).click()


def look_for(browser, text: str) -> None:
    """Search for a text; what sends a form away does not wait for what comes instead of it."""
    field = browser.find_element("name", "q")
    field.clear()
    field.send_keys(text)
    field.submit()
    ui.WebDriverWait(browser, 30).until(gone(field))


def seen(browser) -> str:
    """Return what can be read on the page."""
    return browser.find_element("tag name", "main").text


def test_a_python_and_a_django(first):
    """(a) Python 3.14, Django 6.0: two choices, and what to install stands there, ranked, with pins and catches."""
    choose(first, "python", "3.14")
    choose(first, "django", "6.0")
    answer = first.find_element("id", "answer").text
    assert "Plain ASGI under uvicorn ✓ Yes, but" in answer
    assert 'pip install Django==6.0.10 "channels[daphne]==4.3.2" channels_redis==4.3.0 "redis<8"' in answer
    assert "idle connections are closed. Mended: install redis<8" in answer
    assert "Ranked here because: 1 severe catch that no cure takes away" in answer


def test_an_address(first, address):
    """The same answer has an address."""
    first.get(f"{address}?python=3.14&django=6.0")
    assert "Plain ASGI under uvicorn" in first.find_element("id", "answer").text


def test_channels(first):
    """(b) Channels 4: which server, which layer, and what breaks?"""
    click(first, "Django Channels 4: which server")
    text = seen(first)
    for expected in ("daphne: 2 of 2 work", "idle connections are closed", "the async consumer, Redis Pub/Sub layer"):
        assert expected in text


def test_an_upgrade(first):
    """(c) django-websocket-redis on Django 2.2: what next?"""
    click(first, "What does an upgrade ask")
    first.find_element("link text", "py36-django22").click()
    assert "3.6 3.2 uwsgi instead of runserver py36-django32-uwsgi ✓ Yes, but" in seen(first)


def test_a_red_cell(first):
    """(d) Why is py311-django42 red, and what mends it?"""
    first.find_element("css selector", "[data-cell=py311-django42] a").click()
    text = seen(first)
    assert "django.utils.six is gone since Django 3.0" in text
    assert "uwsgi as the server" in text
    assert first.find_element("link text", "py311-django42-uwsgi")


def test_who_listens_in(first):
    """(e) Who can listen in, and whose fault is it?"""
    click(first, "Who can listen in, and whose fault")
    text = seen(first)
    assert "decided by the library" in text
    assert re.search(r"✗ the private messages to John, chatusers \((\d+) of \1 cells\)", text)


def test_a_release(first):
    """(f) What does redis-py 8 break?"""
    click(first, "What does a release of a package break")
    rows = first.find_elements("css selector", "#package-redis + div tbody tr")
    assert any(row.text.startswith("8.0.0 (2026-05-28)") and "redis<8" in row.text for row in rows)


def test_a_python_alone(first):
    """(g) Python 3.15: the cells that were measured with it, and each Django that has an answer."""
    choose(first, "python", "3.15")
    # On no other Django was anything measured with it.
    assert first.find_element("id", "answer").text == "With Python 3.15 there are answers for Django 6.1."
    first.find_element("id", "answer").find_element("link text", "6.1").click()
    assert "Django Channels 4 under runserver" in first.find_element("id", "answer").text


def test_what_is_lost(first):
    """(h) What is lost when somebody comes back, or the broker restarts?"""
    click(first, "What is lost when somebody comes back")
    row = first.find_element("id", "faults-broker-away-lost")
    assert "The broker is away for 2 s: messages lost silently" in row.text
    below = first.find_element("id", "faults-broker-away-lost-in-sight").text
    assert re.search(r"messages lost with an error or a close.*\d+ % .*where nobody comes back, \d+ % .*where", below)
    first.find_element("link text", "with and without keeping it").click()
    assert first.find_element("id", "delivery-away").is_displayed()


def test_how_fresh(first):
    """(i) How fresh is it, and how is it reproduced?"""
    assert "The newest was measured on" in first.find_element("tag name", "footer").text
    first.find_element("css selector", "[data-cell=py313-django61-channels4] a").click()
    text = seen(first)
    assert "measured on 2026-" in text
    assert "tox -e py313-django61-channels4 -- --freeze" in text


def test_without_a_library(first):
    """(j) What does one lose without a library?"""
    click(first, "What do I lose without a library")
    said = first.find_element("css selector", "form.beside output").text
    # What no question asks comes first: messages that go beyond one process.
    assert said.startswith("Plain ASGI instead of Django Channels 4: As thin as it gets, and for one process only: ")
    assert "No measured answer gets worse by changing from the left to the right; " in said
    assert re.search(r"questions were not asked of the right: \d+ of Faults, \d+ of Deployment", said)
    shown = [
        each.text for each in first.find_elements("css selector", "#verdicts + div thead th") if each.is_displayed()
    ]
    assert shown == ["What", "Django Channels 4", "Plain ASGI"]


def test_two_ways(first):
    """(b) Two layers of one library stand side by side, each with what it was asked and nothing else."""
    first.find_element("link text", "Side by side").click()
    choose(first, "left", "channels4")
    choose(first, "right", "channels4~async-consumer-redis-pub-sub-layer")

    def texts(selector: str) -> list[str]:
        return [each.text for each in first.find_elements("css selector", selector) if each.is_displayed()]

    way = "Django Channels 4: async consumer, Redis Pub/Sub layer"
    for section in ("verdicts", "faults", "isolation"):
        assert texts(f"#{section} + div thead th")[1:] == ["Django Channels 4", way]
    usual, other = texts("#amounts-many-300-others td")
    assert usual.startswith("✗ ")
    assert other.startswith("✓ ")
    assert set(texts("#isolation + div tbody td:nth-of-type(n + 2)")) == {"not asked"}
    assert "Not asked of this way alone: a session that has ended" in seen(first)
    rows = [
        [cell.get_attribute("data-good") for cell in row.find_elements("css selector", "td") if cell.is_displayed()]
        for row in first.find_elements("css selector", "table.beside tbody tr")
    ]
    worse = rows.count(["yes", "no"])
    assert texts("form.beside output")[0].startswith(f"{worse} answer" if worse else "No measured answer gets worse")
    # What the way was not asked is no difference, and a section without one is nothing to look at.
    first.find_element("name", "differ").click()
    assert not first.find_element("id", "isolation").is_displayed()
    assert not texts("#isolation + div thead th")
    assert first.find_element("id", "amounts-many-300-others").is_displayed()
    first.find_element("name", "differ").click()
    choose(first, "right", "channels4~async-consumer-nats-layer")
    tried = [
        each.cell.python_version
        for each in read_view(Reports.of_checkout()).rows
        if "async consumer, NATS layer" in {variant.name for variant in each.result.variants}
    ]
    oldest, newest = (".".join(map(str, each)) for each in (min(tried), max(tried)))
    # It works wherever it was tried.
    assert texts("#verdicts + div tbody tr:first-of-type td")[1] == f"{oldest} to {newest}"
    choose(first, "right", "")
    assert way not in texts("#faults + div thead th")
    assert "Plain ASGI" in texts("#faults + div thead th")


def test_a_python_of_tomorrow(browser, address):
    """A version in the address that nothing was measured with is not dropped without a word."""
    browser.get(f"{address}?python=3.99&django=6.0")
    told = browser.find_element("id", "answer").text
    assert "“3.99” is none of the choices of python: nothing was measured with it." in told
    assert "With Django 6.0 there are answers for Python" in told


def test_nothing_was_measured(first):
    """A pair of which nothing is known says so, and offers the nearest."""
    choose(first, "python", "2.7")
    choose(first, "django", "6.1")
    answer = first.find_element("id", "answer").text
    assert "Nothing was measured on this pair. The nearest that works: " in answer
    count = first.find_element("css selector", "form.filters output").text
    assert re.match(r"0 of \d+ cells: nothing is like that\.", count)


def test_search(first):
    """What is looked for is found among libraries, cells, causes, questions and packages; what is not there is said."""
    look_for(first, "redis 8.0.0")
    kinds = {
        each.text.split()[0] for each in first.find_elements("css selector", ".searched li") if each.is_displayed()
    }
    assert kinds == {"cause", "package"}
    # By a word that people have for it, and that stands nowhere in its text.
    look_for(first, "cswsh")
    assert "foreign Origin" in first.find_element("css selector", "ul.searched").text
    for words in ("redis-py 8", "channels_redis", "pub/sub", "in-memory", "rooms", "isolation"):
        look_for(first, words)
        assert re.match(r"\d+ entries for", first.find_element("id", "searched").text), words
    # What is not there has neighbours by the beginnings of its words.
    look_for(first, "channelsx hypercornish")
    said = first.find_element("id", "searched").text
    assert said == "Nothing is called “channelsx hypercornish”. The nearest to it:"
    shown = [each.text for each in first.find_elements("css selector", ".searched li") if each.is_displayed()]
    assert len(shown) == 5
    assert any("channels4-hypercorn" in each for each in shown)
    look_for(first, "zz qq")
    assert "Nothing is called “zz qq”. Try one word of it" in seen(first)


def test_sorted(first, address):
    """A column sorts its table by number and by text, and once more turns it round."""
    first.get(address.replace("index", "packages"))
    head = first.find_elements("css selector", "#all + div th button")[2]
    head.click()
    cells = [int(each.text) for each in first.find_elements("css selector", "#all + div td.number")]
    assert cells == sorted(cells)
    head.click()
    cells = [int(each.text) for each in first.find_elements("css selector", "#all + div td.number")]
    assert cells == sorted(cells, reverse=True)


def test_empty_columns(first):
    """Columns without a cell that fits go with the filter, and come back."""
    choose(first, "django", "6.1")
    heads = first.find_elements("css selector", "section[aria-label='Django Channels 4, runserver'] thead th")
    assert [head.text.split()[-1] for head in heads if head.is_displayed()] == [
        "Django",
        "3.12",
        "3.13",
        "3.14",
        "3.15",
    ]


def test_quick(first):
    """A choice is answered, and the matrix filtered and laid out, with less than a tenth of a second of work."""
    choice = """
        const form = document.querySelector('form.filters');
        form.elements.python.value = '3.13';
        form.elements.django.value = '6.0';
        form.dispatchEvent(new Event('change'));
        document.body.offsetHeight;
    """

    def worked() -> float:
        metrics = first.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return next(each["value"] for each in metrics if each["name"] == "TaskDuration")

    # Time of the processor: how long the page waits for one says something of what runs beside.
    first.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    before = worked()
    first.execute_script(choice)
    took = worked() - before
    assert 0 < took < 0.1, took
