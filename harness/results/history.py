"""The history of a cell: one line for each time it was recorded, with what had moved since the time before."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from harness.results import catches, questions
from harness.results.folder import Reports
from harness.results.lines import once, read_lines, write_lines
from harness.results.model import Model
from harness.results.result import Judgement, Result
from harness.verdict import Reason, Verdict


class Entry(Model, frozen=True, kw_only=True):
    """One recorded run of a cell."""

    date: str
    verdict: Verdict
    reason: Reason
    text: str
    python: str = ""
    django: str = ""
    library: str = ""
    #: What was installed in another version than the time before: the two versions, empty where there was none.
    moved: dict[str, tuple[str, str]] = msgspec.field(default_factory=dict)
    #: The catches that came and those that went since the time before, each with what was seen.
    came: list[str] = []
    went: list[str] = []

    @classmethod
    def of(cls, result: Result, before: Result | None) -> Entry:
        """Return the line that recording *result* after *before* leaves."""
        overall, versions = result.verdicts.overall, result.versions
        return cls(
            date=result.varying.started,
            verdict=overall.verdict,
            reason=overall.reason,
            text=overall.text,
            python=versions.python if versions else "",
            django=versions.django if versions else "",
            library=versions.library if versions else "",
            moved=moved(before, result) if before else {},
            came=_caught(result, before) if before else [],
            went=_caught(before, result) if before else [],
        )


def _caught(result: Result, other: Result) -> list[str]:
    """Return the catches of *result* of which *other* answers the question as expected; chance is no news.

    What came each of several times is none.
    """
    good = {each.id: each for each in catches.answers(other) if each.good}
    certain = {each.id for each in catches.answers(result) if questions.certain(each.seen)}
    sure = {each.id for each in catches.answers(result) if not each.chance and each.id in good}
    sure = {name for name in sure if not good[name].chance} | certain
    return [each.text for each in catches.of(result) if each.question in good.keys() & sure]


def moved(old: Result, new: Result) -> dict[str, tuple[str, str]]:
    """Return what took part in another version; nothing where one of the two has no versions."""
    if old.versions is None or new.versions is None:
        return {}
    before, after = _taking_part(old), _taking_part(new)
    names = sorted({*before, *after}, key=str.casefold)
    return {name: pair for name in names if len(set(pair := (before.get(name, ""), after.get(name, "")))) > 1}


def _taking_part(result: Result) -> dict[str, str]:
    versions = result.versions
    assert versions is not None
    return {"Python": versions.python, "broker": versions.broker, **versions.installed}


def append(reports: Reports, result: Result, before: Result | None) -> None:
    """Add the line of *result*, which takes the place of *before*; whoever calls this holds the cell.

    Raises:
        HarnessError: the history cannot be read or written.
    """
    path = reports.history(result.cell)
    entries = read(path)
    if not entries and before is not None:
        entries = [Entry.of(before, None)]
    write(path, [*entries, Entry.of(result, before)])


def write(path: Path, entries: Iterable[Entry]) -> None:
    """Write *entries* to *path*, the oldest first.

    Raises:
        HarnessError: it cannot be written.
    """
    write_lines(path, entries)


def read(path: Path) -> list[Entry]:
    """Return the lines of the history at *path*, the oldest first; none where there is no such file.

    Raises:
        DamagedResult: a line is no entry.
    """
    return read_lines(path, Entry, "history")


def joined(histories: Iterable[list[Entry]]) -> list[Entry]:
    """Return several histories of one cell as one, by date, without what stands in more than one of them."""
    return once((entry for entries in histories for entry in entries), lambda entry: entry.date)


def known(entries: list[Entry], verdict: Verdict) -> list[Entry]:
    """Return the lines that say something beside *verdict*: not to have been tested says nothing against one."""
    return [each for each in entries if verdict is Verdict.NOT_TESTED or each.verdict is not Verdict.NOT_TESTED]


def since(entries: list[Entry], judgement: Judgement) -> Entry | None:
    """Return the line since which *judgement* stands, with its reason; None where no line says so."""
    first = None
    for entry in reversed(known(entries, judgement.verdict)):
        if (entry.verdict, entry.reason) != (judgement.verdict, judgement.reason):
            break
        first = entry
    return first
