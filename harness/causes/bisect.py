"""Find what turned an answer: the neighbouring days, then the packages, then the releases of these."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import msgspec
from packaging.version import Version

from harness.causes import chance, company, search, wording
from harness.causes.ends import End
from harness.causes.question import Answer
from harness.causes.releases import Releases
from harness.causes.resolver import Resolver
from harness.causes.search import NoSearch, Tried, Versions
from harness.causes.trials import Trials, in_depth
from harness.results.explained import Cause, Turned

#: Days between today and the first day that is tried for a good end; each further one is twice as far.
_FIRST_STEP = 30
#: Nothing of what is tested here is older.
_OLDEST = date(2005, 1, 1)
#: How often the days between the last bad one and those without an answer are halved.
_HALVINGS = 4
#: How often both ends are asked again, at least, before a release is called guilty: where an answer was chance, and
#: where none was, and yet it is one of a deep set, which are about time and amounts.
_MORE = 3
_ONCE_MORE = 1
#: How many searches there are where good answers were luck.
_LUCK = 4


class NotTurned(NoSearch):
    """No release of anything turned the answer, which was always so; that is a cause as well."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.text)
        self.cause = cause


class AsExpected(NoSearch):
    """There is nothing to look for: the bad end is good."""


class _Luck(Exception):
    """A good answer was luck: asked again, it is bad."""


