"""What becomes of a fresh result: what it replaces, what it keeps of the recorded one, and the exit code."""

from __future__ import annotations

import pytest
import samples
from filelock import FileLock
from made import alike, deep_set
from msgspec.structs import replace

from harness.errors import AlreadyRunning, DamagedResult, HarnessError, UsageError
from harness.results import deep, figures, history
from harness.results.document import read_result, save_result
from harness.results.explained import Attempt, Cause, Cure, Turned
from harness.results.folder import Reports
from harness.results.result import Finding, Judgement, Probe, Result, VariantResult
from harness.run import record
from harness.run.record import Conclusion
from harness.verdict import Reason, Verdict

CELL = "py39-django22"
LATER = "2026-12-24T08:00:00+00:00"


@pytest.fixture
def reports(tmp_path) -> Reports:
    return Reports(tmp_path)


@pytest.fixture
def works() -> Result:
    return samples.of(CELL)


def with_reason(result: Result, reason: Reason, text: str = "so it is", started: str = LATER) -> Result:
    """Return *result* as it would be with another verdict, of a later day."""
    judgement = Judgement.of(reason, text)
    verdicts = alike(judgement)
    return replace(result, verdicts=verdicts, varying=replace(result.varying, started=started))


def later(result: Result) -> Result:
    return replace(result, varying=replace(result.varying, started=LATER))


def recorded(reports: Reports, result: Result) -> Result:
    """Record *result* as the first one."""
    save_result(result, reports.result(result.cell))
    return result


def saved(reports: Reports) -> Result:
    return read_result(reports.result(CELL))


def dates(reports: Reports) -> list[tuple[str, Reason]]:
    return [(entry.date[:10], entry.reason) for entry in history.read(reports.history(CELL))]


# What is concluded


@pytest.mark.parametrize("expected", [False, True])
def test_the_first(reports, works, expected):
    """A first result is recorded with its verdict's exit code, also where something was expected."""
    assert record.conclude(reports, works, None, expected) == Conclusion(0, True)
    assert saved(reports) == works
    assert dates(reports) == [("2026-11-21", Reason.WORKS)]


@pytest.mark.parametrize(
    ("reason", "code"), [(Reason.WORKS, 0), (Reason.EXCHANGE_WRONG, 1), (Reason.INTERPRETER_MISSING, 4)]
)
def test_its_exit_code(reports, works, reason, code):
    """The exit code of a recorded result is that of its verdict."""
    assert record.conclude(reports, with_reason(works, reason), None, expected=False) == Conclusion(code, True)


def test_another_verdict_that_nobody_expected_otherwise(reports, works):
    """Where nothing was expected another verdict is recorded, and counts."""
    worse = with_reason(works, Reason.EXCHANGE_WRONG)
    assert record.conclude(reports, worse, recorded(reports, works), expected=False) == Conclusion(1, True)
    assert saved(reports).verdicts == worse.verdicts


def test_as_recorded(reports, works):
    """What is as it was expected is recorded, is said, and is a success."""
    conclusion = record.conclude(reports, later(works), recorded(reports, works), expected=True)
    assert conclusion == Conclusion(0, True, said="As recorded.")
    assert saved(reports).varying.started == LATER


def test_a_known_failure(reports, works):
    """A failure that is as recorded is a success for whoever expects it."""
    broken = recorded(reports, with_reason(works, Reason.EXCHANGE_WRONG, "5 is missing", samples.STARTED))
    again = with_reason(works, Reason.EXCHANGE_WRONG, "6 is missing")
    assert record.conclude(reports, again, broken, expected=True) == Conclusion(0, True, said="As recorded.")


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (Reason.WORKS, Reason.EXCHANGE_WRONG, "was ✓ Yes, is ✗ No (exchange wrong): now"),
        (Reason.EXCHANGE_WRONG, Reason.WORKS, "was ✗ No (exchange wrong), is ✓ Yes: now"),
        (Reason.PAGE_FAILED, Reason.EXCHANGE_WRONG, "was ✗ No (page failed), is ✗ No (exchange wrong): now"),
    ],
)
def test_not_as_expected(reports, works, before, after, change):
    """Another verdict or reason than the expected one, better or worse, is news, kept aside, and no record."""
    old = recorded(reports, with_reason(works, before, "then", samples.STARTED))
    new = with_reason(works, after, "now")
    columns = ("Web server works?", "Channels work?", "Does it work?")
    changes = [f"{column} {change}" for column in columns]
    assert record.conclude(reports, new, old, expected=True) == Conclusion(1, False, changes)
    assert saved(reports) == old
    assert read_result(reports.unexpected(CELL).rename(reports.folder / f"{CELL}.json")) == new
    assert dates(reports) == []


