"""The tables of deep sets: worst first, with what was seen instead, and an address for each question."""

from __future__ import annotations

import pytest
import samples
from made import deep_set

from harness.report import deep, render, rst
from harness.report.view import read_view
from harness.results import deep as model
from harness.results.deep import DeepSet
from harness.results.folder import Reports
from harness.results.result import Finding

CELLS = ("py310-django52-channels4", "py311-django52-channels4", "py311-django52-asgi")


def finding(question: str, seen: str = "yes", good: bool | None = True) -> Finding:
    return Finding(question=question, expected="yes", seen=seen, good=good)


def answered(cell: str, name: str, *findings: Finding) -> DeepSet:
    library = "plain-asgi" if cell.endswith("asgi") else "channels4"
    return deep_set(cell, name, findings, library=library, server="uvicorn")


@pytest.fixture
def reports(tmp_path) -> Reports:
    return samples.write(tmp_path, *CELLS)


@pytest.fixture
def view(reports):
    """Two cells of one library and one of another, and what each answered to deep sets."""
    first, second, third = (row.name for row in read_view(reports).rows)
    fine = finding("Is it fine?")
    sometimes = (finding("Is it kept?"), finding("Is it kept?", "is lost | *now*", good=False))
    never = finding("Is it told?", "nothing is", good=False)
    unknown = finding("Does it apply?", "does not apply", good=None)
    by_library: dict[str, list[str]] = {}
    for row in read_view(reports).rows:
        by_library.setdefault(row.result.library, []).append(row.name)
    (one, two), (three,) = sorted(by_library.values(), key=len, reverse=True)
    model.save(reports, answered(one, "endings", fine, sometimes[0], never, unknown))
    model.save(reports, answered(two, "endings", fine, sometimes[1], never, unknown))
    model.save(reports, answered(three, "endings", fine, finding("Is it kept?")))
    model.save(reports, answered(three, "leaks", fine))
    assert {first, second, third} == {one, two, three}
    return read_view(reports)


def library_of(view, cells: int):
    return next(library for library in view.libraries if len(library.rows) == cells)


def test_worst_first(view):
    """What no cell answers as expected comes before what some do, and that before the rest."""
    ((name, asked),) = deep.sets(library_of(view, 2))
    assert name == "endings"
    assert [each.question for each in asked] == ["Is it told?", "Is it kept?", "Is it fine?", "Does it apply?"]
    assert [(each.good, len(each.bad)) for each in asked] == [(0, 2), (1, 1), (2, 0), (0, 0)]


def test_all_questions(view):
    """Each question has an address, what was expected and seen, and in how many cells it was as expected."""
    ((name, asked),) = deep.sets(library_of(view, 2))
    lines = deep.questions(asked, name).splitlines()
    assert lines[4:] == [
        r'   "_`endings-told` `¶ <endings-told_>`__","Is it told?","yes","nothing is","✗ No (0 of 2)"',
        r'   "_`endings-kept` `¶ <endings-kept_>`__","Is it kept?","yes","is lost \| \*now\*","✗ No (1 of 2)"',
        r'   "_`endings-fine` `¶ <endings-fine_>`__","Is it fine?","yes","yes","✓ Yes (2 of 2)"',
        r'   "_`endings-does-apply` `¶ <endings-does-apply_>`__","Does it apply?","yes","does not apply","─ (0 of 0)"',
    ]


def test_who_decides(reports):
    """Where it is said whose default or code decides, a column says it; without, there is none."""
    cell = read_view(reports).rows[0].name
    mine = Finding(question="Is it shut?", expected="yes", seen="no", good=False, decided_by="project")
    model.save(reports, answered(cell, "sessions", mine, finding("Is it fine?")))
    ((name, asked),) = deep.sets(next(each for each in read_view(reports).libraries if deep.was_asked(each)))
    table = deep.questions(asked, name)
    assert '"Decided by"' in table
    assert '"no","this project","✗ No (0 of 1)"' in table
    assert '"yes","","✓ Yes (1 of 1)"' in table


def test_summary(view):
    """A library's page has a line for each set, with the worst of what is not as expected."""
    assert '"3 of 6"' in deep.summary(library_of(view, 2))
    assert "Is it told?: nothing is; Is it kept?: is lost" in deep.summary(library_of(view, 2))
    assert deep.summary(library_of(view, 1)).count('"none"') == 2


