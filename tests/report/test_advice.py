"""What is advised for a Python and a Django: the rank and why, the line that installs it, and what to beware of."""

from __future__ import annotations

import msgspec
import pytest
import samples
from advised import ASGI, CHANNELS, IDLE, LOST, SOCKETIO, TEXT, advisor, pin, works
from made import alike

from harness.report.advice import Advisor
from harness.results.catches import Severity
from harness.results.explained import TOGETHER, Attempt, Catch, Cause, Turned
from harness.results.questions import identifier
from harness.results.result import Finding, Judgement, Probe, VariantResult
from harness.verdict import Reason


def ranked(made: Advisor, python: str = "3.13", django: str = "6.0") -> list[tuple[int, str]]:
    return [(rank, choice.row.name) for rank, choice in made.answer(python, django).choices]


PAIR = "py313-django60"
ALL = tuple(PAIR + each for each in (ASGI, CHANNELS, SOCKETIO))


def test_severe_catches_decide_first():
    """The fewest severe catches come first, whatever is said of releases, moderate catches and packages."""
    made = advisor(works(PAIR + ASGI, IDLE), works(PAIR + SOCKETIO, TEXT), deep=ALL)
    assert ranked(made) == [(1, PAIR + SOCKETIO), (2, PAIR + ASGI)]


def test_what_a_cure_takes_away_does_not_count():
    """A severe catch with a proved cure weighs nothing, and the cure stands in the line that installs it."""
    made = advisor(works(PAIR + ASGI, IDLE), works(PAIR + CHANNELS, IDLE, cures=[pin()]), deep=ALL)
    assert ranked(made)[0] == (1, PAIR + CHANNELS)
    (_, first), (_, second) = made.answer("3.13", "6.0").choices
    assert '"redis<8"' in first.install
    assert first.beware[0].remedy == f"install redis<8, tried in {PAIR}-channels4 on 2026-11-26"
    assert first.label == "✓ Yes, but"
    assert (second.install.count("redis"), second.beware[0].remedy) == (0, "")


def test_a_pin_takes_the_place_of_what_was_installed():
    """A pin of something that is asked for anyway stands in its place, and not beside it."""
    made = advisor(works(PAIR + CHANNELS, IDLE, cures=[pin(change="channels_redis<4.3")]), deep=ALL)
    ((_, choice),) = made.answer("3.13", "6.0").choices
    assert choice.install == 'pip install Django==6.0.19 channels==4.3.2 "channels_redis<4.3"'


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


def test_releases_decide_between_equals():
    """Of those with as few severe catches the one comes first that had a release lately which claims the pair."""
    made = advisor(works(PAIR + SOCKETIO), works(PAIR + CHANNELS), deep=ALL)
    assert ranked(made) == [(1, PAIR + CHANNELS), (2, PAIR + SOCKETIO)]
    (_, first), (_, second) = made.answer("3.13", "6.0").choices
    assert (first.age, second.fresh) == ("released November 2025, and claims the pair", False)


def test_equals_are_shown_as_equals():
    """What nothing sets apart has one rank, and the next one is counted on from there."""
    same = msgspec.structs.replace(works(f"{PAIR}-channels4-uvicorn"), server="uvicorn")
    same.probes[0].findings.append(Finding(question=IDLE, expected="fine", seen="fine", good=True))
    other = msgspec.structs.replace(same, cell=f"{PAIR}-channels4-hypercorn", server="hypercorn")
    worse = works(PAIR + CHANNELS, IDLE)
    made = advisor(same, other, worse, deep=(same.cell,))
    assert sorted(ranked(made)) == [
        (1, other.cell),
        (1, same.cell),
        (3, PAIR + CHANNELS),
    ]


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


def test_another_library_is_no_cure():
    """What mends another library that fails the same way is not told of this one."""
    missing = Judgement.of(Reason.SERVER_DID_NOT_START, "No module named 'django.utils.six'")
    verdicts = alike(missing)
    failed = [
        msgspec.structs.replace(samples.of(cell), verdicts=verdicts, steps=[], probes=[], sets=[], isolation=[])
        for cell in ("py311-django52", "py313-django51-channels3")
    ]
    mended = msgspec.structs.replace(failed[0], cures=[pin("", "uwsgi", "server")])
    (failing,) = advisor(mended, failed[1]).answer("3.13", "5.1").failing
    assert (failing.row.name, failing.instead) == ("py313-django51-channels3", [])


