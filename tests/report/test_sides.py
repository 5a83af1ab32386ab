"""Which cells of a library answer for which others: those on the same side of the releases that turn answers."""

from __future__ import annotations

import msgspec
import pytest
from advised import CHANNELS, IDLE, LOST, advisor, pin, works

from harness.report.row import Row
from harness.report.sides import Sides
from harness.results.explained import Catch, Cause, Turned
from harness.results.questions import identifier
from harness.results.result import Finding, Probe, Result

HERE, OLD, NEW = (each + CHANNELS for each in ("py313-django60", "py312-django60", "py310-django52"))
FROZEN = "The broker is frozen for 10 s: messages lost silently"


def on(result: Result, redis: str) -> Result:
    """Return *result* with that version of redis-py."""
    installed = {**result.versions.installed, "redis": redis}
    return msgspec.structs.replace(result, versions=msgspec.structs.replace(result.versions, installed=installed))


def guilty(question: str, good: str = "7.4.1", bad: str = "8.0.0") -> Cause:
    turned = [Turned(package="redis", good=good, bad=bad)]
    return Cause(question=identifier(question), turned=turned, text="", good=[], bad=[], found_on="2026-11-26")


def seen(*results: Result, pair=("3.13", "6.0")) -> dict[str, str]:
    """Return what there is to beware of on *pair*, each with the cell in which it was seen."""
    ((_, choice),) = advisor(*results, deep=(OLD, NEW)).answer(*pair).choices
    return {each.trouble.id: each.seen_in for each in choice.beware}


def test_a_release_that_turned_it(tmp_path):
    """The nearest cell answers for another one unless a release that turned the answer lies between the two."""
    here, nearer = on(works(HERE), "8.0.0"), on(works(OLD, IDLE, FROZEN), "7.4.1")
    assert seen(here, nearer) == {"idle": OLD, "outage-lost": OLD}
    turned = msgspec.structs.replace(nearer, causes=[guilty(IDLE)])
    assert seen(here, turned) == {"outage-lost": OLD}
    farther = on(works(NEW, IDLE), "8.1.0")
    assert seen(here, turned, farther) == {"idle": NEW, "outage-lost": OLD}


def test_on_the_side_of_which_nothing_is_known():
    """One on the same side is asked before a nearer one also about what no release is known to turn."""
    here, nearer = on(works(HERE), "8.0.0"), on(works(OLD, FROZEN, LOST), "7.4.1")
    farther = on(works(NEW, LOST), "8.1.0")
    farther.probes[0].findings.append(Finding(question=FROZEN, expected="none", seen="none", good=True))
    assert seen(here, nearer, farther) == {"lost": OLD, "outage-lost": OLD}
    assert seen(here, nearer, msgspec.structs.replace(farther, causes=[guilty(IDLE)])) == {"lost": NEW}


def test_what_a_pin_brings_is_turned_by_it():
    """What a pin was seen to bring is on its side alone, also where nothing looked for a release."""
    lost = Catch(question=identifier(FROZEN), kind="loses messages", text=f"{FROZEN}: some")
    tried = msgspec.structs.replace(pin(), brings=[lost])
    here, nearer = on(works(HERE), "8.0.0"), on(works(OLD, FROZEN, cures=[tried]), "7.4.1")
    assert seen(here, nearer) == {}
    assert seen(on(here, "7.0.0"), nearer) == {"outage-lost": OLD}


@pytest.mark.parametrize(("redis", "server", "expected"), [("8.1.0", "uwsgi", True), ("7.4.1", "uwsgi", False)])
def test_a_crowd_whose_cause_is_known(redis, server, expected):
    """That a hundred sockets are too many is expected where the release is that turned it, under the same server."""
    crowd = Finding(question="A broadcast to 100 sockets (1 worker)", expected="all", seen="not all", good=False)
    asked = on(msgspec.structs.replace(works(OLD), server="uwsgi", causes=[guilty(crowd.question)]), "8.0.0")
    asked.probes.append(Probe(name="load", findings=[crowd]))
    here = on(msgspec.structs.replace(works(HERE), server=server), redis)
    assert ("crowd" in seen(here, asked)) is expected
    assert "crowd" not in seen(msgspec.structs.replace(here, server="runserver"), asked)


def test_without_versions():
    """A cell without versions is on no bad side."""
    result = msgspec.structs.replace(works(HERE), versions=None, causes=[guilty(IDLE)])
    row = Row(None, result)
    sides = Sides([result])
    assert not sides.turned(row, "idle-12")
    assert sides.alike(row, row, "idle-12")
    assert sides.between(row, row) == 0
