"""What there is to beware of in a cell, and which cures are told: pins, ways, and what each brings."""

from __future__ import annotations

import msgspec
import pytest
from advised import ASGI, CHANNELS, IDLE, LOST, SOCKETIO, TEXT, advisor, pin, works

from harness.results.catches import Severity
from harness.results.explained import Attempt, Catch, Cause, Turned
from harness.results.questions import identifier
from harness.results.result import Finding, Judgement, Probe, VariantResult
from harness.verdict import Reason

PAIR = "py313-django60"
ALL = tuple(PAIR + each for each in (ASGI, CHANNELS, SOCKETIO))
WAY = "async consumer, Redis Pub/Sub layer"
KILLED = "The broker is killed for good: messages lost silently"


def with_way(result, question, way, usual, other):
    """Have *result* answer a question that was put to the usual way, and to another one."""
    answers = [
        Finding(question=each, expected="none", seen="none" if good else "some", good=good)
        for each, good in ((question, usual), (f"{question} ({way})", other))
    ]
    result.probes[0].findings.extend(answers)


def test_half_a_cure_is_none():
    """What takes one of two catches of a trouble away leaves the trouble; a setting that mends both is named."""
    others = LOST.replace("its sender", "others")
    way = pin("many-300-its-sender", "async consumer", "setting")
    half = works(PAIR + CHANNELS, LOST, cures=[way])
    half.probes[0].findings.append(Finding(question=others, expected="fine", seen="something else", good=False))
    half = advisor(half, deep=ALL)
    ((_, choice),) = half.answer("3.13", "6.0").choices
    assert (choice.left(Severity.SEVERE), choice.ways) == (1, [])
    both = [way, msgspec.structs.replace(way, question="many-300-others")]
    ((_, choice),) = advisor(works(PAIR + CHANNELS, LOST, others, cures=both), deep=ALL).answer("3.13", "6.0").choices
    assert (choice.left(Severity.SEVERE), choice.ways, choice.uses) == (0, ["async consumer"], ["async consumer"])


def test_a_way_that_its_own_answers_show():
    """A way that was tried for one answer of a trouble mends the others where the cell answers them well with it."""
    way, others = "async consumer", LOST.replace("its sender", "others")
    result = works(PAIR + CHANNELS, LOST, others, cures=[pin("many-300-its-sender", way, "setting")])
    result.probes[0].findings.append(Finding(question=f"{others} ({way})", expected="all", seen="all", good=True))
    ((_, choice),) = advisor(result, deep=ALL).answer("3.13", "6.0").choices
    assert (choice.left(Severity.SEVERE), choice.ways) == (0, [way])


def test_one_way_at_a_time():
    """Of two ways that mend a trouble each, the one that mends the worse is advised, and the other trouble stays."""
    late = "The broker answers 200 ms late: messages lost silently"
    cures = [pin("broker-late-lost", "sync consumer", "setting"), pin("many-300-its-sender", "async", "setting")]
    ((_, choice),) = advisor(works(PAIR + CHANNELS, LOST, late, cures=cures), deep=ALL).answer("3.13", "6.0").choices
    assert choice.ways == ["async"]
    assert [(each.trouble.id, each.cure is None) for each in choice.beware] == [("lost", False), ("outage-lost", True)]
    assert (choice.left(Severity.SEVERE), choice.left(Severity.MODERATE)) == (0, 1)
    both = [*cures, pin("many-300-its-sender", "sync consumer", "setting")]
    ((_, choice),) = advisor(works(PAIR + CHANNELS, LOST, late, cures=both), deep=ALL).answer("3.13", "6.0").choices
    assert (choice.ways, choice.left(Severity.MODERATE)) == (["sync consumer"], 0)


