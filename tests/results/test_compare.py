"""What counts as "as recorded", what is news, and what became of a cell between two runs."""

from __future__ import annotations

import msgspec
import pytest
import samples
from made import alike

from harness.errors import DamagedResult
from harness.results.compare import Change, compare, differences
from harness.results.result import Finding, Judgement, Probe, Result, VariantResult
from harness.verdict import Reason, Verdict

GOOD, BAD = Judgement.of(Reason.WORKS), Judgement.of(Reason.SERVER_DID_NOT_START, "no")


@pytest.mark.parametrize("column", ["django_server", "web_server", "channels", "overall"])
def test_each_column_counts(column):
    """A judgement that changes is a difference in every column, for the better or for the worse."""
    result = samples.of("py27-django18")

    def judged(judgement: Judgement):
        verdicts = msgspec.structs.replace(result.verdicts, **{"django_server": GOOD, column: judgement})
        return msgspec.structs.replace(result, verdicts=verdicts)

    assert not differences(judged(GOOD), judged(GOOD))
    assert len(differences(judged(GOOD), judged(BAD))) == 1
    assert len(differences(judged(BAD), judged(GOOD))) == 1


CELL = "py27-django18"
MISSING = Judgement.of(Reason.INTERPRETER_MISSING, "no Python 2.7")
REFUSED = Judgement.of(Reason.HANDSHAKE_REFUSED, "403")


@pytest.fixture
def good() -> Result:
    return samples.of(CELL)


def judged(result: Result, judgement: Judgement) -> Result:
    verdicts = alike(judgement)
    return msgspec.structs.replace(result, verdicts=verdicts)


def versions(result: Result, **installed: str) -> Result:
    known = result.versions
    return msgspec.structs.replace(
        result, versions=msgspec.structs.replace(known, installed={**known.installed, **installed})
    )


def isolated(result: Result, good: bool | None, seen: str, chance: bool = False) -> Result:
    finding = Finding(question="Does anybody else hear it?", expected="no", seen=seen, good=good, chance=chance)
    return msgspec.structs.replace(result, isolation=[finding])


def unasked(result: Result) -> Result:
    """Return *result* as one that was asked nothing further."""
    return msgspec.structs.replace(result, probes=[], sets=[], isolation=[])


def crowd(result: Result, good: bool, seen: str) -> Result:
    """Return *result* as one that was asked to serve a hundred sockets alone."""
    finding = Finding(question="A broadcast to 100 sockets", expected="all", seen=seen, good=good, chance=True)
    return msgspec.structs.replace(unasked(result), probes=[Probe(name="load", findings=[finding])])


def change_of(old: Result, new: Result):
    (cell,) = compare({CELL: old}, {CELL: new}, ("old", "new"), []).cells
    return cell


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        (GOOD, GOOD, Change.SAME),
        (GOOD, BAD, Change.WORSE),
        (BAD, GOOD, Change.BETTER),
        (BAD, REFUSED, Change.CHANGED),
        (BAD, Judgement.of(Reason.SERVER_DID_NOT_START, "for another cause"), Change.CHANGED),
        (GOOD, MISSING, Change.CHANGED),
        (MISSING, BAD, Change.CHANGED),
        (MISSING, MISSING, Change.SAME),
    ],
)
def test_verdicts(good, old, new, change):
    """A lost Yes is worse and a new one better; another reason, or a cell that nobody could try, is neither."""
    assert change_of(judged(good, old), judged(good, new)).change is change


def test_details(good):
    """Under an unchanged verdict what got worse decides, and each detail is named."""
    found = change_of(isolated(good, True, "no"), isolated(good, False, "John does"))
    assert found.change is Change.WORSE
    assert found.details == ["worse: isolation: Does anybody else hear it? was 'no', is 'John does'"]
    assert change_of(isolated(good, False, "John does"), isolated(good, True, "no")).change is Change.BETTER
    assert change_of(isolated(good, False, "John"), isolated(good, False, "Mary")).change is Change.CHANGED
    assert change_of(isolated(good, None, "who knows"), isolated(good, False, "Mary")).change is Change.CHANGED