def test_the_first_verdict(reports, works):
    """A verdict where none was known is new, whatever was expected."""
    nothing = recorded(reports, with_reason(works, Reason.INTERPRETER_MISSING, "no Python 3.9 found", samples.STARTED))
    conclusion = record.conclude(reports, with_reason(works, Reason.EXCHANGE_WRONG), nothing, expected=True)
    assert conclusion == Conclusion(0, True, said="New: nothing was recorded.")


@pytest.mark.parametrize("expected", [False, True])
def test_not_tested_never_replaces_a_verdict(reports, works, expected):
    """Who cannot try a cell leaves the verdict of those who could, and says so with the exit code for "not tested"."""
    nothing = with_reason(works, Reason.NO_NETWORK)
    conclusion = record.conclude(reports, nothing, recorded(reports, works), expected)
    assert conclusion == Conclusion(4, False, said="The result recorded on 2026-11-21 stays: ✓ Yes")
    assert saved(reports) == works
    # The evidence that lies there now is that of another run.
    assert reports.recorded_evidence(CELL) is None
    assert not reports.history(CELL).exists()


def test_not_tested_is_no_success(reports, works):
    """What could not be tried is no success, also where that is what is recorded."""
    nothing = recorded(reports, with_reason(works, Reason.NO_NETWORK, started=samples.STARTED))
    conclusion = record.conclude(reports, with_reason(works, Reason.NO_NETWORK), nothing, expected=True)
    assert (conclusion.exit_code, conclusion.changes) == (4, [])


# What replaces what


def test_not_tested_for_the_same_reason(reports, works):
    """What is not tested once more for the same reason changes nothing, not even the date."""
    nothing = recorded(reports, with_reason(works, Reason.NO_NETWORK, started=samples.STARTED))
    assert record.replace(reports, with_reason(works, Reason.NO_NETWORK), nothing) == (
        "Not recorded: it repeats the result of 2026-11-21"
    )
    assert saved(reports) == nothing
    assert not reports.history(CELL).exists()


def test_not_tested_for_another_reason(reports, works):
    """What is not tested for another reason takes the place of what was not tested before."""
    nothing = recorded(reports, with_reason(works, Reason.NO_NETWORK, started=samples.STARTED))
    assert record.replace(reports, with_reason(works, Reason.INTERPRETER_MISSING), nothing) == ""
    assert saved(reports).verdicts.overall.reason is Reason.INTERPRETER_MISSING
    assert dates(reports) == [("2026-11-21", Reason.NO_NETWORK), ("2026-12-24", Reason.INTERPRETER_MISSING)]


def test_what_stays_is_named(reports, works):
    """What is not replaced is named with its day and its verdict."""
    broken = recorded(reports, with_reason(works, Reason.PAGE_FAILED, started=samples.STARTED))
    assert record.replace(reports, with_reason(works, Reason.NO_NETWORK), broken) == (
        "The result recorded on 2026-11-21 stays: ✗ No (page failed)"
    )


def test_history(reports, works):
    """Each record leaves a line; the first of them also brings that of the result that was there before."""
    first = recorded(reports, works)
    second = with_reason(works, Reason.EXCHANGE_WRONG)
    record.replace(reports, second, first)
    third = with_reason(works, Reason.WORKS, started="2027-01-01T00:00:00+00:00")
    record.replace(reports, third, second)
    assert dates(reports) == [
        ("2026-11-21", Reason.WORKS),
        ("2026-12-24", Reason.EXCHANGE_WRONG),
        ("2027-01-01", Reason.WORKS),
    ]


