"""``show``, ``schema``, ``report``, ``doctor`` and ``list``, as a person calls them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import samples
from click.testing import CliRunner
from msgspec import structs
from shared import ROOT, fake_cell, harness

from harness.commands import report as reporting
from harness.results import folder
from harness.results.document import save_result, schema
from harness.results.installed import Candidate

SOME = (
    *("py27-django18", "py27-django19", "py313-django52", "py33-django18", "py33-django19", "py34-django18"),
    *("py27-django18-socketio", "py27-django18-socketio-pins", "py311-django52-channels4", "py311-django52-asgi"),
)


@pytest.fixture
def reports(tmp_path) -> Path:
    """A folder with some results, of each verdict and each kind."""
    return samples.write(tmp_path, *SOME).folder


@pytest.fixture
def rendered(tmp_path, once) -> Path:
    """The same folder, with the reports that were rendered from it."""

    def fill(made: Path) -> None:
        arguments = ["--reports", str(samples.write(made, *SOME).folder)]
        done = CliRunner().invoke(reporting.report, arguments, standalone_mode=False)
        assert done.return_value == 0, done.output

    return shutil.copytree(once("rendered", fill), tmp_path / "rendered")


def test_help(tmp_path):
    """The help names every sub-command and every exit code."""
    done = harness("--help", reports=tmp_path)
    assert done.returncode == 0
    for word in ("run", "report", "list", "doctor", "schema", "show", "not tested", "130"):
        assert word in done.stdout


def test_schema(tmp_path, commandline):
    """The schema that is printed is the one that results are of."""
    done = commandline("schema", reports=tmp_path)
    assert json.loads(done.stdout) == schema()


def test_no_readme(tmp_path, monkeypatch):
    """Where it is installed there is no README to be kept up to date, and the reports are rendered all the same."""
    monkeypatch.setattr(reporting, "ROOT", tmp_path / "site-packages")
    made = samples.write(tmp_path, "py27-django18").folder
    done = CliRunner().invoke(reporting.report, ["--reports", str(made)], standalone_mode=False)
    assert (done.return_value, (made / "index.rst").exists()) == (0, True), done.output


@pytest.mark.parametrize(
    ("cell", "code", "said"),
    [
        ("py27-django18", 0, "✓ Yes"),
        ("py313-django52", 1, "No module named 'django.utils.six'"),
        ("py33-django19", 4, "no Python 3.3 found"),
    ],
)
def test_show(reports, cell, code, said, commandline):
    """A recorded result is shown plainly in a pipe, and its verdict is the exit code."""
    done = commandline("show", cell, reports=reports)
    assert done.returncode == code
    assert said in done.stdout
    assert "\x1b" not in done.stdout


def test_show_nothing(reports, commandline):
    """A cell without a result is no result."""
    done = commandline("show", fake_cell("behaves"), reports=reports)
    assert done.returncode == 2
    assert "there is no result" in done.stderr


def test_report(reports, commandline):
    """The reports of the results are rendered, twice the same, and lead to the index."""
    first = commandline("report", reports=reports)
    assert first.returncode == 0, first.stderr
    assert str(reports / "index.rst") in first.stdout
    second = commandline("report", reports=reports)
    assert ", 0 changed" in second.stdout


def test_report_names_what_is_damaged(reports, commandline):
    """A damaged result is named and left out; all others are rendered; the exit code says so."""
    (reports / "results" / "py27-django18.json").write_text("{")
    done = commandline("report", reports=reports)
    assert done.returncode == 3
    assert "py27-django18.json" in done.stderr
    assert "py27-django19" in (reports / "django-websocket-redis.rst").read_text()
    assert (reports / "results" / "py27-django18.json").read_text() == "{"


def test_report_of_nothing_that_can_be_read(tmp_path, commandline):
    """Where each result is damaged the report says so, and what is wrong with them is told as ever."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "py27-django18.json").write_text("{")
    done = commandline("report", reports=tmp_path)
    assert (done.returncode, "py27-django18.json" in done.stderr) == (3, True)
    assert "None of the results could be read." in (tmp_path / "index.rst").read_text()


def test_report_of_what_is_damaged_stays(rendered, commandline):
    """The page of a cell whose result is damaged is not thrown away: the result may come back."""
    page = rendered / "django-websocket-redis" / "py27-django18.rst"
    before = page.read_bytes()
    (rendered / "results" / "py27-django18.json").write_text("{")
    assert commandline("report", reports=rendered).returncode == 3
    assert page.read_bytes() == before


def test_report_check(rendered, commandline):
    """Reports that are out of date fail the check, and are not touched by it."""
    assert commandline("report", "--check", reports=rendered).returncode == 0
    index = rendered / "index.rst"
    index.write_text("old\n")
    done = commandline("report", "--check", reports=rendered)
    assert done.returncode == 1
    assert "out of date: index.rst" in done.stdout
    assert index.read_text() == "old\n"


def test_stale_report_is_removed(rendered, commandline):
    """The page of a cell that has no result any more goes with it."""
    page = rendered / "django-websocket-redis" / "py27-django18.rst"
    assert page.exists()
    (rendered / "results" / "py27-django18.json").unlink()
    assert commandline("report", reports=rendered).returncode == 0
    assert not page.exists()


def test_session_without_a_tested_cell(reports, commandline):
    """A run in which no cell could be tested is no success."""
    done = commandline("report", "--session", "py33-django18,py34-django18", reports=reports)
    assert done.returncode == 4
    assert "doctor" in done.stderr


def test_session_tells_what_is_old(reports, commandline):
    """A cell that was skipped shows the recorded verdict as recorded, and does not count as run."""
    done = commandline("report", "--session", "py27-django18", "--began", "2999-01-01T00:00:00", reports=reports)
    assert done.returncode == 4
    assert "brought nothing new; recorded on" in done.stdout
    done = commandline("report", "--session", "py27-django18", "--began", "2020-01-01T00:00:00", reports=reports)
    assert done.returncode == 0
    assert "nothing new" not in done.stdout


def test_reproduce(reports, commandline):
    """The commands behind a result name every version that was installed, and each step's command."""
    done = commandline("reproduce", "py27-django18", reports=reports)
    assert done.returncode == 0, done.stderr
    installed = samples.of("py27-django18").versions.installed
    assert len(installed) > 5
    for name, version in installed.items():
        assert f"{name}=={version}" in done.stdout
    for command in ("migrate --noinput", "loaddata data.json", "runserver 127.0.0.1:8000 --noreload", "--freeze"):
        assert command in done.stdout
    assert "<" not in done.stdout.replace("<build>", "")


def test_reproduce_a_candidate(tmp_path, commandline):
    """What is no release is asked for again as it was asked for, and where it came from is said."""
    candidate = Candidate(
        profile="channels",
        requirements=["channels"],
        origins={"channels": "commit 0123456789ab"},
        as_of="2026-06-01",
    )
    result = structs.replace(samples.of("py311-django52-channels4"), candidate=candidate)
    path = tmp_path / "py311-django52-channels4.json"
    save_result(result, path)
    done = commandline("reproduce", str(path), reports=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "tox -e py311-django52-channels4 -- --with PATH/channels --as-of 2026-06-01" in done.stdout
    assert "with the same versions" not in done.stdout
    assert "# channels came from commit 0123456789ab" in done.stdout
    # A release of that name is something else.
    refused = commandline("reproduce", str(path), "--run", reports=tmp_path)
    assert refused.returncode == 2
    assert "channels came from another place than an index" in refused.stderr


@pytest.mark.parametrize(
    ("candidate", "told"),
    [
        (Candidate(profile="any"), ["--any"]),
        (Candidate(profile="x", requirements=["redis<8"], any_cell=True), ["--with", "redis<8", "--any"]),
        (Candidate(profile="x", django="main", origins={"main": "commit 0123"}), ["--django", "PATH/main"]),
        (
            Candidate(profile="x", django="main", origins={"main": "https://github.com/django/django"}),
            ["--django", "main"],
        ),
    ],
)
def test_what_asks_for_a_candidate(candidate, told):
    """The options that ask for a candidate again have all that was asked for, and no name for a place not recorded."""
    assert candidate.options == told


def test_reproduce_without_a_broker(reports, commandline):
    """Where the library talks to no broker nobody is told to start one."""
    with_one = commandline("reproduce", "py27-django18", reports=reports).stdout
    without = commandline("reproduce", "py311-django52-asgi", reports=reports).stdout
    assert ("Valkey" in with_one, "with a Redis on its usual port" in with_one) == (True, True)
    assert ("no broker" in without, "a Redis" in without) == (True, False)


@pytest.mark.parametrize("cell", ["py33-django19", "py99-django19"])
def test_nothing_to_reproduce(reports, cell, commandline):
    """Where nothing was installed there is nothing to install again."""
    done = commandline("reproduce", cell, reports=reports)
    assert done.returncode == 2
    assert cell in done.stderr


def test_library_without_prose(reports, commandline):
    """A library that nobody has described is named, with the file to write."""
    result = json.loads((reports / "results" / "py27-django18.json").read_text(encoding="utf-8"))
    result.update(library="elsewhere", cell="py27-django18-elsewhere")
    (reports / "results" / "py27-django18-elsewhere.json").write_text(json.dumps(result), encoding="utf-8")
    done = commandline("report", reports=reports)
    assert done.returncode == 3
    assert "elsewhere.toml" in done.stderr


@pytest.mark.parametrize("command", [["report"], ["site"], ["export"], ["export", "--format", "junit"]])
def test_no_results(command, tmp_path, commandline):
    """Without any result there is nothing to render: the folder is named, and none is made of it."""
    done = commandline(*command, reports=tmp_path / "nowhere")
    assert done.returncode == 3
    assert done.stderr.startswith("error: there are no results in nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_list(reports, commandline):
    """Every cell of the matrix is listed with what is recorded of it."""
    done = commandline("list", reports=reports)
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
    readme = tmp_path / "README.rst"
    shutil.copy(ROOT / "README.rst", readme)
    path = samples.write(tmp_path / "reports", "py27-django18", "py311-django52-asgi").result("py27-django18")
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    monkeypatch.setattr(reporting, "ROOT", tmp_path)
    monkeypatch.setattr(folder, "ROOT", tmp_path)
    arguments = ["--reports", str(tmp_path / "reports")]
    assert CliRunner().invoke(reporting.report, arguments, standalone_mode=False).return_value == 3
    assert readme.read_bytes() == (ROOT / "README.rst").read_bytes()
    path.write_bytes(whole)
    assert CliRunner().invoke(reporting.report, arguments, standalone_mode=False).return_value == 0
    assert "1 of 1" in readme.read_text(encoding="utf-8")
