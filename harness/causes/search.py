"""Find what turned an answer, with as few trials as can be: over days, then packages, then releases.

Nothing here resolves, installs or runs: how that is done is handed in. A trial answers whether a set of versions is
bad; None stands for one that cannot be installed or asked.

Source of the reduction to packages: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

#: Names of distributions → versions.
Versions = Mapping[str, str]
#: Tells whether versions are bad; None where they cannot be tried.
Trial = Callable[[Versions], bool | None]


class NoSearch(Exception):
    """There is nothing to search between; the message says why."""


def key_of(versions: Versions) -> frozenset[tuple[str, str]]:
    """Return what *versions* are known by."""
    return frozenset(versions.items())


def changed(good: Versions, bad: Versions) -> list[str]:
    """Return the names of what differs between two sets of versions, in their order."""
    return sorted(name for name in {*good, *bad} if good.get(name) != bad.get(name))


@dataclass
class Tried:
    """Tries versions, and each only once."""

    trial: Trial
    #: What is known, in the order in which it was tried.
    known: dict[frozenset[tuple[str, str]], bool | None] = field(default_factory=dict)

    def __call__(self, versions: Versions) -> bool | None:
        key = key_of(versions)
        if key not in self.known:
            self.known[key] = self.trial(versions)
        return self.known[key]


@dataclass(frozen=True)
class Turn:
    """Two neighbouring days, and what is installed on each: the answer is good on the first, and bad on the second."""

    good_day: date
    good: Versions
    bad_day: date
    bad: Versions


def over_days(resolve: Callable[[date], Versions | None], tried: Tried, good_day: date, bad_day: date) -> Turn:
    """Return the neighbouring days between which the answer turned.

    *resolve* returns what is installed on a day; None where nothing can be. Days with the same versions are one.

    Raises:
        NoSearch: the two ends are not a good and a bad one.
    """
    on = cache(resolve)

    def bad_on(day: date) -> bool | None:
        versions = on(day)
        return None if versions is None else tried(versions)

    if good_day >= bad_day:
        raise NoSearch(f"{good_day} does not come before {bad_day}")
    first, last = on(good_day), on(bad_day)
    if first is None or last is None:
        raise NoSearch(f"nothing can be installed as of {good_day if first is None else bad_day}")
    if first == last:
        raise NoSearch(f"the same is installed as of {good_day} and as of {bad_day}")
    for day, wanted in ((good_day, False), (bad_day, True)):
        if bad_on(day) is not wanted:
            raise NoSearch(f"as of {day} the answer is {_word(bad_on(day))}, and not {_word(wanted)}")
    low, high, silent = good_day, bad_day, set[date]()
    while (middle := _between(low, high, bad_on, silent)) is not None:
        low, high = (low, middle) if bad_on(middle) else (middle, high)
    good, bad = on(low), on(high)
    assert good is not None
    assert bad is not None
    return Turn(low, good, high, bad)


def _between(low: date, high: date, bad_on: Callable[[date], bool | None], silent: set[date]) -> date | None:
    """Return the day nearest to the middle of the two that can be tried; None where none is found.

    Days that cannot be tried come in rows, whose two ends are looked for by halving. They are added to *silent*, of
    which none is asked.
    """
    middle = low + (high - low) / 2
    days = [low + timedelta(days=number) for number in range(1, (high - low).days)]
    while days := [day for day in days if day not in silent]:
        day = min(days, key=lambda each: abs(each - middle))
        if bad_on(day) is not None:
            return day
        first, last = (_end_of_row(edge, day, bad_on) for edge in (low, high))
        silent.update(first + timedelta(days=number) for number in range(1, (last - first).days))
    return None


def _end_of_row(day: date, silent: date, bad_on: Callable[[date], bool | None]) -> date:
    """Return the last day from *day*, which can be tried, towards *silent*, which cannot, before a row like that."""
    while abs(days := (silent - day).days) > 1:
        middle = day + timedelta(days=int(days / 2))
        day, silent = (day, middle) if bad_on(middle) is None else (middle, silent)
    return day


def _word(bad: bool | None) -> str:
    return {True: "bad", False: "good", None: "not to be had"}[bad]


def guilty(good: Versions, bad: Versions, tried: Tried, suspects: Sequence[str] = ()) -> list[str]:
    """Return the fewest packages that have to be as in *bad*, in the company of *good*, for the answer to be bad.

    *suspects* are tried first, alone: what changed last is most often guilty. Of what cannot be tried nothing is
    known, so it takes nothing away; where that leaves too many, all of them are returned.

    Raises:
        NoSearch: the two do not differ.
    """
    differ = changed(good, bad)
    if not differ:
        raise NoSearch("the same versions are good and bad")

    def is_bad(names: Sequence[str]) -> bool:
        return bool(tried(mixed(good, bad, names)))

    last = [name for name in suspects if name in differ]
    if last and is_bad(last):
        return _fewest(last, is_bad)
    if last:
        # They are needed, and not enough: only the others are to be made fewer.
        others = [name for name in differ if name not in last]
        company = _fewest(others, lambda names: is_bad([*last, *names]))
        return sorted([*_fewest(last, lambda names: is_bad([*names, *company])), *company])
    return _fewest(differ, is_bad)


def mixed(good: Versions, bad: Versions, names: Sequence[str]) -> Versions:
    """Return *good* with those packages of *names* as they are in *bad*."""
    found = {**good, **{name: bad[name] for name in names if name in bad}}
    return {name: version for name, version in found.items() if name in bad or name not in names}


def _fewest(names: Sequence[str], is_bad: Callable[[Sequence[str]], bool]) -> list[str]:
    """Return the fewest of *names*, which together are bad, that still are (ddmin)."""
    left, parts = list(names), 2
    while len(left) >= 2:
        size = -(-len(left) // parts)
        pieces = [left[start : start + size] for start in range(0, len(left), size)]
        rests = [[name for name in left if name not in piece] for piece in pieces] if len(pieces) > 2 else []
        if found := next((piece for piece in pieces if is_bad(piece)), None):
            left, parts = found, 2
        elif found := next((rest for rest in rests if is_bad(rest)), None):
            left, parts = found, max(parts - 1, 2)
        elif parts >= len(left):
            break
        else:
            parts = min(2 * parts, len(left))
    return left


def first_bad(releases: Sequence[str], is_bad: Callable[[str], bool | None]) -> tuple[str, str]:
    """Return the last good and the first bad of *releases*, the first of which is good and the last bad.

    Releases that cannot be tried are passed over: then the two are not neighbours.
    """
    low, high = 0, len(releases) - 1
    passed: set[int] = set()
    while middle := [number for number in range(low + 1, high) if number not in passed]:
        number = middle[len(middle) // 2]
        answer = is_bad(releases[number])
        if answer is None:
            passed.add(number)
        elif answer:
            high = number
        else:
            low = number
    return releases[low], releases[high]