def test_exchanges(good):
    """An exchange that goes wrong is a detail with its channel and its members."""
    row = msgspec.structs.replace(good.exchanges[4], good=False)
    broken = msgspec.structs.replace(good, exchanges=[*good.exchanges[:4], row, *good.exchanges[5:]])
    assert "exchange 5, " in change_of(good, broken).details[0]


def test_chance(good):
    """What may be seen or not by chance is no change."""
    for before in (True, False):  # also where only one of the two says that it is by chance
        assert change_of(isolated(good, True, "no", before), isolated(good, False, "yes", True)).change is Change.SAME


@pytest.mark.parametrize(
    ("seen", "worse", "better"),
    [
        ("not all stay open (6 of 6 runs)", Change.WORSE, Change.BETTER),
        ("not all stay open (5 of 6 runs)", Change.SAME, Change.SAME),
        ("not all stay open", Change.SAME, Change.SAME),
    ],
)
def test_what_came_each_time(good, seen, worse, better):
    """What can be chance, and came each of several times, is none: a crowd that fell in each run got worse."""
    stood, fell = crowd(good, True, "all"), crowd(good, False, seen)
    assert (change_of(stood, fell).change, change_of(fell, stood).change) == (worse, better)


def test_what_it_came_with(good):
    """Beside what differs stands which versions moved."""
    old, new = versions(isolated(good, True, "no"), redis="7.4.1"), versions(isolated(good, False, "yes"), redis="8.0")
    assert change_of(old, new).details[-1] == "with redis 7.4.1 → 8.0"


def test_a_damaged_deep_set(good):
    """Where only a deep set of a cell is damaged its verdict is compared all the same."""
    worse = judged(good, Judgement.of(Reason.HANDSHAKE_REFUSED, "403"))
    damaged = [DamagedResult("faults.json is damaged", cell=good.cell)]
    (change,) = compare({good.cell: good}, {good.cell: worse}, ("old", "new"), damaged).cells
    assert change.change is Change.WORSE
    assert compare({good.cell: good}, {}, ("old", "new"), damaged).cells == []


def test_what_was_not_asked(good):
    """A probe that only one of the two runs asked is no change; what every run asks has to be there."""
    assert change_of(good, msgspec.structs.replace(good, probes=[])).change is Change.SAME
    for missing in ({"isolation": []}, {"exchanges": []}, {"unit_tests": None}):
        assert change_of(good, msgspec.structs.replace(good, **missing)).change is Change.CHANGED


def test_a_new_question(good):
    """A question that is new is no worse for its answer."""
    asked = Finding(question="Something that nobody asked before?", expected="yes", seen="no", good=False)
    found = change_of(good, msgspec.structs.replace(good, isolation=[*good.isolation, asked]))
    assert found.change is Change.CHANGED


def test_broken_off(good):
    """A set that breaks off in the new run is worse, and names what was not asked."""
    died = Finding(question="Does the server outlast the questions?", expected="yes", seen="status 139", good=False)
    found = change_of(good, msgspec.structs.replace(good, isolation=[good.isolation[0], died]))
    assert found.change is Change.WORSE
    assert (
        "worse: isolation: Does the server outlast the questions? (severe catch) was not asked, is 'status 139'"
        in found.details
    )
    assert sum(detail.endswith("is not asked") for detail in found.details) == len(good.isolation) - 1
    assert change_of(msgspec.structs.replace(good, isolation=[died]), good).change is Change.BETTER
    nothing = msgspec.structs.replace(good, isolation=[])
    assert change_of(nothing, msgspec.structs.replace(good, isolation=[died])).change is Change.WORSE


def test_variants_gone():
    """Other ways to carry the chat that are no longer tried are a change."""
    result = samples.of("py311-django52-channels4")
    found = change_of(result, msgspec.structs.replace(result, variants=[]))
    assert found.change is Change.CHANGED
    assert len(found.details) == len(result.variants) > 1


def test_variants_by_chance():
    """A way that did not work every time, and one that works in the one run that was made, say the same."""
    works = samples.of("py311-django52-channels4")
    assert works.variants[0].judgement.verdict is Verdict.WORKS
    ways = [
        msgspec.structs.replace(works.variants[0], judgement=Judgement.of(reason, "1 of 3 times: nothing came"))
        for reason in (Reason.NOT_EVERY_TIME, Reason.EXCHANGE_WRONG)
    ]
    chance, never = (msgspec.structs.replace(works, variants=[each, *works.variants[1:]]) for each in ways)
    assert change_of(works, chance).change is change_of(chance, works).change is Change.SAME
    assert change_of(works, never).change is Change.WORSE