# What earlier probes found


def without_probes(result: Result, *names: str) -> Result:
    """Return *result* as a later run has it that asked none of the probes called *names*, or none at all."""
    gone = {probe.name for probe in result.probes if not names or probe.name in names}
    varying = replace(
        result.varying,
        started=LATER,
        probed_on={name: LATER[:10] for name in result.varying.probed_on if name not in gone},
        counted={} if not names else result.varying.counted,
        tools={} if not names else result.varying.tools,
        seconds={name: 9.0 for name in result.varying.seconds if name.removeprefix("probe ") not in gone},
    )
    return replace(
        result,
        probes=[probe for probe in result.probes if probe.name not in gone],
        steps=[step for step in result.steps if step.name.removeprefix("probe ") not in gone],
        varying=varying,
    )


def test_earlier_probes_are_kept(works):
    """What no probe was asked for again is kept from before: findings, steps, days, figures and tools."""
    fresh = without_probes(works)
    assert fresh.probes == []
    joined = record.with_earlier_probes(fresh, works)
    assert joined.probes == works.probes
    assert [step.name for step in joined.steps] == [step.name for step in works.steps]
    assert joined.varying.probed_on == works.varying.probed_on
    assert joined.varying.counted == works.varying.counted
    assert joined.varying.tools == works.varying.tools
    assert joined.varying.started == LATER
    kept = {name: seconds for name, seconds in joined.varying.seconds.items() if name.startswith("probe ")}
    assert kept == {name: works.varying.seconds[name] for name in kept} != {}
    assert joined.varying.seconds["log in"] == 9.0


def test_the_newer_answer_counts(works):
    """What was asked again has the new answer and the new day; the rest is kept, in the order of all probes."""
    fresh = without_probes(works, "payloads", "browser")
    answered = Probe(name="delivery", findings=works.probes[1].findings[:1])
    varying = replace(fresh.varying, counted={answered.findings[0].question: "0 of 100 lost"})
    joined = record.with_earlier_probes(replace(fresh, probes=[answered], varying=varying), works)
    assert [probe.name for probe in joined.probes] == ["payloads", "delivery", "browser"]
    assert joined.probes[1] == answered
    assert joined.varying.probed_on == {"payloads": "2026-11-21", "delivery": "2026-12-24", "browser": "2026-11-21"}
    # The figures of the burst were of the earlier answer.
    assert joined.varying.counted == {answered.findings[0].question: "0 of 100 lost"}


def test_other_deployments_are_kept(works):
    """Load that is tried with one deployment leaves what others answered, with the day of the oldest answer."""

    def loaded(result: Result, day: str, answers: dict[str, bool]) -> Result:
        findings = [Finding(question=each, expected="e", seen="s", good=good) for each, good in answers.items()]
        varying = replace(result.varying, probed_on={"load": day}, counted=dict.fromkeys(answers, day))
        return replace(result, probes=[Probe(name="load", findings=findings)], varying=varying)

    one, both = "To 100 sockets (1 process, Redis layer)", "To 100 sockets (2 processes, Redis layer)"
    before = loaded(works, "2026-11-21", {one: True, "To 200 sockets (1 process, Redis layer)": False, both: True})
    tried = loaded(works, "2026-12-24", {one: False})
    joined = record.with_earlier_probes(tried, before, "1 process, Redis layer")
    assert [(each.question, each.good) for each in joined.probes[0].findings] == [(one, False), (both, True)]
    assert joined.varying.probed_on["load"] == "2026-11-21"
    assert joined.varying.counted == {both: "2026-11-21", one: "2026-12-24"}
    other = record.with_earlier_probes(loaded(works, "2026-12-25", {both: False}), joined, "2 processes, Redis layer")
    assert [(each.question, each.good) for each in other.probes[0].findings] == [(one, False), (both, False)]
    # Who tries all that there are, has all there is to know.
    assert record.with_earlier_probes(tried, before).probes[0] == tried.probes[0]


