"""Every kind of page, held against axe-core: what somebody who does not see it, or uses no mouse, would meet."""

from __future__ import annotations

import json
from pathlib import Path

import made
import needs
import pytest
import samples
from htmlpages import script

from harness.report.view import read_view
from harness.results.folder import Reports
from harness.site.build import build

axe = pytest.importorskip("axe_selenium_python")
WebDriverWait = pytest.importorskip("selenium.webdriver.support.ui").WebDriverWait
pytestmark = [pytest.mark.cell, needs.chromium, pytest.mark.usefixtures("quiet")]


@pytest.fixture(scope="module")
def folder(once) -> str:
    """The site of a cell of each kind; that of all cells has the same kinds of pages, and takes minutes to look at."""

    def fill(folder: Path) -> None:
        reports = samples.write(folder)
        made.frames(reports.evidence("py39-django30"), ["hello"])
        build(read_view(reports), reports, script, reports.site)

    return Reports(once("a site of each kind", fill)).site.as_uri()


#: A page of each kind.
PAGES = (
    *("index.html?python=3.13&django=6.1", "answers.html", "libraries.html", "security.html", "causes.html"),
    *("upgrade.html", "plots.html", "history.html", "how.html", "compare.html", "packages.html", "search.html"),
    *("data.html", "library/channels4.html", "library/channels4-report.html", "library/channels4-questions.html"),
    *("cells/py39-django30.html", "cells/py313-django61-channels4.html", "evidence/py39-django30.frames.html"),
)

#: The words in headers of tables that stand on more than one line.
_BROKEN = """
const broken = [];
for (const head of document.querySelectorAll("thead th")) {
  const texts = document.createTreeWalker(head, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    for (const word of texts.currentNode.data.matchAll(/[\\p{L}\\p{N}]+/gu)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, word.index);
      range.setEnd(texts.currentNode, word.index + word[0].length);
      if (new Set(Array.from(range.getClientRects(), each => Math.round(each.top))).size > 1) broken.push(word[0]);
    }
  }
}
return broken;
"""


@pytest.mark.parametrize("page", PAGES)
def test_headers_of_tables(browser, folder, page):
    """No word in the header of a table is broken, however narrow the window."""
    browser.get(f"{folder}/{page}")
    found = {}
    for width in (375, 768, 1280):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        found[width] = browser.execute_script(_BROKEN)
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert not any(found.values()), found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_accessible(browser, folder, page, scheme):
    """No kind of page has anything against it that axe-core finds, in the light and in the dark."""
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    browser.get(f"{folder}/{page}")
    if page.endswith(".frames.html"):
        WebDriverWait(browser, 30).until(lambda _: browser.find_element("css selector", "main table").is_displayed())
    looked = axe.Axe(browser)
    looked.inject()
    found = looked.run()["violations"]
    told = [(each["id"], [node["html"] for node in each["nodes"][:3]]) for each in found]
    assert not found, json.dumps(told, indent=1)
