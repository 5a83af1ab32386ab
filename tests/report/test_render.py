"""The rendered reports: right at docutils' strictest, the same every time, and closed to injection."""

from __future__ import annotations

import docutils.core
import docutils.nodes
import msgspec
import pytest
import samples
from hostile import folder_of
from shared import ROOT

from harness.cells import Cell
from harness.errors import HarnessError
from harness.matrix import listing as matrix
from harness.report import headline, rst, tables
from harness.report.advice import Advisor
from harness.report.junit import render as junit_of
from harness.report.render import checked, render, render_prose, with_headline
from harness.report.row import Row
from harness.report.view import LibraryView, View, read_view
from harness.results.document import save_result
from harness.results.folder import Reports
from harness.results.result import Judgement
from harness.verdict import Reason, Verdict


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
    """Each cell has its sign in a grid; those that were tried have a page of their own, to which that leads."""
    assert sorted(row.name for row in view.rows) == sorted(samples.NAMES)
    for library in view.libraries:
        report = pages[f"{library.name}.rst"]
        for row in library.tested:
            assert f"\n__ {library.name}/{row.name}.rst\n" in report
    tried = {f"{library.name}/{row.name}.rst" for library in view.libraries for row in library.tested}
    assert "django-websocket-redis/py27-django18.rst" in tried
    questions = {f"{library.name}/questions.rst" for library in view.libraries}
    assert {path for path in pages if "/" in path} == tried | questions


def test_sections_of_a_report(recorded, recorded_pages):
    """A library's report has the sections of a comparison report, and its contents name these and no cells."""
    for library in recorded.libraries:
        document = docutils.core.publish_doctree(recorded_pages[f"{library.name}.rst"])
        sections = [node for node in document.children if node.tagname == "section"]
        titles = [node.next_node(docutils.nodes.title).astext() for node in sections]
        if "Asked in depth" in titles:  # where something was
            assert titles.pop(4) == "Asked in depth"
        assert titles == ["Summary", "Installation", "Integration", "Compatibility", "Architecture", *titles[-2:]]
        assert titles[-2:] == ["Event-driven programming", "Documentation"]
        summary = [node.next_node(docutils.nodes.title).astext() for node in sections[0] if node.tagname == "section"]
        assert summary == [
            "Compatibility with Python and Django",
            *("Easy to install?", "Integration into a Django project?", "Thin or heavy architecture?"),
            *("Event-driven programming?", "Has documentation?", "Has unit tests?"),
        ]
        contents = next(document.findall(lambda node: node.tagname == "topic")).astext()
        assert not any(row.name in contents for row in library.rows)


def test_a_report_is_short(recorded, recorded_pages):
    """A report can be read: what is not of its pairs stands in pages of their own."""
    for library in recorded.libraries:
        assert recorded_pages[f"{library.name}.rst"].count("\n") < 900


@pytest.mark.parametrize("name", ["django-websocket-redis", "django-socketio"])
def test_pairs_in_full(recorded, recorded_pages, name):
    """The pairs that this project began with are shown in full: those of the label seeds."""
    library = next(each for each in recorded.libraries if each.name == name)
    labelled = {cell.name for cell in matrix.cells(["seeds"])}
    assert {row.name for row in library.in_full} == {row.name for row in library.rows if row.name in labelled}
    assert len(library.in_full) == 7
    for row in library.in_full:
        assert f"\n{row.name}\n^^^" in recorded_pages[f"{name}.rst"]


def test_oldest_and_newest_in_full(recorded):
    """Of other libraries the oldest and the newest pair of each server are shown in full."""
    library = next(each for each in recorded.libraries if each.name == "plain-asgi")
    for group in library.groups:
        shown = {row.name for row in library.in_full if row.served == group.name}
        assert shown == {group.tested[0].name, group.tested[-1].name}


def test_the_same_rows_are_not_repeated(recorded, recorded_pages):
    """Fifteen rows that are those of the section before are named and not shown again."""
    report = recorded_pages["django-websocket-redis.rst"]
    assert "The fifteen rows are those of `py27-django18`_, but for the latencies." in report
    assert report.count("=  ================\nChannel    From") <= len(recorded.libraries)


def test_where_each_works(recorded, recorded_pages):
    """The index says of each pair which libraries work there, the newest Django first."""
    table = tables.where_it_works(recorded)
    lines = [line.split() for line in table.splitlines() if line[:1].isdigit()]
    assert [line[0] for line in lines] == sorted((line[0] for line in lines), key=_version, reverse=True)
    assert table in recorded_pages["index.rst"]
    for row in recorded.rows:
        if row.verdict is Verdict.WORKS:
            letter = next(each.letter for each in recorded.libraries if each.name == row.result.library)
            assert any(letter in cell for line in lines if line[0] == row.cell.django for cell in line[1:])
    assert len({library.letter for library in recorded.libraries}) == len(recorded.libraries)