def test_what_a_pin_brings():
    """What a pin brings is told wherever it is advised, and counts once with what is there anyway."""
    late = "The broker answers 200 ms late: messages lost silently"
    lost = Catch(question="broker-late-lost", kind="loses messages", text=f"{late}: some")
    tried = msgspec.structs.replace(pin(), brings=[lost])
    made = advisor(works(PAIR + CHANNELS, IDLE, cures=[tried]), works("py312-django52-channels4", IDLE), deep=ALL)
    for pair in (("3.13", "6.0"), ("3.12", "5.2")):
        ((_, choice),) = made.answer(*pair).choices
        assert choice.pins == ["redis<8"]
        assert [(each.trouble.id, each.brought_by) for each in choice.beware] == [
            ("idle", ""),
            ("outage-lost", "redis<8"),
        ]
        assert (choice.left(Severity.SEVERE), choice.left(Severity.MODERATE)) == (0, 1)
        seen = "" if pair == ("3.13", "6.0") else f", seen in {PAIR + CHANNELS}"
        assert choice.beware[1].told == f"moderate: with redis<8: {late}: some{seen}"
    made = advisor(works(PAIR + CHANNELS, IDLE, late, cures=[tried]), deep=ALL)
    ((_, choice),) = made.answer("3.13", "6.0").choices
    assert [each.brought_by for each in choice.beware] == ["", ""]  # it is there anyway, by the same answer
    frozen = Catch(question="broker-frozen-10-lost", kind="loses messages", text="The broker is frozen: some")
    more = msgspec.structs.replace(tried, brings=[lost, frozen])
    made = advisor(works(PAIR + CHANNELS, IDLE, late, cures=[more]), deep=ALL)
    ((_, choice),) = made.answer("3.13", "6.0").choices
    assert [each.brought_by for each in choice.beware] == ["", "", "redis<8"]
    assert choice.beware[2].what == "with redis<8: The broker is frozen: some"
    # Where the same pin was tried and brought nothing, it was not seen there.
    clean = works("py312-django52-channels4", IDLE, cures=[pin()])
    ((_, choice),) = advisor(works(PAIR + CHANNELS, IDLE, cures=[tried]), clean, deep=ALL).answer("3.12", "5.2").choices
    assert choice.beware[1].seen_in == PAIR + CHANNELS
    ((_, choice),) = made.answer("3.13", "6.0").choices
    assert choice.left(Severity.MODERATE) == 1


def test_another_server_is_no_cure():
    """What works under another server is another choice, and takes nothing away from this one."""
    made = advisor(works(PAIR + CHANNELS, IDLE, cures=[pin(kind="server", change="uvicorn")]), deep=ALL)
    ((_, choice),) = made.answer("3.13", "6.0").choices
    assert choice.beware[0].cure is None


def test_a_way_that_needs_no_pin():
    """A pin says that the way advised beside it needs none, and brings nothing that the way is free of."""
    way = "async consumer, Redis Pub/Sub layer"
    frozen = "The broker is frozen for 10 s: messages lost silently"
    lost = Catch(question=identifier(frozen), kind="loses messages", text=f"{frozen}: some")
    tried = msgspec.structs.replace(pin(), brings=[lost])
    cause = Cause(
        question="idle-12",
        turned=[Turned(package="redis", good="7.4.1", bad="8.0.0")],
        text="",
        good=[],
        bad=[],
        found_on="2026-11-26",
    )

    def advised(*good):
        usual = works(PAIR + CHANNELS, IDLE, LOST, cures=[tried, pin("many-300-its-sender", way, "setting")])
        pinned = works("py312-django52" + CHANNELS, frozen)
        for result, redis, question in ((usual, "8.1.0", IDLE), (pinned, "7.4.1", frozen)):
            if question in good:
                answer = Finding(question=f"{question} ({way})", expected="fine", seen="fine", good=True)
                result.probes[0].findings.append(answer)
            result.versions.installed["redis"] = redis
        ((_, choice),) = (
            advisor(msgspec.structs.replace(usual, causes=[cause]), pinned, deep=ALL).answer("3.13", "6.0").choices
        )
        assert (choice.pins, choice.ways) == (["redis<8"], [way])
        return choice.beware

    both = advised(IDLE, frozen)
    assert [each.trouble.id for each in both] == ["lost", "idle"]
    assert both[1].remedy.endswith(f"; not needed with the {way}")
    neither = advised()
    assert [each.trouble.id for each in neither] == ["lost", "idle", "outage-lost"]
    assert "not needed" not in neither[1].remedy


def test_catches_of_a_cell_that_was_asked_more():
    """What only another cell of the library was asked is told as seen there; what this cell answers itself, is not."""
    deep = "py314-django61-channels4"
    made = advisor(works(PAIR + CHANNELS, TEXT), works(deep, LOST, TEXT, IDLE), deep=(deep,))
    ((_, choice),) = made.answer("3.13", "6.0").choices
    assert [(each.trouble.id, each.seen_in) for each in choice.beware] == [
        ("lost", deep),
        ("idle", deep),
        ("texts", ""),
    ]
    fine = msgspec.structs.replace(
        works(PAIR + CHANNELS),
        probes=[Probe(name="delivery", findings=[Finding(question=IDLE, expected="fine", seen="fine", good=True)])],
    )
    ((_, choice),) = advisor(fine, works(deep, IDLE), deep=(deep,)).answer("3.13", "6.0").choices
    assert (choice.beware, choice.label) == ([], "✓ Yes")


