"""``show``, ``schema``, ``report``, ``doctor`` and ``list``, as a person calls them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from shared import ROOT, fake_cell, harness

from harness.commands import report as reporting
from harness.results import folder
from harness.results.result import read_result, schema

RECORDED = ROOT / "reports" / "results"
SOME = (
    *("py27-django18", "py27-django19", "py313-django52", "py33-django18", "py33-django19", "py34-django18"),
    *("py27-django18-socketio", "py27-django18-socketio-pins", "py311-django52-channels4", "py311-django52-asgi"),
)


@pytest.fixture
def reports(tmp_path) -> Path:
    """A folder with some of the recorded results, of each verdict and each kind."""
    (tmp_path / "results").mkdir()
    for cell in SOME:
        shutil.copy(RECORDED / f"{cell}.json", tmp_path / "results")
    return tmp_path


def test_help():
    """The help names every sub-command and every exit code."""
    done = harness("--help", reports=ROOT / "reports")
    assert done.returncode == 0
    for word in ("run", "report", "list", "doctor", "schema", "show", "not tested", "130"):
        assert word in done.stdout


def test_schema():
    """The schema that is printed is the one that results are of."""
    done = harness("schema", reports=ROOT / "reports")
    assert json.loads(done.stdout) == schema()


@pytest.mark.parametrize(
    ("cell", "code", "said"),
    [
        ("py27-django18", 0, "✓ Yes"),
        ("py313-django52", 1, "No module named 'django.utils.six'"),
        ("py33-django19", 4, "no Python 3.3 found"),
    ],
)
def test_show(reports, cell, code, said):
    """A recorded result is shown plainly in a pipe, and its verdict is the exit code."""
    done = harness("show", cell, reports=reports)
    assert done.returncode == code
    assert said in done.stdout
    assert "\x1b" not in done.stdout


def test_show_nothing(reports):
    """A cell without a result is no result."""
    done = harness("show", fake_cell("behaves"), reports=reports)
    assert done.returncode == 2
    assert "there is no result" in done.stderr


def test_report(reports):
    """The reports of the recorded results are rendered, twice the same, and lead to the index."""
    first = harness("report", reports=reports)
    assert first.returncode == 0, first.stderr
    assert str(reports / "index.rst") in first.stdout
    second = harness("report", reports=reports)
    assert ", 0 changed" in second.stdout


def test_report_names_what_is_damaged(reports):
    """A damaged result is named and left out; all others are rendered; the exit code says so."""
    (reports / "results" / "py27-django18.json").write_text("{")
    done = harness("report", reports=reports)
    assert done.returncode == 3
    assert "py27-django18.json" in done.stderr
    assert "py27-django19" in (reports / "django-websocket-redis.rst").read_text()
    assert (reports / "results" / "py27-django18.json").read_text() == "{"


def test_report_of_what_is_damaged_stays(reports):
    """The page of a cell whose result is damaged is not thrown away: the result may come back."""
    harness("report", reports=reports)
    (reports / "results" / "py27-django18.json").write_text("{")
    harness("report", reports=reports)
    assert (reports / "django-websocket-redis" / "py27-django18.rst").exists()


def test_report_check(reports):
    """Reports that are out of date fail the check, and are not touched by it."""
    harness("report", reports=reports)
    assert harness("report", "--check", reports=reports).returncode == 0
    index = reports / "index.rst"
    index.write_text("old\n")
    done = harness("report", "--check", reports=reports)
    assert done.returncode == 1
    assert "out of date: index.rst" in done.stdout
    assert index.read_text() == "old\n"


def test_stale_report_is_removed(reports):
    """The page of a cell that has no result any more goes with it."""
    harness("report", reports=reports)
    (reports / "results" / "py27-django18.json").unlink()
    harness("report", reports=reports)
    assert not (reports / "django-websocket-redis" / "py27-django18.rst").exists()


def test_session_without_a_tested_cell(reports):
    """A run in which no cell could be tested is no success."""
    done = harness("report", "--session", "py33-django18,py34-django18", reports=reports)
    assert done.returncode == 4
    assert "doctor" in done.stderr


def test_session_tells_what_is_old(reports):
    """A cell that was skipped shows the recorded verdict as recorded, and does not count as run."""
    done = harness("report", "--session", "py27-django18", "--began", "2999-01-01T00:00:00", reports=reports)
    assert done.returncode == 4
    assert "brought nothing new; recorded on" in done.stdout
    done = harness("report", "--session", "py27-django18", "--began", "2020-01-01T00:00:00", reports=reports)
    assert done.returncode == 0
    assert "nothing new" not in done.stdout


def test_reproduce(reports):
    """The commands behind a result name every version that was installed, and each step's command."""
    done = harness("reproduce", "py27-django18", reports=reports)
    assert done.returncode == 0, done.stderr
    result = read_result(reports / "results" / "py27-django18.json")
    for name, version in result.versions.installed.items():
        assert f"{name}=={version}" in done.stdout
    for command in ("migrate --noinput", "loaddata data.json", "runserver 127.0.0.1:8000 --noreload", "--freeze"):
        assert command in done.stdout
    assert "<" not in done.stdout.replace("<build>", "")


