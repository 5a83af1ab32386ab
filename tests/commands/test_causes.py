"""``causes``, and what ``bisect`` and ``mend`` refuse before anything is run."""

from __future__ import annotations

import sys

import msgspec
import pytest
import samples
from click.testing import CliRunner
from made import alike

from harness.causes.question import Answer
from harness.commands import mend as mending
from harness.results.document import read_result, save_result
from harness.results.explained import Attempt, Cause, Cure, Turned
from harness.results.folder import Reports
from harness.results.result import Judgement
from harness.verdict import Reason, Verdict

CELL = "py313-django61-channels4"


@pytest.fixture
def reports(tmp_path) -> Reports:
    made = samples.write(tmp_path / "reports", CELL, "py27-django18", "py313-django52")
    vain = Attempt(kind="server", change="uwsgi", text="six cannot be imported", tried_on="2026-11-28")
    save_result(msgspec.structs.replace(samples.of("py313-django52"), attempts=[vain]), made.result("py313-django52"))
    missing = msgspec.structs.replace(samples.of("py33-django18"), cell="py36-django22")
    judgement = Judgement.of(Reason.INTERPRETER_MISSING, "no Python 3.6 found")
    verdicts = alike(judgement)
    save_result(msgspec.structs.replace(missing, verdicts=verdicts), made.result("py36-django22"))
    return made


def test_causes(commandline, reports):
    """Each cause is listed with its cells, what it comes from and what mends it; a draft is asked for by its name."""
    listed = commandline("causes", reports=reports.folder)
    assert listed.returncode == 0, listed.stderr
    assert "mends it: nothing that was tried: uwsgi as the server (in py313-django52)" in listed.stdout
    assert "django-utils-six-cannot-be-imported" in listed.stdout
    assert "from: not known yet" in listed.stdout
    assert (
        "3 cells do not work, or had a catch when they were asked; the cause of one is not known in 2 of them."
        in listed.stdout
    )
    draft = commandline("causes", "--draft", "django-utils-six-cannot-be-imported", reports=reports.folder)
    assert draft.stdout.startswith("# django-websocket-redis 0.6.0: django.utils.six ")
    refused = commandline("causes", "--draft", "nosuch", reports=reports.folder)
    assert (refused.returncode, "there is no cause called 'nosuch'" in refused.stderr) == (2, True)


def test_a_damaged_result(commandline, reports):
    """A result that cannot be read is named, and the others are put together all the same."""
    reports.result(CELL).write_text("{")
    listed = commandline("causes", reports=reports.folder)
    assert listed.returncode == 3
    assert f"left out: {CELL}.json" in listed.stderr
    assert "move it away" in listed.stderr
    assert "2 cells do not work" in listed.stdout


def test_no_results(commandline, tmp_path):
    """A folder without results is the wrong one, and no list without causes."""
    listed = commandline("causes", reports=tmp_path / "nothing")
    assert (listed.returncode, "there are no results in nothing" in listed.stderr) == (3, True)


@pytest.mark.parametrize("command", ["bisect", "mend"])
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["py99"], 2, "'py99' is not the name of a cell"),
        (["py310-django52-channels4"], 2, "nothing is recorded of py310-django52-channels4"),
        (["py36-django22"], 2, "py36-django22 was not tested: no Python 3.6 found"),
        ([CELL, "--question", "nosuch"], 2, f"{CELL} has no question called 'nosuch'"),
        ([CELL, "--python", "/no/such/python"], 2, "Invalid value for '--python'"),
    ],
)
def test_refused(commandline, reports, command, arguments, code, said):
    """What is not there, or cannot be tried, is refused in one sentence."""
    ended = commandline(command, *arguments, reports=reports.folder)
    assert ended.returncode == code
    assert said in ended.stderr


def test_of_a_python_of_the_past(commandline, reports):
    """For a Python of the past no cause is looked for; what is recorded of another server may mend it all the same."""
    cell = "py27-django18"
    failed = samples.of("py313-django52")
    save_result(msgspec.structs.replace(samples.of(cell), verdicts=failed.verdicts), reports.result(cell))
    refused = commandline("bisect", cell, reports=reports.folder)
    assert refused.returncode == 2
    assert "nothing is resolved for Python 2.7 any more" in refused.stderr
    ended = commandline("mend", cell, reports=reports.folder)
    assert ended.returncode == 1, ended.stderr
    assert "Nothing is resolved for Python 2.7 any more: what is recorded is all." in ended.stdout
    assert "No cure is found." in ended.stdout
    other = msgspec.structs.replace(samples.of(cell), cell=f"{cell}-uwsgi", server="uwsgi")
    save_result(other, reports.result(other.cell))
    ended = commandline("mend", cell, reports=reports.folder)
    assert "serve it with uwsgi: " in ended.stdout, ended.stderr
    assert [each.change for each in read_result(reports.result(cell)).cures] == ["uwsgi"]


