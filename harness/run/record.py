"""What becomes of a fresh result: what it replaces, what it keeps of the recorded one, and the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain

import msgspec
from filelock import FileLock, Timeout

from harness.errors import AlreadyRunning, UsageError
from harness.probes.registry import PROBES
from harness.results import catches, deep, failures, figures, history
from harness.results.compare import differences
from harness.results.deep import DeepSet
from harness.results.document import read_result, save_result
from harness.results.explained import Cause
from harness.results.folder import Reports
from harness.results.questions import apart, same_words
from harness.results.result import Finding, Probe, Result, Step
from harness.system.files import sweep, unwritable
from harness.verdict import Verdict

#: The probes that can be put to one deployment of the server alone.
_BY_DEPLOYMENT = ("load", "stress")


@contextmanager
def locked(reports: Reports, cell: str) -> Iterator[None]:
    """Hold *cell*: nobody else runs it, nor replaces its result, until the block is left.

    Raises:
        AlreadyRunning: another process holds it.
        HarnessError: the reports folder cannot be written to.
    """
    lock = FileLock(reports.cell_lock(cell), blocking=False)
    try:
        reports.cell_lock(cell).parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
        sweep(reports.results)
    except Timeout as error:
        raise AlreadyRunning(f"{cell} is being run by another process", "wait until that has ended") from error
    except OSError as error:
        raise unwritable("reports", error) from error
    try:
        yield
    finally:
        lock.release()


def recorded(reports: Reports, cell: str) -> Result | None:
    """Return the recorded result of *cell*; None where there is none.

    Raises:
        DamagedResult: it, or its history, cannot be read: what cannot be read must not be overwritten.
    """
    history.read(reports.history(cell))
    path = reports.result(cell)
    return read_result(path) if path.exists() else None


@dataclass(frozen=True)
class Conclusion:
    """What became of a result: the exit code, whether it was saved, and what there is to say of that."""

    exit_code: int
    saved: bool
    #: How the verdict differs from the expected one, a sentence for each column; empty where it does not.
    changes: list[str] = field(default_factory=list)
    #: What else there is to say, in one sentence.
    said: str = ""


def conclude(
    reports: Reports, result: Result, before: Result | None, expected: bool, deployment: str | None = None
) -> Conclusion:
    """Record *result*, which comes after *before*; whoever calls this holds the cell.

    Where *before* is *expected*, another verdict is no record: it is kept beside the evidence, and the code is 1. If
    one *deployment* alone was tried, what is recorded of the others stays; None says that all were.

    Raises:
        HarnessError: it cannot be written.
    """
    verdict = result.verdicts.overall.verdict
    tested = verdict is not Verdict.NOT_TESTED
    changes = differences(before, result) if expected and before is not None else []
    if changes and tested:
        save_result(result, reports.unexpected(result.cell))
        return Conclusion(Verdict.DOES_NOT_WORK.exit_code, False, changes)
    if kept := replace(reports, result, before, deployment):
        # The evidence is that of this run, and not of what stays.
        save_result(result, reports.unexpected(result.cell))
        return Conclusion(verdict.exit_code, False, said=kept)
    if not expected or before is None or not tested:
        return Conclusion(verdict.exit_code, True)
    said = "New: nothing was recorded." if _untested(before) else "As recorded."
    return Conclusion(Verdict.WORKS.exit_code, True, said=said)


def replace(reports: Reports, result: Result, before: Result | None, deployment: str | None = None) -> str:
    """Save *result* in the place of *before*, unless it says less; return why it was not saved; nothing if it was.

    *deployment* is the one that was tried alone.

    "Not tested" never takes the place of a verdict.

    Raises:
        HarnessError: it cannot be written.
    """
    if _untested(result) and before is not None:
        if before.verdicts == result.verdicts:
            return f"Not recorded: it repeats the result of {before.varying.started[:10]}"
        if not _untested(before):
            day = before.varying.started[:10]
            return f"The result recorded on {day} stays: {before.verdicts.overall.label}"
    save_result(with_what_stands(result, before, reports, deployment), reports.result(result.cell))
    history.append(reports, result, before)
    return ""


def with_what_stands(result: Result, before: Result | None, reports: Reports, deployment: str | None = None) -> Result:
    """Return *result* with what is known of *before* and still stands: ways, answers to probes, causes and cures.

    *reports* have the deep sets of the cell whole; *deployment* is the one that was tried alone.
    """
    joined = with_earlier_probes(with_earlier_variants(result, before), before, deployment)
    joined = _with_quieter_figures(joined, before)
    return still_explained(joined, before, deep.readable(reports, result.cell))


def _untested(result: Result) -> bool:
    return result.verdicts.overall.verdict is Verdict.NOT_TESTED


def _with_quieter_figures(result: Result, before: Result | None) -> Result:
    """Return *result* with the figures of *before* where those are of quiet runs, or of several, and its own not."""
    if before is None or figures.worth(before) <= figures.worth(result) or not _same_server(before, result):
        return result
    old = before.varying
    varying = msgspec.structs.replace(
        result.varying,
        figures=old.figures or figures.of_runs([before]),
        figures_on=old.figures_on or old.started[:10],
        quiet=old.quiet,
    )
    return msgspec.structs.replace(result, varying=varying)


def with_earlier_probes(result: Result, before: Result | None, deployment: str | None = None) -> Result:
    """Return *result* with what probes found earlier, as long as the same server was asked, with the same verdict.

    It is the same while no package has changed that it imports; the day on which a probe was asked stands beside it.
    *deployment* is the one that was tried alone, in which case the answers of the others are kept as well.
    """
    if before is None or not _same_server(before, result):
        return result
    # What could not be asked takes nothing of what was known.
    asked = {probe.name for probe in result.probes if any(each.answered for each in probe.findings)}
    kept = [probe for probe in before.probes if probe.name not in asked]
    others = _of_other_deployments(result, before, deployment) if deployment is not None else {}
    if not kept and not others:
        return result
    old, new = before.varying, result.varying
    steps = {f"probe {probe.name}" for probe in kept}
    questions = {each.question for each in chain(*(probe.findings for probe in kept), *others.values())}
    varying = msgspec.structs.replace(
        new,
        seconds={**{name: old.seconds[name] for name in steps if name in old.seconds}, **new.seconds},
        probed_on={
            **{probe.name: old.probed_on[probe.name] for probe in kept},
            **new.probed_on,
            # Of answers of several days the earliest day stands beside the set.
            **{name: old.probed_on[name] for name in others},
        },
        costs=new.costs or (old.costs if "transports" not in asked else {}),
        tools={**{name: tool for name, tool in old.tools.items() if name not in asked}, **new.tools},
        counted={**{key: value for key, value in old.counted.items() if key in questions}, **new.counted},
    )
    again = {probe.name for probe in kept}
    new_ones = [probe for probe in result.probes if probe.name not in again]
    fresh = [_joined(probe, others.get(probe.name, []), before) for probe in new_ones]
    order = list(PROBES)
    # One that is no longer asked comes last.
    probes = sorted([*kept, *fresh], key=lambda probe: order.index(probe.name) if probe.name in order else len(order))
    joined = _before_the_stop(result.steps, [step for step in before.steps if step.name in steps])
    return msgspec.structs.replace(result, probes=probes, steps=joined, varying=varying)


def _of_other_deployments(result: Result, before: Result, deployment: str) -> dict[str, list[Finding]]:
    """Return what others than *deployment* had answered *before* to the sets that *result* has of it alone."""
    asked = {probe.name for probe in result.probes if probe.name in _BY_DEPLOYMENT}
    found = {
        probe.name: [each for each in probe.findings if apart(each.question)[1] != deployment]
        for probe in before.probes
        if probe.name in asked
    }
    return {name: findings for name, findings in found.items() if findings}


def _joined(probe: Probe, others: list[Finding], before: Result) -> Probe:
    """Return *probe* with what *others* had answered; each deployment has the place that it had *before*."""
    if not others:
        return probe
    earlier = [each for known in before.probes if known.name == probe.name for each in known.findings]
    mine = next((place for place, each in enumerate(earlier) if each not in others), len(others))
    return msgspec.structs.replace(probe, findings=others[:mine] + probe.findings + others[mine:])


def with_earlier_variants(result: Result, before: Result | None) -> Result:
    """Return *result* with what is recorded of the ways that could not be tried, such as for want of a PostgreSQL.

    That is as long as the same server was tried with the same verdict: of others nothing is known then.
    """
    known = {each.name: each for each in before.variants} if before and _same_server(before, result) else {}
    variants = [
        known.get(each.name, each) if each.judgement.verdict is Verdict.NOT_TESTED else each for each in result.variants
    ]
    return msgspec.structs.replace(result, variants=variants)


def still_explained(result: Result, before: Result | None, sets: Iterable[DeepSet] = ()) -> Result:
    """Return *result* with what explained an earlier one, of all that is still answered as it was.

    That is causes, cures, and what was tried in vain. *sets* are the deep ones of the cell, of which a result has the
    worst answers alone.
    """
    if before is None:
        return result
    failed = failures.told(result)
    now, then = ({each.id: each for each in catches.answers(of)} for of in (result, before))
    mended = {each.id for each in catches.answers(result, sets) if each.good is True}
    # Of a deep set only answers that are not as expected stand in a result; where there are more, not all of them.
    asked = {each.name for each in result.probes if each.counts is not None and len(each.findings) < deep.WORST}
    set_of = {each.id: probe.name for probe in before.probes for each in probe.findings}

    def still(question: str) -> bool:
        if not question:
            return bool(failed) and failed == failures.told(before)
        if question in now:
            known = then.get(question)
            same = known is None or known.seen == now[question].seen
            # One that is as expected has a cause all the same, if it was asked for what changed its words.
            return now[question].good is not True or (known is not None and known.good is True and same)
        # What was not asked this time may be as it was.
        return set_of.get(question) not in asked

    def wrong(question: str) -> bool:
        """Tell whether there is something to mend: there is not where a cause tells what changed good words."""
        return still(question) and question not in mended

    def turned(cause: Cause) -> bool:
        """Tell whether *cause*, where it names a release, is of the words that are answered now."""
        past, present = then.get(cause.question), now.get(cause.question)
        return not cause.turned or not past or not present or same_words(past.seen, present.seen)

    return msgspec.structs.replace(
        result,
        causes=[*result.causes, *(each for each in before.causes if still(each.question) and turned(each))],
        cures=[*result.cures, *(each for each in before.cures if wrong(each.question))],
        attempts=[*result.attempts, *(each for each in before.attempts if wrong(each.question))],
    )


def _same_server(before: Result, result: Result) -> bool:
    """Tell whether both results are of the same verdict, and of a server that imports the same versions."""
    old, new, was, now = before.versions, result.versions, before.verdicts.overall, result.verdicts.overall
    if old is None or new is None or (was.verdict, was.reason) != (now.verdict, now.reason):
        return False
    known = [*old.imported, *new.imported] or [*old.installed, *new.installed]
    brokers = {old.broker, new.broker} - {""}  # a library that talks to none has none, or had the cell's
    pair = (old.python, old.implementation, old.django) == (new.python, new.implementation, new.django)
    return pair and len(brokers) < 2 and all(old.installed.get(name) == new.installed.get(name) for name in known)


def _before_the_stop(steps: list[Step], more: list[Step]) -> list[Step]:
    """Return *steps* with *more* before the server's stop, which is where probes are asked."""
    place = next((at for at, step in enumerate(steps) if step.name.startswith("stop ")), len(steps))
    return [*steps[:place], *more, *steps[place:]]


def frozen(past: Result, cell: str) -> list[str]:
    """Return the exact versions that *past* installed, to install them again in *cell*.

    Raises:
        UsageError: it is the result of another cell, or nothing was installed then.
    """
    if past.cell != cell:
        raise UsageError(f"--freeze: that is the result of {past.cell}, not of {cell}")
    if past.installation is None:
        raise UsageError(f"--freeze: nothing was installed in {cell} then, so there are no versions to install again")
    return past.installation.added


def since(past: Result, result: Result) -> list[str]:
    """Return how *result*, made with the versions of *past*, differs from it; a sentence each."""
    changes = differences(past, result)
    if past.versions and result.versions and past.versions.django != result.versions.django:
        changes.append(f"Django is {result.versions.django}, and was {past.versions.django}")
    return changes
