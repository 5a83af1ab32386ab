"""Root causes: every ✗ and every catch, put together by what the failures say, across cells and libraries."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from harness.cells import Cell, numbers
from harness.results import failures
from harness.results.explained import Attempt, Catch, Cause, Cure
from harness.results.questions import without_counts
from harness.results.result import Result

Told = TypeVar("Told", Cause, Cure, Attempt)
#: Questions that are asked of several things of one kind: their short names → what the kind is called.
_FAMILIES = {"payload": "payload", "after": "after", "long": "payload", "broker": "broker", "many": "many"}
#: Modules that went out of Python's own library.
_FORMER = {"asyncore", "asynchat", "cgi", "imp", "distutils", "smtpd", "telnetlib"}
_NUMBERS = re.compile(r"\d[\d.,]*")
_MISSING = re.compile(r"(?P<name>[\w.]+) cannot be imported")
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
    #: Since when it is so, where that follows from the cells themselves: ``gone since Django 3.0``.
    since: str = ""
    #: What the same question comes from in other cells of the library, where nothing else can be installed in these.
    elsewhere: str = ""

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

    @property
    def proved(self) -> set[tuple[str, str]]:
        """The kinds and changes of its cures, without what may be chance and mends no second cell."""
        cells: dict[tuple[str, str], set[str]] = {}
        for name, cure in self.cures:
            cells.setdefault((cure.kind, cure.change), set()).add(name)
        sure = {(cure.kind, cure.change) for _, cure in self.cures if not cure.chance}
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
            text, others = guilty.text, self._without(guilty)
            own = next((cause.text for name, cause in known if name in others), "")
            some = f" (in {len(self.results) - len(others)} of {len(self.results)} cells)" if others else ""
            return f"{text}{some}; in another: {own}" if own else f"{text}{some}"
        if self.since:
            return self.since
        if known:
            return known[0][1].text
        if self.kind == "does not work" or _RAISED.search(self.what):
            return "what it says"
        return self.elsewhere

    @property
    def unexplained(self) -> set[str]:
        """The cells in which it is not known what it comes from."""
        if not self.explained:
            return set(self.results)
        return self._without(self._guilty) - {name for name, _ in self.causes} if self._guilty else set()

    @property
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
            elsewhere.append(key)
    return elsewhere


def _elsewhere(root: Root, everything: Iterable[Result]) -> str:
    """Return what the questions of *root* come from in other cells, where nothing but what is recorded fits its own."""
    if any(Cell.parse(name).python_version >= (3, 6) for name in root.results):
        return ""
    libraries = root.libraries
    known = (cause for each in everything if [each.library] == libraries for cause in each.causes)
    return next(
        (
            f"as elsewhere: {cause.text}"
            for cause in known
            # What is not installed here is not guilty here.
            if cause.question in root.questions and not root._without(cause)
        ),
        "",
    )


def _wrong(result: Result, caught: Sequence[Catch]) -> Iterator[tuple[tuple[str, ...], str, str, str]]:
    """Yield what is wrong with a cell: what it is grouped by, what is said, its kind, and the question."""
    if told := failures.told(result):
        yield (told,), told, "does not work", ""
    for catch in caught:
        family = _FAMILIES.get(catch.question.partition("-")[0], catch.question)
        text = without_counts(catch.text)
        seen = _NUMBERS.sub("…", _CLOSED.sub("", text).rpartition(": ")[2])
        yield (family, result.library, seen), text, catch.kind, catch.question


def _since(root: Root, everything: Iterable[Result]) -> str:
    """Return since which Django or Python a name is gone, where the cells of the libraries show it."""
    missing = _MISSING.fullmatch(root.what)
    if missing is None:
        return ""
    top = missing["name"].partition(".")[0]
    own = top in sys.stdlib_module_names or top in _FORMER
    what = "django" if top == "django" else "python" if own else ""
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
        return f"{missing['name']} is not in Python {last} yet"
    if any(numbers(each) < numbers(first) for each in there):
        return f"{missing['name']} is gone since {what.capitalize()} {first}"
    return f"{missing['name']} is not in {what.capitalize()} {first}"