def test_what_works_with_pins_alone():
    """Where only the best known pins make a library work it does not stand among those that do."""
    failed, pinned = samples.of("py36-django32-pysocketio"), samples.of("py311-django52-channels4-pins")
    pinned = msgspec.structs.replace(
        pinned, cell=f"{failed.cell}-pins", library=failed.library, verdicts=samples.of("py27-django18").verdicts
    )
    failed = msgspec.structs.replace(failed, verdicts=samples.of("py313-django52").verdicts)
    rows = [Row(Cell.parse(each.cell), each) for each in (failed, pinned)]
    assert [row.verdict for row in rows] == [Verdict.DOES_NOT_WORK, Verdict.WORKS]
    table = tables.where_it_works(View([LibraryView(failed.library, rows)], []))
    assert "✗" in table


def _version(text: str) -> list[int]:
    return [int(part) for part in text.split(".")]


def test_what_was_repeated(tmp_path):
    """What had to be tried again is said in the report, and on the page of the cell."""
    reports = samples.write(tmp_path, "py27-django18")
    result = samples.of("py27-django18")
    varying = msgspec.structs.replace(result.varying, repeated=["runserver: the port was taken, another one was tried"])
    save_result(msgspec.structs.replace(result, varying=varying), reports.result("py27-django18"))
    pages = render(read_view(reports))
    for path in ("django-websocket-redis.rst", "django-websocket-redis/py27-django18.rst"):
        assert "Flaky:" in pages[path]
        assert "the port was taken, another one was tried" in pages[path]


def test_fifteen_rows(pages):
    """The page of a cell that works has the fifteen rows."""
    page = pages["django-websocket-redis/py27-django18.rst"]
    assert len([line for line in page.splitlines() if line.startswith(("broadcast ", "user ", "group "))]) == 15


def test_failure_shows_its_output(pages):
    """The page of a cell that does not work has its cause and the output that shows it."""
    page = pages["django-websocket-redis/py313-django52.rst"]
    assert "No module named 'django.utils.six'" in page
    assert "Traceback (most recent call last)" in page


@pytest.mark.parametrize(
    "cell",
    ["py27-django18", "py39-django22", "py313-django52", "py33-django19", "py36-django32-pysocketio"],
)
def test_hostile_result(cell, tmp_path):
    """Hostile text in every field of a result stays text in every report."""
    view = read_view(Reports(folder_of(tmp_path, cell)))
    pages = render(view)
    with checked(pages, view) as ended:
        ended()
    assert len(pages) == 4 + (cell != "py33-django19")
    for path, text in pages.items():
        document = docutils.core.publish_doctree(text, settings_overrides={"report_level": 5})
        nodes = list(document.findall(lambda node: node.tagname in ("raw", "reference", "footnote_reference")))
        assert nodes or path == "causes.rst"  # where there is none there is nothing to link to
        for node in nodes:
            assert "javascript" not in node.get("refuri", ""), node
            assert node.tagname == "reference", node
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_check_of_many(tmp_path):
    """Of many pages that are checked the wrong one is named."""
    pages = {f"{number}.rst": "Right.\n" for number in range(40)}
    view = read_view(samples.write(tmp_path, "py27-django18"))
    with checked(pages, view) as ended:
        ended()
    wrong = {**pages, "33.rst": "* a\nb\n"}
    with (
        checked(wrong, view) as ended,
        pytest.raises(HarnessError, match=r"docutils does not accept 33\.rst"),
    ):
        ended()


def test_wrong_prose(tmp_path, monkeypatch):
    """Prose that docutils does not accept is named."""
    view = read_view(samples.write(tmp_path, "py27-django18"))
    prose = {**view.libraries[0].prose, "installation": "* a\nb"}
    monkeypatch.setattr(LibraryView, "prose", prose)
    with (
        checked(render_prose(view), view) as ended,
        pytest.raises(HarnessError, match=r"does not accept django-websocket-redis\.rst"),
    ):
        ended()


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
    table = headline.table(view, Advisor(view), "reports/")
    assert not rst.problems(table)
    assert table.count('\n   "') == len(view.libraries)


def test_catches_in_the_headline(view):
    """A count of cells says how many have a catch, what is worst is named, and what is claimed and was not tested."""
    table = headline.table(view, Advisor(view))
    assert "4 of 7, 4 of them with a catch" in table
    assert "some texts do not get through (4 cells)" in table
    assert "(claims 1.5, 1.6, 1.7, not tested)" in table


