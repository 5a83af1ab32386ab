"""The question whose cause is looked for: found by its short name, and its answers read from results."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.cell.only import Only
from harness.errors import UsageError
from harness.results import catches, failures
from harness.results.deep import DeepSet
from harness.results.result import Finding, Result
from harness.verdict import Verdict

#: The short name of the question "does it work?".
VERDICT = "verdict"


@dataclass(frozen=True)
class Answer:
    """What a cell answers; *good* is None where it could not be had."""

    good: bool | None
    seen: str
    #: Whether another try may answer otherwise.
    chance: bool = False
    #: Whether the chat works; where it does not, the question was not come to.
    works: bool = True


def find(name: str, result: Result, sets: Iterable[DeepSet], others: Iterable[Result] = ()) -> Only:
    """Return the question that is called *name*: one of *result*, of its deep *sets*, or of *others* of the library.

    Raises:
        UsageError: there is none.
    """
    if name == VERDICT:
        return Only()
    known = _questions(result, sets)
    if name not in known:
        for each in others:
            known = _questions(each, ()) | known
    if name not in known:
        near = difflib.get_close_matches(name, known, 3) or sorted(known)[:3]
        raise UsageError(
            f"{result.cell} has no question called {name!r}",
            f"known are {VERDICT}, {', '.join(near)} and others; `harness show {result.cell}` lists what was asked",
        )
    return known[name]


def worst(result: Result) -> Only | None:
    """Return what is worst of *result*: its verdict, or else its first catch; None where there is nothing of both."""
    if result.verdicts.overall.verdict is Verdict.DOES_NOT_WORK:
        return Only()
    found = catches.of(result)
    return _questions(result, ())[found[0].question] if found else None


def answer(only: Only, result: Result, sets: Sequence[DeepSet] = ()) -> Answer:
    """Return what *result*, with its deep *sets*, answers to the question *only*."""
    if not only.set:
        overall = result.verdicts.overall
        good = {Verdict.WORKS: True, Verdict.DOES_NOT_WORK: False}.get(overall.verdict)
        return Answer(good, failures.told(result) or overall.text or overall.label, overall.chance)
    found = [finding for asked in _asked(result, sets) for finding in asked[1] if only.answers(finding)]
    # Of a deep set a result has the worst answers alone.
    told = next((each for each in reversed(found) if each.asked), None)
    if told is None:
        overall = result.verdicts.overall
        seen = found[-1].seen if found else failures.told(result) or f"not asked: {overall.text}"
        return Answer(None, seen, works=overall.verdict is not Verdict.DOES_NOT_WORK)
    return Answer(told.good, told.seen, told.chance)


def _questions(result: Result, sets: Iterable[DeepSet]) -> dict[str, Only]:
    return {each.id: Only(name, each.question) for name, findings in _asked(result, sets) for each in findings}


def _asked(result: Result, sets: Iterable[DeepSet]) -> list[tuple[str, Sequence[Finding]]]:
    """Return the name of each set, with its answers."""
    probes = [(each.name, each.findings) for each in result.asked]
    return [*probes, *((each.name, each.findings) for each in sets)]