def test_in_every_cell(view):
    """On the site a library's sets are counted in questions that every cell answers as expected."""
    told = {title.partition(":")[0]: counted for title, counted, _ in deep.in_every_cell(library_of(view, 2))}
    assert told["Endings"] == "1 of 3"


def test_overview(view):
    """The report of all has each set with its libraries, the one with the most unexpected answers first."""
    lines = deep.overview(view).splitlines()[4:]
    assert [line.split('"')[1] for line in lines] == ["Endings", "Endings", "Leaks"]
    assert "3 of 6" in lines[0]
    assert "2 of 2" in lines[1]


def test_many_bad_answers(reports):
    """Of many bad answers the first are named, and the others counted."""
    cell = read_view(reports).rows[0].name
    model.save(reports, answered(cell, "faults", *(finding(f"Is {number}?", "no", good=False) for number in range(9))))
    library = next(library for library in read_view(reports).libraries if deep.was_asked(library))
    assert "; and 6 more" in deep.summary(library)


def test_rendered(view):
    """Everything that is rendered with deep sets passes docutils at its strictest, and has the tables."""
    pages = render.render(view)
    assert not [found for path, text in pages.items() if (found := rst.problems(text, path))]
    assert "Asked in depth" in pages["index.rst"]
    assert "endings-told" in "".join(text for path, text in pages.items() if path.endswith("questions.rst"))


def test_none(reports):
    """Without deep sets nothing of them is rendered."""
    view = read_view(reports)
    assert not deep.was_asked(view)
    assert not any("Asked in depth" in text for text in render.render(view).values())


def test_damaged(reports):
    """A damaged set is named, and the rest is shown."""
    cell = read_view(reports).rows[0].name
    reports.deep(cell).mkdir(parents=True)
    (reports.deep(cell) / "endings.json").write_text("{")
    view = read_view(reports)
    assert [str(error) for error in view.damaged if "endings.json is no finished set" in str(error)]
    assert len(view.rows) == len(CELLS)


def test_the_worst_kinds(reports, view):
    """A library's page begins with its worst kinds of answers, each with its worst question and a known issue."""
    library = library_of(view, 2)
    library.prose["known"] = {"bursts": "owner/name#12"}
    one, two = (row.name for row in library.rows)
    bad = [finding(f"After {what}: does it hear?", "yes", good=False) for what in ("a logout", "a change")]
    lost = finding("300 messages by one handler: the others", "some are lost", good=False)
    model.save(reports, answered(one, "sessions", *bad))
    model.save(reports, answered(two, "sessions", bad[0], finding(bad[1].question)))
    model.save(reports, answered(two, "amounts", lost))
    again = library_of(read_view(reports), 2)
    again.prose["known"] = library.prose["known"]
    lines = deep.worst(again).splitlines()[4:]
    assert lines == [
        '   "After a logout: does it hear?; and 1 more of the kind","yes","yes","2 of 2","\\ ─"',
        (
            '   "300 messages by one handler: the others","yes","some are lost","1 of 1",'
            '"`owner/name#12 <https://github.com/owner/name/issues/12>`__"'
        ),
        '   "Is it told?; and 1 more of the kind","yes","nothing is","2 of 2","\\ ─"',
    ]


def test_blocking(reports, view):
    """What one busy handler does to the others is told for each kind of handlers, under the servers that have them."""
    library = library_of(view, 2)
    one = library.rows[0]
    trips = "another member's round trips"
    model.save(
        reports,
        answered(
            one.name,
            "blocking",
            finding(f"While a handler awaits for 2 s: {trips}", "less than 0.5 s"),
            finding(f"While a handler blocks for 2 s: {trips}", "up to 2 s", good=False),
            finding(f"While a handler blocks for 2 s: {trips} (sync)", "up to 3 s", good=False),
        ),
    )
    found = read_view(reports)
    library_of(found, 2).prose["handlers"] = [
        {"says": "coroutines"},
        {"says": "functions", "way": "sync"},
        {"says": "elsewhere", "server": "another"},
    ]
    title = library.title
    assert deep.blocking(found).splitlines()[4:] == [
        f'   "{title}","coroutines","less than 0.5 s","up to 2 s","\\ ─","1"',
        f'   "{title}","functions","\\ ─","up to 3 s","\\ ─","1"',
    ]