def test_what_could_not_be_asked_takes_nothing(works):
    """Where nothing of a set could be asked again, as without a browser, the earlier answers stay."""
    nobody = Finding(question="all in a browser", expected="15", seen="not tested: there is no chromium", good=None)
    fresh = without_probes(works, "browser", "delivery", "payloads")
    joined = record.with_earlier_probes(replace(fresh, probes=[Probe(name="browser", findings=[nobody])]), works)
    assert [probe.name for probe in joined.probes] == ["payloads", "delivery", "browser"]
    assert joined.probes[2] == works.probes[2]
    assert joined.varying.probed_on["browser"] == "2026-11-21"
    # Where nothing was known that it could not be asked is what is known.
    unknown = without_probes(works, "browser")
    assert record.with_earlier_probes(
        replace(fresh, probes=[Probe(name="browser", findings=[nobody])]), unknown
    ).probes[-1].findings == [nobody]


@pytest.mark.parametrize(("quiet", "runs", "kept"), [(True, 3, True), (True, 1, True), (False, 3, False)])
def test_quiet_figures_stay(tmp_path, works, quiet, runs, kept):
    """A run beside others leaves the figures that quiet runs had, with their day; the same server was measured."""
    reports = Reports(tmp_path)
    known = {"latency_ms": [0.3] * runs} if runs > 1 else {}
    before = replace(works, varying=replace(works.varying, quiet=quiet, figures=known))
    busy = replace(works, varying=replace(works.varying, quiet=False, started="2026-12-24T10:00:00+00:00"))
    joined = record.with_what_stands(busy, before, reports).varying
    day = before.varying.started[:10]
    assert (joined.quiet, joined.figures_on) == ((True, day) if kept else (False, ""))
    assert (joined.figures == (known or figures.of_runs([before]))) is kept
    # They are kept once more, and still of the same day.
    again = replace(busy, varying=replace(busy.varying, started="2026-12-25T10:00:00+00:00"))
    then = record.with_what_stands(again, replace(before, varying=joined), reports).varying
    assert then.figures_on == joined.figures_on
    # Another version of what the server imports has figures of its own.
    versions = replace(busy.versions, installed={**busy.versions.installed, "redis": "99.0"}, imported=["redis"])
    assert not record.with_what_stands(replace(busy, versions=versions), before, reports).varying.figures


def test_a_probe_that_is_no_more(works):
    """What an earlier harness asked under another name is kept behind all others."""
    old = Probe(name="crystal ball", findings=[])
    before = replace(
        works,
        probes=[old, *works.probes],
        varying=replace(works.varying, probed_on={**works.varying.probed_on, "crystal ball": "2020-01-01"}),
    )
    joined = record.with_earlier_probes(without_probes(works), before)
    assert [probe.name for probe in joined.probes] == ["payloads", "delivery", "browser", "crystal ball"]


def test_costs_are_kept():
    """What a message cost by each transport is kept as long as it is not measured again."""
    before = samples.of("py311-django52-asgi")
    fresh = without_probes(before)
    joined = record.with_earlier_probes(replace(fresh, varying=replace(fresh.varying, costs={})), before)
    assert joined.varying.costs == before.varying.costs != {}


def test_what_was_asked_again_has_new_costs():
    """Costs and tools of a probe that was asked again are those of the new answer, also where there are none."""
    before = samples.of("py311-django52-asgi")
    varying = replace(before.varying, costs={}, tools={})
    joined = record.with_earlier_probes(replace(before, varying=varying), before)
    assert (before.varying.costs != {}, joined.varying.costs, joined.varying.tools) == (True, {}, {})


def test_nothing_is_kept_of_other_versions(works):
    """What probes found of other versions says nothing of these."""
    assert works.versions is not None
    fresh = replace(without_probes(works), versions=replace(works.versions, django="2.2.99"))
    assert record.with_earlier_probes(fresh, works) == fresh


def versions_of(result: Result, **changes: object) -> Result:
    assert result.versions is not None
    return replace(result, versions=replace(result.versions, **changes))


@pytest.mark.parametrize("part", ["python", "implementation", "broker"])
def test_nothing_is_kept_of_another_interpreter(works, part):
    """What probes found on another Python, or with another broker, says nothing of these."""
    fresh = versions_of(without_probes(works), **{part: "another"})
    assert record.with_earlier_probes(fresh, works) == fresh


