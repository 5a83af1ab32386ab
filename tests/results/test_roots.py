"""Root causes: what is put together, what keeps apart, and since when a name is gone."""

from __future__ import annotations

import msgspec
import pytest
import samples
from made import alike, deep_set

from harness.results import catches
from harness.results.explained import Cause, Cure, Turned
from harness.results.result import Finding, Judgement, Probe, Result, Step
from harness.results.roots import roots
from harness.verdict import Reason, Verdict

IDLE = "A connection that is idle for 12 s"


def failed(cell: str, text: str, reason: Reason = Reason.SERVER_DID_NOT_START) -> Result:
    judgement = Judgement.of(reason, text)
    verdicts = alike(judgement)
    return msgspec.structs.replace(samples.of(cell), verdicts=verdicts, steps=[], probes=[], sets=[], isolation=[])


def caught(cell: str, seen: str = "closed", question: str = IDLE, causes=(), cures=()) -> Result:
    finding = Finding(question=question, expected="stays open", seen=seen, good=seen == "stays open")
    works = Judgement.of(Reason.WORKS)
    return msgspec.structs.replace(
        samples.of(cell),
        verdicts=alike(works),
        probes=[Probe(name="delivery", findings=[finding])],
        sets=[],
        isolation=[],
        causes=list(causes),
        cures=list(cures),
    )


def redis8(question: str = "idle-12") -> Cause:
    turned = [Turned(package="redis", good="7.4.1", bad="8.0.0", uploaded="2026-05-28")]
    return Cause(question=question, turned=turned, text="redis 8.0.0", good=[], bad=[], found_on="2026-11-26")


def of(*results: Result):
    return roots({each.cell: each for each in results}, {each.cell: catches.of(each) for each in results})


def test_one_failure_in_other_words():
    """A module that is gone is one cause, whichever library, Python and words tell of it; the most frequent first."""
    found = of(
        failed("py311-django52", "No module named 'django.utils.six'"),
        failed("py310-django32", "cannot import name 'six' from 'django.utils' (<cell>/lib/x.py)"),
        failed("py313-django51-channels3", "No module named 'cgi'"),
        caught("py311-django22"),
        caught("py36-django22-channels3"),
    )
    assert (found[0].what, found[0].kind) == ("django.utils.six cannot be imported", "does not work")
    assert sorted(found[0].results) == ["py310-django32", "py311-django52"]
    assert found[0].since == "django.utils.six is gone since Django 3.2"
    assert found[0].id == "django-utils-six-cannot-be-imported"
    (cgi,) = [root for root in found if root.what.startswith("cgi")]
    assert cgi.since == "cgi is gone since Python 3.13"


def test_what_cannot_be_parsed():
    """A file of a library that no newer Python can parse was written for the older ones, in which it can be."""
    text = '  File "<cell>/site-packages/old/utils.py", line 3\nSyntaxError: invalid syntax'

    def unparsed(cell: str) -> Result:
        step = Step(name="runserver", outcome="failed", cause="SyntaxError: invalid syntax", excerpt=text)
        return msgspec.structs.replace(failed(cell, "SyntaxError: invalid syntax"), steps=[step])

    (root,) = of(unparsed("py311-django22"), unparsed("py36-django22"), caught("py27-django111", "stays open"))
    assert (root.what, root.since) == (
        "old/utils.py cannot be parsed",
        "old/utils.py cannot be parsed since Python 3.6",
    )
    (root,) = of(unparsed("py311-django22"))
    assert root.since == "old/utils.py is not for Python 3.11"


def test_what_is_not_there_yet():
    """A name that a newer Python has is not gone: it is not there yet."""
    found = of(
        failed("py36-django32-pysocketio", "module 'asyncio' has no attribute 'create_task'"),
        caught("py311-django52-pysocketio"),
        caught("py27-django18-pysocketio"),
    )
    assert found[0].since or found[1].since
    assert "asyncio.create_task is not in Python 3.6 yet" in {root.since for root in found}


def test_catches_by_what_is_seen():
    """Catches of one library are one cause where the same is seen, how often it was and in which numbers apart."""
    found = of(
        caught("py311-django22", "closed after 5 s (1 of 2)"),
        caught("py39-django22", "closed after 6 s"),
        caught("py36-django22", "lost"),
    )
    assert [sorted(root.results) for root in found] == [["py311-django22", "py39-django22"], ["py36-django22"]]
    assert found[0].what == f"{IDLE}: closed after 5 s"
    assert (found[0].kind, found[0].questions, found[0].explained) == ("drops sockets", {"idle-12"}, "")


