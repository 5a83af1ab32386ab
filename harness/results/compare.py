"""Compare what is known of cells at two times: what was added and removed, what got better, and what got worse."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from harness.errors import DamagedResult
from harness.results import catches
from harness.results.history import moved
from harness.results.model import Model
from harness.results.questions import apart, certain
from harness.results.result import BROKEN_OFF, Judgement, Result
from harness.verdict import Verdict, with_catch

_COLUMNS = {
    "django_server": "Django server works?",
    "web_server": "Web server works?",
    "channels": "Channels work?",
    "overall": "Does it work?",
}


class Change(enum.StrEnum):
    """What became of a cell, the most pressing first."""

    WORSE = "worse"
    BETTER = "better"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    MOVED = "versions moved"
    SAME = "the same"


class CellChange(Model, frozen=True, kw_only=True):
    """What became of one cell, between two judgements; one is None where there was no such cell."""

    cell: str
    change: Change
    old: Judgement | None = None
    new: Judgement | None = None
    #: Whether it has a catch, then and now.
    caught_before: bool = False
    caught: bool = False
    details: list[str]
    moved: dict[str, tuple[str, str]]

    @property
    def headline(self) -> str:
        """Say in one line what happened to the verdict, with the first line of its reason."""
        judged = ((self.old, self.caught_before), (self.new, self.caught))
        labels = list(dict.fromkeys(with_catch(each.label, caught) for each, caught in judged if each is not None))
        last = self.new or self.old
        text = last.text.splitlines()[0] if last is not None and last.text else ""
        return " → ".join(labels) + (f": {text}" if text else "")


class Comparison(Model, frozen=True, kw_only=True):
    """All cells of two times, by name; *damaged* are files that could not be read."""

    schema: Literal["1"] = "1"
    old: str
    new: str
    cells: list[CellChange]
    damaged: list[str]

    def of(self, change: Change) -> list[CellChange]:
        """Return the cells to which *change* happened."""
        return [cell for cell in self.cells if cell.change is change]

    @property
    def worse(self) -> bool:
        """Whether anything got worse."""
        return bool(self.of(Change.WORSE))

    @property
    def counted(self) -> dict[Change, int]:
        """How many cells there are of each change that happened."""
        return {change: number for change in Change if (number := len(self.of(change)))}

    @property
    def versions(self) -> list[tuple[str, str, str, int]]:
        """Name, old and new version of all that moved under an unchanged verdict, and in how many cells."""
        found = Counter((name, *pair) for cell in self.of(Change.MOVED) for name, pair in cell.moved.items())
        return [(*key, number) for key, number in found.most_common()]


#: So many versions that moved are named.
_MOVED = 6
#: Ways of libraries: the library's name, and that of the way.
_Ways = frozenset[tuple[str, str]]


class _Aspect(NamedTuple):
    """Something that can be good or bad of a cell; None where it is neither."""

    good: bool | None
    shown: str
    chance: bool = False
    #: Whether it came each of several times, although it can be chance.
    certain: bool = False


def compare(
    old: Mapping[str, Result],
    new: Mapping[str, Result],
    names: tuple[str, str],
    damaged: list[DamagedResult],
    beside: Iterable[Result] = (),
) -> Comparison:
    """Return what happened to each cell between *old* and *new*, which are called *names*.

    A way of a library that works by chance in any of these results, or in those *beside* them, is no better and no
    worse in another: a cell that ran once cannot tell.
    """
    # Where only a deep set is damaged, the verdict and all other answers are there.
    unread = {each.cell for each in damaged} - (old.keys() & new.keys())
    by_chance = frozenset(
        (result.library, variant.name)
        for result in (*old.values(), *new.values(), *beside)
        for variant in result.variants
        if variant.judgement.chance
    )
    cells = [_cell(cell, old.get(cell), new.get(cell), by_chance) for cell in sorted({*old, *new} - unread)]
    return Comparison(old=names[0], new=names[1], cells=cells, damaged=[str(each) for each in damaged])


def differences(recorded: Result, fresh: Result) -> list[str]:
    """Return which columns of the verdict are different, a line each; versions may move as long as those stay.

    A known ✗ that turns ✓ is a difference as well: it is news.
    """
    if recorded.verdicts.overall.verdict is Verdict.NOT_TESTED:
        return []  # nothing was known, so nothing was expected
    found = []
    for column, name in _COLUMNS.items():
        old, new = getattr(recorded.verdicts, column), getattr(fresh.verdicts, column)
        if old is None or new is None:
            continue
        if (old.verdict, old.reason) != (new.verdict, new.reason):
            found.append(f"{name} was {old.label}, is {new.label}" + (f": {new.text}" if new.text else ""))
    return found


def _cell(cell: str, old: Result | None, new: Result | None, by_chance: _Ways) -> CellChange:
    before, after = (each.verdicts.overall if each else None for each in (old, new))
    if old is None or new is None:
        change = Change.ADDED if old is None else Change.REMOVED
        return CellChange(cell=cell, change=change, old=before, new=after, details=[], moved={})
    change, details = _change(old, new, by_chance)
    versions = moved(old, new)
    if change is Change.SAME and versions:
        change = Change.MOVED
    caught_before, caught = (bool(catches.of(each)) for each in (old, new))
    return CellChange(
        cell=cell,
        change=change,
        old=before,
        new=after,
        caught_before=caught_before,
        caught=caught,
        details=details + ([_came_with(versions)] if details and versions else []),
        moved=versions,
    )


def _came_with(versions: Mapping[str, tuple[str, str]]) -> str:
    """Say which versions moved between two results that differ: one of these may be what it comes from."""
    shown = [f"{name} {old or 'not installed'} → {new or 'not installed'}" for name, (old, new) in versions.items()]
    more = f" and {len(shown) - _MOVED} more" if len(shown) > _MOVED else ""
    return f"with {', '.join(shown[:_MOVED])}{more}"


def _change(old: Result, new: Result, by_chance: _Ways) -> tuple[Change, list[str]]:
    before, after = old.verdicts.overall.verdict, new.verdicts.overall.verdict
    if Verdict.NOT_TESTED in (before, after):
        # Nothing is known of one of the two: that is news, but no better and no worse.
        return (Change.SAME if old.verdicts == new.verdicts else Change.CHANGED), []
    found: dict[Change, list[str]] = {Change.WORSE: [], Change.BETTER: [], Change.CHANGED: []}
    earlier, later = dict(_aspects(old)), dict(_aspects(new))
    sets = [{asked for asked, _ in aspects} for aspects in (earlier, later)]
    probes = {probe.name for result in (old, new) for probe in result.probes}
    cut = {probe.name for result in (old, new) for probe in result.probes if probe.counts is not None}
    for key in {**later, **earlier}:
        asked, name = key
        past, now = earlier.get(key), later.get(key)
        if past == now or _by_chance(past, now):
            continue  # two runs that differ by chance say the same
        if asked not in sets[0] & sets[1] and (before is not after or asked in probes):
            continue  # a probe that only one of the two was asked, or what could not be asked, says nothing
        if asked in cut and None in (past, now):
            continue  # of this set a result keeps the worst answers alone
        broken_off, luck = any(each in name for each in BROKEN_OFF), ""
        if past is None or now is None:
            change = Change.CHANGED if not broken_off else Change.WORSE if past is None else Change.BETTER
        elif (new.library, name) in by_chance:
            change, luck = Change.CHANGED, "; in other cells that is chance"
        elif past.good != now.good and None not in (past.good, now.good):
            change = Change.BETTER if now.good else Change.WORSE
        else:
            change = Change.CHANGED
        was, is_now = (each.shown if each else "not asked" for each in (past, now))
        found[change].append(f"{change}: {name} was {was}, is {is_now}{luck}")
    if before is not after:
        decided = Change.BETTER if after is Verdict.WORKS else Change.WORSE
    else:
        decided = next((change for change, details in found.items() if details), Change.SAME)
    return decided, [detail for details in found.values() for detail in details]


def _by_chance(past: _Aspect | None, now: _Aspect | None) -> bool:
    """Tell whether what differs between two aspects may be chance: not where one is bad each of several times."""
    if not any(each is not None and each.chance for each in (past, now)):
        return False
    if past is None or now is None or {past.good, now.good} != {True, False}:
        return True
    return not (now if past.good else past).certain


def _aspects(result: Result) -> Iterator[tuple[tuple[str, str], _Aspect]]:
    """Yield all that can be good or bad of a cell, by its set of questions and a name that is the same in every run."""
    for column, name in _COLUMNS.items():
        judgement: Judgement | None = getattr(result.verdicts, column)
        if judgement is not None:
            yield ("verdict", name), _of_judgement(judgement)
    for row in result.exchanges:
        said = ", ".join(sorted({fault.kind for fault in row.faults}))
        name = f"exchange {row.number}, {row.channel} from {row.sender} to {row.audience},"
        yield ("exchanges", name), _Aspect(row.good, "right" if row.good else f"wrong ({said})")
    for variant in result.variants:
        # Other ways are tried wherever the usual one works.
        asked = "verdict" if result.verdicts.channels.verdict is Verdict.WORKS else "variants"
        yield (asked, variant.name), _of_judgement(variant.judgement)._replace(chance=variant.judgement.chance)
    for probe in result.asked:
        for finding in probe.findings:
            aspect = _Aspect(finding.good, repr(finding.summary), finding.chance, certain(finding.seen))
            # What is asked of another way of the library is no catch.
            trouble = None if apart(finding.question)[1] else catches.trouble_of(finding.id)
            weight = f" ({trouble.severity} catch)" if trouble else ""
            yield (probe.name, f"{probe.name}: {finding.question}{weight}"), aspect
    if result.unit_tests is not None:
        failed = result.unit_tests.failed
        yield ("tests", "the chat's Django tests"), _Aspect(not failed, f"{failed} failed" if failed else "green")


def _of_judgement(judgement: Judgement) -> _Aspect:
    if judgement.verdict is Verdict.WORKS:
        return _Aspect(True, judgement.label)
    shown = f"{judgement.label}: {judgement.text}" if judgement.text else judgement.label
    return _Aspect(None if judgement.verdict is Verdict.NOT_TESTED else False, shown)
