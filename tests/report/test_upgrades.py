"""Ways to a newer Python and Django through cells that work, each step of which changes one thing."""

from __future__ import annotations

import msgspec
import pytest
import samples
from advised import IDLE, advisor, pin, works
from made import alike

from harness.cells import Cell
from harness.report.advice import Advisor
from harness.report.row import Row
from harness.report.upgrades import Steps, Upgrades, Way
from harness.report.view import LibraryView, View
from harness.results.result import Finding, Judgement, Result
from harness.verdict import Reason


def judged(cell: str, reason: Reason = Reason.WORKS) -> Result:
    judgement = Judgement.of(reason)
    verdicts = alike(judgement)
    parts = Cell.parse(cell).name.split("-")
    server = "uwsgi" if "uwsgi" in parts else samples.of(cell).server
    return msgspec.structs.replace(samples.of(cell), verdicts=verdicts, server=server)


def upgrades(start: str, *cells: str, fails: tuple[str, ...] = ()) -> Upgrades:
    rows: dict[str, list[Row]] = {}
    for name in (start, *cells, *fails):
        result = judged(name, Reason.EXCHANGE_WRONG if name in fails else Reason.WORKS)
        if name not in {row.name for of_it in rows.values() for row in of_it}:
            rows.setdefault(result.library, []).append(Row(Cell.parse(name), result))
    view = View([LibraryView(name, of_it) for name, of_it in rows.items()], [])
    return Upgrades(Steps(view, Advisor(view)), next(row for row in view.rows if row.name == start))


def told(way: Way) -> list[str] | None:
    return None if way.moves is None else [f"{move.change}: {move.after.name}" for move in way.moves]


def test_versions_alone():
    """Where the same library and server go on working a way asks nothing, and goes through what was measured."""
    found = upgrades("py36-django20", "py36-django21", "py36-django22", "py37-django22")
    assert told(found.to("3.7", "2.2")) == [
        "Django 2.0 → 2.1: py36-django21",
        "Django 2.1 → 2.2: py36-django22",
        "Python 3.6 → 3.7: py37-django22",
    ]
    assert found.to("3.7", "2.2").asks == "nothing"


def test_nothing_is_stepped_over_that_fails():
    """No step leads through a cell that does not work, nor changes Python and Django at once."""
    found = upgrades("py36-django21", "py37-django22", fails=("py36-django22", "py37-django21"))
    way = found.to("3.7", "2.2")
    assert (way.python, way.django, way.moves) == ("3.7", "2.2", None)
    works = "django-websocket-redis under runserver works there, and no measured step leads to it"
    assert way.asks == f"everything at once: {works}"
    assert way.ends_in.name == "py37-django22"
    assert found.to("3.7", "3.2").asks == "no measured step leads there"


def test_the_better_of_other_libraries():
    """Where another library has to be taken, it is the one that ranks best on the pair, not the first by name."""
    cells = ("py311-django32", "py311-django42-channels3", "py311-django42-channels4")
    found = upgrades("py311-django22", *cells, "py311-django32-channels3", "py311-django32-channels4")
    asks = found.to("3.11", "4.2").asks
    assert "channels4" in asks
    assert "channels3" not in asks


def test_another_server_before_another_library():
    """A server is changed where that is enough; a library only where nothing else leads there."""
    found = upgrades(
        "py36-django22",
        *("py36-django22-uwsgi", "py36-django32-uwsgi", "py36-django22-channels3", "py36-django32-channels3"),
        "py36-django40-channels3",
    )
    assert told(found.to(django="3.2")) == [
        "uwsgi instead of runserver: py36-django22-uwsgi",
        "Django 2.2 → 3.2: py36-django32-uwsgi",
    ]
    assert found.to(django="4.0").asks == "channels3 under runserver instead of django-websocket-redis"


def test_a_release_is_not_left_out():
    """From another library one goes to the nearest of its releases: each that is skipped is rewriting as well."""
    found = upgrades(
        "py38-django22",
        *(f"py38-django22-channels{number}" for number in (2, 3)),
        *(f"py38-django32-channels{number}" for number in (2, 3, 4)),
        "py38-django42-channels4",
    )
    assert found.to(django="4.2").asks == ("channels4 under runserver instead of django-websocket-redis")


def test_the_same_library_all_at_once():
    """Where a way ends with another library, and the same one works there as well, that is said beside it."""
    cells = ("py36-django22-channels3", "py37-django22-channels3", "py37-django32-channels3", "py37-django32")
    found = upgrades("py36-django22", *cells)
    assert found.to(django="3.2").asks == (
        "channels3 under runserver instead of django-websocket-redis; "
        "or all at once: django-websocket-redis under runserver works in py37-django32"
    )


