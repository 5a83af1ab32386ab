"""The results as JUnit XML: one suite a cell, one case for each step and each exchange.

Source of the form: the schema of Jenkins' xUnit plugin (junit-10.xsd), which GitLab reads as well.
"""

from __future__ import annotations

from collections.abc import Mapping

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from harness.captured.scrub import one_line, printable
from harness.report.advice import Advisor
from harness.report.row import Row
from harness.report.view import View
from harness.results.compare import differences
from harness.results.result import Exchange, Result, Step
from harness.verdict import Verdict


def render(view: View, recorded: Mapping[str, Result] | None = None) -> bytes:
    """Return every cell of *view* as a suite, with its verdict and what there is to beware of as properties.

    A cell has a failure when, and only when, it does not work: the case ``verdict``, and the step or the exchanges that
    decided it. What went wrong without deciding anything is skipped, and says so; so is what is not tested.

    With what is *recorded* there is a suite for each cell that ran since, with a case ``as recorded``, which fails
    where the verdict is another one. A red that was known fails nothing then.
    """
    document, advisor = JUnitXml(view.subject), Advisor(view)
    for row in view.rows:
        if recorded is None:
            document.add_testsuite(_suite(row, advisor))
        elif (before := recorded.get(row.name)) is None or before.varying.started != row.result.varying.started:
            document.add_testsuite(_against(row, before, advisor))
    document.update_statistics()
    # The schema knows this attribute on suites alone.
    document._elem.attrib.pop("skipped", None)
    return bytes(document.tostring()) + b"\n"


def _begun(row: Row, advisor: Advisor) -> TestSuite:
    """Return the suite of a cell without its cases."""
    suite = TestSuite(row.name)
    suite.timestamp = row.result.varying.started[:19]
    for name, value in _properties(row, advisor).items():
        suite.add_property(name, one_line(value))
    return suite


def _cases(row: Row) -> list[TestCase]:
    """Return a case for each step and each exchange."""
    steps = [_step(row, step) for step in row.result.steps]
    return [*steps, *(_exchange(row, exchange) for exchange in row.result.exchanges)]


def _suite(row: Row, advisor: Advisor) -> TestSuite:
    suite = _begun(row, advisor)
    suite.add_testcase(_verdict(row))
    suite.add_testcases(_cases(row))
    return suite


def _against(row: Row, before: Result | None, advisor: Advisor) -> TestSuite:
    """Return the suite of a cell that ran, in which what was recorded before is no failure."""
    suite = _begun(row, advisor)
    case = TestCase("as recorded", row.name, 0.0)
    different = differences(before, row.result) if before is not None else []
    known = before is not None and before.verdicts.overall.verdict is not Verdict.NOT_TESTED
    unknown = "nothing was recorded before"
    if row.verdict is Verdict.NOT_TESTED:
        case.result = [Skipped(one_line(f"{advisor.label(row)}: {row.result.verdicts.overall.text}"))]
    elif not known:
        case.result = [Skipped(one_line(f"{unknown}; it is {advisor.label(row)}"))]
    elif different:
        case.result = [_failure(different[-1], "verdict changed", "\n".join(different))]
    suite.add_testcase(case)
    for made in _cases(row):
        # What decided a verdict that did not change fails nothing; "as recorded" is what does.
        if not different and any(isinstance(each, Failure) for each in made.result):
            made.result = [Skipped(one_line(f"{'as recorded' if known else unknown}: {made.result[0].message}"))]
        suite.add_testcase(made)
    return suite


def _properties(row: Row, advisor: Advisor) -> dict[str, str]:
    versions = row.result.versions
    known = {"verdict": advisor.label(row), "library": row.result.library, "server": row.served}
    known |= {f"beware {number}": each.told for number, each in enumerate(advisor.beware_of(row), 1)}
    if versions is not None:
        known |= {"python": versions.python, "django": versions.django, "broker": versions.broker}
    return {name: value for name, value in known.items() if value}


def _step(row: Row, step: Step) -> TestCase:
    case = TestCase(one_line(f"step {step.name}"), row.name, row.result.varying.seconds.get(step.name, 0.0))
    if step.outcome == "skipped":
        case.result = [Skipped(one_line(step.said))]
    elif step.outcome != "ok" and (row.verdict is not Verdict.DOES_NOT_WORK or step is not row.failed_step):
        case.result = [Skipped(one_line(f"{step.outcome}, without deciding the verdict: {step.said}"))]
    elif step.outcome != "ok":
        case.result = [_failure(step.cause or step.outcome, step.outcome, f"{step.command}\n\n{step.excerpt}")]
    return case


def _exchange(row: Row, exchange: Exchange) -> TestCase:
    times = row.result.varying.latency_ms.get(str(exchange.number), {})
    name = f"exchange {exchange.number}: {exchange.channel} from {exchange.sender} to {exchange.audience}"
    case = TestCase(one_line(name), row.name, max(times.values(), default=0.0) / 1000)
    if not exchange.good:
        lines = [f"{fault.where} {fault.text}" for fault in exchange.faults]
        case.result = [_failure(lines[0] if lines else "wrong", "exchange wrong", "\n".join(lines))]
    return case


def _verdict(row: Row) -> TestCase:
    overall = row.result.verdicts.overall
    case = TestCase("verdict", row.name, 0.0)
    if row.verdict is Verdict.NOT_TESTED:
        case.result = [Skipped(one_line(f"{overall.label}: {overall.text}"))]
    elif row.verdict is Verdict.DOES_NOT_WORK:
        case.result = [_failure(overall.text, overall.reason, overall.text)]
    return case


def _failure(message: str, kind: str, text: str) -> Failure:
    failure = Failure(one_line(message), kind)
    failure.text = printable(text).strip()
    return failure