def test_what_a_cell_was_not_asked():
    """Of what a cell was not asked the nearest that was answers, whether well or not, one of the same server first."""
    uvicorn = [
        msgspec.structs.replace(works(f"{pair}-channels4-uvicorn"), server="uvicorn")
        for pair in (PAIR, "py311-django52")
    ]
    uvicorn[1].probes[0].findings.append(Finding(question=IDLE, expected="fine", seen="fine", good=True))
    nearer = works("py313-django61-channels4", IDLE)
    found = {choice.row.name: choice for _, choice in advisor(*uvicorn, nearer, deep=ALL).answer("3.13", "6.0").choices}
    assert found[uvicorn[0].cell].beware == []
    worse = msgspec.structs.replace(works("py311-django52-channels4-uvicorn", IDLE), server="uvicorn")
    fine = works("py313-django61-channels4")
    fine.probes[0].findings.append(Finding(question=IDLE, expected="fine", seen="fine", good=True))
    ((_, choice),) = advisor(uvicorn[0], worse, fine, deep=ALL).answer("3.13", "6.0").choices
    assert [each.seen_in for each in choice.beware] == [worse.cell]


@pytest.mark.parametrize(("decided", "said"), [("project", ("project",)), ("", ())])
def test_who_decides(decided, said):
    """Whose default or code decides a catch is told where the answers say it."""
    result = works(PAIR + CHANNELS)
    finding = Finding(question=IDLE, expected="fine", seen="not", good=False, decided_by=decided)
    result = msgspec.structs.replace(result, probes=[Probe(name="delivery", findings=[finding])])
    ((_, choice),) = advisor(result, deep=ALL).answer("3.13", "6.0").choices
    assert choice.beware[0].decided_by == said


def test_a_way_that_is_worse_is_no_cure():
    """Another way that mends one thing, and answers another as bad that the usual way answers well, is no cure."""
    late = "The broker answers 200 ms late: messages lost silently"
    for usual, ways in ((True, []), (False, [WAY])):
        result = works(PAIR + CHANNELS, TEXT, cures=[pin("payload-emoji-websocket", WAY, "setting")])
        with_way(result, KILLED, WAY, usual=usual, other=False)
        # That the usual way has the same trouble elsewhere makes it no better.
        with_way(result, late, WAY, usual=False, other=True)
        ((_, choice),) = advisor(result, deep=ALL).answer("3.13", "6.0").choices
        assert (bool(choice.beware[0].cure), choice.ways) == (bool(ways), ways)


def test_what_a_way_brings():
    """What another way brings that is milder is told wherever that is advised; it counts in the rank."""
    result = works(PAIR + CHANNELS, LOST, cures=[pin("many-300-its-sender", WAY, "setting")])
    with_way(result, KILLED, WAY, usual=True, other=False)
    made = advisor(result, works("py312-django52-channels4", LOST), deep=ALL)
    for pair, seen in ((("3.13", "6.0"), ""), (("3.12", "5.2"), PAIR + CHANNELS)):
        ((_, choice),) = made.answer(*pair).choices
        assert choice.ways == [WAY]
        told = [(each.trouble.id, each.brought_by, each.seen_in) for each in choice.beware if each.brought_by]
        assert told == [("outage-lost", WAY, seen)]
        assert (choice.left(Severity.SEVERE), choice.left(Severity.MODERATE)) == (0, 1)
        assert choice.beware[-1].says == f"moderate: with {WAY}: {KILLED}: some"
    (note,) = made.notes(made.library_of(made._rows[PAIR + CHANNELS]))
    assert note.short == (f"use the {WAY}, but then messages are lost while the broker is away or hangs")


def test_a_way_that_fails_elsewhere_is_no_cure():
    """Another way of the library that does not work in each cell in which it was tried is no cure."""
    way = "async consumer, PostgreSQL layer"
    result = works(PAIR + CHANNELS, LOST, cures=[pin("many-300-its-sender", way, "setting")])
    other = works("py313-django52" + CHANNELS)
    went = [Judgement.of(Reason.WORKS), Judgement.of(Reason.EXCHANGE_WRONG, "0 of 15 right")]
    result, *others = (
        msgspec.structs.replace(each, variants=[VariantResult(name=way, judgement=judgement, exchanges=[])])
        for each, judgement in zip((result, other), went, strict=True)
    )
    ((_, choice),) = advisor(result, deep=ALL).answer("3.13", "6.0").choices
    assert choice.ways == [way]
    made = advisor(result, *others, deep=ALL)
    ((_, choice),) = made.answer("3.13", "6.0").choices
    assert choice.ways == []
    assert made.remedies.against(result.cell, result.cures[0]) == "it works in 1 of 2 cells"