def test_the_same_release():
    """Where the same release is guilty it is one cause across libraries, whatever each of them says of it."""
    found = of(
        caught("py310-django52-channels4", "closed with 1011", causes=[redis8()]),
        caught("py36-django22-channels3", "connection lost", causes=[redis8()]),
        caught("py311-django22", "is cut"),
    )
    assert [sorted(root.results) for root in found] == [
        ["py310-django52-channels4", "py36-django22-channels3"],
        ["py311-django22"],
    ]
    assert (found[0].libraries, found[0].explained) == (["channels3", "channels4"], "redis 8.0.0")


def test_one_catch_of_several_libraries():
    """What is seen alike is one cause across libraries; that no release of one did it says nothing of another."""
    always = Cause(question="idle-12", turned=[], text="no release turned it", good=[], bad=[], found_on="2026-11-26")
    first, second = caught("py310-django52-channels4", causes=[always]), caught("py311-django22")
    (found,) = of(first, second)
    assert (found.explained, found.unexplained) == ("no release turned it", {"py311-django22"})
    (found,) = of(first, msgspec.structs.replace(second, causes=[always]))
    assert found.explained == "no release turned it (channels4; neither did one in django-websocket-redis)"
    assert found.unexplained == set()


def test_what_it_comes_from_in_a_cell():
    """In a cell it comes from what was found in its own library, and a question belongs to what was seen there."""
    always = Cause(question="idle-12", turned=[], text="as of 2021", good=[], bad=[], found_on="2026-11-26")
    other = msgspec.structs.replace(always, text="as of 2019")
    first = caught("py310-django52-channels4", causes=[always])
    second, third = caught("py311-django22", causes=[other]), caught("py310-django22", "lost")
    found = of(first, second, third)
    assert found[0].explained_in(first.cell) == "as of 2021"
    assert found[0].explained_in(second.cell) == "as of 2019"
    assert found[1].explained_in(third.cell) == ""
    assert [set(root.asked_in) for root in found] == [{first.cell, second.cell}, {third.cell}]
    # What was found on another Python is told as found there: its days are of that one's releases.
    (alike,) = of(first, caught("py39-django42-channels4"))
    assert alike.explained_in("py39-django42-channels4") == f"as of 2021 (found in {first.cell})"


def test_ways_are_those_of_one_library():
    """A way that may be chance in a cell of each of two libraries mends a second cell of neither."""
    cure = Cure(
        question="idle-12",
        kind="setting",
        change="async",
        verdict=Verdict.WORKS,
        text="",
        chance=True,
        tried_on="2026-11-26",
    )
    channels, sockets = (caught(each, cures=[cure]) for each in ("py310-django52-channels4", "py311-django22"))
    (found,) = of(channels, sockets)
    assert found.proved("channels4") == set()
    (found,) = of(channels, sockets, caught("py311-django52-channels4", cures=[cure]))
    assert (found.proved("channels4"), found.proved("django-websocket-redis")) == ({("setting", "async")}, set())


def test_the_same_pin():
    """What the same pin mends is put to the release that it keeps away, also where nobody looked for it again."""
    cure = Cure(question="idle-12", kind="pin", change="redis<8", verdict=Verdict.WORKS, text="", tried_on="2026-11-26")
    found = of(
        caught("py310-django52-channels4", "closed with 1011", causes=[redis8()]),
        caught("py36-django22-channels3", "connection lost", cures=[cure]),
    )
    assert [(sorted(root.results), root.explained) for root in found] == [
        (["py310-django52-channels4", "py36-django22-channels3"], "redis 8.0.0")
    ]


def test_a_cause_of_another_question():
    """A cause explains the question that it was found for, and no other."""
    (found,) = of(caught("py311-django22", causes=[redis8("early")]))
    assert (found.causes, found.explained) == ([], "")
    cure = Cure(question="early", kind="pin", change="x<1", verdict=Verdict.WORKS, text="", tried_on="2026-11-26")
    (found,) = of(caught("py311-django22", cures=[cure]))
    assert found.cures == []


def test_what_was_always_so():
    """That no release turned an answer explains it as well, unless another cell knows the release."""
    always = Cause(question="idle-12", turned=[], text="no release turned it", good=[], bad=[], found_on="2026-11-26")
    (found,) = of(caught("py311-django22", causes=[always]))
    assert found.explained == "no release turned it"
    (found,) = of(caught("py311-django22", causes=[always]), caught("py39-django22", causes=[redis8()]))
    assert found.explained == "redis 8.0.0"


def installed(result: Result, redis: str) -> Result:
    """Return *result* of a cell with that version of redis."""
    versions = msgspec.structs.replace(result.versions, installed={"redis": redis})
    return msgspec.structs.replace(result, versions=versions)


