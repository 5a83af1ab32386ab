"""Several runs of one cell as one result: what came every time, and what came how often of how many times."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from harness.results import figures
from harness.results.installed import Repeats
from harness.results.result import Finding, Judgement, Probe, Result, VariantResult
from harness.verdict import Reason, Verdict

_T = TypeVar("_T")
_COLUMNS = ("django_server", "web_server", "channels", "overall")


def together(results: Sequence[Result]) -> Result:
    """Return what *results*, of one cell, say together; steps and exchanges are those of the last that went worst.

    A verdict is ✓ when nothing else but "not tested" came; an answer that is not as expected once is not, and says how
    often it was so.
    """
    # What went wrong is worth more than what went well, and both more than what was not come to.
    ranks = (Verdict.DOES_NOT_WORK, Verdict.WORKS, Verdict.NOT_TESTED)
    worst = min(reversed(results), key=lambda each: ranks.index(each.verdicts.overall.verdict))
    seeds = [each.varying.seed for each in results if each.varying.seed is not None]
    return msgspec.structs.replace(
        worst,
        verdicts=msgspec.structs.replace(worst.verdicts, **{column: _judged(results, column) for column in _COLUMNS}),
        isolation=_answers([each.isolation for each in results]),
        sets=_sets([each.sets for each in results]),
        probes=_sets([each.probes for each in results]),
        variants=_variants([each.variants for each in results]),
        varying=msgspec.structs.replace(
            worst.varying,
            figures=figures.of_runs(results),
            # What figures stand is that of the quiet runs, where there were any.
            quiet=True if any(each.varying.quiet for each in results) else worst.varying.quiet,
        ),
        repeats=Repeats(times=len(results), seeds=seeds, came=_came(results)),
    )


def _came(results: Sequence[Result]) -> dict[str, dict[str, int]]:
    """Return how often each verdict and each answer came: of those alone that were not always the same."""
    found: dict[str, Counter[str]] = {}
    for each in results:
        for column in _COLUMNS:
            judgement: Judgement | None = getattr(each.verdicts, column)
            if judgement is not None:
                found.setdefault(f"verdict: {column}", Counter())[judgement.label] += 1
        for probe in each.asked:
            for finding in probe.findings:
                found.setdefault(f"{probe.name}: {finding.question}", Counter())[finding.seen] += 1
    return {name: dict(counts.most_common()) for name, counts in found.items() if len(counts) > 1}


def _judged(results: Sequence[Result], column: str) -> Judgement | None:
    judgements: list[Judgement] = [found for each in results if (found := getattr(each.verdicts, column)) is not None]
    return _judgement(judgements) if judgements else None


def _judgement(judgements: Sequence[Judgement]) -> Judgement:
    """Return what *judgements* are together, with how often of all times it was not the best of them."""
    works = [each for each in judgements if each.verdict is Verdict.WORKS]
    failed = [each for each in judgements if each.verdict is Verdict.DOES_NOT_WORK]
    if not failed:
        return works[0] if works else judgements[0]
    reasons = Counter(each.reason for each in failed).most_common()
    if len(failed) == len(judgements) and len(reasons) == 1:
        return failed[0]
    first = {each.reason: each.text for each in reversed(failed)}
    text = "; ".join(f"{number} of {len(judgements)} times: {first[reason]}" for reason, number in reasons)
    return Judgement.of(Reason.NOT_EVERY_TIME if works else reasons[0][0], text)


def _sets(runs: Iterable[Sequence[Probe]]) -> list[Probe]:
    """Return each set once, with the answers of all runs."""
    return [
        msgspec.structs.replace(asked[-1], findings=_answers([each.findings for each in asked]))
        for asked in _together(runs, lambda probe: probe.name)
    ]


def _answers(runs: Sequence[Sequence[Finding]]) -> list[Finding]:
    """Return each question once, with the worst answer that it had, and how often of how many times it had it."""
    return [_answer(answers) for answers in _together(runs, lambda finding: finding.question)]


def _answer(answers: Sequence[Finding]) -> Finding:
    counts = Counter((each.seen, each.good) for each in answers)
    bad = [each for each in answers if each.good is False]
    if len(counts) == 1:
        return answers[0]
    came = Counter(each.seen for each in bad).most_common() or Counter(each.seen for each in answers).most_common(1)
    seen = "; ".join(f"{words} ({number} of {len(answers)} times)" for words, number in came)
    chosen = next(each for each in bad or answers if each.seen == came[0][0])
    return msgspec.structs.replace(chosen, seen=seen, chance=True)


def _variants(runs: Iterable[Sequence[VariantResult]]) -> list[VariantResult]:
    return [
        msgspec.structs.replace(
            next((each for each in tried if each.judgement.verdict is Verdict.DOES_NOT_WORK), tried[0]),
            judgement=_judgement([each.judgement for each in tried]),
        )
        for tried in _together(runs, lambda variant: variant.name)
    ]


def _together(runs: Iterable[Sequence[_T]], name: Callable[[_T], str]) -> list[list[_T]]:
    """Return what has one *name* in all *runs*, in the order in which it came first."""
    found: dict[str, list[_T]] = {}
    for each in itertools.chain.from_iterable(runs):
        found.setdefault(name(each), []).append(each)
    return list(found.values())
