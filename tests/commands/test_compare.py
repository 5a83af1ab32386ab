"""``compare`` on the command line: its three forms, its exit codes, and hostile texts."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
import samples
from click.testing import CliRunner
from made import alike
from markdown_it import MarkdownIt

from harness.commands.compare import compare
from harness.report import markdown
from harness.results.document import save_result
from harness.results.result import Judgement
from harness.verdict import Reason

CELL = "py27-django18"
HOSTILE = "@everyone `a` ``b`` | <script>alert(1)</script> [x](http://example.org) \x1b[31m\u202e\nsecond line"


@pytest.fixture
def folders(tmp_path):
    """Two folders of results: in the second a cell got worse, and one was added."""
    old = samples.write(tmp_path / "old", CELL, "py27-django19").results
    new = samples.write(tmp_path / "new", "py27-django19", "py311-django52-channels4").results
    judgement = Judgement.of(Reason.HANDSHAKE_REFUSED, HOSTILE)
    verdicts = alike(judgement)
    save_result(msgspec.structs.replace(samples.of(CELL), verdicts=verdicts), new / f"{CELL}.json")
    return str(old), str(new)


def run(*arguments: str):
    return CliRunner().invoke(compare, arguments, standalone_mode=False)


def test_text(folders):
    """Each cell that changed has its line, the worst first; the last line counts them all; worse is exit code 1."""
    done = run(*folders)
    assert done.return_value == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"worse    {CELL}  ✓ Yes, but → ✗ No (handshake refused): ")
    assert any(line.startswith("added    py311-django52-channels4  ✓ Yes") for line in lines)
    assert lines[-1] == "3 cells: 1 worse, 1 added, 1 the same."


def test_not_worse(folders):
    """Better is no failure, and nothing at all neither."""
    assert run(*reversed(folders)).return_value == 0
    assert run(folders[0], folders[0]).stdout == "2 cells: 2 the same.\n"


def test_partial(folders):
    """Where the new run is a part of the matrix, what it lacks has not been removed."""
    (Path(folders[1]) / "py27-django19.json").unlink()
    assert "1 removed" in run(*folders).stdout
    assert run(*folders, "--partial").stdout.splitlines()[-1] == "2 cells: 1 worse, 1 added."


def test_json(folders):
    """The JSON has all of it, a cell each."""
    document = json.loads(run(*folders, "--format", "json").stdout)
    assert {cell["cell"]: cell["change"] for cell in document["cells"]} == {
        CELL: "worse",
        "py27-django19": "the same",
        "py311-django52-channels4": "added",
    }


def test_markdown(folders):
    """Whatever a cell printed stays text: no link, no markup, no mention of anybody, and one row of the table."""
    text = run(*folders, "--format", "markdown").stdout
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert html.count("<tr>") == 4  # two tables with a header and a row each
    assert "<script" not in html
    assert "<a " not in html
    row = next(line for line in html.splitlines() if "@everyone" in line)
    assert row.startswith("<td><code>")
    assert row.count("<code>") == row.count("</code>")


def test_damaged(folders):
    """A result that cannot be read is named, and is exit code 3 where nothing got worse."""
    (Path(folders[0]) / f"{CELL}.json").write_text("{")
    assert run(*folders).stdout.splitlines()[-1] == "2 cells: 1 added, 1 the same."  # neither added nor removed
    done = run(folders[0], folders[0])
    assert done.return_value == 3
    assert f"error: left out: {CELL}.json is not a finished result" in done.stderr
    assert f"`{CELL}.json is not a finished" in run(folders[0], folders[0], "--format", "markdown").stdout


@pytest.mark.parametrize("text", ["", "`", "``` a", "a | b", "`a", "\\", "*a*", "x" * 5000])
def test_code_span(text):
    """A code span shows its text, whatever is in it."""
    shown = MarkdownIt("commonmark").enable("table").render(f"| a |\n| - |\n| {markdown.code(text)} |\n")
    body = shown.partition("<tbody>")[2] if text else "<td></td>"
    inside = body.replace("<code>", "").replace("</code>", "")
    assert f"<td>{text.strip()}</td>" in inside


def test_nothing(tmp_path, folders):
    """A folder without results is the wrong one, and not one from which all was removed."""
    (tmp_path / "empty").mkdir()
    for arguments in ((folders[0], str(tmp_path / "empty")), (str(tmp_path / "empty"), folders[0])):
        assert "there are no results in" in str(run(*arguments).exception)