def test_the_same_library_on_another_django():
    """Where the same library works on that Python with another Django alone, that is said with it."""
    cells = ("py36-django22-channels3", "py37-django22-channels3", "py37-django32")
    asked = upgrades("py36-django22", *cells).to("3.7").asks
    assert asked.endswith("works in py37-django32, on Python 3.7 and Django 3.2")


def test_each_pair_once():
    """A pair that is the way to a Django and to a Python is told once."""
    ways = list(upgrades("py36-django22", "py36-django32", "py37-django32").onwards())
    assert sorted((way.python, way.django) for way in ways) == [("3.6", "3.2"), ("3.7", "3.2")]


def test_pins():
    """The best known pins are a step of their own, and the least of them."""
    found = upgrades(
        "py311-django51-channels4",
        *("py311-django51-channels4-pins", "py311-django52-channels4-pins"),
    )
    (first, second) = found.to("3.11", "5.2").moves
    assert (first.change, first.of_chat) == ("the pins redis<8", True)
    assert (second.change, second.of_chat) == ("Django 5.1 → 5.2", False)


def test_from_what_does_not_work():
    """From a cell that does not work a way leads by what does on its pair, or by versions alone where these mend it."""
    found = upgrades("py311-django42", "py311-django42-uwsgi", "py311-django52-uwsgi", fails=("py311-django42",))
    assert told(found.to("3.11", "5.2"))[0] == "uwsgi instead of runserver: py311-django42-uwsgi"
    mended = upgrades("py311-django42", "py311-django52", fails=("py311-django42",)).to("3.11", "5.2")
    assert (told(mended), mended.asks) == (["Django 4.2 → 5.2: py311-django52"], "nothing")
    assert told(found.to("3.11", "4.2")) == ["uwsgi instead of runserver: py311-django42-uwsgi"]


def test_to_a_server_for_development():
    """Nobody is led from a server that is deployed to one for development without a word, and the reason for it."""
    daphne, newer = "py313-django52-channels4-daphne", "py313-django60-channels4"
    found = upgrades(daphne, "py313-django52-channels4", newer)
    assert found.to("3.13", "6.0").asks == (
        "runserver (for development alone) instead of daphne; daphne is not known to work there"
    )
    assert "daphne" not in upgrades(daphne, f"{newer}-daphne").to("3.13", "6.0").asks


def test_onwards_and_newest():
    """Each newer Django and each newer Python has a way or is said to have none; the newest pair comes last of all."""
    found = upgrades("py36-django22", "py37-django22", "py37-django32", fails=("py38-django32",))
    assert [(way.python, way.django, way.moves is None) for way in found.onwards()] == [
        ("3.7", "3.2", False),
        ("3.7", "2.2", False),
        ("3.8", "2.2", True),
    ]
    assert (found.newest().python, found.newest().django) == ("3.7", "3.2")
    assert found.newest().ends_in.name == "py37-django32"


def test_there_is_nothing_newer():
    """The newest cell of all has no way on, and is where it is."""
    found = upgrades("py37-django22", "py36-django22")
    assert list(found.onwards()) == []
    assert (found.newest().moves, found.newest().ends_in) == ([], None)


@pytest.mark.parametrize(("python", "django"), [("3.6", ""), ("", "2.2"), ("3.6", "2.2")])
def test_where_one_is(python, django):
    """To where one is no step is needed."""
    assert upgrades("py36-django22", "py37-django22").to(python, django).moves == []


def test_nothing_older_is_proposed():
    """Where no step leads on, a cell with an older Python or Django is no upgrade either."""
    found = upgrades("py38-django111-channels1", "py37-django20-channels2", "py39-django22")
    assert found.to(django="2.0") == Way("3.8", "2.0", None)
    assert found.to(django="2.2").ends_in.name == "py39-django22"


def test_what_takes_a_new_catch_away():
    """A way asks for the pin that takes a catch away where it ends, unless that was needed before as well."""
    start, end = works("py39-django42-channels4"), works("py310-django42-channels4", IDLE, cures=[pin()])
    start.probes[0].findings.append(Finding(question=IDLE, expected="stays open", seen="stays open", good=True))
    asked = "install redis<8, or idle connections are closed"
    for first, asks in ((start, asked), (works(start.cell, IDLE, cures=[pin()]), "nothing")):
        made = advisor(first, end)
        found = Upgrades(Steps(made.view, made), next(row for row in made.view.rows if row.name == start.cell))
        assert found.to("3.10", "4.2").asks == asks
    made = advisor(works("py39-django32-channels3"), end)
    found = Upgrades(Steps(made.view, made), next(row for row in made.view.rows if "channels3" in row.name))
    assert found.to("3.10", "4.2").asks.endswith(f"works there, and no measured step leads to it; {asked}")
