"""What counts as "as recorded", and what is news."""

from __future__ import annotations

import msgspec
import pytest
from conftest import ROOT

from harness.expect import differences
from harness.result import Judgement, Reason, load

RECORDED = ROOT / "reports" / "results"
GOOD, BAD = Judgement.of(Reason.WORKS), Judgement.of(Reason.SERVER_DID_NOT_START, "no")


@pytest.mark.parametrize("column", ["django_server", "web_server", "channels", "overall"])
def test_each_column_counts(column):
    """A judgement that changes is a difference in every column, for the better or for the worse."""
    result = load(RECORDED / "py27-django18.json")

    def judged(judgement: Judgement):
        verdicts = msgspec.structs.replace(result.verdicts, **{"django_server": GOOD, column: judgement})
        return msgspec.structs.replace(result, verdicts=verdicts)

    assert not differences(judged(GOOD), judged(GOOD))
    assert len(differences(judged(GOOD), judged(BAD))) == 1
    assert len(differences(judged(BAD), judged(GOOD))) == 1