def test_a_release_that_is_not_there():
    """A release explains only cells in which it is installed; of the others it is not known, or they have a cause."""
    old = installed(caught("py39-django22"), "7.0.1")
    (found,) = of(caught("py311-django22", causes=[redis8()]), old)
    assert (found.explained, found.unexplained) == ("redis 8.0.0 (in 1 of 2 cells)", {"py39-django22"})
    always = Cause(question="idle-12", turned=[], text="no release turned it", good=[], bad=[], found_on="2026-11-26")
    (found,) = of(caught("py311-django22", causes=[redis8()]), msgspec.structs.replace(old, causes=[always]))
    assert found.explained == "redis 8.0.0 (in 1 of 2 cells); in another: no release turned it"
    assert found.unexplained == set()
    past = installed(caught("py35-django22", "lost"), "3.5.3")
    found = of(caught("py311-django22", causes=[redis8()]), past)
    assert {root.explained: root.unexplained for root in found} == {"redis 8.0.0": set(), "": {"py35-django22"}}


@pytest.mark.parametrize(
    ("good", "bad", "there", "met"),
    [
        ("7.4.1", "8.0.0", "8.1.0", True),
        ("7.4.1", "8.0.0", "7.4.1", False),
        ("7.4.1", "8.0.0", "", False),
        ("8.0.0", "7.4.1", "7.0", True),
        ("8.0.0", "7.4.1", "8.1", False),
        ("", "8.0.0", "7.0", True),
        ("7.4.1", "", "", True),
        ("7.4.1", "", "7.4.1", False),
    ],
)
def test_on_which_side(good, bad, there, met):
    """What is newer than a bad release is bad as well, and what is not there is only where that is the bad side."""
    turned = Turned(package="zope.interface", good=good, bad=bad)
    assert turned.met({"Zope_Interface": there} if there else {"redis": "8.0.0"}) is met


@pytest.mark.parametrize("reason", [Reason.NO_NETWORK, Reason.INTERPRETER_MISSING])
def test_what_was_not_tested(reason):
    """A cell of which nothing is known has no cause, and neither has one that works without a catch."""
    assert of(failed("py311-django52", "away", reason), caught("py311-django22", "stays open")) == []


def test_an_exception_explains_itself():
    """A catch that names the exception and its file says what it comes from."""
    (found,) = of(caught("py27-django18", "refused: status 500 (UnicodeEncodeError in ws4redis/redis_store.py)"))
    assert found.explained == "what it says"
    (found,) = of(caught("py27-django18", "connection lost (ConnectionResetError)"))
    assert found.explained == ""


def test_where_nothing_else_can_be_installed():
    """Cells of Python 2.7 to 3.5 have the cause that their question has in newer ones of the library; no others do."""
    newer = caught("py311-django22", causes=[redis8()])
    found = of(newer, caught("py35-django22", "lost"), caught("py36-django32", "altered"))
    assert {root.explained for root in found} == {
        "redis 8.0.0",
        "as elsewhere, where it is seen in other words: redis 8.0.0",
        "",
    }
    found = of(newer, caught("py35-django22-channels3", "lost"))
    assert {root.explained for root in found} == {"redis 8.0.0", ""}


def test_all_answers_of_deep_sets():
    """What a deep set found counts although a result, which has its worst answers, does not say it."""
    result = caught("py310-django52-channels4", "stays open")
    asked = "While somebody does not read for 10 s: the others"
    finding = Finding(question=asked, expected="all are received", seen="some are lost", good=False)
    whole = [deep_set(result.cell, "amounts", [finding])]
    assert of(result) == []
    (found,) = roots({result.cell: result}, {result.cell: catches.of(result, whole)})
    assert (found.questions, found.what) == ({"unread-others"}, f"{asked}: some are lost")


def test_how_a_connection_is_closed():
    """A connection is closed in one way by this server and in another by that, and comes from the same."""
    question = "Behind NGINX with a time-out of 5 s: a connection that is idle for 8 s"
    seen = ("is closed: closed by the server with 1011", "is closed: connection lost (ConnectionResetError)")
    (found,) = of(*map(caught, ("py310-django52-channels4", "py39-django42-channels4"), seen, [question] * 2))
    assert (len(found.results), found.what) == (2, f"{question}: is closed")
    (found,) = of(caught("py310-django52-channels4", seen[0], question))
    assert found.what == f"{question}: {seen[0]}"


def test_a_cause_that_is_recorded_beside_no_catch():
    """A cell that was asked why, and not the question itself, says what it comes from in those of older Pythons."""
    newer = caught("py311-django22", "stays open", causes=[redis8()])
    (found,) = of(newer, caught("py35-django22", "lost"))
    assert found.explained == "as elsewhere, where it is seen in other words: redis 8.0.0"


def test_questions_alike():
    """It is told how many questions of one kind answered so, and that of which one is named."""
    after = "After a logout in another tab:"
    asked = [f"{after} does the open connection receive messages?", f"{after} can the open connection send?"]
    (found,) = of(*map(caught, ("py310-django52-channels4", "py39-django42-channels4"), ["yes"] * 2, asked))
    assert found.told == f"{asked[0]}: yes (and 1 question like it)"
    assert found.what == f"{asked[0]}: yes"
