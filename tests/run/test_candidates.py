"""Candidates: what each is called, what is installed for it, and what of it cannot be measured."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from harness.cells import Cell
from harness.errors import UsageError
from harness.libraries import registry
from harness.run import candidates
from harness.run.candidates import Asked

CELL = Cell.parse("py313-django60-channels4-daphne")


class Place:
    """The environment of a cell, and a folder with a Channels of one's own; no environment is made."""

    def __init__(self, folder: Path) -> None:
        self.python = folder / "cell" / "bin" / "python"
        self.python.parent.mkdir(parents=True)
        base = {"Django": "6.0.10", "coverage": "7.17.3", "asgiref": "3.13.0"}
        (folder / "cell" / ".harness-base.json").write_text(json.dumps(base))
        self.channels = folder / "channels"
        self.channels.mkdir()
        (self.channels / "pyproject.toml").write_text('[project]\nname = "channels"\n')
        self.made: list[tuple[Path, list[str], bool]] = []
        self.options: list[str] = []

    def make(self, base, folder, requirements, env, options=(), anew=False) -> Path:
        assert base == self.python
        self.made.append((folder, list(requirements), anew))
        self.options = list(options)
        return folder / "bin" / "python"

    def prepare(self, *requirements: str, cell: Cell = CELL, **asked):
        setup = registry.setup_for(cell, registry.discover(()))
        return candidates.prepare(cell, setup, self.python, Asked(requirements, **asked))


@pytest.fixture
def place(tmp_path, monkeypatch) -> Place:
    made = Place(tmp_path)
    monkeypatch.setattr(candidates.own, "make", made.make)
    return made


def test_a_folder(place):
    """A folder takes the place of the library's requirement, keeps its extras, and is looked at anew each time."""
    found = place.prepare(str(place.channels))
    assert found.setup.requirements(CELL) == [
        *("channels_redis", "daphne"),
        f"channels[daphne] @ {place.channels.as_uri()}",
    ]
    profile = found.candidate.profile
    assert (profile[:-6], found.candidate.requirements) == ("with-channels-", ["channels"])
    assert found.candidate.origins == {"channels": "a folder without a commit"}
    ((folder, wanted, anew),) = place.made
    assert folder == place.python.parent.parent / "candidates" / profile
    assert (sorted(wanted), anew) == (["Django==6.0.10", "coverage==7.17.3"], True)
    assert found.python == folder / "bin" / "python"


def test_a_release(place):
    """A release candidate of something that the library brings along is asked for as well."""
    found = place.prepare("redis==9.0rc1")
    assert found.setup.requirements(CELL)[-1] == "redis==9.0rc1"
    assert "channels[daphne]>=4,<5" in found.setup.requirements(CELL)
    assert found.candidate.profile == "with-redis-9.0rc1"
    assert (found.options, place.made[0][2]) == ((), False)


@pytest.mark.parametrize(
    ("django", "requirement", "profile", "anew"),
    [
        ("6.2a1", "Django==6.2a1", "django-6.2a1", False),
        ("main", "Django @ https://github.com/django/django/archive/refs/heads/main.tar.gz", "django-main", True),
    ],
)
def test_a_django(place, django, requirement, profile, anew):
    """Another Django takes the place of the cell's own in an environment of its own; what moves is looked at anew."""
    found = place.prepare(django=django)
    assert (place.made[0][1], place.made[0][2]) == (["coverage==7.17.3", requirement], anew)
    assert (found.candidate.django, found.candidate.profile) == (django, profile)


def test_no_django(place):
    """Something else is no Django, and a Django is not asked for in any other way."""
    with pytest.raises(UsageError, match="is no Django"):
        place.prepare(django=str(place.channels))
    with pytest.raises(UsageError, match="Django is part of the cell's name"):
        place.prepare("django==6.1")


