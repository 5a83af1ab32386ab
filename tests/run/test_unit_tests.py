"""The coverage test of a cell: what is measured, and what is read out of what was printed."""

from __future__ import annotations

import pytest

from harness.results.result import UnitTests
from harness.run import unit_tests

TABLE = """\
Name                       Stmts   Miss  Cover
----------------------------------------------
chatserver/settings.py        30      0   100%
chatserver/views.py           41      7    83%
----------------------------------------------
TOTAL                         71      7    90%
"""


@pytest.fixture
def project(tmp_path):
    """A project with three chats, and a folder that is no package."""
    for name in ("plain", "channels2", "pysocketio"):
        (tmp_path / "myapp" / name).mkdir(parents=True)
        (tmp_path / "myapp" / name / "__init__.py").touch()
    (tmp_path / "myapp" / "static").mkdir()
    return tmp_path


def test_others_are_left_out(project):
    """Of several chats in one package the coverage of the others is left out."""
    assert unit_tests.covered(project, "myapp.plain.settings") == [
        "--source=DjangoTestWebsockets,myapp",
        "--omit=myapp/channels2/*,myapp/pysocketio/*",
    ]


def test_alone(project):
    """A chat that is alone in its package has nothing to leave out."""
    assert unit_tests.covered(project, "chatserver.settings") == ["--source=DjangoTestWebsockets,chatserver"]


def test_green():
    """All tests that ran and none that failed are counted, with the share of the lines and the table."""
    text = "Found 5 test(s).\n.....\n" + "-" * 70 + "\nRan 5 tests in 0.123s\n\nOK\n"
    assert unit_tests.counted(text, TABLE) == UnitTests(
        ran=5, failed=0, skipped=0, coverage_percent=90.0, table=TABLE.rstrip("\n")
    )


def test_red():
    """Failures and errors together have failed; what was skipped is counted for itself."""
    text = "Ran 9 tests in 1.5s\n\nFAILED (failures=2, errors=1, skipped=3)\n"
    found = unit_tests.counted(text, "")
    assert (found.ran, found.failed, found.skipped, found.coverage_percent) == (9, 3, 3, None)


def test_one():
    """A single test is a test as well."""
    assert unit_tests.counted("Ran 1 test in 0.001s\n\nOK (skipped=1)\n", "").skipped == 1


@pytest.mark.parametrize(
    "text", ["", "SyntaxError: invalid syntax\n", "    Ran 5 tests in 0.1s\n", "System check identified 1 issue"]
)
def test_nothing_was_run(text):
    """Without the runner's own line no tests were run, whatever else was printed."""
    assert unit_tests.counted(text, TABLE) is None
    assert unit_tests.said(text) == ""


def test_no_table():
    """A table without a total says nothing of lines."""
    found = unit_tests.counted("Ran 2 tests in 0.1s\n\nOK\n", "No data to report.\n")
    assert (found.coverage_percent, found.table) == (None, "No data to report.")


def test_said():
    """In a few words: how many ran, failed and were skipped."""
    assert unit_tests.said("Ran 9 tests in 1.5s\n\nFAILED (errors=1, skipped=3)\n") == "9 run, 1 failed, 3 skipped"
