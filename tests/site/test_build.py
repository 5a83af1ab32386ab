"""The site as files: every cell has its page, every link leads somewhere, and nothing comes from elsewhere."""

from __future__ import annotations

import gzip
import itertools
import json
import re
import shutil
from base64 import b64decode
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import jsonschema
import made
import msgspec
import pytest
import samples
from click.testing import CliRunner
from htmlpages import Page, script

from harness.commands.site import site as command
from harness.errors import HarnessError, UsageError
from harness.report.view import read_view
from harness.results import history
from harness.results.document import decode_result, save_result
from harness.results.explained import Cause, Turned
from harness.results.folder import Reports
from harness.results.history import Entry
from harness.site.build import build
from harness.verdict import Reason, Verdict

CELLS = ("py27-django18", "py311-django52-channels4", "py33-django18", "py27-django18-socketio", "py39-django30")


@pytest.fixture(scope="module")
def reports(once) -> Path:
    """Reports of a few cells, one of them with evidence and a history, and their site."""
    return once("reports with a site", fill)


def fill(folder: Path) -> None:
    reports = samples.write(folder, *CELLS)
    evidence = folder / "evidence" / "py27-django18"
    made.frames(evidence, ["hello", "<script>alert(1)</script>", "x" * 5000], b"{cut off")
    (evidence / "runserver.log").write_text("Starting <b>server</b>\x1b[1m\n")
    now = Entry.of(samples.of("py27-django18"), None)
    before = msgspec.structs.replace(now, date="2025-01-02", verdict=Verdict.DOES_NOT_WORK, reason=Reason.PAGE_FAILED)
    after = msgspec.structs.replace(now, date="2025-02-03", moved={"redis": ("3.0", "3.5"), "six": ("", "1.0")})
    history.write(reports.history("py27-django18"), [before, after, now])
    turned = Turned(package="redis", good="7.4.1", bad="8.0.0", uploaded="2026-05-28")
    cause = Cause(question="early", turned=[turned], text="redis <8.0.0>", good=[], bad=[], found_on="2026-11-26")
    explained = msgspec.structs.replace(samples.of("py311-django52-channels4"), causes=[cause])
    save_result(explained, reports.result(explained.cell))
    build(read_view(reports), reports, script, reports.site)


@pytest.fixture(scope="module")
def site(reports) -> Path:
    return Reports(reports).site


def page(site: Path, name: str) -> str:
    return (site / name).read_text(encoding="utf-8")


def test_every_page(site):
    """Each page is closed in order, has a title and a description, and no handler and no identifier twice."""
    paths = sorted(site.rglob("*.html"))
    # The pages of tables and prose, three for each library, one for each cell, and one of evidence.
    assert len(paths) == 13 + 3 * 3 + len(CELLS) + 1
    for path in paths:
        found = Page(path)
        assert not found.wrong, path
        assert not found.open, path
        assert len(set(found.ids)) == len(found.ids), path
        assert len("".join(found.texts).split()) > 10, path
        assert found.all_tags.count("main") == 1, path
        assert found.meta["description"], path
        assert found.meta["og:title"], path
        assert found.meta["og:description"] == found.meta["description"], path


def test_links(site):
    """Every link inside the site leads somewhere, and one leads to each page; nothing is loaded from elsewhere."""
    pages = {path: Page(path) for path in site.rglob("*.html")}
    reached = {site / "index.html"}
    for path, found in pages.items():
        for address in [*found.links, *found.loads]:
            parts = urlsplit(address)
            if parts.scheme:
                assert address in found.links or parts.scheme == "data", (path, address)
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_file(), (path, address)
            reached |= {target} - {path}
            if parts.fragment:
                assert unquote(parts.fragment) in pages[target].ids, (path, address)
    assert reached >= set(pages)


def test_cells(site):
    """Each cell is in the matrix, with sign and text, and leads to its page."""
    text = page(site, "index.html")
    for cell in CELLS:
        sign = samples.of(cell).verdicts.overall.verdict.label
        assert re.search(rf'<a href="cells/{cell}\.html" title="[^"]*">{sign}(, but)?</a>', text), cell


def test_catches(site):
    """A cell that has a catch says so in the matrix, with the numbers of the notes below it, and on its page."""
    text = page(site, "index.html")
    assert re.search(
        r'title="py27-django18: somebody who is not logged in gets in; [^"]*">✓ Yes, but</a> '
        r'<sup><a href="#django-websocket-redis-note-1" aria-label="note 1">1</a> ',
        text,
    )
    assert 'id="django-websocket-redis-note-1"><span class="severity severe">severe</span> somebody who is' in text
    cell = page(site, "cells/py27-django18.html")
    assert '<span class="badge but">✓ Yes, but</span>' in cell
    assert "pip install Django==1.8.19 django-websocket-redis==0.6.0" in cell


