"""Cures: the smallest pin against a release, and what other ways, servers and cells already show."""

from __future__ import annotations

import msgspec
import pytest
import samples
from made import alike, deep_set

from harness.causes import mend
from harness.causes.case import Case
from harness.causes.mend import Mending
from harness.causes.question import Answer
from harness.cell.only import Only
from harness.cells import Cell
from harness.libraries import registry
from harness.results import deep
from harness.results.document import read_result, save_result
from harness.results.explained import Attempt, Cure, Turned
from harness.results.folder import Reports
from harness.results.installed import Pin
from harness.results.questions import identifier
from harness.results.result import BROKEN_OFF, Finding, Judgement, Probe, Result, VariantResult
from harness.run.request import Request
from harness.verdict import Reason, Verdict

CELL = "py313-django61-channels4"
IDLE = "A connection that is idle for 12 s"


@pytest.mark.parametrize(
    ("good", "bad", "pin"),
    [
        ("7.4.1", "8.0.0", "redis<8"),
        ("7.4.1", "8.1.0", "redis<8.1"),
        ("7.4.1", "7.4.2", "redis<7.4.2"),
        ("7.4.1", "7.4.1.post1", "redis<7.4.1.post1"),
        ("8.0.0", "7.4.1", "redis>7.4.1"),
        ("7.4.1", "", "redis==7.4.1"),
        ("", "8.0.0", ""),
    ],
)
def test_the_smallest_pin(good, bad, pin):
    """The pin keeps the guilty release away in as few letters as can be; what came along cannot be pinned away."""
    assert Turned(package="redis", good=good, bad=bad).pin == pin


def result(cell: str, good: bool | None = True, *more: Finding, reason: Reason = Reason.WORKS) -> Result:
    judgement = Judgement.of(reason, "so")
    finding = Finding(question=IDLE, expected="stays open", seen="stays open" if good else "closed", good=good)
    base = samples.of(CELL)
    return msgspec.structs.replace(
        base,
        cell=cell,
        server=cell.split("-")[3] if cell.count("-") > 2 else "daphne",
        verdicts=alike(judgement),
        probes=[Probe(name="delivery", findings=[finding, *more])],
        variants=[],
    )


def pinned(made: Mending, folder) -> mend.Prepared:
    return mend.Prepared(made.case.request.setup, folder, mend.Candidate(profile="pinned"), ())


def mending(tmp_path, recorded: Result, only: Only = Only("delivery", IDLE)) -> Mending:  # noqa: B008
    cell = Cell.parse(CELL)
    setup = registry.setup_for(cell, registry.discover(()))
    python = tmp_path / "cell" / "bin" / "python"
    request = Request(cell=cell, setup=setup, python=python, reports=Reports(tmp_path), probes=[])
    return Mending(Case(request, recorded, only), lambda line: None, None)


def test_another_way(tmp_path):
    """A way of the library that answers as expected in the very same run is the nearest cure."""
    pubsub = "async consumer, Redis Pub/Sub layer"
    other = Finding(question=f"{IDLE} ({pubsub})", expected="stays open", seen="stays open", good=True)
    bad = Finding(question=f"{IDLE} (sync consumer, Redis layer)", expected="stays open", seen="closed", good=False)
    recorded = result(CELL, False, other, bad)
    (cure,) = mending(tmp_path, recorded).shown.cures([result(f"{CELL}-uvicorn")])
    assert (cure.kind, cure.change, cure.question, cure.text) == ("setting", pubsub, "idle-12", "stays open")


def test_another_way_that_is_worse(tmp_path):
    """A way that brings what is as bad as what it mends, in the very same run, is no cure, and is noted."""
    way = "async consumer, Redis Pub/Sub layer"
    burst = Finding(question="A burst of 50 messages", expected="all at once", seen="all at once", good=True)
    idle = Finding(question=f"{IDLE} ({way})", expected="stays open", seen="stays open", good=True)
    kept = msgspec.structs.replace(burst, question=f"{burst.question} ({way})", seen="some are kept back", good=False)
    (cure,) = mending(tmp_path, result(CELL, False, burst, idle, kept)).shown.cures([])
    assert [each.text for each in cure.brings] == ["A burst of 50 messages: some are kept back"]
    usual = Finding(question=IDLE, expected="stays open", seen="stays open", good=True)
    closed = msgspec.structs.replace(idle, seen="closed", good=False)
    there = msgspec.structs.replace(burst, seen="some are kept back", good=False)
    fine = msgspec.structs.replace(kept, seen="all at once", good=True)
    recorded = msgspec.structs.replace(
        result(CELL), probes=[Probe(name="delivery", findings=[usual, closed, there, fine])]
    )
    looking = mending(tmp_path, recorded, Only("delivery", there.question))
    assert looking.shown.cures([]) == []
    assert [(each.change, each.text) for each in looking.attempts] == [(way, f"worse: {IDLE}: closed")]


