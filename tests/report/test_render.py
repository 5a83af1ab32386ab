"""The rendered reports: right at docutils' strictest, the same every time, and closed to injection."""

from __future__ import annotations

import docutils.core
import pytest
import samples
from hostile import folder_of
from shared import ROOT

from harness.errors import HarnessError
from harness.matrix import listing as matrix
from harness.report import rst, tables
from harness.report.render import check, check_prose, render, with_headline
from harness.report.view import LibraryView, View, excerpt_of_code, read_view
from harness.results.folder import Reports
from harness.system.processes import interruptible
from harness.verdict import Verdict


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> Reports:
    return samples.write(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def view(reports) -> View:
    return read_view(reports)


@pytest.fixture(scope="module")
def pages(view) -> dict[str, str]:
    return render(view)


@pytest.fixture(scope="module")
def recorded() -> View:
    return read_view(Reports.of_checkout())


@pytest.fixture(scope="module")
def recorded_pages(recorded) -> dict[str, str]:
    return render(recorded)


def test_twice_the_same(reports, pages):
    """The same results give the same reports, byte for byte."""
    assert render(read_view(reports)) == pages


def test_every_cell_is_in_the_report(view, pages):
    """Each cell has its row and its section, and each that was tried a page of its own."""
    assert sorted(row.name for row in view.rows) == sorted(samples.NAMES)
    for library in view.libraries:
        report = pages[f"{library.name}.rst"]
        for row in library.rows:
            assert f"`{row.name}`_" in report
            assert f"\n{row.name}\n~~~" in report
    tried = {f"{library.name}/{row.name}.rst" for library in view.libraries for row in library.tested}
    assert "django-websocket-redis/py27-django18.rst" in tried
    assert {path for path in pages if "/" in path} == tried


def test_fifteen_rows(pages):
    """The page of a cell that works has the fifteen rows."""
    page = pages["django-websocket-redis/py27-django18.rst"]
    assert len([line for line in page.splitlines() if line.startswith(("broadcast ", "user ", "group "))]) == 15


def test_failure_shows_its_output(pages):
    """The section of a cell that does not work has its cause and the output that shows it."""
    report = pages["django-websocket-redis.rst"]
    section = report.split("\npy313-django52\n~~~", 1)[1].split("\n~~~", 1)[0]
    assert "No module named 'django.utils.six'" in section
    assert "Traceback (most recent call last)" in section


@pytest.mark.parametrize(
    "cell",
    ["py27-django18", "py39-django22", "py313-django52", "py33-django19", "py36-django32-pysocketio"],
)
def test_hostile_result(cell, tmp_path):
    """Hostile text in every field of a result stays text in every report."""
    pages = render(read_view(Reports(folder_of(tmp_path, cell))))
    check(pages)
    assert len(pages) == 2 + (cell != "py33-django19")
    for text in pages.values():
        document = docutils.core.publish_doctree(text, settings_overrides={"report_level": 5})
        nodes = list(document.findall(lambda node: node.tagname in ("raw", "reference", "footnote_reference")))
        assert nodes
        for node in nodes:
            assert "javascript" not in node.get("refuri", ""), node
            assert node.tagname == "reference", node
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_check_of_many():
    """Many pages are checked in several processes, also where signals are handled; the wrong one is named."""
    pages = {f"{number}.rst": "Right.\n" for number in range(40)}
    with interruptible():
        check(pages)
        with pytest.raises(HarnessError, match=r"docutils does not accept 33\.rst"):
            check({**pages, "33.rst": "* a\nb\n"})


def test_wrong_prose(tmp_path, monkeypatch):
    """Prose that docutils does not accept is named."""
    view = read_view(samples.write(tmp_path, "py27-django18"))
    prose = {**view.libraries[0].prose, "installation": "* a\nb"}
    monkeypatch.setattr(LibraryView, "prose", prose)
    with pytest.raises(HarnessError, match=r"does not accept django-websocket-redis\.rst"):
        check_prose(view)


def test_readme_is_up_to_date(recorded):
    """README's table is the one that the recorded results give."""
    readme = (ROOT / "README.rst").read_text(encoding="utf-8")
    assert with_headline(readme, recorded) == readme


def test_reports_are_up_to_date(recorded_pages):
    """The committed reports are the ones that the recorded results give."""
    for path, text in recorded_pages.items():
        assert (ROOT / "reports" / path).read_text(encoding="utf-8") == text, path


def test_headline(view):
    """The headline has each library on one line, and no docutils complaint."""
    table = tables.headline(view, "reports/")
    assert not rst.problems(table)
    assert table.count('\n   "') == len(view.libraries)


def test_grids(view):
    """The grids of a library have a sign for each cell, and nothing for pairs that are not in the matrix."""
    for library in view.libraries:
        grids = [tables.grid(group) for group in library.groups]
        assert sum(grid.count(sign) for grid in grids for sign in "✓✗─") == len(library.rows)


def test_every_cell_is_recorded(recorded):
    """Each cell of the matrix has a recorded result that can be read, and no result is of a cell that is gone."""
    assert not recorded.damaged
    assert {row.cell for row in recorded.rows} == set(matrix.cells())


def test_pinned_beside_today(view):
    """A cell with the best known pins stands beside the one with what an installer resolves today."""
    table = tables.profiles(view)
    pinned = [row.name for row in view.rows if row.result.profile == "pins"]
    assert pinned == ["py311-django52-channels4-pins", "py27-django18-socketio-pins"]
    assert all(name in table for name in pinned)


def test_recorded_pins_have_reasons(recorded):
    """Whatever was held back in a recorded cell with the best known pins, it says why."""
    pinned = [row for row in recorded.rows if row.result.profile == "pins" and row.verdict is not Verdict.NOT_TESTED]
    assert pinned
    for row in pinned:
        assert row.result.installation is not None
        assert row.result.installation.pins
        assert all(pin.reason for pin in row.result.installation.pins)


def test_code_is_taken_from_the_demo():
    """The code that a report shows is the code that runs."""
    assert "publish_message" in excerpt_of_code("chatserver/views.py", "ChatView")
    assert excerpt_of_code("chatserver/static/chatserver/chat.js", "connect").startswith("function connect()")


@pytest.mark.parametrize(
    ("file", "name", "said"),
    [
        ("chatserver/nothing.py", "ChatView", "chatserver/nothing.py cannot be read: No such file or directory"),
        ("chatserver", "ChatView", "chatserver cannot be read: Is a directory"),
        ("chatserver/views.py", "Nothing", "chatserver/views.py has no Nothing"),
    ],
)
def test_code_that_is_not_there(file, name, said):
    """Where the code is gone that a prose shows, or its file, it is said what is missing, and where to mend it."""
    with pytest.raises(HarnessError) as raised:
        excerpt_of_code(file, name)
    assert (str(raised.value), raised.value.hint) == (
        *(said, "the prose of a library names it; bring that up to date"),
    )


def test_prose_with_code_of_a_missing_file(tmp_path, monkeypatch):
    """A prose whose code names a missing file ends the report with that one message, and not with a traceback."""
    view = read_view(samples.write(tmp_path, "py27-django18"))
    code = [{"file": "chatserver/nothing.py", "name": "ChatView", "language": "python", "says": "The view"}]
    monkeypatch.setitem(view.libraries[0].prose, "code", code)
    with pytest.raises(HarnessError, match=r"^chatserver/nothing\.py cannot be read: No such file or directory$"):
        render(view)


def test_nothing_of_a_machine(recorded_pages):
    """No report has a path, a cookie or a name of the machine in it."""
    for path, text in recorded_pages.items():
        for secret in ("/root", "/home/", "/tmp/", "sessionid="):
            assert secret not in text, (path, secret)


def test_library_without_cells_that_work():
    """Of a library with which nothing works there is no range."""
    assert LibraryView("nothing").range_of("python") == "none"
    assert LibraryView("nothing").median("bytes") is None