def test_what_failed_comes_first(site):
    """The page of a cell that does not work begins with the verdict, the cause and what works instead; what failed is
    not folded, and what went well is.
    """
    text = page(site, "cells/py39-django30.html")
    places = [text.index(each) for each in ("<h1>", 'id="causes"', 'id="instead"', 'id="failed"', 'id="steps"')]
    assert places == sorted(places)
    assert "django.utils.six is gone since Django 3.0" in text
    assert '<details class="part" id="steps"><summary>' in text
    assert text.index("Traceback (most recent call last)") < text.index('id="steps"')


def test_data(site):
    """The matrix is there as data of the published schema, each cell as recorded, and each library as a badge."""
    rows = json.loads(page(site, "data/matrix.json"))
    jsonschema.Draft202012Validator(json.loads(page(site, "data/matrix.schema.json"))).validate(rows)
    assert {row["cell"] for row in rows} == set(CELLS)
    for cell in CELLS:
        assert decode_result((site / "data" / "cells" / f"{cell}.json").read_bytes(), cell).cell == cell
    assert page(site, "data.html").count("badges/channels4.svg") == 6
    assert (site / "badges" / "channels4.svg").is_file()


def test_feed(site):
    """The feed has each change of a verdict and each guilty release, the newest first, and each once."""
    feed = ElementTree.parse(site / "feed.atom").getroot()
    name = "{http://www.w3.org/2005/Atom}"
    entries = feed.findall(f"{name}entry")
    assert [each.findtext(f"{name}title") for each in entries] == [
        "redis 8.0.0: py311-django52-channels4",
        "py27-django18: ✗ No → ✓ Yes",
    ]
    assert feed.findtext(f"{name}updated") == "2026-05-28T00:00:00+00:00"
    # What comes later must not change them, as a place in the list would.
    assert [each.findtext(f"{name}id").rpartition(":")[2] for each in entries[:1]] == ["00/early/redis"]
    assert entries[1].findtext(f"{name}id").endswith("/verdict")
    for each in entries:
        assert (site / each.find(f"{name}link").get("href")).is_file()


def test_packages(site):
    """A package leads from a release of it to what that broke, and to the pin that keeps it away."""
    text = page(site, "packages.html")
    assert '<h2 id="package-redis">redis</h2>' in text
    assert "8.0.0 (2026-05-28)" in text
    assert "<td>redis&lt;8</td>" in text


def test_library(site):
    """The page of a library is verdict, catches, install, grid, sets, in that order."""
    text = page(site, "library/channels4.html")
    places = [text.index(each) for each in ("<h1>", 'id="beware"', 'id="install"', 'id="grid"', 'id="sets"')]
    assert places == sorted(places)
    assert "1 of 1 cells work, 1 of them with a catch" in text


def test_side_by_side(site):
    """Every question has a line with what each library answers, and an address of its own."""
    text = page(site, "libraries.html")
    assert re.search(r'<tr id="isolation-foreign-origin"><th scope="row">What reaches a page of a foreign Origin', text)
    assert "✗ the private messages to John, chatusers (1 of 1 cells)" in text
    assert "✓ refused: status 403" in text


def test_evidence(reports, site):
    """What was printed is shown as text; every frame lies packed in its page, long ones cut, and whole beside it."""
    text = page(site, "evidence/py27-django18.frames.html")
    packed = re.search(r'<template class="frames">(.+)</template>', text)
    assert packed
    rows = msgspec.json.decode(gzip.decompress(b64decode(packed[1])))
    assert [row[:5] for row in rows] == [["1.500000", "John", "user", "received", "text"]] * 3
    assert [row[5] for row in rows[:2]] == ["hello", "<script>alert(1)</script>"]
    assert rows[2][5].startswith("xxx")
    assert rows[2][5].endswith("… (5000 characters)")
    assert "3 frames. 1 lines could not be read" in text
    whole = (site / "evidence/py27-django18.frames.jsonl.gz").read_bytes()
    assert gzip.decompress(whole) == (reports / "evidence/py27-django18/frames.jsonl").read_bytes()
    assert page(site, "evidence/py27-django18.runserver.txt") == "Starting <b>server</b>\n"
    assert "frames.html" in page(site, "cells/py27-django18.html")


def test_missing_evidence(site):
    """A cell without evidence says so, and links to none."""
    assert "stayed on the machine that measured it" in page(site, "cells/py311-django52-channels4.html")


def test_reproduce(site):
    """A cell's page has the commands that bring it about again; where nothing was installed, the one that tries."""
    assert "tox -e py27-django18 -- --freeze reports/results/py27-django18.json" in page(
        site, "cells/py27-django18.html"
    )
    assert "tox -e py33-django18 -- --probe all" in page(site, "cells/py33-django18.html")


def test_a_verdict_is_the_same_everywhere(site):
    """What a cell is to beware of is part of its verdict wherever that stands, also where another cell was asked."""
    labels = "✓ Yes, but|✓ Yes|✗ No|─ Not tested"
    found = dict(re.findall(rf">([\w-]+): Python [^<]+?, ({labels})", page(site, "search.html")))
    caught = dict(re.findall(r'data-cell="([^"]+)"[^>]* data-catch="([^"]*)"', page(site, "index.html")))
    assert set(found) == set(caught) == set(CELLS)
    assert {found[name] for name, each in caught.items() if each == "yes"} == {"✓ Yes, but"}
    assert not any(found[name].startswith("✓ Yes") for name, each in caught.items() if not each)


