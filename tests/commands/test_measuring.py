"""Running a cell, and a candidate in it: what ends several runs, and what stays where nothing could be tried."""

from __future__ import annotations

import signal
from pathlib import Path

import msgspec
import pytest
import samples
from made import alike

from harness.cells import Cell
from harness.commands import measuring
from harness.errors import HarnessError, Interrupted
from harness.libraries import registry
from harness.results.document import read_result
from harness.results.folder import Reports
from harness.results.installed import Candidate
from harness.results.result import Judgement
from harness.run.candidates import Asked, Prepared
from harness.run.request import Request
from harness.verdict import Reason, Verdict

CELL = "py311-django52-channels4"


@pytest.fixture
def request_of_cell(tmp_path) -> Request:
    cell = Cell.parse(CELL)
    setup = registry.setup_for(cell, registry.discover(()))
    return Request(cell=cell, setup=setup, python=Path("python"), reports=Reports(tmp_path), probes=[])


@pytest.mark.parametrize(
    ("error", "code"), [(HarnessError("the environment is not as it was made"), 3), (Interrupted(signal.SIGINT), 130)]
)
def test_what_ends_several_runs(request_of_cell, monkeypatch, error, code):
    """What was seen before something ended the runs is the result, and what ended them is the exit code."""
    left = iter([samples.of(CELL), error])

    def run(request, watcher):
        each = next(left)
        if isinstance(each, BaseException):
            raise each
        return each

    monkeypatch.setattr(measuring.running, "run", run)
    assert measuring.run_times(request_of_cell, 3) == (samples.of(CELL), code)


def test_a_candidate_that_cannot_be_tried_again(request_of_cell, monkeypatch, tmp_path):
    """What is recorded of a candidate stays where it could not be tried; what came of it takes its place."""
    candidate = Candidate(profile="with-redis-7.4.1")
    untested = Judgement.of(Reason.NO_NETWORK, "the index is out of reach")
    failed = Judgement.of(Reason.SERVER_DID_NOT_START, "ImportError")
    works, nothing, broken = (
        msgspec.structs.replace(samples.of(CELL), candidate=candidate, **verdicts)
        for verdicts in ({}, {"verdicts": alike(untested)}, {"verdicts": alike(failed)})
    )
    prepared = Prepared(request_of_cell.setup, Path("python"), candidate, ())
    monkeypatch.setattr(measuring, "prepare", lambda *given: prepared)
    kept = Reports(tmp_path).of_profile(candidate.profile).result(CELL)
    for result, code, stands in (
        (works, 0, Verdict.WORKS),
        (nothing, 4, Verdict.WORKS),
        (broken, 1, Verdict.DOES_NOT_WORK),
    ):
        monkeypatch.setattr(measuring.running, "run", lambda request, watcher, result=result: result)
        assert measuring.run_candidate(request_of_cell, Asked(("redis==7.4.1",)), 1) == code
        assert read_result(kept).verdicts.overall.verdict is stands
