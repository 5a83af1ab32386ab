"""Root causes: every ✗ and every catch, put together by what the failures say, across cells and libraries."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from harness.cells import Cell, numbers
from harness.results import failures
from harness.results.explained import Attempt, Catch, Cause, Cure
from harness.results.questions import without_counts
from harness.results.result import Result

Told = TypeVar("Told", Cause, Cure, Attempt)
#: Questions that are asked of several things of one kind: their short names → what the kind is called.
_FAMILIES = {
    "payload": "payload",
    "after": "after",
    "long": "payload",
    "broker": "broker",
    "many": "many",
    "nginx": "proxy",
    "haproxy": "proxy",
}
#: Modules that went out of Python's own library.
_FORMER = {"asyncore", "asynchat", "cgi", "imp", "distutils", "smtpd", "telnetlib"}
_NUMBERS = re.compile(r"\d[\d.,]*")
_MISSING = re.compile(r"(?P<name>[\w.]+) cannot be imported")
#: A file that is written for another Python.
_UNPARSED = re.compile(r"(?P<name>[\w./-]+\.py) cannot be parsed")
#: How connections were closed: which of several ways that is depends on the server before the same failure.
_CLOSED = re.compile(r"(?<= closed): .*")
#: An exception, with the file that raised it.
_RAISED = re.compile(r"\w+ in [\w./-]+\.py\b")


@dataclass
class Root:
    """What several cells have in common that fail, or that have a catch."""

    #: Its short name, which addresses use.
    id: str
    #: What is seen: what the failure says, or the question and its answer.
    what: str
    #: ``does not work``, or the kind of catch.
    kind: str
    #: The cells by their names, and the questions of theirs, without the verdict.
    results: dict[str, Result] = field(default_factory=dict)
    questions: set[str] = field(default_factory=set)
    #: The questions of each cell by which it is seen there.
    asked_in: dict[str, set[str]] = field(default_factory=dict)
    #: Since when it is so, where that follows from the cells themselves: ``gone since Django 3.0``.
    since: str = ""
    #: Libraries in whose cells here nothing else can be installed → what it comes from in others of theirs.
    elsewhere: dict[str, str] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """What is seen, and how many questions it is seen by."""
        more = len(self.questions) - 1
        return f"{self.what} (and {more} {'question' if more == 1 else 'questions'} like it)" if more > 0 else self.what

    @property
    def libraries(self) -> list[str]:
        """The names of the libraries."""
        return sorted({each.library for each in self.results.values()})

    @property
    def causes(self) -> list[tuple[str, Cause]]:
        """The causes that were found in its cells; those that name a release come first."""
        return sorted(self._of_it(lambda result: result.causes), key=lambda each: not each[1].turned)

    @property
    def cures(self) -> list[tuple[str, Cure]]:
        """The cures that were tried in its cells."""
        return list(self._of_it(lambda result: result.cures))

    def proved(self, library: str) -> set[tuple[str, str]]:
        """The kinds and changes of its cures, without what may be chance and mends no second cell.

        One pin may be tried with several libraries; the ways and servers are those of *library*.
        """
        mine = [each for each in self.cures if each[1].kind == "pin" or self.results[each[0]].library == library]
        cells: dict[tuple[str, str], set[str]] = {}
        for name, cure in mine:
            cells.setdefault((cure.kind, cure.change), set()).add(name)
        sure = {(cure.kind, cure.change) for _, cure in mine if not cure.chance}
        return sure | {change for change, names in cells.items() if len(names) > 1}

    @property
    def attempts(self) -> list[tuple[str, Attempt]]:
        """What was tried in its cells to mend it, and does not."""
        return list(self._of_it(lambda result: result.attempts))

    def _of_it(self, told: Callable[[Result], Iterable[Told]]) -> Iterator[tuple[str, Told]]:
        """Yield of what is *told* by the result of each of its cells what is about its questions."""
        asked = self.questions or {""}
        for name, result in self.results.items():
            yield from ((name, each) for each in told(result) if each.question in asked)

    @property
    def explained(self) -> str:
        """What it comes from; empty where that is not known."""
        known = self.causes
        if guilty := self._guilty:
            text, others = guilty.text, self._outside
            own = next((cause.text for name, cause in known if name in others), "")
            some = f" (in {len(self.results) - len(others)} of {len(self.results)} cells)" if others else ""
            return f"{text}{some}; in another: {own}" if own else f"{text}{some}"
        if self.since:
            return self.since
        if known:
            looked, text = dict.fromkeys(self.results[name].library for name, _ in known), known[0][1].text
            first, *rest = looked
            return f"{text} ({first}; neither did one in {', '.join(rest)})" if rest else text
        if self.kind == "does not work" or _RAISED.search(self.what):
            return "what it says"
        return next((f"as elsewhere, where it is seen in other words: {text}" for text in self.elsewhere.values()), "")

    @cached_property
    def unexplained(self) -> set[str]:
        """The cells in which it is not known what it comes from; of another library that is no news."""
        if not self.explained:
            return set(self.results)
        if self._guilty:
            return self._outside - {name for name, _ in self.causes}
        looked = {self.results[name].library for name, _ in self.causes} | self.elsewhere.keys()
        if self.since or not looked:
            return set()
        return {name for name, result in self.results.items() if result.library not in looked}

    def explained_in(self, cell: str) -> str:
        """What it comes from in *cell*, as far as that is known of its library."""
        if cell in self.unexplained:
            return ""
        if self._guilty and cell not in self._outside:
            return self._guilty.text
        library = self.results[cell].library
        own = (
            cause.text if name == cell else f"{cause.text} (found in {name})"
            for name, cause in sorted(self.causes, key=lambda each: each[0] != cell)
            if self.results[name].library == library
        )
        return next(own, "") or self.elsewhere.get(library, "") or self.explained

    def guilty_in(self, cell: str) -> bool:
        """Tell whether a release is called guilty, and is installed in *cell*."""
        return self._guilty is not None and cell not in self._outside

    @cached_property
    def _outside(self) -> set[str]:
        """The cells in which the releases that are called guilty are not installed."""
        return self._without(self._guilty) if self._guilty else set()

    @cached_property
    def _guilty(self) -> Cause | None:
        """The cause that names a release; None where none does."""
        return next((cause for _, cause in self.causes if cause.turned), None)

    def _without(self, cause: Cause) -> set[str]:
        """Return the cells in which the releases that *cause* calls guilty are not installed."""
        installed = {name: each.versions.installed for name, each in self.results.items() if each.versions}
        return {name for name, there in installed.items() if not all(each.met(there) for each in cause.turned)}


def roots(results: Mapping[str, Result], caught: Mapping[str, Sequence[Catch]]) -> list[Root]:
    """Return what the cells of *results* that fail, or have what is *caught*, have in common; most frequent first."""
    found: dict[tuple[str, ...], Root] = {}
    for name, result in results.items():
        for key, what, kind, question in _wrong(result, caught[name]):
            root = found.setdefault(key, Root("", what, kind))
            if _NUMBERS.sub("", what) != _NUMBERS.sub("", root.what):
                root.what = _CLOSED.sub("", root.what)
            root.results[name] = result
            root.questions |= {question} if question else set()
            root.asked_in.setdefault(name, set()).add(question)
    for key in _same_cause(found):
        del found[key]
    taken: Counter[str] = Counter()
    for key, root in found.items():
        root.since = _since(root, results.values())
        root.elsewhere = _elsewhere(root, results.values())
        slug = "-".join(re.findall(r"[a-z0-9]+", " ".join(key).lower())[:6]) or "cause"
        taken[slug] += 1
        root.id = slug if taken[slug] == 1 else f"{slug}-{taken[slug]}"
    return sorted(found.values(), key=lambda root: (-len(root.results), root.id))


def _same_cause(found: Mapping[tuple[str, ...], Root]) -> list[tuple[str, ...]]:
    """Put those of one family together that the same release turned, or the same pin mends; return the other keys."""
    first: dict[tuple[str, ...], Root] = {}
    elsewhere = []
    for key, root in found.items():
        turned = next((cause.turned for _, cause in root.causes if cause.turned), [])
        pins = [pin for each in turned if (pin := each.pin)]
        pins = pins or [cure.change for _, cure in root.cures if cure.kind == "pin"][:1]
        if not pins:
            continue
        released = (key[0], *sorted(pins))
        if (known := first.setdefault(released, root)) is not root:
            known.results |= root.results
            known.questions |= root.questions
            for name, asked in root.asked_in.items():
                known.asked_in.setdefault(name, set()).update(asked)
            elsewhere.append(key)
    return elsewhere


def _elsewhere(root: Root, everything: Iterable[Result]) -> dict[str, str]:
    """Return libraries in whose cells of *root* nothing but what is recorded can be installed, each with a cause.

    It is that of the same question in other cells of theirs, whose releases are installed here as well.
    """
    found: dict[str, str] = {}
    for each in everything:
        mine = {name: result for name, result in root.results.items() if result.library == each.library}
        if not mine or any(Cell.parse(name).python_version >= (3, 6) for name in mine):
            continue
        for cause in each.causes:
            if cause.question in root.questions and not root._without(cause) & mine.keys():
                found.setdefault(each.library, cause.text)
    return found


def _wrong(result: Result, caught: Sequence[Catch]) -> Iterator[tuple[tuple[str, ...], str, str, str]]:
    """Yield what is wrong with a cell: what it is grouped by, what is said, its kind, and the question."""
    if told := failures.told(result):
        yield (told,), told, "does not work", ""
    for catch in caught:
        family = _FAMILIES.get(catch.question.partition("-")[0], catch.question)
        text = without_counts(catch.text)
        seen = _NUMBERS.sub("…", _CLOSED.sub("", text).rpartition(": ")[2])
        yield (family, seen), text, catch.kind, catch.question


def _since(root: Root, everything: Iterable[Result]) -> str:
    """Return since which Django or Python a name is gone, where the cells of the libraries show it."""
    missing, unparsed = _MISSING.fullmatch(root.what), _UNPARSED.fullmatch(root.what)
    if (found := missing or unparsed) is None:
        return ""
    top = found["name"].partition(".")[0]
    own = unparsed is not None or top in sys.stdlib_module_names or top in _FORMER
    what = "django" if top == "django" and not unparsed else "python" if own else ""
    if not what:
        return ""
    here = {getattr(Cell.parse(name), what) for name in root.results}
    there = {
        getattr(Cell.parse(each.cell), what)
        for each in everything
        if each.library in root.libraries and each.cell not in root.results and each.versions is not None
    }
    first, last = min(here, key=numbers), max(here, key=numbers)
    if what == "python" and any(numbers(each) > numbers(last) for each in there):
        return f"{found['name']} is not {'for' if unparsed else 'in'} Python {last} yet"
    if any(numbers(each) < numbers(first) for each in there):
        how = "cannot be parsed" if unparsed else "is gone"
        return f"{found['name']} {how} since {what.capitalize()} {first}"
    return f"{found['name']} is not {'for' if unparsed else 'in'} {what.capitalize()} {first}"