@pytest.mark.parametrize(("name", "kept"), [("django-websocket-redis", False), ("pip", True)])
def test_what_the_server_imports(works, name, kept):
    """As long as nothing has changed that the server imports, what probes found of it stays true."""
    before = versions_of(works, imported=["Django", "django-websocket-redis"])
    assert before.versions is not None
    changed = {**before.versions.installed, name: "99.0"}
    fresh = versions_of(without_probes(before), installed=changed)
    assert bool(record.with_earlier_probes(fresh, before).probes) is kept


def test_nobody_knows_what_the_server_imports(works):
    """Where nobody knows what the server imports any change may be one of the server."""
    assert works.versions is not None
    fresh = versions_of(without_probes(works), installed={**works.versions.installed, "pip": "99.0"})
    assert record.with_earlier_probes(fresh, works) == fresh


def test_the_same_verdict_in_other_words(works):
    """What stands beside a verdict may differ from run to run; it is the same verdict."""
    words = with_reason(works, Reason.WORKS, "15 of 15", samples.STARTED)
    assert record.with_earlier_probes(without_probes(works), words).probes == works.probes


def test_nothing_is_kept_of_another_verdict(works):
    """What probes found under another verdict says nothing of this one."""
    fresh = with_reason(without_probes(works), Reason.EXCHANGE_WRONG)
    assert record.with_earlier_probes(fresh, works) == fresh


def test_nothing_to_keep(works):
    """Without an earlier result, or without probes in it, a result stays as it is."""
    assert record.with_earlier_probes(works, None) is works
    assert record.with_earlier_probes(works, without_probes(works)) is works


def test_kept_when_it_is_recorded(reports, works):
    """Recording a run without probes keeps in the file what earlier ones found."""
    record.replace(reports, without_probes(works), recorded(reports, works))
    assert saved(reports).probes == works.probes


def test_a_result_without_a_stop(works):
    """Where no server was stopped the earlier probes' steps come last."""
    fresh = without_probes(works)
    fresh = replace(fresh, steps=[step for step in fresh.steps if not step.name.startswith("stop ")])
    names = [step.name for step in record.with_earlier_probes(fresh, works).steps]
    assert names[-3:] == ["probe payloads", "probe delivery", "probe browser"]


# What is there, and who holds it


def test_recorded(reports, works):
    """The recorded result of a cell is read; where there is none, that is none."""
    assert record.recorded(reports, CELL) is None
    recorded(reports, works)
    assert record.recorded(reports, CELL) == works


@pytest.mark.parametrize("place", ["result", "history"])
def test_damaged(reports, works, place):
    """A result or a history that cannot be read is not overwritten: it stops whoever would."""
    recorded(reports, works)
    path = getattr(reports, place)(CELL)
    path.parent.mkdir(exist_ok=True)
    path.write_text("{")
    with pytest.raises(DamagedResult, match=path.name):
        record.recorded(reports, CELL)


def test_locked(reports):
    """Who holds a cell holds it alone, and lets go of it in the end, also after a failure."""
    with record.locked(reports, CELL), pytest.raises(AlreadyRunning) as raised, record.locked(reports, CELL):
        pytest.fail("two hold it")
    assert str(raised.value) == f"{CELL} is being run by another process"
    assert raised.value.hint == "wait until that has ended"
    with pytest.raises(ZeroDivisionError), record.locked(reports, CELL):
        raise ZeroDivisionError
    with record.locked(reports, CELL):
        assert reports.cell_lock(CELL).exists()


def test_left_half_written(reports):
    """What a killed run left half written among the results is gone once somebody holds a cell."""
    reports.results.mkdir(parents=True)
    (reports.results / ".tmp-abc").touch()
    with record.locked(reports, CELL):
        assert list(reports.results.iterdir()) == []


def test_locked_by_a_stranger(reports):
    """Whoever else has locked the cell's file holds it; other cells are free."""
    reports.cell_lock(CELL).parent.mkdir(parents=True)
    with FileLock(reports.cell_lock(CELL)):
        with pytest.raises(AlreadyRunning), record.locked(reports, CELL):
            pytest.fail("it is held")
        with record.locked(reports, "py27-django18"):
            pass


