"""Several runs of one cell as one result: every time, never, or so often of so many times."""

from __future__ import annotations

import msgspec
import pytest
import samples

from harness.results.repeats import together
from harness.results.result import Finding, Judgement, Probe, Result, VariantResult, Verdicts
from harness.verdict import Reason

CELL = "py310-django52-channels4"
WORKS = Judgement.of(Reason.WORKS, "15 of 15 exchanges right in 2 rounds")
WRONG = Judgement.of(Reason.EXCHANGE_WRONG, "message 3 is missing")
REFUSED = Judgement.of(Reason.HANDSHAKE_REFUSED, "status 500")
MISSING = Judgement.of(Reason.NO_NETWORK)


def run(judgement: Judgement = WORKS, seen: str = "stays open", good: bool | None = True, seed: int = 1) -> Result:
    recorded = samples.of(CELL)
    finding = Finding(question="Is it idle?", expected="stays open", seen=seen, good=good)
    return msgspec.structs.replace(
        recorded,
        verdicts=Verdicts(web_server=WORKS, channels=judgement, overall=judgement),
        isolation=[],
        sets=[],
        probes=[Probe(name="delivery", findings=[finding])],
        variants=[VariantResult(name="sync consumer", judgement=judgement)],
        varying=msgspec.structs.replace(recorded.varying, seed=seed),
    )


def test_every_time():
    """What came every time stands as it is, with how often it was tried, and with which seeds."""
    found = together([run(seed=7), run(seed=8), run(seed=9)])
    assert found.verdicts == run().verdicts
    assert found.probes == run().probes
    assert (found.repeats.times, found.repeats.seeds, found.repeats.came) == (3, [7, 8, 9], {})


def test_never():
    """What never worked has its own reason."""
    found = together([run(WRONG), run(WRONG)])
    assert (found.verdicts.overall, found.variants[0].judgement) == (WRONG, WRONG)


def test_not_every_time():
    """What works only sometimes does not work, and says how often it did not; the steps are those of a bad run."""
    bad = msgspec.structs.replace(run(WRONG), warnings=["of the bad run"])
    found = together([run(), *[bad] * 3, *[run()] * 6])
    overall = found.verdicts.overall
    assert (overall.reason, overall.text) == (Reason.NOT_EVERY_TIME, "3 of 10 times: message 3 is missing")
    assert found.verdicts.web_server == WORKS
    assert found.variants[0].judgement == overall
    assert found.warnings == ["of the bad run"]
    assert found.repeats.came["verdict: overall"] == {"✓ Yes": 7, "✗ No (exchange wrong)": 3}


def test_for_several_reasons():
    """What fails each time for several reasons has the most frequent one."""
    overall = together([run(REFUSED), run(WRONG), run(WRONG)]).verdicts.overall
    assert (overall.reason, overall.text) == (
        Reason.EXCHANGE_WRONG,
        "2 of 3 times: message 3 is missing; 1 of 3 times: status 500",
    )


def test_untested():
    """A run of which nothing is known takes nothing away from what the others saw."""
    nothing = msgspec.structs.replace(run(MISSING), installation=None)
    for order in ([nothing, run()], [run(), nothing]):
        found = together(order)
        assert (found.verdicts.overall, found.installation) == (WORKS, run().installation)
    assert together([run(MISSING), run(MISSING)]).verdicts.overall == MISSING


@pytest.mark.parametrize(
    ("answers", "seen", "good"),
    [
        ([("is closed", False), ("stays open", True), ("stays open", True)], "is closed (1 of 3 times)", False),
        (
            [("is closed", False), ("is lost", False), ("is lost", False)],
            "is lost (2 of 3 times); is closed (1 of 3 times)",
            False,
        ),
        ([("yes", None), ("no", None), ("no", None)], "no (2 of 3 times)", None),
    ],
)
def test_answers(answers, seen, good):
    """An answer that is not as expected once is not, and says how often it was so."""
    found = together([run(seen=seen, good=good) for seen, good in answers])
    (finding,) = found.probes[0].findings
    assert (finding.seen, finding.good, finding.chance) == (seen, good, True)
    assert sum(found.repeats.came["delivery: Is it idle?"].values()) == 3


def test_asked_once():
    """What only one run could be asked stands with what was seen there."""
    without = msgspec.structs.replace(run(), probes=[], variants=[])
    found = together([without, run()])
    assert (found.probes, found.variants) == (run().probes, run().variants)
