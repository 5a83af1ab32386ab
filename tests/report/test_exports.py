"""The matrix for other programs: what they read is what was measured, whatever a cell printed."""

from __future__ import annotations

import csv
import io
import json
import re
from xml.etree import ElementTree

import jsonschema
import msgspec
import pytest
import samples
from advised import IDLE, advisor, pin, works
from hostile import folder_of
from junitparser import JUnitXml
from made import alike
from markdown_it import MarkdownIt
from shared import ROOT

from harness.cells import Cell
from harness.commands import export as command
from harness.report import badges, export, junit, tables
from harness.report.advice import Advisor
from harness.report.row import Row
from harness.report.view import LibraryView, View, read_view
from harness.results.folder import Reports
from harness.results.result import Judgement, Step
from harness.verdict import Reason, Verdict

CELLS = (
    *("py27-django18", "py311-django52-channels4", "py33-django18", "py27-django18-socketio", "py39-django30"),
    "py36-django32-pysocketio",
)


@pytest.fixture(scope="module")
def view(tmp_path_factory) -> View:
    return read_view(samples.write(tmp_path_factory.mktemp("samples")))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> View:
    found = read_view(Reports(folder_of(tmp_path_factory.mktemp("hostile"), *CELLS)))
    assert len(found.rows) == len(CELLS)
    return found


def test_json(view, hostile):
    """The JSON is of the published schema, and has every cell."""
    for each in (view, hostile):
        document = json.loads(export.as_json(each))
        jsonschema.Draft202012Validator(export.schema()).validate(document)
        assert [row["cell"] for row in document] == [row.name for row in each.rows]


def test_figures(view):
    """What varies from run to run is the median of all of them, as a cell's own page has it."""
    runs = msgspec.structs.replace(
        samples.of(CELLS[1]).varying, figures={"latency_ms": [4.0, 9.0, 5.0], "install_seconds": [2.0, 3.0]}
    )
    result = msgspec.structs.replace(samples.of(CELLS[1]), varying=runs)
    (row,) = export.rows(View([LibraryView(result.library, [Row(Cell.parse(result.cell), result)])], []))
    assert (row.latency_ms, row.install_seconds) == (5.0, 2.5)


def test_csv(view, hostile):
    """Each cell is one row of the CSV with the same columns, and no text of it is a formula."""
    for each in (view, hostile):
        rows = list(csv.DictReader(io.StringIO(export.as_csv(each))))
        assert {row["cell"]: row["verdict"] for row in rows} == {row.name: str(row.verdict) for row in each.rows}
        assert not any(value.startswith(("=", "+", "-", "@")) for row in rows for value in row.values())


def test_supported(view):
    """Whether Django supports a pair is as of the newest result."""
    found = {row.cell: row.supported for row in export.rows(view)}
    assert not found["py27-django18"]
    assert found["py313-django61-channels4"]


def test_catches(view):
    """A cell that works says how many catches it has, what the worst is, and what installs it; others say nothing."""
    found = {row.cell: row for row in export.rows(view)}
    works, fails = found["py27-django18"], found["py39-django30"]
    assert (works.catches, works.worst) == (4, "severe")
    assert works.beware.startswith("severe: somebody who is not logged in gets in; severe: a page of a foreign origin")
    assert works.install == "pip install Django==1.8.19 django-websocket-redis==0.6.0"
    assert (fails.catches, fails.worst, fails.beware, fails.install) == (None, None, "", None)


def test_catches_that_another_cell_shows():
    """What another cell of the library shows is part of what a cell is called, in every format."""
    cured = works("py313-django52-channels4", IDLE, cures=[pin()])
    made = advisor(works("py313-django51-channels4"), cured)
    row = next(each for each in export.rows(made.view) if each.cell == "py313-django51-channels4")
    said = (
        "severe: idle connections are closed (mended: install redis<8, tried in py313-django52-channels4 on 2026-11-26)"
    )
    assert (row.label, row.catches, row.worst, row.beware) == ("✓ Yes, but", 0, "severe", "")
    assert row.beware_elsewhere == said
    suite = next(each for each in JUnitXml.fromstring(junit.render(made.view)) if each.name == row.cell)
    told = {each.name: each.value for each in suite.properties()}
    assert (told["verdict"], told["beware 1"]) == (row.label, f"{said}, seen in py313-django52-channels4")
    assert "2 of 2, 1 of them with a catch, 1 more perhaps, as others have it" in command._FORMS["markdown"](made.view)
    grid = tables.linked_grid(made.view.libraries[0], made.view.libraries[0].groups[0], made)
    assert grid.count("`✓ 1`__") == 2


