"""What to deploy a library with: servers by their ranks, and layers and consumers by what they have to beware of."""

from __future__ import annotations

import msgspec
import samples
from advised import CHANNELS, IDLE, LOST, TEXT, advisor, pin, works

from harness.report import deploy
from harness.report.advice import Advisor
from harness.results.catches import Severity
from harness.results.result import Finding, Judgement, Result, VariantResult
from harness.verdict import Reason

PAIR, OLDER = "py313-django60", "py311-django52"
SERVERS = (CHANNELS, f"{CHANNELS}-daphne", f"{CHANNELS}-uvicorn")


def asked(cell: str, *wrong: str, cures=()) -> Result:
    """Return a cell that was asked all of these questions, so that it takes no answer over from another cell."""
    result = works(cell, *wrong, cures=cures)
    result.probes[0].findings.extend(
        Finding(question=each, expected="fine", seen="fine", good=True)
        for each in (IDLE, LOST, TEXT)
        if each not in wrong
        for each in (IDLE, LOST, TEXT)
        if each not in wrong
    )
    return result


def library(made: Advisor):
    (found,) = made.view.libraries
    return found


def test_servers():
    """Servers stand by the rule, on the newest pair on which most of them work; what is cured is left out.

    A server for development stands behind all that one deploys with.
    """
    results = [
        asked(f"{PAIR}{CHANNELS}"),
        asked(f"{OLDER}{SERVERS[0]}", TEXT),
        asked(f"{OLDER}{SERVERS[1]}", IDLE, TEXT, cures=[pin()]),
        asked(f"{OLDER}{SERVERS[2]}", LOST),
    ]
    made = advisor(*results, deep=tuple(each.cell for each in results))
    found = deploy.servers(library(made), made)
    assert [(each.rank, each.choice.row.name) for each in found] == [
        (1, f"{OLDER}{SERVERS[1]}"),
        (2, f"{OLDER}{SERVERS[2]}"),
        (None, f"{OLDER}{SERVERS[0]}"),
    ]
    first, second, _ = found
    assert [trouble.severity for trouble in first.stays] == [Severity.MODERATE]
    assert (first.choice.pins, [each.severity for each in second.stays]) == (["redis<8"], [Severity.SEVERE])
    assert (first.held, first.held_in) == ("", "")


def test_nothing_works():
    """A library that works nowhere is deployed with nothing."""
    made = advisor(works(f"{PAIR}{CHANNELS}"))
    empty = without_cells(library(made))
    assert (deploy.servers(empty, made), deploy.ways(empty, made)) == ([], ("", []))


def without_cells(of):
    """Return the same library without a cell."""
    return type(of)(of.name, [])


def test_brokers():
    """What stood for Redis is named once."""
    made = advisor(works(f"{PAIR}{CHANNELS}"), works(f"{OLDER}{CHANNELS}"))
    assert deploy.brokers(library(made)) == [samples.of(f"{PAIR}{CHANNELS}").versions.broker]


def with_ways(result: Result, *names: str, answers=()) -> Result:
    """Return a cell that was tried in further ways, and gave the *answers*: questions, ways, and whether good."""
    tried = [VariantResult(name=name, judgement=Judgement.of(Reason.WORKS)) for name in names]
    more = [
        Finding(question=f"{question} ({way})", expected="fine", seen="so", good=good)
        for question, way, good in answers
    ]
    probe = msgspec.structs.replace(result.probes[0], findings=[*result.probes[0].findings, *more])
    return msgspec.structs.replace(result, variants=tried, probes=[probe])


def ways_of(result: Result):
    made = advisor(result)
    return deploy.ways(library(made), made)


def test_ways():
    """Each way is told with what it has to beware of, of what several were asked; the least comes first."""
    result = with_ways(
        works(f"{PAIR}{CHANNELS}", IDLE, LOST, TEXT), "other", answers=[(IDLE, "other", True), (LOST, "other", False)]
    )
    cell, found = ways_of(result)
    assert (cell, [each.way for each in found]) == (result.cell, ["other", deploy.USUAL])
    assert [each.unexpected for each in found] == [1, 2]
    one, usual = found
    # What no other way was asked (emoji) sets none apart, but is said.
    assert (len(one.troubles), len(usual.troubles)) == (1, 3)
    assert one.of(Severity.SEVERE) == [one.troubles[0].says]
    assert usual.of(Severity.MODERATE) == ["some texts do not get through"]
    assert one.of(Severity.MODERATE) == ["not asked: some texts do not get through"]


def test_what_a_way_was_not_asked():
    """What a way was not asked makes it no better than another, and it is said."""
    result = with_ways(
        works(f"{PAIR}{CHANNELS}", IDLE, LOST),
        *("less", "more"),
        answers=[(LOST, "less", False), (LOST, "more", True), (IDLE, "more", False)],
    )
    _, found = ways_of(result)
    assert [each.way for each in found] == ["more", deploy.USUAL, "less"]
    assert any(each.startswith("not asked: idle connections") for each in found[2].of(Severity.SEVERE))


def test_a_way_that_does_not_work():
    """A way that does not work comes last, however little was found of it, with the cell in which that is so."""
    result = with_ways(works(f"{PAIR}{CHANNELS}", LOST), answers=[(LOST, "other", True)])
    failed = VariantResult(name="other", judgement=Judgement.of(Reason.EXCHANGE_WRONG, "1 of 15 exchanges are wrong"))
    _, found = ways_of(msgspec.structs.replace(result, variants=[failed]))
    assert [each.way for each in found] == [deploy.USUAL, "other"]
    assert (found[1].tried, found[1].fails) == (1, [(result.cell, "1 of 15 exchanges are wrong")])


def test_deployments_are_no_ways():
    """What is asked of several deployments of one way makes no ways of them."""
    result = with_ways(works(f"{PAIR}{CHANNELS}", LOST), answers=[(LOST, "2 processes", True)])
    assert ways_of(result) == ("", [])