def test_another_way_to_work(tmp_path):
    """Where it is the verdict that is mended, a way that carries the chat does."""
    carries = VariantResult(name="long polling", judgement=Judgement.of(Reason.WORKS, "15 of 15"))
    recorded = result(CELL, False, reason=Reason.HANDSHAKE_REFUSED)
    recorded = msgspec.structs.replace(recorded, variants=[carries])
    (cure,) = mending(tmp_path, recorded, Only()).shown.cures([])
    assert (cure.kind, cure.change, cure.question) == ("setting", "long polling", "")


def test_another_server(tmp_path):
    """Servers come next: on the same Python and Django, of cells that work and answer as expected."""
    others = [
        result(f"{CELL}-uvicorn"),
        result(f"{CELL}-granian", False),
        result(f"{CELL}-hypercorn", reason=Reason.EXCHANGE_WRONG),
        result("py312-django61-channels4-uvicorn"),
    ]
    cures = mending(tmp_path, result(CELL, False)).shown.cures(others)
    assert [(cure.kind, cure.change) for cure in cures] == [("server", "uvicorn")]


@pytest.mark.parametrize(
    ("cell", "tried"),
    [
        ("py312-django52", ["py312-django52-uwsgi"]),
        ("py312-django42-asgi", [f"py312-django42-asgi-{each}" for each in ("hypercorn", "granian", "gunicorn")]),
    ],
)
def test_servers_that_nobody_tried(cell, tried, tmp_path, monkeypatch):
    """Where nothing recorded shows a cure, each other server of the library is tried, whatever its cells are called."""
    setup = registry.setup_for(Cell.parse(cell), registry.discover(()))
    request = Request(
        cell=Cell.parse(cell), setup=setup, python=tmp_path / "bin" / "python", reports=Reports(tmp_path), probes=[]
    )
    ran = []

    def no_cure(self, what, cell, prepared):
        ran.append(cell.name)
        assert prepared.setup.server.name == what
        return mend.Tried(Answer(False, "no"), None, [], [])

    monkeypatch.setattr(Mending, "_try", no_cure)
    monkeypatch.setattr(Mending, "_environment", lambda self, profile: tmp_path)
    case = Case(request, msgspec.structs.replace(samples.of(CELL), cell=cell), Only())
    assert not list(Mending(case, lambda line: None, None).other_servers([]))
    assert set(tried) <= set(ran)
    assert len(ran) == len(setup.library.servers) - 1


def test_a_server_that_was_not_asked(tmp_path, monkeypatch):
    """A server that is recorded and works, but was not asked the question, is tried like one that nobody tried."""
    tried = []
    monkeypatch.setattr(Mending, "_on_server", lambda self, server: tried.append(server))
    looking = mending(tmp_path, result(CELL, False))
    asked = result(f"{CELL}-uvicorn", False)
    unasked = msgspec.structs.replace(result(f"{CELL}-hypercorn"), probes=[])
    dead = msgspec.structs.replace(result(f"{CELL}-granian", reason=Reason.HANDSHAKE_REFUSED), probes=[], steps=[])
    assert not list(looking.other_servers([asked, unasked, dead]))
    assert "hypercorn" in tried
    assert not {"uvicorn", "granian"} & set(tried)


def test_the_nearest_cells(tmp_path):
    """At last come the nearest cells, older and newer, by Python and by Django."""
    others = [
        result(cell, good)
        for cell, good in (
            ("py310-django61-channels4", True),
            ("py312-django61-channels4", True),
            ("py314-django61-channels4", False),
            ("py315-django61-channels4", True),
            ("py313-django52-channels4", True),
            ("py313-django51-channels4", True),
            ("py312-django60-channels4", True),
            ("py312-django61-channels4-uvicorn", True),
        )
    ]
    cures = mending(tmp_path, result(CELL, False)).shown.neighbours(others)
    assert [(cure.kind, cure.change) for cure in cures] == [
        ("cell", "py312-django61-channels4"),
        ("cell", "py315-django61-channels4"),
        ("cell", "py313-django52-channels4"),
    ]


