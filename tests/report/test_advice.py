"""What is advised for a Python and a Django: the rank and why, the line that installs it, and what to beware of."""

from __future__ import annotations

import msgspec
import samples
from advised import ASGI, CHANNELS, IDLE, LOST, SOCKETIO, TEXT, advisor, pin, works
from made import alike

from harness.report.advice import Advisor
from harness.results.explained import TOGETHER
from harness.results.result import Finding, Judgement
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
    # One of the past is named where the matrix has a cell for it that could not be run.
    missing = alike(Judgement.of(Reason.INTERPRETER_MISSING))
    could_not, other = (
        msgspec.structs.replace(works(f"{pair}-channels1"), library="channels1")
        for pair in ("py34-django111", "py27-django111")
    )
    made = advisor(msgspec.structs.replace(could_not, verdicts=missing), other, works("py34-django111"))
    assert [row.name for _, row in made.answer("3.4", "1.11").untried] == ["py27-django111-channels1"]


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


def test_an_old_release_claims_nothing_for_the_new_one():
    """What counts is whether the newest release claims the pair, and not the older one that the cell had to take."""
    old, newest = works("py38-django32-channels4"), works(PAIR + CHANNELS)
    claims = msgspec.structs.replace(old.installation.claims, version="4.0.0", pythons=["3.8"], djangos=["3.2"])
    old = msgspec.structs.replace(old, installation=msgspec.structs.replace(old.installation, claims=claims))
    ((_, choice),) = advisor(old, newest, deep=ALL).answer("3.8", "3.2").choices
    said = "its newest, 4.3.2, was released in November 2025, but does not claim the pair"
    assert (choice.fresh, choice.age) == (False, said)


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