def test_what_was_tried_in_vain_is_no_cure():
    """A pin that mends another cell of the same cause is not advised where it was tried, and does not."""
    cured = works("py313-django52" + CHANNELS, IDLE, cures=[pin()])
    result = works(PAIR + CHANNELS, IDLE)
    ((_, choice),) = advisor(result, cured, deep=ALL).answer("3.13", "6.0").choices
    assert choice.beware[0].cure == pin()
    vain = Attempt(question="idle-12", kind="pin", change=pin().change, text="is closed", tried_on="2026-11-28")
    made = advisor(msgspec.structs.replace(result, attempts=[vain]), cured, deep=ALL)
    ((_, choice),) = made.answer("3.13", "6.0").choices
    assert choice.beware[0].cure is None
    (note,) = made.notes(choice.library)
    assert note.short == "install redis<8 (in 1 of them)"


def test_what_may_be_chance_is_no_cure():
    """A cure that may be chance takes nothing away, unless it was seen in a second cell of the cause."""
    lucky = msgspec.structs.replace(pin(kind="setting", change="Redis layer"), chance=True)
    one, other = (works(name + CHANNELS, IDLE, cures=[lucky]) for name in (PAIR, "py313-django52"))
    ((_, choice),) = advisor(one, deep=ALL).answer("3.13", "6.0").choices
    assert (choice.beware[0].cure, choice.ways) == (None, [])
    ((_, choice),) = advisor(one, other, deep=ALL).answer("3.13", "6.0").choices
    assert choice.ways == ["Redis layer"]


def test_a_way_that_fails_here_is_no_cure():
    """Another way that mends another cell of the same cause is not advised where it answers no better."""
    way = "async consumer, Redis Pub/Sub layer"
    cured = works("py313-django52" + CHANNELS, LOST, cures=[pin("many-300-its-sender", way, "setting")])
    result = works(PAIR + CHANNELS, LOST)
    ((_, choice),) = advisor(result, cured, deep=ALL).answer("3.13", "6.0").choices
    assert choice.ways == [way]
    as_bad = Finding(question=f"{LOST} ({way})", expected="fine", seen="something else", good=False)
    result.probes[0].findings.append(as_bad)
    ((_, choice),) = advisor(result, cured, deep=ALL).answer("3.13", "6.0").choices
    assert choice.ways == []


def test_a_limit_of_one_cell_says_nothing_of_the_next():
    """That a hundred sockets are too many is severe where it was seen, and not expected of other cells."""
    crowd = Finding(question="A broadcast to 100 sockets", expected="reaches each", seen="does not", good=False)
    here, there = works(PAIR + CHANNELS), works("py313-django52" + CHANNELS)
    here.probes.append(Probe(name="load", findings=[crowd]))
    asked = advisor(here, there, deep=ALL)
    ((_, choice),) = asked.answer("3.13", "6.0").choices
    assert [(each.trouble.id, each.trouble.severity) for each in choice.beware if each.trouble.id == "crowd"] == [
        ("crowd", Severity.SEVERE)
    ]
    ((_, other),) = asked.answer("3.13", "5.2").choices
    assert "crowd" not in {each.trouble.id for each in other.beware}


def test_what_answers_show():
    """A way that gives all answers of a cause well, wherever it was asked, is shown to mend it; a lucky one is not."""
    first, second = works(PAIR + CHANNELS, IDLE), works("py312-django52" + CHANNELS, IDLE)
    for result, good in ((first, True), (second, False)):
        for way, fine in ((WAY, True), ("sync, Redis layer", good)):
            answer = Finding(question=f"{IDLE} ({way})", expected="fine", seen="fine", good=fine)
            result.probes[0].findings.append(answer)
    remedies = advisor(first, second, deep=ALL).remedies
    (root,) = remedies.roots
    assert remedies.shown(root) == {f"the {WAY}": sorted((first.cell, second.cell))}
    assert remedies.left(second.cell, pin("idle-12", "sync, Redis layer", "setting"), root) == [IDLE]
    assert remedies.left(first.cell, pin("idle-12", "sync, Redis layer", "setting"), root) == []