def test_what_was_never_asked_in_depth_comes_last():
    """A library none of whose cells was asked in depth is behind those that were: nothing is known against it."""
    made = advisor(works(PAIR + ASGI, IDLE), works(PAIR + CHANNELS), deep=(PAIR + ASGI,))
    assert ranked(made) == [(1, PAIR + ASGI), (2, PAIR + CHANNELS)]
    *_, (_, last) = made.answer("3.13", "6.0").choices
    assert last.why[0] == "not asked in depth, so that little is known"


def test_with_pins_and_without():
    """Of one server the better of the two profiles is a choice, and not both."""
    today, pinned = works(f"{PAIR}-channels4", IDLE), works(f"{PAIR}-channels4-pins")
    pinned.probes[0].findings.append(Finding(question=IDLE, expected="fine", seen="fine", good=True))
    assert ranked(advisor(today, pinned, deep=ALL)) == [(1, pinned.cell)]


def test_what_fails():
    """What does not work on the pair is named, with what it comes from and what works instead."""
    failed = samples.of("py313-django52")
    missing = Judgement.of(Reason.SERVER_DID_NOT_START, "No module named 'django.utils.six'")
    verdicts = alike(missing)
    uwsgi = pin("", "uwsgi", "server")
    failed = msgspec.structs.replace(failed, verdicts=verdicts, steps=[], cures=[uwsgi])
    (failing,) = advisor(failed, works("py36-django22")).answer("3.13", "5.2").failing
    assert failing.cause == "django.utils.six is gone since Django 5.2"
    assert failing.instead == ["uwsgi as the server (stays; tried on 2026-11-26)"]


def test_what_mends_it_elsewhere():
    """Of what mends other cells that fail alike, what can be done on the pair itself is told before another pair."""
    verdicts = alike(Judgement.of(Reason.SERVER_DID_NOT_START, "No module named 'django.utils.six'"))
    first, second, failed = (
        msgspec.structs.replace(samples.of("py313-django52"), cell=cell, verdicts=verdicts, steps=[])
        for cell in ("py310-django42", "py311-django42", "py312-django52")
    )
    first = msgspec.structs.replace(first, cures=[pin("", "py310-django22", "cell")])
    second = msgspec.structs.replace(second, cures=[pin("", "uwsgi", "server")])
    (failing,) = advisor(first, second, failed).answer("3.12", "5.2").failing
    assert failing.instead == [
        "uwsgi as the server, tried in py311-django42",
        "as in py310-django22, tried in py310-django42",
    ]
    near, far = (
        msgspec.structs.replace(works(cell), server="uwsgi") for cell in ("py311-django42-uwsgi", "py36-django22-uwsgi")
    )
    (failing,) = advisor(first, second, failed, near, far).answer("3.12", "5.2").failing
    assert failing.instead[0] == "uwsgi as the server, as py311-django42-uwsgi shows; it was not measured on this pair"
    (failing,) = (
        advisor(first, failed, msgspec.structs.replace(second, cures=[]), near, far).answer("3.11", "4.2").failing
    )
    assert failing.instead == ["as in py310-django22, tried in py310-django42"]


def test_nothing_was_measured():
    """Where nothing works the nearest cells that do are named, one of each library and server, and who claims it."""
    made = advisor(works("py313-django61-channels4"), works("py311-django52-channels4"), works("py36-django22"))
    answer = made.answer("3.12", "6.0")
    assert (answer.ranks, [row.name for row in answer.nearest]) == ([], ["py311-django52-channels4", "py36-django22"])
    assert answer.claimed == ["Django Channels 4 4.3.2"]
    assert answer.id == "py312-django60"


def test_untried():
    """Where something was tried a library of today that was not is named, with its nearest cell that works."""
    made = advisor(works("py313-django61-channels4"), works("py311-django52-asgi"), works("py36-django22"))
    answer = made.answer("3.13", "6.1")
    assert [(library.name, row.name) for library, row in answer.untried] == [("plain-asgi", "py311-django52-asgi")]
    assert made.answer("3.12", "6.0").untried == []


def test_for_development():
    """Of a server for development alone is said which one to deploy, where any works with the library."""
    alone = works("py311-django52-channels4")
    served = msgspec.structs.replace(works("py313-django60-channels4-daphne"), server="daphne")
    first, second = advisor(alone, served).answer("3.11", "5.2"), advisor(alone, served).answer("3.13", "6.0")
    assert first.ranks[0][0].development == (
        "for development alone: to deploy take daphne, which works in py313-django60-channels4-daphne"
    )
    assert second.ranks[0][0].development == ""
    assert "no server that can be deployed" in advisor(alone).answer("3.11", "5.2").ranks[0][0].development