def test_nothing_helps(tmp_path):
    """Where nothing answers as expected there is no cure."""
    looking, others = mending(tmp_path, result(CELL, False)), [result("py312-django61-channels4", None)]
    assert (looking.shown.cures(others), looking.shown.neighbours(others)) == ([], [])


def test_what_does_not_help(tmp_path):
    """Ways and servers that are recorded with the same answer are noted as tried in vain, with what was seen."""
    bad = Finding(question=f"{IDLE} (sync consumer, Redis layer)", expected="stays open", seen="cut", good=False)
    unasked = Finding(question=f"{IDLE} (async, x)", expected="stays open", seen="not asked", good=None)
    looking = mending(tmp_path, result(CELL, False, bad, unasked))
    dead = msgspec.structs.replace(result(f"{CELL}-hypercorn", reason=Reason.HANDSHAKE_REFUSED), probes=[], steps=[])
    assert looking.shown.cures([result(f"{CELL}-uvicorn", False), result(f"{CELL}-granian", None), dead]) == []
    assert [(each.kind, each.change, each.text, each.question) for each in looking.attempts] == [
        ("setting", "sync consumer, Redis layer", "cut", "idle-12"),
        ("server", "uvicorn", "closed", "idle-12"),
        ("server", "hypercorn", "the chat does not work: handshake refused: so", "idle-12"),
    ]


@pytest.mark.parametrize(
    ("tried", "noted"),
    [
        (mend.Tried(Answer(False, "closed"), None, [], []), ["closed"]),
        (mend.Tried(Answer(False, "closed"), Verdict.WORKS, [], ["worse: early"]), ["closed"]),
        (mend.Tried(Answer(True, "open"), Verdict.WORKS, [], ["worse: early"]), ["worse: early"]),
        (mend.Tried(Answer(None, "no browser"), None, [], []), []),
        (mend.Tried(Answer(None, "died", works=False), None, [], []), ["the chat does not work: died"]),
        (mend.Tried(Answer(True, "open"), Verdict.WORKS, ["better: early"], []), []),
    ],
)
def test_a_server_tried_in_vain(tmp_path, monkeypatch, tried, noted):
    """What was tried and is no cure is noted; of what could not be asked nothing is, and of what mends it nothing."""
    monkeypatch.setattr(Mending, "_try", lambda self, what, cell, prepared: tried)
    monkeypatch.setattr(Mending, "_on_server", lambda self, server: (Cell.parse(CELL), None))
    looking = mending(tmp_path, result(CELL, False))
    others = [result(f"{CELL}-{each}") for each in looking.case.request.setup.library.servers if each != "uvicorn"]
    cures = list(looking.other_servers(others))
    assert [each.text for each in looking.attempts] == noted
    assert bool(cures) == tried.mends


def test_what_is_kept(tmp_path):
    """An attempt takes the place of an earlier one of the same change, and a cure does as well; others stay."""
    case = mending(tmp_path, result(CELL, False)).case
    save_result(case.recorded, case.request.reports.result(CELL))
    tried = {"question": "idle-12", "tried_on": "2026-11-28"}
    case.keep([], [], [Attempt(kind="server", change=each, text="first", **tried) for each in ("uvicorn", "granian")])
    case.keep([], [], [Attempt(kind="server", change="uvicorn", text="again", **tried)])
    cure = Cure(kind="server", change="granian", verdict=Verdict.WORKS, text="open", **tried)
    case.keep([], [cure])
    now = read_result(case.request.reports.result(CELL))
    assert [(each.change, each.text) for each in now.attempts] == [("uvicorn", "again")]
    assert now.cures == [cure]
    # What somebody tries beside it takes the place of nothing.
    mine = msgspec.structs.replace(cure, kind="pin", change="redis==7.4.1")
    case.keep([], [mine], besides=True)
    assert read_result(case.request.reports.result(CELL)).cures == [cure, mine]
    case.keep([], [cure])
    assert read_result(case.request.reports.result(CELL)).cures == [cure]
    case.keep([], [], [Attempt(kind="server", change="granian", text="closed", **tried)])
    now = read_result(case.request.reports.result(CELL))
    assert (now.cures, [each.change for each in now.attempts]) == ([], ["uvicorn", "granian"])


