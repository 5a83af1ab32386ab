"""Names and cells belong together, one to one."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.cells import Cell, again, first_command
from harness.errors import UsageError

versions = st.builds(lambda major, minor: f"{major}.{minor}", st.integers(2, 3), st.integers(0, 40))
djangos = st.builds(lambda major, minor: f"{major}.{minor}", st.integers(1, 9), st.integers(0, 20))
suffixes = st.lists(st.text(string.ascii_lowercase + string.digits, min_size=1), max_size=3).map(tuple)


@given(versions, djangos, suffixes)
def test_name_and_back(python, django, suffix):
    """A cell's name gives the same cell again."""
    cell = Cell(python, django, suffix)
    assert Cell.parse(cell.name) == cell


#: Texts that are names, or nearly so: any other text hardly ever is one.
NEARLY = st.from_regex("py[0-9]{1,3}-django[0-9]{1,3}(-[a-z0-9]{0,4}){0,3}", fullmatch=True)


@given(st.one_of(NEARLY, st.text(string.ascii_lowercase + string.digits + "-.", max_size=30)))
@example("py27-django18-socketio-pins")
@example("py27-django18--pins")
@example("py47-django18")
def test_any_text(text):
    """A text is the name of exactly one cell, or is refused by name; nothing else is read out of it."""
    try:
        found = Cell.parse(text).name
    except UsageError as error:
        found = text if repr(text) in str(error) else ""
    assert found == text


@pytest.mark.parametrize(
    "name", ["py27-djang18", "py27", "django18", "py4-django18", "py27-django18-", "py27 -django18", ""]
)
def test_typing_errors(name):
    """What is nearly a name is no name."""
    with pytest.raises(UsageError):
        Cell.parse(name)


def test_order():
    """Cells are sorted by number, not by letter: 2.7, 3.9, 3.10."""
    names = ["py310-django42", "py39-django42", "py27-django110", "py27-django19"]
    assert [cell.name for cell in sorted(map(Cell.parse, names), key=lambda cell: cell.order)] == names[::-1]


def test_again(monkeypatch):
    """What measures a cell again is a command of tox, or of dtws where that keeps the environments."""
    monkeypatch.delenv("HARNESS_ENVIRONMENTS", raising=False)
    name = "py313-django60-chat-uvicorn"
    assert again(name) == f"tox -e {name}"
    assert again(name, "--probe", "load") == f"tox -e {name} -- --probe load"
    assert again(name, anew=True) == f"tox -r -e {name}"
    assert first_command() == "tox -m quick"
    monkeypatch.setenv("HARNESS_ENVIRONMENTS", ".dtws")
    measured = "dtws run --python 3.13 --django 6.0 --server uvicorn"
    assert again(name, "--probe", "load") == f"{measured} --probe load"
    assert again(name, anew=True) == f"rm -r .dtws/{name}; {measured}"
    assert again("no-cell") == "dtws run"
    monkeypatch.setenv("HARNESS_ENVIRONMENTS", "sub/.dtws")
    assert again("py313-django60-chat") == "dtws run sub --python 3.13 --django 6.0"
    monkeypatch.setenv("HARNESS_ENVIRONMENTS", ".dtws")
    assert first_command() == "dtws run"