def test_notes_of_a_grid(view):
    """The signs of a grid refer by number to what there is to beware of, and a list says what that is."""
    library = next(each for each in view.libraries if each.name == "django-websocket-redis")
    notes = Advisor(view).notes(library)
    assert [note.number for note in notes] == [1, 2, 3, 4]
    assert "`✓ 1,2,3,4`__" in tables.linked_grid(library, library.groups[0], Advisor(view))
    page = render(view)["django-websocket-redis.rst"]
    assert f"1. {rst.escape(notes[0].says)}." in page
    assert notes[0].says == "severe: somebody who is not logged in gets in, in 4 of 4 cells that were asked"


def test_grids(view):
    """The grids of a library have a sign for each cell, and nothing for pairs that are not in the matrix."""
    for library in view.libraries:
        grids = [tables.linked_grid(library, group, Advisor(view)) for group in library.groups]
        assert sum(grid.count(sign) for grid in grids for sign in "✓✗─") == len(library.rows)
        singles = tables.linked_singles(library, Advisor(view))
        assert sum(singles.count(sign) for sign in "✓✗─") == sum(len(group.rows) == 1 for group in library.groups)
        assert not any(map(rst.problems, [*grids, singles]))


def test_every_cell_is_recorded(recorded):
    """Each cell of the matrix has a recorded result that can be read, and no result is of a cell that is gone."""
    assert not recorded.damaged
    assert {row.cell for row in recorded.rows} == set(matrix.cells())


def test_pinned_beside_today(view):
    """A cell with the best known pins stands beside the one with what an installer resolves today."""
    table = tables.profiles(view, Advisor(view))
    pinned = [row.name for row in view.rows if row.result.profile == "pins"]
    assert pinned == ["py311-django52-channels4-pins", "py27-django18-socketio-pins"]
    assert all(name in table for name in pinned)


def test_what_pins_change_but_for_chance(tmp_path):
    """What comes by chance, in the cell as it is resolved or in the one with pins, is no work of the pins."""
    today, pinned = (samples.of(f"py311-django52-channels4{end}") for end in ("", "-pins"))
    way = today.variants[0]
    for reason, told in ((Reason.EXCHANGE_WRONG, True), (Reason.NOT_EVERY_TIME, False)):
        wrong = msgspec.structs.replace(way, judgement=Judgement.of(reason, "1 of 3 times: nothing came"))
        reports = samples.write(tmp_path / reason.name, *(each.cell for each in (today, pinned)))
        changed = msgspec.structs.replace(today, variants=[wrong, *today.variants[1:]])
        save_result(changed, reports.result(today.cell))
        made = read_view(reports)
        assert (way.name in tables.profiles(made, Advisor(made))) is told


def test_recorded_pins_have_reasons(recorded):
    """Whatever was held back in a recorded cell with the best known pins, it says why."""
    pinned = [row for row in recorded.rows if row.result.profile == "pins" and row.verdict is not Verdict.NOT_TESTED]
    assert pinned
    for row in pinned:
        assert row.result.installation is not None
        assert row.result.installation.pins
        assert all(pin.reason for pin in row.result.installation.pins)


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


def test_ranges(recorded):
    """What was tried and failed parts a range, and so does what was not tried between two versions that work."""
    libraries = {library.name: library for library in recorded.libraries}
    control = next(group for group in libraries["plain-asgi"].groups if group.name == "uvicorn")
    assert control.range_of("django") == "3.0 to 3.2, 4.2, 5.2 to 6.1"
    assert libraries["channels1"].groups[0].range_of("python").startswith("2.7, 3.6")


def test_library_without_cells_that_work():
    """Of a library with which nothing works there is no range."""
    assert LibraryView("nothing").range_of("python") == "none"
    assert LibraryView("nothing").median("bytes") is None


def test_of_somebodys_own_chat(tmp_path):
    """Reports about the chat of a scenario have its name in their titles, and no word of libraries or the fifteen."""
    reports, scenario = samples.write(tmp_path / "of", "py311-django52-channels4"), tmp_path / "chat.toml"
    scenario.write_text("")
    result = msgspec.structs.replace(samples.of("py311-django52-channels4"), library="own", cell="py311-django52-own")
    save_result(result, reports.result(result.cell))
    reports.result("py311-django52-channels4").unlink()
    own = read_view(reports, (scenario,))
    assert (own.own, own.question) == (True, "own on Python and Django: what works?")
    pages = render(own)
    assert pages["index.rst"].startswith("own on Python and Django: what works?\n=====")
    assert '"Messages right?": all messages reach exactly' in pages["own.rst"]
    for page in ("index.rst", "own.rst", "own/py311-django52-own.rst"):
        assert "Channels work?" not in pages[page]
        assert "fifteen messages" not in pages[page]
    assert b'name="own on Python and Django"' in junit_of(own)
