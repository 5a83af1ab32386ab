"""The command line of a run: what it records, what it refuses, and its exit codes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec
import pytest
import samples
from filelock import FileLock
from made import alike
from shared import FAKES, fake_cell, harness, run_fake

from harness.cells import Cell
from harness.libraries.registry import discover as load_libraries
from harness.libraries.registry import setup_for
from harness.results import history
from harness.results.document import read_result, save_result
from harness.results.folder import Reports
from harness.results.result import Finding, Judgement, Probe, Step
from harness.run.not_tested import not_tested
from harness.verdict import Reason

pytestmark = [pytest.mark.cell, pytest.mark.usefixtures("no_survivors")]


def recorded(reports, fake: str, reason: Reason):
    """Record a result of a fake's cell, with a verdict of *reason*."""
    cell = Cell.parse(fake_cell(fake))
    result = not_tested(cell, setup_for(cell, load_libraries((FAKES,))), Reason.INTERPRETER_MISSING, "no Python found")
    judgement = Judgement.of(reason)
    verdicts = alike(judgement)
    path = reports / "results" / f"{cell.name}.json"
    save_result(msgspec.structs.replace(result, verdicts=verdicts), path)
    return path


def test_expect_recorded(tmp_path):
    """A cell that does what is recorded passes, also when it rightly does not work; each run is in its history."""
    assert run_fake("refuses-403", tmp_path).exit_code == 1
    ran = run_fake("refuses-403", tmp_path, "--expect", "recorded")
    assert ran.exit_code == 0, ran.output
    assert "As recorded." in ran.output
    entries = history.read(Reports(tmp_path).history(ran.cell))
    assert [entry.reason for entry in entries] == [Reason.HANDSHAKE_REFUSED] * 2


@pytest.mark.parametrize(("fake", "reason"), [("behaves", Reason.EXCHANGE_WRONG), ("dies-mid", Reason.WORKS)])
def test_expect_recorded_otherwise(fake, reason, tmp_path):
    """Better or worse than recorded is news: exit code 1, what changed, and the record untouched."""
    path = recorded(tmp_path, fake, reason)
    before = path.read_bytes()
    ran = run_fake(fake, tmp_path, "--expect", "recorded")
    assert ran.exit_code == 1
    assert "does not do what is recorded" in ran.output
    assert path.read_bytes() == before
    assert (ran.evidence / "result.json").exists()


def test_expect_without_a_record(tmp_path):
    """Nothing can be expected of a cell of which nothing is recorded."""
    ran = run_fake("behaves", tmp_path, "--expect", "recorded")
    assert ran.exit_code == 2
    assert "there is no recorded result" in ran.output


def test_not_tested_never_replaces_a_verdict(tmp_path):
    """A machine without the interpreter does not erase what another one measured."""
    path = recorded(tmp_path, "behaves", Reason.WORKS)
    before = path.read_bytes()
    done = harness("not-tested", fake_cell("behaves"), "interpreter missing", "no Python 3.3 found", reports=tmp_path)
    assert done.returncode == 4
    assert "stays" in done.stdout
    assert path.read_bytes() == before


def test_not_tested_is_recorded(tmp_path):
    """Without an earlier verdict "not tested" is recorded, with its reason."""
    done = harness("not-tested", fake_cell("behaves"), "interpreter missing", "no Python 3.3 found", reports=tmp_path)
    assert done.returncode == 4
    result = read_result(tmp_path / "results" / f"{fake_cell('behaves')}.json")
    assert result.verdicts.overall.label == "─ Not tested (interpreter missing)"
    assert result.verdicts.overall.text == "no Python 3.3 found"


def test_not_tested_again_changes_nothing(tmp_path):
    """Who finds once more that there is no interpreter leaves the result as it is."""
    arguments = ("not-tested", fake_cell("behaves"), "interpreter missing", "no Python 3.3 found")
    path = tmp_path / "results" / f"{fake_cell('behaves')}.json"
    harness(*arguments, reports=tmp_path)
    earlier = msgspec.structs.replace(read_result(path).varying, started="2020-01-01T00:00:00+00:00")
    save_result(msgspec.structs.replace(read_result(path), varying=earlier), path)
    before = path.read_bytes()
    assert harness(*arguments, reports=tmp_path).returncode == 4
    assert path.read_bytes() == before