def test_a_day_of_the_past(place):
    """Of a day of the past everything is taken but what tox asks for, also what Django brings along."""
    found = place.prepare(as_of=date(2024, 6, 1))
    today = str(date.today())
    held = [each for name in ("django", "coverage") for each in ("--exclude-newer-package", f"{name}={today}")]
    assert list(found.options) == place.options == ["--exclude-newer", "2024-06-01", *held]
    assert place.made[0][1] == ["Django==6.0.10", "coverage==7.17.3"]
    assert (found.candidate.profile, found.candidate.as_of) == ("as-of-2024-06-01", "2024-06-01")


def test_a_day_to_come(place):
    """Of a day to come nothing is known."""
    with pytest.raises(UsageError, match="is in the future"):
        place.prepare(as_of=date.today() + timedelta(days=1))


def test_nothing_is_resolved_any_more(place):
    """Below Python 3.6 nothing is resolved any more, and it says so."""
    cell = Cell.parse("py27-django111-channels1")
    with pytest.raises(UsageError, match=r"nothing is resolved for Python 2\.7 any more"):
        place.prepare("channels==1.1.8", cell=cell)


def test_all_together(place):
    """Everything that was asked for is in the name."""
    asked = Asked(("redis==8.0", "channels==4.2"), "6.1", date(2026, 1, 1))
    assert asked.options == "--with redis==8.0 --with channels==4.2 --django 6.1 --as-of 2026-01-01"
    found = place.prepare("redis==8.0", "channels==4.2", django="6.1", as_of=date(2026, 1, 1))
    assert found.candidate.profile == "with-redis-8.0-with-channels-4.2-django-6.1-as-of-2026-01-01"
    assert not Asked()


def test_any_cell(place):
    """A cell that is not in the matrix is kept apart as it is; with something else in it that is the name."""
    found = place.prepare(any_cell=True)
    assert (found.candidate.profile, found.python, place.made) == ("any", place.python, [])
    assert place.prepare("redis==8.0", any_cell=True).candidate.profile == "with-redis-8.0"
    assert Asked(any_cell=True).options == "--any"


def test_names_that_tell_apart(place, tmp_path):
    """What is not the same has folders of its own; an address has no secret in its name, nor in what is told."""
    names = {place.prepare(each).candidate.profile for each in ("redis<8", "redis>=8", "redis==8")}
    assert len(names) == 3
    other = tmp_path / "other" / "channels"
    other.mkdir(parents=True)
    (other / "pyproject.toml").write_text('[project]\nname = "channels"\n')
    assert place.prepare(str(other)).candidate.profile != place.prepare(str(place.channels)).candidate.profile
    told = place.prepare("redis @ https://me:SECRET@example.org/redis.tar.gz").candidate
    assert "SECRET" not in repr(told)
    assert told.origins == {"redis @ https://example.org/redis.tar.gz": "https://example.org/redis.tar.gz"}


def test_one_project_asked_for_twice(place):
    """Of what is asked for several times all holds; what is to be had in a place of its own is asked for once."""
    found = place.prepare("redis<8", "redis>=6")
    assert [each for each in found.setup.requirements(CELL) if "redis" in each][-1] == "redis<8,>=6"
    with pytest.raises(UsageError, match="channels is asked for several times"):
        place.prepare(str(place.channels), "channels>=4")


def test_not_for_this_python(place):
    """What asks for nothing on the cell's Python is refused: nothing else than what is released would be measured."""
    with pytest.raises(UsageError, match="asks for nothing on Python 3"):
        place.prepare("redis<8; python_version<'3.8'")
    assert place.prepare("redis<8; python_version>'3.8'")


def test_a_folder_called_main(place, tmp_path):
    """A folder of Django that is called ``main`` is not the development of Django."""
    folder = tmp_path / "main"
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[project]\nname = "Django"\n')
    profiles = {place.prepare(django=each).candidate.profile for each in ("main", str(folder))}
    assert len(profiles) == 2
    assert "django-main" in profiles
