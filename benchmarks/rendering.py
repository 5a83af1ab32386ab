"""Rendering and comparing many results: time, memory, growth, and the site in a browser."""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.commandline import watched
from benchmarks.given import Given
from benchmarks.shown import row, spread
from harness.clients import chromium
from harness.results.folder import Reports
from tests import many


def render(number: int, rounds: int) -> tuple[list[float], float]:
    """Render all reports and the site of *number* cells, from nothing each time.

    Return the seconds of each time, and the most memory of a process in MB.
    """
    seconds, peaks = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            many.write(Path(folder), number)
            ran = [watched(command, "--reports", folder) for command in ("report", "site")]
        seconds.append(sum(each.seconds for each in ran))
        peaks += [each.peak for each in ran]
    return seconds, max(peaks)


def measure_rendering(given: Given) -> None:
    """All reports and the site of many cells; how that grows; the comparison of them with as many others."""
    size, number = given.size, given.size.results
    few, _ = render(size.fewer_results, size.slow_rounds)
    lots, peak = render(number, size.slow_rounds)
    median = statistics.median(lots)
    row(f"reports and site of {number} cells, from nothing (s)", spread(lots), "< 5", median < 5)
    row("its largest process (MB)", f"{peak:.0f}", "< 300", peak < 300)
    growth = median / statistics.median(few)
    row(f"{number} cells over {size.fewer_results} cells, in time", f"{growth:.2f}", "<= 5.5", growth <= 5.5)
    with tempfile.TemporaryDirectory() as folder:
        old, new = Path(folder) / "old", Path(folder) / "new"
        many.write(old, number)
        shutil.copytree(old, new)
        for path in Reports(new).results.glob("*.json"):
            text = path.read_text(encoding="utf-8").replace('"redis": "', '"redis": "9')
            path.write_text(text, encoding="utf-8")
        compared = [watched("compare", old, new).seconds for _ in range(size.quick_rounds)]
        # As it is most of the time: somebody renders again after one cell.
        watched("report", "--reports", old)
        again = [watched("report", "--reports", old).seconds for _ in range(size.slow_rounds)]
    row(f"compare of {number} x {number} (s)", spread(compared), "< 1", statistics.median(compared) < 1)
    row(f"reports of {number} cells again, nothing new (s)", spread(again), "< 3", statistics.median(again) < 3)


def measure_browser(given: Given) -> None:
    """The matrix of many cells in a real browser: until it can be used, and for each choice of a filter."""
    from selenium import webdriver

    number = given.size.results
    try:
        programs = chromium.find()
    except chromium.NoBrowser as error:
        sys.exit(str(error))
    options = webdriver.ChromeOptions()
    options.binary_location = programs.chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu"):
        options.add_argument(argument)
    loads: list[float] = []
    filters: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        many.write(Path(folder), number)
        watched("site", "--reports", folder)
        browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(programs.chromedriver))
        try:
            for _ in range(given.size.quick_rounds):
                browser.get((Reports(Path(folder)).site / "index.html").as_uri())
                loads.append(browser.execute_script(_LOAD))
                filters += browser.execute_async_script(_FILTER)
        finally:
            browser.quit()
    for what, values in (("load", loads), ("filter", filters)):
        row(f"{number} cells in a browser, {what} (ms)", spread(values), "< 200", statistics.median(values) < 200)


#: Returns the milliseconds until the page was loaded.
_LOAD = "return performance.getEntriesByType('navigation')[0].duration"
#: Chooses each library in turn, and waits until the browser has painted what is left; returns the milliseconds of each.
_FILTER = """
const done = arguments[arguments.length - 1], field = document.querySelector('select[name=library]'), times = [];
(async () => {
    for (let place = 0; place < field.options.length; place += 1) {
        const began = performance.now();
        field.selectedIndex = place;
        field.dispatchEvent(new Event('change', {bubbles: true}));
        await new Promise(painted => requestAnimationFrame(() => setTimeout(painted)));
        times.push(performance.now() - began);
    }
    done(times);
})();
"""