def test_nothing_to_lock_in(tmp_path):
    """Where nothing can be written nobody holds anything, and it is said what to do."""
    (tmp_path / "file").touch()
    reports = Reports(tmp_path / "file")
    with pytest.raises(HarnessError, match=r"^reports cannot be written: ") as raised, record.locked(reports, CELL):
        pytest.fail("there is nothing to hold")
    assert raised.value.hint == "make room on the disk, or make the folder writable"


# Versions of the past


def test_frozen(works):
    """The exact versions that were added are what is installed again."""
    assert works.installation is not None
    assert record.frozen(works, CELL) == works.installation.added
    assert "django-websocket-redis==0.6.0" in works.installation.added


def test_frozen_of_another_cell(works):
    """The versions of another cell are refused."""
    with pytest.raises(UsageError, match=f"^--freeze: that is the result of {CELL}, not of py27-django18$"):
        record.frozen(works, "py27-django18")


def test_frozen_of_nothing():
    """Where nothing was installed there are no versions."""
    name = "py33-django18"
    with pytest.raises(UsageError, match=f"^--freeze: nothing was installed in {name} then, so there are no versions"):
        record.frozen(samples.of(name), name)


def test_the_same_as_then(works):
    """With the same verdict and the same Django nothing has changed since."""
    assert record.since(works, later(works)) == []


def test_since_then(works):
    """Another verdict and another Django are told, each in a sentence."""
    assert works.versions is not None
    fresh = with_reason(works, Reason.EXCHANGE_WRONG, "5 is missing")
    fresh = replace(fresh, versions=replace(works.versions, django="2.2.28"))
    assert record.since(works, fresh) == [
        "Web server works? was ✓ Yes, is ✗ No (exchange wrong): 5 is missing",
        "Channels work? was ✓ Yes, is ✗ No (exchange wrong): 5 is missing",
        "Does it work? was ✓ Yes, is ✗ No (exchange wrong): 5 is missing",
        "Django is 2.2.28, and was 2.2.19",
    ]


def test_since_without_versions(works):
    """Where one of the two has no versions nothing is said of Django."""
    assert record.since(works, replace(later(works), versions=None)) == []


def explained(result: Result, *questions: str) -> Result:
    causes = [Cause(question=each, turned=[], text="so", good=[], bad=[], found_on="2026-11-26") for each in questions]
    cure = {"kind": "pin", "change": "x<1", "verdict": Verdict.WORKS, "text": "", "tried_on": "2026-11-26"}
    vain = [Attempt(question=each, kind="server", change="x", text="", tried_on="2026-11-26") for each in questions]
    return replace(result, causes=causes, cures=[Cure(question=each, **cure) for each in questions], attempts=vain)


def test_explanations_stay(reports, works):
    """Causes and cures stay with a cell that is measured again, of all that it still does not answer as expected."""
    was = [
        replace(
            probe, findings=[replace(each, good=False) if each.id == "idle-12" else each for each in probe.findings]
        )
        for probe in works.probes
    ]
    before = explained(replace(works, probes=was), "early", "idle-12", "load-1000")
    kept = record.still_explained(works, before)
    # What is idle stays open; under load it was not put this time.
    assert [each.question for each in kept.causes] == ["early", "load-1000"]
    assert [each.question for each in kept.cures] == ["early", "load-1000"]
    assert [each.question for each in kept.attempts] == ["early", "load-1000"]
    assert record.still_explained(works, None) == works
    record.conclude(reports, works, before, expected=False)
    assert [each.question for each in read_result(reports.result(CELL)).causes] == ["early", "load-1000"]


def test_explanations_of_what_is_as_expected(works):
    """What changed the words of an answer that is as expected stays as long as the words do."""
    before = explained(works, "burst-order")
    assert len(record.still_explained(works, before).causes) == 1
    other = [
        replace(
            probe,
            findings=[replace(each, seen="other") if each.id == "burst-order" else each for each in probe.findings],
        )
        for probe in works.probes
    ]
    assert record.still_explained(replace(works, probes=other), before).causes == []