def test_pairs():
    """Each pair of which something is measured is one, and each that Django supports, the newest first."""
    pairs = advisor(works("py27-django18")).pairs
    assert pairs[-1] == ("2.7", "1.8")
    assert ("3.14", "6.0") in pairs
    assert ("3.6", "2.2") not in pairs


@pytest.mark.parametrize(("decided", "said"), [("project", ("project",)), ("", ())])
def test_who_decides(decided, said):
    """Whose default or code decides a catch is told where the answers say it."""
    result = works(PAIR + CHANNELS)
    finding = Finding(question=IDLE, expected="fine", seen="not", good=False, decided_by=decided)
    result = msgspec.structs.replace(result, probes=[Probe(name="delivery", findings=[finding])])
    ((_, choice),) = advisor(result, deep=ALL).answer("3.13", "6.0").choices
    assert choice.beware[0].decided_by == said


def test_an_old_release_claims_nothing_for_the_new_one():
    """What counts is whether the newest release claims the pair, and not the older one that the cell had to take."""
    old, newest = works("py38-django32-channels4"), works(PAIR + CHANNELS)
    claims = msgspec.structs.replace(old.installation.claims, version="4.0.0", pythons=["3.8"], djangos=["3.2"])
    old = msgspec.structs.replace(old, installation=msgspec.structs.replace(old.installation, claims=claims))
    ((_, choice),) = advisor(old, newest, deep=ALL).answer("3.8", "3.2").choices
    said = "its newest, 4.3.2, was released in November 2025, but does not claim the pair"
    assert (choice.fresh, choice.age) == (False, said)


def with_way(result, question, way, usual, other):
    """Have *result* answer a question that was put to the usual way, and to another one."""
    answers = [
        Finding(question=each, expected="none", seen="none" if good else "some", good=good)
        for each, good in ((question, usual), (f"{question} ({way})", other))
    ]
    result.probes[0].findings.extend(answers)


WAY = "async consumer, Redis Pub/Sub layer"
KILLED = "The broker is killed for good: messages lost silently"


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


def test_pins_keep_extras_and_each_other():
    """A pin keeps the extras of what it takes the place of, and two pins of one package hold both."""
    pins = [pin(change="channels<4.3"), pin("many-300-its-sender", "channels<5, redis<8")]
    result = works(PAIR + CHANNELS, IDLE, LOST, cures=pins)
    requirements = ["channels[daphne]>=4", "channels_redis"]
    installation = msgspec.structs.replace(result.installation, requirements=requirements)
    result = msgspec.structs.replace(result, installation=installation)
    ((_, choice),) = advisor(result, deep=ALL).answer("3.13", "6.0").choices
    assert '"channels[daphne]<5,<4.3"' in choice.install
    assert choice.install.endswith('"redis<8"')


def test_what_was_tried_is_not_untested():
    """A library that claims the pair, and was tried on it and failed, is not named as one that was not tested."""
    failed = msgspec.structs.replace(
        samples.of(PAIR + CHANNELS), verdicts=samples.of("py313-django52").verdicts, probes=[], sets=[]
    )
    answer = advisor(failed, works("py311-django52-channels4")).answer("3.13", "6.0")
    assert (answer.claimed, len(answer.failing)) == ([], 1)


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


def test_what_chooses_a_way():
    """A way that mends something is told with what chooses it, where the library's prose says that."""
    pubsub = "async consumer, Redis Pub/Sub layer"
    cure = pin("many-300-its-sender", pubsub, "setting")
    ((_, choice),) = advisor(works(PAIR + CHANNELS, LOST, cures=[cure]), deep=ALL).answer("3.13", "6.0").choices
    assert choice.ways == [pubsub]
    assert choice.uses == [f'{pubsub} (CHANNEL_LAYERS with "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer")']


def test_pins_that_mend_together():
    """Two pins that mend something together stand in the line that installs it, each for its package."""
    both = TOGETHER.join(("channels_redis<4.3", "redis<8"))
    ((_, choice),) = (
        advisor(works(PAIR + CHANNELS, IDLE, cures=[pin(change=both)]), deep=ALL).answer("3.13", "6.0").choices
    )
    assert choice.pins == ["channels_redis<4.3", "redis<8"]
    assert choice.install.endswith('"channels_redis<4.3" "redis<8"')