@pytest.mark.parametrize("cell", ["py33-django19", "py99-django19"])
def test_nothing_to_reproduce(reports, cell):
    """Where nothing was installed there is nothing to install again."""
    done = harness("reproduce", cell, reports=reports)
    assert done.returncode == 2
    assert cell in done.stderr


def test_library_without_prose(reports):
    """A library that nobody has described is named, with the file to write."""
    result = json.loads((reports / "results" / "py27-django18.json").read_text(encoding="utf-8"))
    result.update(library="elsewhere", cell="py27-django18-elsewhere")
    (reports / "results" / "py27-django18-elsewhere.json").write_text(json.dumps(result), encoding="utf-8")
    done = harness("report", reports=reports)
    assert done.returncode == 3
    assert "elsewhere.toml" in done.stderr


@pytest.mark.parametrize("command", [["report"], ["site"], ["export"], ["export", "--format", "junit"]])
def test_no_results(command, tmp_path):
    """Without any result there is nothing to render: the folder is named, and none is made of it."""
    done = harness(*command, reports=tmp_path / "nowhere")
    assert done.returncode == 3
    assert done.stderr.startswith("error: there are no results in nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_list(reports):
    """Every cell of the matrix is listed with what is recorded of it."""
    done = harness("list", reports=reports)
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.startswith("py")}
    assert len(lines) > 60
    assert "✓ Yes" in lines["py27-django18"]


def test_doctor(reports):
    """The doctor finds the interpreter it runs on, starts a broker, and ends well."""
    done = harness("doctor", reports=reports)
    assert "the embedded Valkey" in done.stdout
    assert done.returncode == 0, done.stdout


def test_readme_waits(tmp_path, monkeypatch):
    """Where a result cannot be read README keeps its numbers: those of the others alone would be wrong."""
    results = tmp_path / "reports" / "results"
    results.mkdir(parents=True)
    readme = tmp_path / "README.rst"
    shutil.copy(ROOT / "README.rst", readme)
    for cell in ("py27-django18", "py311-django52-asgi"):
        shutil.copy(ROOT / "reports" / "results" / f"{cell}.json", results)
    whole = (results / "py27-django18.json").read_bytes()
    (results / "py27-django18.json").write_bytes(whole[:-10])
    monkeypatch.setattr(reporting, "ROOT", tmp_path)
    monkeypatch.setattr(folder, "ROOT", tmp_path)
    arguments = ["--reports", str(tmp_path / "reports")]
    assert CliRunner().invoke(reporting.report, arguments, standalone_mode=False).return_value == 3
    assert readme.read_bytes() == (ROOT / "README.rst").read_bytes()
    (results / "py27-django18.json").write_bytes(whole)
    assert CliRunner().invoke(reporting.report, arguments, standalone_mode=False).return_value == 0
    assert "1 of 1" in readme.read_text(encoding="utf-8")