@dataclass
class Bisection:
    """One search for a cause."""

    trials: Trials
    resolver: Resolver
    releases: Releases
    #: Shows a line.
    tell: Callable[[str], None]
    #: What is in every set of versions, whatever is tried: it is part of the cell.
    held: frozenset[str]
    #: Whether some answer was chance, recorded or tried: what is good may be so as well.
    raced: bool = False
    #: Expected trials of what is under way.
    expected: int = 0
    _number: int = 0
    #: The good end of the search: how a race is known that no release between the two has turned.
    _far: Versions = field(default_factory=dict)
    _tried: Tried = field(init=False)
    #: What sets of versions are called.
    _labels: dict[frozenset[tuple[str, str]], str] = field(default_factory=dict)
    #: The seconds that each trial took.
    _seconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tried = Tried(self._trial)

    def find(self, good: End | None, bad: End) -> Cause:
        """Return what turned the answer between *good*, which is looked for if it is None, and *bad*.

        Raises:
            NotTurned: it was always so.
            NoSearch: the ends are no good and no bad one, or are the same; or what is bad is too rare. The message says
                which.
            HarnessError: the machine is at fault.
        """
        self._begin(bad)
        for _ in range(_LUCK):
            try:
                return self._search(good, bad)
            except _Luck:
                self.tell("That it was good there was luck; the search goes on.")
        raise NoSearch("it is a race, and too often won by luck for what turned it to be told")

    def _search(self, good: End | None, bad: End) -> Cause:
        if bad.day is None or (good is not None and good.day is None):
            if good is None:
                raise NoSearch("a good end is needed beside a bad one that is no day: name it with --good")
            before, after = self._versions(good), self._versions(bad)
            self._check_ends(good, before, after)
            self._far = before
            return self._packages(before, before, after, [])
        good_day, bad_day = (good.day, bad.day) if good else self._double_back(bad.day)
        assert good_day is not None
        self.expected = math.ceil(math.log2(max((bad_day - good_day).days, 2))) + 1
        turn = search.over_days(self._on, self._tried, good_day, bad_day)
        self.tell(f"It turned between {turn.good_day} and {turn.bad_day}: {wording.differing(turn.good, turn.bad)}")
        far = self._on(good_day)
        assert far is not None
        self._far = far
        cause = self._packages(turn.good, far, turn.bad, search.changed(turn.good, turn.bad))
        asked = self._versions(bad)
        if asked == turn.bad or (without := self._tried(company.taken_back(asked, cause.turned))) is False:
            return cause
        # That was mended, and then turned again by another one; or each of two is enough.
        said = "it is bad without {} as well" if without else "{} cannot be told to be guilty"
        self.tell(f"With {bad.shown} {said.format(wording.newer(cause.turned))}.")
        return self._packages(far, far, asked, [])

    def _begin(self, bad: End) -> None:
        """Make sure that the bad end is bad, and note how."""
        versions = self._versions(bad)
        found, seen = self._tried(versions), self.trials.ask(versions).seen
        if found is None:
            raise NoSearch(f"with {bad.shown} there is no answer: {seen}")
        if not found:
            again = 0 if self.trials.words else chance.MOST if self.raced else self._more()
            if not any(self._lucky(versions, 1) for _ in range(again)):
                often = f" {again + 1} times" if again else ""
                raise AsExpected(f"with {bad.shown} the answer is as expected{often}: {seen}")
            seen = self.trials.ask(versions).seen
            self.tell(f"That it was good was luck: {seen}")
        self.trials.failure = "" if self.trials.ask(versions).chance and not self.trials.words else seen

    def _versions(self, end: End) -> Versions:
        if end.versions is not None:
            versions = {name: version for name, version in end.versions.items() if name not in self.held}
            self._labels.setdefault(search.key_of(versions), end.shown)
            return versions
        assert end.day is not None
        found = self._on(end.day)
        if found is None:
            raise NoSearch(
                f"nothing can be installed as of {end.day}" + (f": {why}" if (why := self.resolver.said) else "")
            )
        return found

    def _check_ends(self, good: End, before: Versions, after: Versions) -> None:
        if before == after:
            raise NoSearch("both ends have the same versions")
        found = self._tried(before)
        if found is not False:
            seen = self.trials.ask(before).seen
            raise NoSearch(f"with {good.shown} the answer is {'bad' if found else 'not to be had'}: {seen}")

    def _on(self, day: date) -> Versions | None:
        """Return what is installed on *day*, without what is held."""
        known, versions = self.trials.notes.resolved(day)
        if not known:
            versions = self.resolver.on(day)
            self.trials.notes.keep_day(day, versions)
        if versions is None:
            return None
        found = {name: each for name, each in versions.items() if name not in self.held}
        self._labels.setdefault(search.key_of(found), f"as of {day}")
        return found

    def _double_back(self, bad_day: date) -> tuple[date, date]:
        """Return a good day, found by going back ever further, and the last day after it that is bad.

        A day without an answer is passed over; behind one on which nothing can be installed there is nothing older.
        """
        last, step = bad_day, timedelta(days=_FIRST_STEP)
        silent: date | None = None
        day = bad_day - step
        while day > _OLDEST:
            versions = self._on(day)
            if versions is None:
                break
            self.expected = 1
            found = self._tried(versions)
            if found is False:
                return day, last
            last, silent = (day, None) if found else (last, silent or day)
            step *= 2
            day -= step
        return self._between(bad_day, last, silent or max(day, _OLDEST), "there is no answer" if silent else "")

    def _between(self, bad_day: date, last: date, limit: date, why: str) -> tuple[date, date]:
        """Return the same, from the days between *limit*, on which nothing was to be had, and the *last* bad one.

        Raises:
            NotTurned: they are bad as well.
            NoSearch: none of them can be tried.
        """
        for _ in range(_HALVINGS):
            day = limit + (last - limit) / 2
            if day in (limit, last):
                break
            versions = self._on(day)
            found = None if versions is None else self._tried(versions)
            if found is False:
                return day, last
            if found:
                last = day
            else:
                limit, why = day, "there is no answer" if versions else ""
        said = f"as of {limit} " + (why or "nothing can be installed") if limit > _OLDEST else "there is nothing older"
        if last == bad_day:
            raise NoSearch(f"nothing older than {bad_day} can be tried: {said}")
        raise NotTurned(self._always(last, f"it was so as of {last} already, and {said}"))

    def _always(self, last: date, text: str) -> Cause:
        """Return that no release turned the answer, which *text* says was so on the day *last* already."""
        return self._found(
            [], f"no release turned it: {text}", {"good": [], "bad": wording.frozen(self._on(last) or {})}
        )

    def _packages(self, near: Versions, far: Versions, bad: Versions, last: list[str]) -> Cause:
        """Return the cause among the packages that differ: *near* is good just before *bad*, and *far* long before.

        *last* is what has changed between *near* and *bad*.
        """
        names = self._guilty(near, far, bad, last)
        older = {name: (near if near.get(name) != bad.get(name) else far).get(name, "") for name in names}
        before = {name: version for name, version in older.items() if version}
        if len(names) > 1:
            # What was needed in the company of the past may not be in that of today.
            needed = [name for name in names if self._tried(search.mixed(bad, before, [name])) is False]
            names = needed or names
        versions = bad
        if self._tried(search.mixed(bad, before, names)) is not False:
            # There it is not good again; it is where everything else is as it was.
            versions = search.mixed(near, bad, names)
        found = []
        for name in names:
            turned = self._release(name, older[name], versions)
            versions = {**versions, name: turned.bad} if turned.bad else versions
            found.append(turned)
        if brought := self._brought(found, near, bad):
            return brought
        return self._cause(found, company.taken_back(versions, found), versions)

    def _brought(self, found: list[Turned], near: Versions, bad: Versions) -> Cause | None:
        """Return the cause where all that was *found* came along with one release; None where that is not known."""
        along = {each.package for each in found if not each.good}
        whole = self.resolver.fitting(bad) if along else None
        name = company.bringer(along, whole[1], near, bad) if whole else ""
        if not name or {each.package for each in found} - along - {name}:
            return None
        sets: dict[Version, Versions] = {}

        def is_bad(release: str) -> bool | None:
            # What only the good end has is as it was there, where it is needed.
            fits = self.resolver.fitting({**near, **bad, name: release})
            if fits is None:
                return None
            sets[Version(release)] = {each: version for each, version in fits[0].items() if each not in self.held}
            return self._tried(sets[Version(release)])

        if is_bad(near[name]) is not False or is_bad(bad[name]) is not True:
            return None
        turned = self._between_releases(name, near[name], bad[name], is_bad)
        turned = msgspec.structs.replace(turned, brings=sorted(along))
        return self._cause([turned], sets[Version(turned.good)], sets[Version(turned.bad)])

    def _guilty(self, near: Versions, far: Versions, bad: Versions, last: list[str]) -> list[str]:
        """Return the packages that have to be as in *bad*; also those that had changed before, if they are needed."""
        changed = search.changed(near, bad)
        self.expected = 2 * math.ceil(math.log2(len(changed) + 1))
        if last and self._tried(search.mixed(far, bad, last)) is not None:
            found = search.guilty(far, bad, self._tried, last)
            if len(found) <= len(changed) + 1:
                return found
        # In the company of what is long gone it cannot be tried, or not told apart.
        return search.guilty(near, bad, self._tried)

    def _release(self, name: str, first: str, versions: Versions) -> Turned:
        """Return the first release of *name* that is bad in the company of *versions*; *first* is good there."""
        last = versions.get(name, "")
        if not first or not last or first == last:
            return Turned(package=name, good=first, bad=last)
        return self._between_releases(name, first, last, lambda release: self._tried({**versions, name: release}))

    def _between_releases(self, name: str, first: str, last: str, is_bad: Callable[[str], bool | None]) -> Turned:
        """Return the first release of *name* from *first*, which is good, to *last*, which is bad, that is bad."""
        older, newer = sorted(Version(each) for each in (first, last))
        known = {each.version: each.uploaded for each in self.releases.between(name, str(older), str(newer))}
        order = list(known) if str(older) == str(Version(first)) else list(reversed(known))
        self.expected = math.ceil(math.log2(max(len(order), 2)))
        good, turned = search.first_bad(order, is_bad)
        untried = order[order.index(good) + 1 : order.index(turned)]
        return Turned(package=name, good=good, bad=turned, uploaded=known[turned], untried=untried)

    def _cause(self, found: list[Turned], good: Versions, bad: Versions) -> Cause:
        if self._tried(good) is not False or self._tried(bad) is not True:
            raise NoSearch(
                f"what turned it cannot be told apart; it is among {wording.few([each.package for each in found])}"
            )
        before, after = self.trials.ask(good), self.trials.ask(bad)
        if (more := self._more()) and not self.trials.words:
            self._check_chance(found, good, bad, more)
        named = " and ".join(wording.named(each) for each in found)
        what = f"{self.trials.only.question}: " if self.trials.only.question else ""
        text = f"{named}. {what}with {wording.older(found)} “{before.seen}”, with {wording.newer(found)} “{after.seen}”"
        return self._found(found, text, {"good": wording.frozen(good), "bad": wording.frozen(bad)})

    def _more(self) -> int:
        """Return how often both ends are asked again at least before a release is guilty."""
        return _MORE if self.raced else _ONCE_MORE if in_depth(self.trials.only) else 0

    def _check_chance(self, found: list[Turned], good: Versions, bad: Versions, more: int) -> None:
        """Make sure that a release is guilty of a race: the good end has to win often, the more the rarer it is lost.

        Both ends are asked at least *more* times again. What is known of the bad end by then does not count: it is what
        made it the bad one.

        Raises:
            NotTurned: it is lost at the good end of the search as well.
            NoSearch: it is not lost again.
            _Luck: it is lost with *good*, and not known to be at the good end of the search.
        """
        asked, lost = more, len(self.trials.lost(bad, more))
        while not lost and asked < chance.MOST:
            asked, lost = asked + 1, len(self.trials.lost(bad, 1))
        if not lost:
            raise NoSearch(f"it is a race, and was not lost again in {asked} times with {wording.newer(found)}")
        times = max(more, chance.enough(lost, asked)) if self.raced or lost < asked else more
        self.tell(f"It can be chance: lost {lost} of {asked} times; the good end is asked {wording.times(times)}")
        # Of several, each has been good alone: one of them may not be needed.
        alone = [company.taken_back(bad, [each]) for each in found] if len(found) > 1 else []
        lucky = [each for each in alone if self._tried(each) is False and self._lucky(each, times)]
        if not (bad_ones := self.trials.lost(good, times)):
            if lucky:
                raise _Luck
            return
        number, where = len(bad_ones), f"with {wording.older(found)}"
        if (far := self._far) != good:
            self._correct(good, bad_ones[0])
            if not (bad_ones := self.trials.lost(far, times)):
                raise _Luck
            number, where = len(bad_ones), self._called(far)
        text = f"no release turned it: it is a race, and was lost {number} of {times} times {where} too"
        raise NotTurned(self._found([], text, {"good": wording.frozen(far), "bad": wording.frozen(bad)}))

    def _lucky(self, versions: Versions, times: int) -> bool:
        """Tell whether *versions*, which have been good, are bad when they are asked so many *times* more."""
        if bad_ones := self.trials.lost(versions, times):
            self._correct(versions, bad_ones[0])
        return bool(bad_ones)

    def _correct(self, versions: Versions, answer: Answer) -> None:
        """Note that *versions* are bad, though they were good when they were tried first."""
        self.trials.notes.keep(versions, answer)
        self._tried.known[search.key_of(versions)] = True

    def _found(self, turned: list[Turned], text: str, frozen: dict[str, list[str]]) -> Cause:
        question = self.trials.only.id if self.trials.only.set else ""
        return Cause(question=question, turned=turned, text=text, found_on=date.today().isoformat(), **frozen)

    def _trial(self, versions: Versions) -> bool | None:
        """Try *versions* for the first time in this search, and say what came of it."""
        new = self.trials.notes.answer(versions) is None
        self._number += new
        began = time.monotonic()
        found = self.trials.bad(versions)
        if new:
            self._seconds.append(time.monotonic() - began)
        self.expected = max(self.expected - 1, 0)
        left = ""
        if self.expected and self._seconds:
            minutes = math.ceil(self.expected * statistics.median(self._seconds) / 60)
            left = f"; about {self.expected} left, {minutes} min"
        answer = self.trials.ask(versions)
        self.raced |= answer.chance
        other = self.trials.words or (found is False and not answer.good)
        bad, good = ("the same", "other") if other else ("bad", "good")
        word = {True: bad, False: good, None: "no answer"}[found]
        seen = answer.seen.partition("\n")[0]
        known = "" if new else ", known"
        self.tell(f"{self._number:>3}. {word + known:<11} {self._called(versions)}: {seen}{left}")
        return found

    def _called(self, versions: Versions) -> str:
        """Return what *versions* are called: by the set with a name that they differ least from."""
        named = min(self._labels, key=lambda key: len(search.changed(dict(key), versions)), default=None)
        if named is None:
            return wording.few(wording.frozen(versions))
        name, differing = self._labels[named], wording.differing(dict(named), versions)
        return f"{name}, but {differing}" if differing else name