def test_history(site):
    """The history names each change of a verdict with what moved, and a cell's page since when it stands."""
    changes = page(site, "history.html")
    assert "2025-02-03" in changes
    assert "redis 3.0 → 3.5; six ─ → 1.0" in changes
    assert "<dt>Since</dt><dd>2025-02-03</dd>" in page(site, "cells/py27-django18.html")


def test_releases_that_turned_an_answer(site):
    """The history also says on which day a release turned an answer, and so does the page of the cell."""
    assert "<td>2026-05-28</td>" in page(site, "history.html")
    assert "redis 7.4.1 → 8.0.0" in page(site, "history.html")
    assert "<dt>Comes from</dt><dd>redis &lt;8.0.0&gt;</dd>" in page(site, "cells/py311-django52-channels4.html")
    assert "causes.html" in Page(site / "index.html").links


def test_twice_the_same(reports, site, tmp_path):
    """The same results give the same site, byte for byte."""
    again = tmp_path / "again"
    build(read_view(Reports(reports)), Reports(reports), script, again)
    files = sorted(path.relative_to(site) for path in site.rglob("*") if path.is_file())
    assert len(files) > len(CELLS)
    assert files == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    for path in files:
        assert (site / path).read_bytes() == (again / path).read_bytes(), path


def test_nothing(tmp_path):
    """Without any result there is no site to build, and the one that is there stays."""
    (tmp_path / "html").mkdir()
    done = CliRunner().invoke(command, ["--reports", str(tmp_path)], standalone_mode=False)
    assert isinstance(done.exception, HarnessError)
    assert (tmp_path / "html").is_dir()


def test_something_else(reports, tmp_path):
    """A folder that holds something else is not built into, also when some of it is called as in a site."""
    for name in ("thesis.txt", "static/site.js"):
        folder = tmp_path / name.replace("/", "-")
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("years of work")
        done = CliRunner().invoke(command, ["--reports", str(reports), "-o", str(folder)], standalone_mode=False)
        assert isinstance(done.exception, UsageError)
        assert (folder / name).read_text() == "years of work"


def test_built_again(reports, site, tmp_path):
    """A site that is built again loses its own old pages, and nothing else that lies beside them."""
    view = read_view(Reports(reports))
    shutil.copytree(site, tmp_path / "site")
    (tmp_path / "site" / "CNAME").write_text("example.org")
    max(view.libraries, key=lambda library: len(library.rows)).rows.pop()
    names = {row.name for row in view.rows}
    assert len(names) == len(CELLS) - 1
    build(view, Reports(reports), script, tmp_path / "site")
    assert (tmp_path / "site" / "CNAME").exists()
    assert {path.stem for path in (tmp_path / "site" / "cells").iterdir()} == names


def test_interrupted(site, tmp_path, monkeypatch):
    """A build that is interrupted while it puts the pages in their places is followed by one that succeeds."""
    reports = samples.write(tmp_path, "py33-django18")
    view, target = read_view(reports), shutil.copytree(site, reports.site)
    replace, calls = Path.replace, itertools.count()

    def interrupted(self: Path, other: Path) -> Path:
        if next(calls) == 4:
            raise KeyboardInterrupt
        return replace(self, other)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            build(view, reports, script, target)
    build(view, reports, script, target)
    assert (target / "index.html").exists()
    assert [path.stem for path in (target / "cells").iterdir()] == ["py33-django18"]


def test_unreadable_evidence(tmp_path):
    """A link in the evidence is not followed, for it could lead anywhere."""
    reports = samples.write(tmp_path, "py27-django18")
    evidence = reports.evidence("py27-django18")
    evidence.mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (evidence / "leak.log").symlink_to(tmp_path / "secret")
    (evidence / "gone.log").symlink_to(tmp_path / "nowhere")
    (evidence / "a b#c?.log").write_text("hello")
    (evidence / "server here.log").write_text("hello")
    build(read_view(reports), reports, script, tmp_path / "site")
    assert [path.name for path in (tmp_path / "site" / "evidence").iterdir()] == ["py27-django18.server here.txt"]
    assert "py27-django18.server%20here.txt" in page(tmp_path / "site", "cells/py27-django18.html")


@pytest.mark.parametrize("whole", [["py33-django18"], []], ids=["one of two", "all"])
def test_damaged(whole, tmp_path):
    """A result that cannot be read is named on the first page, and is exit code 3, also where there is no other."""
    (tmp_path / "results").mkdir()
    for cell in whole:
        samples.write(tmp_path, cell)
    (tmp_path / "results" / "py27-django19.json").write_text('{"schema": "0"}')
    done = CliRunner().invoke(command, ["--reports", str(tmp_path)], standalone_mode=False)
    assert done.return_value == 3
    assert "py27-django19.json is a result of schema 0" in page(tmp_path / "html", "index.html")