def test_what_is_worse_with_a_recorded_server(tmp_path):
    """A recorded server that brings what is as bad as what it mends is no cure, and neither is such a neighbour."""
    lost = "300 messages by one handler: the others"
    mine = Finding(question=lost, expected="all are received", seen="all are received", good=True)
    theirs = msgspec.structs.replace(mine, seen="some are lost", good=False)
    looking = mending(tmp_path, result(CELL, False, mine))
    others = [result(name, True, theirs) for name in (f"{CELL}-uvicorn", "py313-django60-channels4")]
    assert (looking.shown.cures(others), looking.shown.neighbours(others)) == ([], [])
    assert [(each.change, each.text) for each in looking.attempts] == [("uvicorn", f"worse: {lost}: some are lost")]
    # What the cell was not asked speaks against nothing.
    looking = mending(tmp_path, result(CELL, False))
    assert [each.change for each in looking.shown.cures([result(f"{CELL}-uvicorn", True, theirs)])] == ["uvicorn"]


@pytest.mark.parametrize(("only", "times"), [(Only("delivery", IDLE), 1), (Only("deployment", IDLE), 2)])
def test_a_deep_answer_is_asked_once_more(tmp_path, monkeypatch, only, times):
    """What is about time and amounts is asked twice before it is mended; what cannot be chance is not."""
    asked = []
    monkeypatch.setattr(mend, "asked_of", lambda recorded: [])
    monkeypatch.setattr(Mending, "_run", lambda self, cell, prepared, probes: result(CELL, True))
    monkeypatch.setattr(Mending, "_alone", lambda self, *what: asked.append(what) or Answer(True, "stays open"))
    made = mending(tmp_path, result(CELL, False), only)
    assert made._try("redis<8", made.case.request.cell, pinned(made, tmp_path)).mends
    assert len(asked) == times


@pytest.mark.parametrize(
    ("question", "mends"),
    [
        ("The broker is frozen for 10 s: messages lost silently", True),
        ("300 messages by one handler: the others", False),
    ],
)
def test_what_a_pin_brings(tmp_path, monkeypatch, question, mends):
    """A pin is asked the deep sets of its cell; what it brings there is told if that is milder, else it is no cure."""
    good = Finding(question=question, expected="none", seen="none", good=True)
    idle = Finding(question="What becomes of idle", expected="a", seen="b", good=True)
    reports = Reports(tmp_path)
    deep.save(reports, deep_set(CELL, "faults", [good, idle]))
    ran = []

    def run(self, cell, prepared, probes):
        ran.append(probes)
        if probes == ["faults"]:
            bad = msgspec.structs.replace(good, seen="some", good=False)
            deep.save(reports.of_profile("pinned"), deep_set(CELL, "faults", [bad, idle]))
        return result(CELL, True)

    anew = []
    monkeypatch.setattr(mend, "prepare", lambda *given, **how: anew.append(how["anew"]) or pinned(made, tmp_path))
    monkeypatch.setattr(Mending, "_run", run)
    monkeypatch.setattr(Mending, "_alone", lambda self, *what: Answer(True, "stays open"))
    made = mending(tmp_path, result(CELL, False))
    cure = made.pinned(["redis<8"])
    # What was resolved the last time may be older than what mends it.
    assert (ran, anew) == ([["delivery"], ["faults"]], [True])
    if mends:
        assert [(each.question, each.text) for each in cure.brings] == [(identifier(question), f"{question}: some")]
        assert cure.changes[-1] == f"worse: {question}: some"
    else:
        assert cure is None
        assert [each.text for each in made.attempts] == [f"worse: {question}: some"]


@pytest.mark.parametrize("good", [False, True])
def test_what_a_pin_brings_by_chance(tmp_path, monkeypatch, good):
    """An answer that is bad by chance with a pin counts if it is when it is asked again."""
    burst = Finding(question="A burst of 50 messages", expected="all at once", seen="all at once", good=True)
    lost = msgspec.structs.replace(burst, seen="some are kept back (1 of 2)", good=False, chance=True)
    monkeypatch.setattr(Mending, "_run", lambda self, cell, prepared, probes: result(CELL, True, lost))
    monkeypatch.setattr(
        Mending, "_alone", lambda self, cell, prepared, only: Answer(only.question == IDLE or good, "so", True)
    )
    made = mending(tmp_path, result(CELL, False, burst))
    tried = made._try("redis<8", made.case.request.cell, pinned(made, tmp_path))
    assert [each.question for each in tried.brings] == ([] if good else ["burst-50"])


