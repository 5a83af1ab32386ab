"""What turned an answer is found among days, packages and releases, with few trials, whatever cannot be tried."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.causes import search
from harness.causes.search import NoSearch, Tried

BEGIN = date(2026, 1, 1)


class Index:
    """Packages whose releases have days: release *n* of each is called ``n.0``; what is *bad* is told by versions."""

    def __init__(self, releases: dict[str, list[int]], bad) -> None:
        self.releases, self.bad = releases, bad
        self.resolved = 0
        self.tried = Tried(bad)

    def resolve(self, day: date) -> dict[str, str]:
        self.resolved += 1
        number = (day - BEGIN).days
        return {name: f"{sum(at <= number for at in days)}.0" for name, days in self.releases.items()}

    def turn(self, days: int) -> search.Turn:
        return search.over_days(self.resolve, self.tried, BEGIN, BEGIN + timedelta(days=days))


def test_one_guilty_release():
    """One guilty release among 24 packages in 200 days takes at most 20 resolutions and 14 trials."""
    releases = {f"package{number}": list(range(number, 200, 24)) for number in range(24)}
    index = Index(releases, lambda versions: float(versions["package7"]) >= 5.0)
    turn = index.turn(200)
    assert (turn.bad_day - turn.good_day).days == 1
    assert (turn.good["package7"], turn.bad["package7"]) == ("4.0", "5.0")
    good, bad = index.resolve(BEGIN), index.resolve(BEGIN + timedelta(days=200))
    changed = [name for name in bad if turn.good[name] != turn.bad[name]]
    assert search.guilty(good, turn.bad, index.tried, changed) == ["package7"]
    assert good["package7"] != bad["package7"]
    assert index.resolved - 2 <= 20
    assert len(index.tried.known) <= 14


def test_guilty_together():
    """Two releases that are bad only together are both named, though one of them came long before."""
    releases = {f"package{number}": [10 * number + 5] for number in range(12)}
    index = Index(releases, lambda versions: versions["package2"] == versions["package9"] == "1.0")
    turn = index.turn(150)
    assert turn.bad_day == BEGIN + timedelta(days=95)
    good = index.resolve(BEGIN)
    assert search.guilty(good, turn.bad, index.tried, ["package9"]) == ["package2", "package9"]


@given(st.integers(1, 12), st.data())
def test_any_guilty_packages(number, data):
    """Whichever packages are guilty together, those are found, and no other."""
    names = [f"package{each:02}" for each in range(number)]
    guilty = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True))
    good, bad = dict.fromkeys(names, "1.0"), dict.fromkeys(names, "2.0")
    tried = Tried(lambda versions: all(versions[name] == "2.0" for name in guilty))
    assert sorted(search.guilty(good, bad, tried)) == sorted(guilty)


def test_packages_that_come_and_go():
    """A package that is new, and one that is gone, can be guilty as well."""
    good, bad = {"kept": "1.0", "gone": "1.0"}, {"kept": "1.0", "new": "1.0"}
    assert search.guilty(good, bad, Tried(lambda versions: "new" in versions)) == ["new"]
    assert search.guilty(good, bad, Tried(lambda versions: "gone" not in versions)) == ["gone"]


def test_what_cannot_be_tried():
    """What cannot be installed in the company of the others takes nothing away, and accuses nobody."""
    good, bad = {"a": "1", "b": "1", "c": "1"}, {"a": "2", "b": "2", "c": "2"}

    def trial(versions) -> bool | None:
        if versions["a"] != versions["b"]:
            return None  # they belong together
        return versions["a"] == "2"

    assert search.guilty(good, bad, Tried(trial)) == ["a", "b"]


def test_days_that_cannot_be_tried():
    """Days on which nothing can be installed are passed over."""
    index = Index({"package": [40]}, lambda versions: versions["package"] == "1.0")
    resolve = index.resolve

    def with_gaps(day: date):
        return None if day.day in (1, 2, 3) and day != BEGIN else resolve(day)

    turn = search.over_days(with_gaps, index.tried, BEGIN, BEGIN + timedelta(days=100))
    assert (turn.good["package"], turn.bad["package"]) == ("0.0", "1.0")
    assert turn.bad_day == BEGIN + timedelta(days=40)


@pytest.mark.parametrize("turned", [20, 170])
def test_many_days_that_cannot_be_tried(turned):
    """A row of 120 days of 200 that cannot be tried is not asked day by day."""
    releases = {"package": [turned], **{f"other{number}": [number] for number in range(1, 200)}}

    def trial(versions) -> bool | None:
        number = sum(version == "1.0" for name, version in versions.items() if name != "package")
        return None if 40 <= number < 160 else versions["package"] == "1.0"

    index = Index(releases, trial)
    turn = index.turn(200)
    assert (turn.good_day, turn.bad_day) == (BEGIN + timedelta(days=turned - 1), BEGIN + timedelta(days=turned))
    assert len(index.tried.known) <= 30
    assert index.resolved <= 30


@pytest.mark.parametrize(
    ("first", "last", "bad", "said"),
    [
        (10, 10, True, "2026-01-11 does not come before 2026-01-11"),
        (10, 20, True, "the same is installed as of 2026-01-11 and as of 2026-01-21"),
        (10, 60, True, "as of 2026-01-11 the answer is bad, and not good"),
        (10, 60, False, "as of 2026-03-02 the answer is good, and not bad"),
        (10, 60, None, "as of 2026-01-11 the answer is not to be had, and not good"),
    ],
)
def test_no_ends(first, last, bad, said):
    """Two ends that are not a good one and then a bad one are told apart, each for what it is."""
    index = Index({"package": [40]}, lambda versions: bad)
    with pytest.raises(NoSearch, match=f"^{said}$"):
        search.over_days(index.resolve, index.tried, BEGIN + timedelta(days=first), BEGIN + timedelta(days=last))


def test_nothing_differs():
    """Between the same versions there is nobody to accuse."""
    with pytest.raises(NoSearch, match="the same versions are good and bad"):
        search.guilty({"a": "1"}, {"a": "1"}, Tried(lambda versions: True))


@given(st.integers(2, 60), st.data())
def test_releases(number, data):
    """The first bad release is found with a trial for each halving, whichever it is."""
    turned = data.draw(st.integers(1, number - 1))
    asked: list[str] = []

    def is_bad(release: str) -> bool:
        asked.append(release)
        return int(release) >= turned

    releases = [str(each) for each in range(number)]
    assert search.first_bad(releases, is_bad) == (str(turned - 1), str(turned))
    assert len(asked) <= number.bit_length()


def test_releases_that_cannot_be_tried():
    """A release that cannot be installed is passed over, and is neither good nor bad."""
    found = search.first_bad(list("0123456789"), lambda release: None if release in "456" else release >= "7")
    assert found == ("3", "7")