def test_junit(view, hostile):
    """The XML is what Jenkins and GitLab accept; a parser reads back a suite for each cell with all that was seen."""
    import xmlschema  # every worker of pytest reads this file, and this takes half a second

    schema = xmlschema.XMLSchema(ROOT / "tests" / "schemas" / "junit.xsd")
    for each in (view, hostile):
        document = junit.render(each)
        schema.validate(ElementTree.fromstring(document))
        suites = {suite.name: suite for suite in JUnitXml.fromstring(document)}
        assert list(suites) == [row.name for row in each.rows]
        for row in each.rows:
            suite = suites[row.name]
            assert suite.tests == 1 + len(row.result.steps) + len(row.result.exchanges)
            verdict = next(case for case in suite if case.name == "verdict")
            assert verdict.is_failure is (row.verdict is Verdict.DOES_NOT_WORK)
            assert verdict.is_skipped is (row.verdict is Verdict.NOT_TESTED)
            assert bool(suite.failures) is (row.verdict is Verdict.DOES_NOT_WORK)


def test_junit_not_tested(view):
    """What could not be tested has no failure, also where a step failed on the way."""
    row = next(row for row in view.rows if row.name == "py39-django30")
    judgement = Judgement.of(Reason.NO_NETWORK, "the index is out of reach")
    verdicts = alike(judgement)
    step = Step(name="install", outcome="failed", cause="no route to host")
    result = msgspec.structs.replace(row.result, verdicts=verdicts, steps=[step], exchanges=[])
    (suite,) = JUnitXml.fromstring(junit.render(View([LibraryView("x", [Row(row.cell, result)])], [])))
    assert suite.failures == 0
    assert suite.skipped == 2


def test_junit_says_why(view):
    """A failure carries its cause as its message, and what was printed as its text."""
    suite = next(each for each in JUnitXml.fromstring(junit.render(view)) if each.name == "py39-django30")
    failed = {case.name: case.result[0] for case in suite if case.is_failure}
    assert list(failed) == ["verdict", "step runserver"]
    assert "django.utils.six" in failed["step runserver"].message
    assert "Traceback" in failed["step runserver"].text


def test_badges(view):
    """A badge says on what a library works, to the eye and to a screen reader, and is well-formed."""
    files = badges.render(view, Advisor(view))
    endpoint = json.loads(files["django-websocket-redis.json"])
    assert endpoint["schemaVersion"] == 1
    said = "works on Django 1.8 to 1.9, 2.2 (claims 1.5, 1.6, 1.7, not tested), but"
    assert endpoint["message"] == said
    picture = ElementTree.fromstring(files["django-websocket-redis.svg"])
    assert picture.get("aria-label") == f"django-websocket-redis: {said}"
    assert json.loads(files["django-socketio.json"])["message"] == "works on no Django that was tried"
    assert files == badges.render(view, Advisor(view))


def test_summary(view, hostile):
    """The summary counts every cell, tells why one does not work, and stays text where a cell printed markup."""
    text = command._FORMS["markdown"](view)
    assert len(re.findall(r"^\| `py\d+-", text, re.MULTILINE)) == len(view.of(Verdict.DOES_NOT_WORK)) + len(
        view.of(Verdict.NOT_TESTED)
    )
    shown = MarkdownIt("commonmark", {"html": False}).enable("table").render(command._FORMS["markdown"](hostile))
    assert "<script" not in shown
    assert "<img" not in shown
    assert "<a " not in shown


def against(view: View, recorded: dict) -> dict:
    return {suite.name: suite for suite in JUnitXml.fromstring(junit.render(view, recorded))}


def failures(suite) -> list[str]:
    return [case.name for case in suite if any(type(each).__name__ == "Failure" for each in case.result)]


def test_junit_against_what_is_recorded(view):
    """Cells that ran have a suite alone; a known red fails nothing, and a verdict that changed does, either way."""
    recorded = {row.name: row.result for row in view.rows}
    assert against(view, recorded) == {}

    def earlier(cell: str, **verdicts):
        result = recorded[cell]
        varying = msgspec.structs.replace(result.varying, started="2026-01-02T03:04:05+00:00")
        return msgspec.structs.replace(result, varying=varying, **verdicts)

    wrong = Judgement.of(Reason.PAGE_FAILED, "no page")
    before = alike(wrong)
    changed = {
        "py39-django30": earlier("py39-django30"),
        "py27-django18": earlier("py27-django18", verdicts=before),
        "py36-django32-pysocketio": earlier("py36-django32-pysocketio"),
    }
    suites = against(view, recorded | changed)
    assert set(suites) == set(changed)
    assert failures(suites["py39-django30"]) == failures(suites["py36-django32-pysocketio"]) == []
    assert failures(suites["py27-django18"]) == ["as recorded"]
    (case,) = [case for case in suites["py27-django18"] if case.name == "as recorded"]
    assert case.result[0].message == "Does it work? was ✗ No (page failed), is ✓ Yes: 15 of 15 exchanges right"


def test_junit_of_what_was_never_recorded(view):
    """A cell of which nothing was recorded says so, and fails nothing: nothing changed."""
    suites = against(view, {})
    assert len(suites) == len(view.rows)
    assert not any(map(failures, suites.values()))
    (case,) = [case for case in suites["py39-django30"] if case.name == "step runserver"]
    assert case.result[0].message.startswith("nothing was recorded before: ")
