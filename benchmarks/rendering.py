"""Rendering and comparing many results: time, memory, growth, and the site in a browser."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from shown import row, spread

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import many  # noqa: E402

#: Waits for the command, and prints the peak of its memory and of each process that it started, whichever is most.
_WATCHED = """
import os, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)
"""


def harness(*arguments: object, codes: tuple[int, ...] = (0,)) -> tuple[float, float]:
    """Run the command line; return its seconds and the megabytes of its largest process."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("HARNESS_")}
    command = [sys.executable, "-c", _WATCHED, sys.executable, "-m", "harness", *map(str, arguments)]
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - began
    assert done.returncode in codes, done.stdout + done.stderr
    return seconds, int(done.stdout.split()[-1]) / 1024


def render(number: int, rounds: int) -> tuple[list[float], float]:
    """Render all reports and the site of *number* cells, from nothing each time; return the seconds, and the peak."""
    seconds, peak = [], 0.0
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            many.write(Path(folder), number)
            reported, one = harness("report", "--reports", folder)
            built, other = harness("site", "--reports", folder)
        seconds.append(reported + built)
        peak = max(peak, one, other)
    return seconds, peak


def measure_rendering() -> None:
    """All reports and the site of 500 cells; how that grows; the comparison of 500 cells with 500."""
    few, _ = render(100, 3)
    lots, peak = render(500, 3)
    median = statistics.median(lots)
    row("reports and site of 500 cells, from nothing (s)", spread(lots), "< 5", median < 5)
    row("its largest process (MB)", f"{peak:.0f}", "< 300", peak < 300)
    growth = median / statistics.median(few)
    row("500 cells over 100 cells, in time", f"{growth:.2f}", "<= 5.5", growth <= 5.5)
    with tempfile.TemporaryDirectory() as folder:
        old, new = Path(folder) / "old", Path(folder) / "new"
        many.write(old, 500)
        shutil.copytree(old, new)
        for path in (new / "results").glob("*.json"):
            text = path.read_text(encoding="utf-8").replace('"redis": "', '"redis": "9')
            path.write_text(text, encoding="utf-8")
        compared = [harness("compare", old, new)[0] for _ in range(5)]
        # As it is most of the time: somebody renders again after one cell.
        harness("report", "--reports", old)
        again = [harness("report", "--reports", old)[0] for _ in range(3)]
    row("compare of 500 x 500 (s)", spread(compared), "< 1", statistics.median(compared) < 1)
    row("reports of 500 cells again, nothing new (s)", spread(again), "< 3", statistics.median(again) < 3)


def measure_browser() -> None:
    """The matrix of 500 cells in a real browser: until it can be used, and for each choice of a filter."""
    from selenium import webdriver

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        sys.exit("no chromium and chromedriver on PATH")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu"):
        options.add_argument(argument)
    with tempfile.TemporaryDirectory() as folder:
        many.write(Path(folder), 500)
        harness("site", "--reports", folder)
        browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        try:
            loads, filters = [], []
            for _ in range(5):
                browser.get((Path(folder) / "html" / "index.html").as_uri())
                loads.append(browser.execute_script("return performance.getEntriesByType('navigation')[0].duration"))
                filters += browser.execute_async_script(_FILTER)
        finally:
            browser.quit()
    for what, values in (("load", loads), ("filter", filters)):
        row(f"500 cells in a browser, {what} (ms)", spread(values), "< 200", statistics.median(values) < 200)


#: Chooses each library in turn, and waits until the browser has painted what is left.
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