def test_no_network_while_making_the_environment(tmp_path):
    """An environment that could not be filled for lack of network is not tested, and nothing of tox's log leaks."""
    log = tmp_path / "log"
    log.write_text("env SECRET: hunter2\nstandard error:\nerror: dns error: failed to lookup address information\n")
    cell = fake_cell("behaves")
    done = harness("not-tested", cell, "environment failed", "tox failed", "--log", log, reports=tmp_path)
    result = read_result(tmp_path / "results" / f"{cell}.json")
    assert done.returncode == 4
    assert result.verdicts.overall.reason is Reason.NO_NETWORK
    assert "hunter2" not in (tmp_path / "results" / f"{cell}.json").read_text()


@pytest.mark.parametrize("damage", [b"", b"{", b"not json at all", b'{"schema": "1"}'])
def test_damaged_record(damage, tmp_path):
    """A damaged record stops the run before it begins, is named, and is left as it is."""
    path = tmp_path / "results" / f"{fake_cell('behaves')}.json"
    path.parent.mkdir()
    path.write_bytes(damage)
    ran = run_fake("behaves", tmp_path)
    assert ran.exit_code == 3
    assert path.name in ran.output
    assert path.read_bytes() == damage


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["py27-djang18"], "is not the name of a cell"),
        (["py311-django52-nosuch"], "there is no library with the suffix -nosuch"),
        (["py311-django52-fake-behaves", "--probe", "nosuch"], "there is no probe called"),
    ],
)
def test_usage(arguments, said, tmp_path):
    """What does not exist is refused by name, with exit code 2."""
    done = harness("run", *arguments, "--python", sys.executable, reports=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_another_python_than_the_name_says(tmp_path):
    """The harness asserts what it measures: another interpreter is an error, never a result."""
    done = harness("run", "py27-django52-fake-behaves", "--python", sys.executable, reports=tmp_path)
    assert done.returncode == 3
    assert "asks for Python 2.7, and its environment has Python" in done.stderr
    assert not (tmp_path / "results").exists()


def test_another_django_than_the_name_says(tmp_path):
    """The same for Django."""
    cell = fake_cell("behaves").replace("django52", "django11")
    done = harness("run", cell, "--python", sys.executable, reports=tmp_path)
    assert done.returncode == 3
    assert "asks for Django 1.1" in done.stderr


def test_two_runs_of_one_cell(tmp_path):
    """The second run of a cell that is under way says so, and touches nothing."""
    (tmp_path / "evidence").mkdir()
    with FileLock(tmp_path / "evidence" / f".{fake_cell('behaves')}.lock"):
        ran = run_fake("behaves", tmp_path)
    assert ran.exit_code == 3
    assert "is being run by another process" in ran.output


def test_unwritable_reports(tmp_path):
    """Where nothing can be written, that is said in one line, with exit code 3."""
    ran = run_fake("behaves", Path("/proc/nowhere"))
    assert ran.exit_code == 3
    assert "cannot be written" in ran.output
    assert "Traceback" not in ran.output


@pytest.mark.parametrize(
    ("fake", "reason"),
    [
        ("fails-migrate-for-room", Reason.MIGRATION_FAILED),
        ("complains-of-room", Reason.SERVER_DID_NOT_START),
    ],
)
def test_complaints_of_a_full_disk(fake, reason, tmp_path):
    """What complains of a full disk where there is room means something else: that is a verdict, and no fault."""
    ran = run_fake(fake, tmp_path)
    assert ran.exit_code == 1, ran.output
    assert ran.result.verdicts.overall.reason is reason
    assert "the disk is full" not in ran.output


@pytest.mark.parametrize(
    ("fake", "said"),
    [
        ("is-killed", "was killed from outside"),
        ("ends-the-broker", "the broker has gone away"),
        ("has-a-faulty-module", "a fault of the harness"),
    ],
)
def test_fault_of_the_machine_or_the_harness(fake, said, tmp_path):
    """What is not the library's doing is an error with exit code 3, and leaves no result."""
    ran = run_fake(fake, tmp_path)
    assert ran.exit_code == 3, ran.output
    assert said in ran.output
    assert not list(tmp_path.glob("results/*"))


def test_not_tested_is_not_what_was_expected(tmp_path):
    """Without a network a cell is not tested, and that is no success, not even where it is recorded."""
    nowhere = {"UV_INDEX_URL": "http://127.0.0.1:1/simple", "UV_HTTP_RETRIES": "0"}
    first = run_fake("asks-an-index", tmp_path, **nowhere)
    assert first.exit_code == 4, first.output
    assert first.result.verdicts.overall.reason is Reason.NO_NETWORK
    again = run_fake("asks-an-index", tmp_path, "--expect", "recorded", **nowhere)
    assert again.exit_code == 4, again.output


def test_password_of_a_redis_is_not_shown(tmp_path):
    """The password in a --redis-url is in no message."""
    ran = run_fake("behaves", tmp_path, "--redis-url", "redis://:hunter2@127.0.0.1:1/0")
    assert ran.exit_code == 3
    assert "hunter2" not in ran.output


def test_unreachable_redis(tmp_path):
    """A Redis that was named and does not answer is an error, not a verdict."""
    ran = run_fake("behaves", tmp_path, "--redis-url", "redis://127.0.0.1:1/0")
    assert ran.exit_code == 3
    assert "no Redis answers" in ran.output


@pytest.mark.parametrize("fake", ["behaves", "refuses-403"])
def test_two_runs_say_the_same(fake, tmp_path):
    """Of two runs that saw the same all is the same that does not vary, to the byte."""
    # What is wrong in the second round can depend on its order, so that a chat that garbles texts is not the same.
    documents = []
    for name in ("one", "two"):
        run_fake(fake, tmp_path / name)
        path = tmp_path / name / "results" / f"{fake_cell(fake)}.json"
        document = json.loads(path.read_text())
        document.pop("varying")
        documents.append(json.dumps(document))
    assert documents[0] == documents[1]


def test_earlier_probes_are_kept(tmp_path):
    """A run that does not ask a probe keeps what an earlier one found, as long as no version changed."""
    ran = run_fake("behaves", tmp_path)
    path = tmp_path / "results" / f"{ran.cell}.json"
    finding = Finding(question="q", expected="e", seen="s", good=True)
    varying = msgspec.structs.replace(ran.result.varying, probed_on={"payloads": "2026-01-01"})
    probe = Probe(name="payloads", findings=[finding])
    step = Step(name="probe payloads", outcome="ok", text="1 of 1 as expected")
    save_result(
        msgspec.structs.replace(ran.result, probes=[probe], varying=varying, steps=[*ran.result.steps, step]), path
    )
    again = run_fake("behaves", tmp_path)
    assert again.exit_code == 0, again.output
    assert again.result.probes == [probe]
    assert again.result.varying.probed_on == {"payloads": "2026-01-01"}
    names = [each.name for each in again.result.steps]
    assert names.index("probe payloads") < names.index("stop runserver")


def test_probes_of_a_fake(tmp_path):
    """The payloads of a library that carries everything arrive unaltered."""
    ran = run_fake("behaves", tmp_path, "--probe", "payloads")
    assert ran.exit_code == 0, ran.output
    answers = {finding.question: finding.good for finding in ran.result.probes[0].findings}
    assert answers["non-ASCII text by POST"] is True
    assert answers["200 kB by WebSocket"] is True
    assert answers["200 kB in fragments by WebSocket"] is True
    assert len(answers) == 16


def test_versions_of_the_past(tmp_path):
    """A run with the versions of a result is held against it, and is not recorded as today's."""
    ran = run_fake("behaves", tmp_path)
    path = tmp_path / "results" / f"{ran.cell}.json"
    before = path.read_bytes()
    again = run_fake("behaves", tmp_path, "--freeze", str(path))
    assert again.exit_code == 0, again.output
    assert "The same as then." in again.output
    assert path.read_bytes() == before


def test_versions_of_another_cell(tmp_path):
    """The versions of another cell's result are refused."""
    other = samples.write(tmp_path / "other", "py27-django18").result("py27-django18")
    ran = run_fake("drops", tmp_path, "--freeze", str(other))
    assert ran.exit_code == 2
    assert "is the result of py27-django18" in ran.output