def test_versions(good):
    """When only versions moved it says so, with both, and counts the cells."""
    assert change_of(good, versions(good, redis="99", extra="1")).change is Change.MOVED
    found = compare({CELL: good}, {CELL: versions(good, redis="99")}, ("old", "new"), [])
    assert found.versions == [("redis", good.versions.installed["redis"], "99", 1)]
    assert not found.worse


def test_added_and_removed(good):
    """A cell that is on one side alone is added or removed."""
    assert [each.change for each in compare({}, {CELL: good}, ("", ""), []).cells] == [Change.ADDED]
    assert [each.change for each in compare({CELL: good}, {}, ("", ""), []).cells] == [Change.REMOVED]
    assert compare({}, {}, ("", ""), []).counted == {}


def test_headline(good):
    """The headline has both verdicts and the first line of the reason."""
    judgement = Judgement.of(Reason.HANDSHAKE_REFUSED, "403\nand much more")
    headline = change_of(judged(good, GOOD), judged(good, judgement)).headline
    assert headline == "✓ Yes, but → ✗ No (handshake refused): 403"
    assert change_of(unasked(good), judged(good, judgement)).headline.startswith("✓ Yes → ")


def test_the_worst_alone(good):
    """Of a deep set a result keeps the worst answers: what is not among them in one of two results says nothing."""

    def asked(*questions: str, counts=(7, 9)) -> Result:
        findings = [Finding(question=each, expected="yes", seen="no", good=False) for each in questions]
        return msgspec.structs.replace(good, probes=[Probe(name="endings", findings=findings, counts=counts)])

    assert change_of(asked("first?", "second?"), asked("second?")).change is Change.SAME
    whole = asked("second?", counts=None)
    assert change_of(asked("first?", "second?", counts=None), whole).change is Change.CHANGED


@pytest.mark.parametrize("where", ["old", "new", "beside"])
def test_a_way_that_works_by_chance_elsewhere(good, where):
    """A way of a library that works by chance in another cell is no better and no worse in one that ran once."""

    def with_way(result: Result, reason: Reason) -> Result:
        way = VariantResult(name="async consumer", judgement=Judgement.of(reason))
        return msgspec.structs.replace(result, variants=[way])

    lost, works = with_way(good, Reason.EXCHANGE_WRONG), with_way(good, Reason.WORKS)
    other = with_way(msgspec.structs.replace(good, cell="other"), Reason.NOT_EVERY_TIME)
    sides: dict[str, dict[str, Result]] = {"old": {CELL: lost}, "new": {CELL: works}, "beside": {}}
    assert compare(sides["old"], sides["new"], ("", ""), []).counted == {Change.BETTER: 1}
    sides[where]["other"] = other
    found = compare(sides["old"], sides["new"], ("", ""), [], sides["beside"].values())
    (cell,) = (each for each in found.cells if each.cell == CELL)
    assert cell.change is Change.CHANGED
    (told,) = cell.details
    assert told.endswith("is ✓ Yes; in other cells that is chance")
    assert not compare(sides["new"], sides["old"], ("", ""), [], sides["beside"].values()).worse


def test_catches_are_named():
    """A catch that is gone or new is told as one, with how much it weighs; another way of the library has none."""

    def with_idle(good: bool, way: str = ""):
        finding = Finding(question=f"A connection that is idle for 12 s{way}", expected="a", seen=str(good), good=good)
        return msgspec.structs.replace(
            samples.of("py313-django61-channels4"), probes=[Probe(name="delivery", findings=[finding])]
        )

    found = compare({"x": with_idle(False)}, {"x": with_idle(True)}, ("old", "new"), [])
    told = "better: delivery: A connection that is idle for 12 s (severe catch) was 'False', is 'True'"
    assert found.cells[0].details == [told]
    way = " (sync consumer, Redis layer)"
    found = compare({"x": with_idle(False, way)}, {"x": with_idle(True, way)}, ("old", "new"), [])
    assert "catch" not in found.cells[0].details[0]
