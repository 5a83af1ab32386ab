"""What a search for a guilty release costs: how often the index is asked, and how many sets of versions are tried."""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from benchmarks.given import Given
from benchmarks.shown import row
from harness.causes.bisect import Bisection
from harness.causes.ends import End
from harness.causes.notes import Notes
from harness.causes.question import Answer
from harness.causes.releases import Release, Releases
from harness.causes.resolver import Resolver
from harness.causes.trials import Trials
from harness.cell.only import Only
from harness.cell.steps import Watcher
from harness.cells import Cell
from harness.libraries import registry
from harness.results.folder import Reports
from harness.run.request import Request

#: The days that are searched, and the packages that change in them: on each day one of them has a release.
_DAYS, _PACKAGES = 200, 24
_LAST = date(2026, 11, 1)
#: What the search has to come to: the resolver asked, and sets tried.
_RESOLVED, _TRIED = 20, 14


@dataclass(frozen=True)
class _Past(Releases):
    """An index of made-up packages."""

    made: dict[str, list[Release]] = field(default_factory=dict)

    def of(self, project: str) -> list[Release]:
        return self.made[project]


@dataclass
class _Days(Resolver):
    """Takes the newest release of each package that there was on a day."""

    past: _Past = field(default_factory=lambda: _Past("", {}))

    def _resolved(self, day: date | None) -> dict[str, str] | None:
        self.asked += 1
        until = str(day or _LAST)
        there = {name: [each for each in found if each.uploaded <= until] for name, found in self.past.made.items()}
        return {name: found[-1].version for name, found in there.items()} if all(there.values()) else None


@dataclass
class _Tried(Trials):
    """Answers as the guilty release has it, at once; what that costs is how many sets are asked."""

    guilty: tuple[str, str] = ("", "")
    sets: int = 0

    def _once(self, versions: Mapping[str, str]) -> Answer:
        self.sets += 1
        name, first = self.guilty
        bad = int(versions[name]) >= int(first)
        return Answer(not bad, "is closed" if bad else "stays open")


def measure_search(given: Given) -> None:
    """Search for each of several guilty releases: over 200 days and 24 packages, between two ends that are known."""
    found = [_search(random.Random(number)) for number in range(given.size.searches)]
    asked, tried = zip(*found, strict=True)
    what = f"one guilty release, {_DAYS} days, {_PACKAGES} packages"
    row(f"{what}: resolver asked, most", str(max(asked)), f"<= {_RESOLVED}", max(asked) <= _RESOLVED)
    row(f"{what}: sets tried, most", str(max(tried)), f"<= {_TRIED}", max(tried) <= _TRIED)


def _unwatched(name: str) -> AbstractContextManager[Watcher]:
    """Stand where somebody would watch a trial: none of these has a step to be seen."""
    raise NotImplementedError(name)


def _search(chance: random.Random) -> tuple[int, int]:
    """Search for a release that is chosen by *chance*; return how often the resolver was asked, and sets tried."""
    first = _LAST - timedelta(days=_DAYS)
    made = {f"package{number}": [Release("0", str(first))] for number in range(_PACKAGES)}
    for day in range(1, _DAYS + 1):
        released = made[f"package{chance.randrange(_PACKAGES)}"]
        released.append(Release(str(len(released)), str(first + timedelta(days=day))))
    past = _Past("3.13", {}, made)
    name = chance.choice([name for name, releases in made.items() if len(releases) > 1])
    guilty = chance.choice(made[name][1:])
    cell = Cell.parse("py313-django61-channels4")
    with tempfile.TemporaryDirectory() as folder:
        setup = registry.setup_for(cell, registry.discover())
        request = Request(cell=cell, setup=setup, python=Path(sys.executable), reports=Reports(Path(folder)), probes=[])
        only = Only("delivery", "A connection that is idle for 12 s")
        notes = Notes(Path(folder) / "notes.json", [])
        trials = _Tried(request, only, notes, _unwatched, guilty=(name, guilty.version))
        resolver = _Days([], [], Path(sys.executable), {}, past=past)
        search = Bisection(trials, resolver, past, lambda _: None, frozenset())
        cause = search.find(End("the first day", day=first), End("the last day", day=_LAST))
    (turned,) = cause.turned
    assert (turned.package, turned.bad) == (name, guilty.version)
    return resolver.asked, trials.sets