def test_what_was_tried_before_it_was_broken_off(reports, monkeypatch):
    """A cure that was found, and what was tried in vain, are recorded, whatever ends the search for others."""
    vain = Attempt(kind="pin", change="redis<8", text="fails", tried_on="2026-11-28")
    cure = Cure(kind="server", change="uvicorn", verdict=Verdict.WORKS, text="so", tried_on="2026-11-28")

    def cures(case, looking, pins):
        looking.attempts.append(vain)
        yield cure
        raise KeyboardInterrupt

    failed = samples.of("py313-django52")
    save_result(msgspec.structs.replace(samples.of(CELL), verdicts=failed.verdicts), reports.result(CELL))
    monkeypatch.setattr(mending, "_cures", cures)
    arguments = [CELL, "--python", sys.executable, "--reports", str(reports.folder)]
    ended = CliRunner().invoke(mending.mend, arguments)
    assert ended.exit_code == 1, ended.output
    now = read_result(reports.result(CELL))
    assert (now.cures, now.attempts) == ([cure], [vain])


@pytest.mark.parametrize("known", [False, True])
def test_what_todays_versions_mend(reports, monkeypatch, known):
    """What today's versions answer as expected has nothing to mend: neither a pin nor a server is a cure of it."""
    failed = msgspec.structs.replace(samples.of(CELL), verdicts=samples.of("py313-django52").verdicts)
    turned = [Turned(package="redis", good="7.4.1", bad="8.0.0")]
    cause = Cause(turned=turned, text="redis 8.0.0", good=[], bad=[], found_on="2026-11-01")
    save_result(msgspec.structs.replace(failed, causes=[cause] if known else []), reports.result(CELL))
    monkeypatch.setattr(mending.Mending, "today", lambda self: Answer(True, "15 of 15"))
    arguments = [CELL, "--python", sys.executable, "--reports", str(reports.folder)]
    pins = () if known else ("--pin", "redis<8")
    ended = CliRunner().invoke(mending.mend, [*arguments, *pins], standalone_mode=False)
    said = "There is nothing to mend any more: with today's versions the answer is as expected: 15 of 15."
    assert said in ended.output
    assert f"`tox -e {CELL}` records it." in ended.output
    assert (ended.return_value, read_result(reports.result(CELL)).cures) == (0, [])


def test_pins_of_a_python_of_the_past(commandline, reports):
    """Whether the pins of such a Python are needed cannot be tried; what is recorded of other ways mends it, if any."""
    cell = "py27-django18-socketio-pins"
    failed = samples.of("py313-django52")
    save_result(msgspec.structs.replace(samples.of(cell), verdicts=failed.verdicts), reports.result(cell))
    ended = commandline("mend", cell, reports=reports.folder)
    assert ended.returncode == 1, ended.stderr
    assert f"{cell}: Does it work?\nNothing is resolved for Python 2.7 any more" in ended.stdout
    assert "no cure: " in ended.stdout


@pytest.mark.parametrize("command", ["bisect", "mend"])
def test_nothing_is_wrong(commandline, reports, command):
    """Of a cell that works without a catch there is nothing to explain, and nothing to mend."""
    save_result(msgspec.structs.replace(samples.of(CELL), probes=[], sets=[], isolation=[]), reports.result(CELL))
    ended = commandline(command, CELL, "--python", sys.executable, reports=reports.folder)
    assert ended.returncode == 0, ended.stderr
    assert f"{CELL} works, and has no catch: there is nothing to" in ended.stdout


def test_an_answer_that_is_as_expected(commandline, reports):
    """Where an answer is as expected there is nothing to mend."""
    arguments = ("mend", CELL, "--question", "burst-order", "--python", sys.executable)
    ended = commandline(*arguments, reports=reports.folder)
    assert ended.returncode == 0, ended.stderr
    assert "There is nothing to mend: kept." in ended.stdout


@pytest.mark.parametrize(
    ("end", "said"), [("yesterday", "'yesterday' is no end to search from"), ("2026-02-30", "is no end to search from")]
)
def test_ends_that_are_none(commandline, reports, end, said):
    """An end that is neither a day nor a file is refused before anything is tried."""
    ended = commandline("bisect", CELL, "--good", end, "--python", sys.executable, reports=reports.folder)
    assert (ended.returncode, said in ended.stderr) == (2, True)