@pytest.mark.parametrize(
    ("then", "now", "stays"),
    [
        ("closed by the server with 1011", "closed by the server with 1011", True),
        ("not all hear it (5 of 5 runs)", "not all hear it (3 of 5 runs)", True),
        ("closed by the server with 1011", "closed by the server with 1006", False),
    ],
)
def test_a_release_explains_the_words_that_it_was_found_for(works, then, now, stays):
    """A cause that names a release stays while the answer is the same; one that says it was always so stays anyway."""

    def answering(seen: str) -> Result:
        finding = Finding(question="A connection that is idle for 12 s", expected="", seen=seen, good=False)
        return replace(works, probes=[Probe(name="delivery", findings=[finding])])

    cause = Cause(question="idle-12", turned=[], text="so", good=[], bad=[], found_on="2026-11-26")
    guilty = replace(cause, turned=[Turned(package="redis", good="7.4.1", bad="8.0.0")])
    before = replace(answering(then), causes=[cause, guilty])
    kept = record.still_explained(answering(now), before).causes
    assert kept == ([cause, guilty] if stays else [cause])


def test_explanations_of_a_deep_set(works):
    """A deep answer that no longer stands in the result is as expected now, unless not all of them stand there."""
    bad = [Finding(question=f"A question {number}", expected="", seen="", good=False) for number in range(5)]
    before = explained(replace(works, probes=[Probe(name="amounts", findings=bad[:1], counts=(3, 1))]), bad[0].id)
    mended = replace(works, probes=[Probe(name="amounts", findings=bad[1:2], counts=(3, 1))])
    assert record.still_explained(mended, before).causes == []
    more = replace(works, probes=[Probe(name="amounts", findings=[*bad[1:], bad[1]], counts=(3, 7))])
    assert len(record.still_explained(more, before).causes) == 1
    assert len(record.still_explained(replace(works, probes=[]), before).causes) == 1


def test_explanations_of_a_deep_set_as_a_whole(reports, works):
    """What the whole deep set answers as expected now has nothing to mend, however many others stand in the result."""
    bad = [Finding(question=f"A question {number}", expected="", seen="", good=False) for number in range(6)]
    before = explained(replace(works, probes=[Probe(name="amounts", findings=bad[:1], counts=(3, 1))]), bad[0].id)
    now = replace(works, probes=[Probe(name="amounts", findings=bad[1:], counts=(3, 7))])
    deep.save(reports, deep_set(CELL, "amounts", [replace(bad[0], good=True), *bad[1:]]))
    record.conclude(reports, now, before, expected=False)
    kept = read_result(reports.result(CELL))
    assert (kept.cures, kept.attempts) == ([], [])


def test_explanations_of_a_failure(works):
    """The cause of a verdict stays as long as the failure says the same."""
    failed = with_reason(works, Reason.SERVER_DID_NOT_START, "No module named 'cgi'")
    before = explained(failed, "")
    assert len(record.still_explained(failed, before).causes) == 1
    other = with_reason(works, Reason.SERVER_DID_NOT_START, "No module named 'imp'")
    assert record.still_explained(other, before).causes == []
    assert record.still_explained(works, before).causes == []


def test_ways_that_could_not_be_tried(works):
    """A way that could not be tried keeps the verdict that is recorded of it; one that was tried has the new one."""

    def having(**reasons: Reason) -> Result:
        variants = [VariantResult(name=name, judgement=Judgement.of(reason)) for name, reason in reasons.items()]
        return replace(works, variants=variants)

    before = having(one=Reason.WORKS, two=Reason.WORKS)
    now = having(one=Reason.NO_NETWORK, two=Reason.EXCHANGE_WRONG, three=Reason.NO_NETWORK)
    kept = record.with_earlier_variants(now, before)
    assert [(each.name, each.judgement.reason) for each in kept.variants] == [
        ("one", Reason.WORKS),
        ("two", Reason.EXCHANGE_WRONG),
        ("three", Reason.NO_NETWORK),
    ]
    assert record.with_earlier_variants(now, None) == now
