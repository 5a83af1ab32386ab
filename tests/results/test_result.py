"""What stands in a result: judgements, steps and faults in a few words, and the samples that tests have of results."""

from __future__ import annotations

import json

import jsonschema
import pytest
import samples

from harness.cells import Cell
from harness.libraries.registry import discover as load_libraries
from harness.libraries.registry import setup_for
from harness.results.document import encode_result, read_result, schema
from harness.results.result import Fault, Finding, Judgement, Step, as_expected
from harness.verdict import Reason, Verdict

LIBRARIES = load_libraries()
PUBLISHED = jsonschema.Draft202012Validator(schema())


@pytest.mark.parametrize("name", samples.NAMES)
def test_samples(name, tmp_path):
    """What tests have in place of recorded results is of the published schema, and what its cell's name asks for."""
    PUBLISHED.validate(json.loads(encode_result(samples.of(name))))
    path = samples.write(tmp_path, name).result(name)
    assert read_result(path) == samples.of(name)
    result, subject = samples.of(name), setup_for(Cell.parse(name), LIBRARIES)
    asked = (subject.library.name, subject.server.name, subject.profile)
    assert (result.library, result.server, result.profile) == asked
    assert name in samples.CELLS[result.verdicts.overall.reason]


def test_every_reason_has_a_verdict():
    """Reasons are a closed set, each with its verdict, and labels say why."""
    assert {Judgement.of(reason).verdict for reason in Reason} == set(Verdict)
    assert Judgement.of(Reason.WORKS).label == "✓ Yes"
    assert Judgement.of(Reason.SERVER_DID_NOT_START).label == "✗ No (server did not start)"
    assert Judgement.of(Reason.NOT_EVERY_TIME).label == "✗ No (not every time)"
    assert Judgement.of(Reason.TOO_SLOW).label == "✗ No (too slow)"
    assert Judgement.of(Reason.INTERPRETER_MISSING).label == "─ Not tested (interpreter missing)"


@pytest.mark.parametrize(
    ("outcome", "good"), [("ok", True), ("failed", False), ("timed out", False), ("skipped", None)]
)
def test_steps(outcome, good):
    """A step is good, bad or neither, and says what it saw and why it failed."""
    assert Step(name="migrate", outcome=outcome).good is good
    assert Step(name="migrate", outcome=outcome, text="saw", cause="why").said == "saw; why"
    assert Step(name="migrate", outcome=outcome, cause="why").said == "why"


def test_faults():
    """A fault is of the first round unless another is said, and tells the connection that saw it."""
    fault = Fault(kind="missing", member="John", connection="user")
    assert (fault.round, fault.where) == (1, "missing on John's user connection")


def test_as_expected():
    """Of findings those count that can be judged."""
    found = [Finding(question="x", expected="y", seen="z", good=good) for good in (True, True, False, None)]
    assert as_expected(found) == "2 of 3 as expected"
