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
    """Servers stand by the rule, on the newest pair on which most of them work; what is cured is left out."""
    results = [
        asked(f"{PAIR}{CHANNELS}"),
        asked(f"{OLDER}{SERVERS[0]}", LOST),
        asked(f"{OLDER}{SERVERS[1]}", IDLE, TEXT, cures=[pin()]),
        asked(f"{OLDER}{SERVERS[2]}", LOST),
    ]
    made = advisor(*results, deep=tuple(each.cell for each in results))
    found = deploy.servers(library(made), made)
    assert [(each.rank, each.choice.row.name) for each in found] == [
        (1, f"{OLDER}{SERVERS[1]}"),
        *((2, f"{OLDER}{each}") for each in (SERVERS[0], SERVERS[2])),
    ]
    first, second, _ = found
    assert [trouble.severity for trouble in first.stays] == [Severity.MODERATE]
    assert (first.choice.pins, [each.severity for each in second.stays]) == (["redis<8"], [Severity.SEVERE])
    assert (first.held, first.held_in) == ("", "")


def test_nothing_works():
    """A library that works nowhere is deployed with nothing."""
    made = advisor(works(f"{PAIR}{CHANNELS}"))
    empty = without_cells(library(made))
    assert (deploy.servers(empty, made), deploy.ways(empty)) == ([], ("", []))


def without_cells(of):
    """Return the same library without a cell."""
    return type(of)(of.name, [])


def test_brokers():
    """What stood for Redis is named once."""
    made = advisor(works(f"{PAIR}{CHANNELS}"), works(f"{OLDER}{CHANNELS}"))
    assert deploy.brokers(library(made)) == [samples.of(f"{PAIR}{CHANNELS}").versions.broker]


def test_ways():
    """Each way is told with what it has to beware of, of what all ways were asked; the least comes first."""
    result = works(f"{PAIR}{CHANNELS}", IDLE, LOST, TEXT)
    more = [
        Finding(question=f"{IDLE} (async consumer)", expected="fine", seen="fine", good=True),
        Finding(question=f"{LOST} (async consumer)", expected="fine", seen="not fine", good=False),
    ]
    result = msgspec.structs.replace(
        result, probes=[msgspec.structs.replace(result.probes[0], findings=[*result.probes[0].findings, *more])]
    )
    cell, found = deploy.ways(library(advisor(result)))
    assert (cell, [each.way for each in found]) == (result.cell, ["async consumer", deploy.USUAL])
    assert [each.unexpected for each in found] == [1, 2]
    one, usual = found
    # What no other way was asked (emoji) sets none apart.
    assert (len(one.troubles), len(usual.troubles)) == (1, 2)
    assert one.of(Severity.SEVERE) + one.of(Severity.MODERATE) == [one.troubles[0].says]


def test_a_way_that_does_not_work():
    """A way that does not work comes last, however little was found of it, with the cell in which that is so."""
    result = works(f"{PAIR}{CHANNELS}", LOST)
    result.probes[0].findings.append(Finding(question=f"{LOST} (other)", expected="fine", seen="fine", good=True))
    failed = VariantResult(name="other", judgement=Judgement.of(Reason.EXCHANGE_WRONG, "1 of 15 exchanges are wrong"))
    _, found = deploy.ways(library(advisor(msgspec.structs.replace(result, variants=[failed]))))
    assert [each.way for each in found] == [deploy.USUAL, "other"]
    assert (found[1].tried, found[1].fails) == (1, [(result.cell, "1 of 15 exchanges are wrong")])