@pytest.mark.parametrize(("mended", "mends"), [(IDLE, True), ("emoji by WebSocket", False)])
def test_a_pin_that_makes_an_answer_worse(tmp_path, monkeypatch, mended, mends):
    """What is worse in the very run of a pin is told if it is milder than what is mended, else that is no cure."""
    good = Finding(question=mended, expected="so", seen="so", good=True)
    burst = Finding(question="A burst of 50 messages", expected="all at once", seen="all at once", good=True)
    kept = msgspec.structs.replace(burst, seen="some are kept back", good=False)

    def of(*findings: Finding) -> Result:
        return msgspec.structs.replace(result(CELL), probes=[Probe(name="delivery", findings=[*findings])])

    monkeypatch.setattr(Mending, "_run", lambda self, cell, prepared, probes: of(good, kept))
    monkeypatch.setattr(Mending, "_alone", lambda self, *what: Answer(True, "so"))
    made = mending(
        tmp_path, of(msgspec.structs.replace(good, seen="not so", good=False), burst), Only("delivery", mended)
    )
    tried = made._try("redis<8", made.case.request.cell, pinned(made, tmp_path))
    assert (tried.mends, [each.question for each in tried.brings]) == (mends, ["burst-50"])
    assert "worse: A burst of 50 messages: some are kept back" in tried.changes
    assert [each for each in tried.changes if "burst" in each] == ["worse: A burst of 50 messages: some are kept back"]


@pytest.mark.parametrize(
    ("without", "told"),
    [
        (Finding(question=IDLE, expected="stays", seen="stays", good=True), []),
        (Finding(question=IDLE, expected="stays", seen="closed", good=False), [f"worse: {IDLE}: closed"]),
    ],
)
def test_pins_that_are_not_needed(tmp_path, monkeypatch, without, told):
    """A best pin without which nothing is worse is no longer needed; of another it is told what is, however severe."""
    with_it = msgspec.structs.replace(without, seen="stays", good=True)

    def of(finding: Finding) -> Result:
        return msgspec.structs.replace(result(CELL, True), probes=[Probe(name="delivery", findings=[finding])])

    def run(self, cell, prepared, probes):
        assert prepared.setup.without == ("redis<8",)
        return of(without)

    monkeypatch.setattr(Mending, "_run", run)
    monkeypatch.setattr(Mending, "_environment", lambda self, profile: tmp_path)
    made = mending(tmp_path, of(with_it), Only())
    pin = Pin(requirement="redis<8", reason="it was so")
    monkeypatch.setattr(type(made.case.request.setup.library), "best_pins", lambda self, cell: [pin])
    assert list(made.needless()) == [(pin, told)]


def test_pins_of_what_does_not_work_with_them_either(tmp_path, monkeypatch):
    """A pin with which a cell does not work, and without which it does not either, is not needed."""
    failed = msgspec.structs.replace(
        result(CELL), verdicts=alike(Judgement.of(Reason.SERVER_DID_NOT_START, "ImportError"))
    )
    monkeypatch.setattr(Mending, "_run", lambda self, cell, prepared, probes: failed)
    monkeypatch.setattr(Mending, "_environment", lambda self, profile: tmp_path)
    made = mending(tmp_path, failed, Only())
    pin = Pin(requirement="redis<8", reason="it was so")
    monkeypatch.setattr(type(made.case.request.setup.library), "best_pins", lambda self, cell: [pin])
    assert list(made.needless()) == [(pin, [])]


def test_pins_together(tmp_path, monkeypatch):
    """As few pins as can be are tried first; where none helps alone, they are tried together."""
    tried = []

    def both(self, pins):
        tried.append(" ".join(pins))
        return "cure" if len(pins) == 2 else None

    monkeypatch.setattr(mend.Mending, "pinned", both)
    turned = [Turned(package=each, good="1.0", bad="2.0") for each in ("one", "two")]
    assert mending(tmp_path, result(CELL, False)).pins(turned) == ["cure"]
    assert tried == ["one<2", "two<2", "one<2 two<2"]


def test_a_pin_under_which_the_server_dies(tmp_path):
    """What gets worse makes a pin no cure, also where it is only that the rest could not be asked any more."""
    recorded = result(CELL, False, Finding(question="emoji by POST", expected="yes", seen="yes", good=True))
    died = Finding(question=BROKEN_OFF[1], expected="yes", seen="the server had ended with exit status -11", good=False)
    after = result(CELL, True, died)
    details = mending(tmp_path, recorded)._details(after)
    assert any(each.startswith("worse: ") and "exit status -11" in each for each in details)
    assert not any(each.startswith("changed: ") and "not asked" in each for each in details)


def test_a_cure_that_may_be_chance(tmp_path):
    """A cure that a recorded answer shows, which may be chance, says that it was asked once, and on which day."""
    lucky = Finding(question=f"{IDLE} (async, x)", expected="stays open", seen="stays open", good=True, chance=True)
    (cure,) = mending(tmp_path, result(CELL, False, lucky)).shown.cures([])
    assert (cure.text, cure.chance, cure.tried_on) == ("stays open (asked once)", True, samples.STARTED[:10])


def test_a_race_is_asked_again(tmp_path, monkeypatch):
    """Where what is to be mended was chance, one good answer is no cure, and a recorded one says that it may be."""
    usual = Finding(question=IDLE, expected="stays open", seen="closed (1 of 2)", good=False, chance=True)
    other = Finding(question=f"{IDLE} (async, x)", expected="stays open", seen="stays open", good=True)
    recorded = msgspec.structs.replace(
        result(CELL, False), probes=[Probe(name="delivery", findings=[usual, other])], variants=[]
    )
    made = mending(tmp_path, recorded)
    assert [each.text for each in made.shown.cures([])] == ["stays open (it may be chance)"]

    came = iter([Answer(True, "stays open"), Answer(False, "closed (1 of 2)", True)])
    monkeypatch.setattr(mend, "asked_of", lambda recorded: ["delivery"])
    monkeypatch.setattr(Mending, "_run", lambda self, cell, prepared, probes: result(CELL, True))
    monkeypatch.setattr(Mending, "_alone", lambda self, cell, prepared, only: next(came))
    tried = made._try("redis<8", made.case.request.cell, pinned(made, tmp_path))
    assert (tried.mends, tried.answer.seen) == (False, "closed (1 of 2)")


def test_the_rarer_a_race_the_more_often_it_is_asked(tmp_path, monkeypatch):
    """How often today's versions lose a race tells how often it has to be won with a cure."""
    usual = Finding(question=IDLE, expected="stays open", seen="closed (1 of 2)", good=False, chance=True)
    recorded = msgspec.structs.replace(result(CELL, False), probes=[Probe(name="delivery", findings=[usual])])
    asked = []

    def alone(self, cell, prepared, only):
        asked.append(prepared.candidate.profile)
        lost = prepared.candidate.profile == "todays-versions" and len(asked) % 4 == 0
        return Answer(not lost, "closed" if lost else "stays open", True)

    monkeypatch.setattr(Mending, "_alone", alone)
    monkeypatch.setattr(Mending, "_environment", lambda self, profile: tmp_path)
    monkeypatch.setattr(Mending, "_run", lambda self, cell, prepared, probes: result(CELL, True))
    made = mending(tmp_path, recorded)
    assert made.today() == Answer(False, "closed", True)
    assert made.lost == [False, False, False, True] * 2
    assert made._try("redis<8", made.case.request.cell, pinned(made, tmp_path)).mends
    assert asked.count("pinned") == 14


def test_a_race_that_is_not_lost_any_more(tmp_path, monkeypatch):
    """Where today's versions do not lose a race, however often they are asked, there is nothing to mend."""
    usual = Finding(question=IDLE, expected="stays open", seen="closed (1 of 2)", good=False, chance=True)
    recorded = msgspec.structs.replace(result(CELL, False), probes=[Probe(name="delivery", findings=[usual])])
    monkeypatch.setattr(Mending, "_alone", lambda self, *what: Answer(True, "stays open", True))
    monkeypatch.setattr(Mending, "_environment", lambda self, profile: tmp_path)
    made = mending(tmp_path, recorded)
    assert made.today().good
    assert len(made.lost) == 12
