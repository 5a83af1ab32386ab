"""``merge`` on the command line: what it writes, what it says, and its exit codes."""

from __future__ import annotations

import msgspec
import pytest
import runs
import samples
from click.testing import CliRunner
from made import alike

from harness.commands.merge import merge
from harness.errors import HarnessError, UsageError
from harness.results import history, loads
from harness.results.document import read_result, save_result
from harness.results.explained import Cure
from harness.results.folder import Reports
from harness.results.result import Finding, Judgement, Probe
from harness.verdict import Reason, Verdict

CELL, OTHER = "py27-django18", "py311-django52-channels4"


def run(*arguments: object):
    done = CliRunner().invoke(merge, [str(each) for each in arguments], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done


@pytest.fixture
def machines(tmp_path):
    """Two machines, each with the reports of one cell."""
    return samples.write(tmp_path / "linux", CELL).folder, samples.write(tmp_path / "mac", OTHER).folder


def test_complete(machines, tmp_path):
    """Two folders become one, and nothing is wrong."""
    done = run(*machines, "--into", tmp_path / "all")
    assert done.return_value == 0
    assert done.stdout == "2 results from 2 folders, 2 with a verdict.\n"
    assert read_result(tmp_path / "all" / "results" / f"{CELL}.json") == samples.of(CELL)


def test_load_runs(machines, tmp_path):
    """The load runs of all folders are joined, each once, by their time."""
    linux, mac = machines
    made = [runs.run(runs.step(100), started=f"2026-11-2{day}T10:00:00+00:00") for day in (1, 2, 3)]
    for folder, these in ((linux, made[1:]), (mac, made[:2])):
        loads.write(Reports(folder).loads(CELL), these)
    assert run(linux, mac, "--into", tmp_path / "all").return_value == 0
    assert loads.read(Reports(tmp_path / "all").loads(CELL)) == made


def test_problems(machines, tmp_path):
    """What is wrong is named, is exit code 1, and its cell says why it is not tested; it shows no path."""
    linux, mac = machines
    result = read_result(linux / "results" / f"{CELL}.json")
    judgement = Judgement.of(Reason.HANDSHAKE_REFUSED, "403")
    verdicts = alike(judgement)
    save_result(msgspec.structs.replace(result, verdicts=verdicts), mac / "results" / f"{CELL}.json")
    (mac / "results" / "py39-django22.json").write_text('{"schema": "1", "cell"')
    (mac / "results" / "README.json").write_text("{}")
    history.append(Reports(linux), result, None)
    done = run(*machines, "--into", tmp_path / "all")
    assert done.return_value == 1
    assert history.read(Reports(tmp_path / "all").history(CELL))  # also of what could not be decided
    errors = done.stderr.splitlines()
    assert f"error: disagrees: {CELL}: linux says ✓ Yes; mac says ✗ No (handshake refused)" in errors
    assert any(line.startswith("error: damaged: py39-django22: in mac: ") for line in errors)
    assert any(line.startswith("error: damaged: README: in mac: ") for line in errors)
    assert str(tmp_path) not in done.output
    disagreed = read_result(tmp_path / "all" / "results" / f"{CELL}.json").verdicts.overall
    assert disagreed.reason is Reason.RESULTS_DISAGREE
    assert "linux says ✓ Yes" in disagreed.text
    damaged = read_result(tmp_path / "all" / "results" / "py39-django22.json").verdicts.overall
    assert damaged.reason is Reason.RESULT_UNREADABLE


@pytest.mark.tox
def test_expected(machines, tmp_path):
    """A cell with the label that no machine brings is missing, and says so in its place."""
    done = run(*machines, "--into", tmp_path / "all", "-m", "seeds")
    assert done.return_value == 1
    assert "error: missing: py34-django18: none of linux, mac has a result of it" in done.stderr
    assert f"missing: {CELL}:" not in done.stderr
    missing = read_result(tmp_path / "all" / "results" / "py34-django18.json").verdicts.overall
    assert missing.reason is Reason.NO_RESULT
    with pytest.raises(UsageError, match="no cell has the label nonsense"):
        run(*machines, "--into", tmp_path / "none", "-m", "nonsense")


def test_not_into_others(machines, tmp_path):
    """A folder with results is not merged into: nothing that lies there is lost, or passed off as this run's."""
    run(machines[0], "--into", tmp_path / "all")
    before = (tmp_path / "all" / "results" / f"{CELL}.json").read_bytes()
    for into in ("all", "linux"):
        with pytest.raises(UsageError, match=f"{into} is not empty"):
            run(*machines, "--into", tmp_path / into)
    assert (tmp_path / "all" / "results" / f"{CELL}.json").read_bytes() == before


def test_over(machines, tmp_path):
    """The recorded results stand for the cells that no machine was asked for."""
    linux, mac = machines
    done = run(linux, "--over", mac, "--into", tmp_path / "all")
    assert done.return_value == 0
    assert done.stdout == "1 results from 1 folders, 1 with a verdict; 1 as recorded.\n"
    assert {path.stem for path in (tmp_path / "all" / "results").iterdir()} == {CELL, OTHER}


def test_over_pythons_that_are_to_be_had_nowhere(machines, tmp_path):
    """What has no job is not expected: what is recorded of its cell stands, and nothing is wrong with that."""
    old = "py34-django18"
    recorded = samples.write(tmp_path / "recorded", OTHER, old).folder
    done = run(*machines, "--over", recorded, "--into", tmp_path / "all", "-m", "seeds")
    assert "py34" not in done.stderr
    assert "missing: py27-django19:" in done.stderr
    kept = read_result(tmp_path / "all" / "results" / f"{old}.json")
    assert kept == read_result(recorded / "results" / f"{old}.json")


def test_nothing(tmp_path):
    """Folders without a single result are an error, and nothing is written."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(HarnessError, match="there are no results in empty"):
        run(tmp_path / "empty", "--into", tmp_path / "all")
    assert not (tmp_path / "all").exists()


def test_a_machine_with_nothing(machines, tmp_path):
    """A folder among others that brought nothing is named."""
    (tmp_path / "empty").mkdir()
    done = run(*machines, tmp_path / "empty", "--into", tmp_path / "all")
    assert done.return_value == 1
    assert done.stderr == "error: missing: empty: there are no results in this folder\n"
    assert (tmp_path / "all" / "results" / f"{CELL}.json").exists()


def test_names(tmp_path):
    """Folders are called by as much of their path as tells them apart."""
    for machine in ("one", "two"):
        (tmp_path / machine / "reports" / "results").mkdir(parents=True)
        (tmp_path / machine / "reports" / "results" / f"{CELL}.json").write_text("{")
    done = run(*(tmp_path / each / "reports" for each in ("one", "two")), "--into", tmp_path / "all")
    assert "in one/reports: " in done.stderr
    assert "in two/reports: " in done.stderr


def test_what_stands_is_kept(tmp_path):
    """A result that is laid over the recorded one keeps causes, cures and probes that it says nothing of, as recorded.

    The machine that measured had nothing recorded: what moved is told beside what is.
    """
    idle = Finding(question="A connection that is idle for 12 s", expected="stays open", seen="is closed", good=False)
    probe, cure = Probe(name="delivery", findings=[idle]), samples_cure()
    recorded = msgspec.structs.replace(samples.of(OTHER), probes=[probe], cures=[cure])
    # What the server does not import makes no other server of it.
    versions = msgspec.structs.replace(recorded.versions, imported=["channels"])
    recorded = msgspec.structs.replace(recorded, versions=versions)
    installed = {**recorded.versions.installed, "msgpack": "1.2.3"}
    new = msgspec.structs.replace(
        recorded,
        probes=[],
        cures=[],
        versions=msgspec.structs.replace(recorded.versions, installed=installed),
        varying=msgspec.structs.replace(recorded.varying, started="2026-11-25T10:00:00+00:00"),
    )
    base, machine = Reports(tmp_path / "base"), Reports(tmp_path / "linux")
    for reports, result in ((base, recorded), (machine, new)):
        save_result(result, reports.result(OTHER))
        history.append(reports, result, None)
    assert run(machine.folder, "--over", base.folder, "--into", tmp_path / "all").return_value == 0
    into = Reports(tmp_path / "all")
    merged = read_result(into.result(OTHER))
    assert ([each.name for each in merged.probes], merged.cures) == (["delivery"], [cure])
    *_, last = history.read(into.history(OTHER))
    assert (last.date, last.moved) == ("2026-11-25T10:00:00+00:00", {"msgpack": ("1.2.4", "1.2.3")})


def samples_cure() -> Cure:
    return Cure(
        question="idle-12", kind="pin", change="redis<8", verdict=Verdict.WORKS, text="stays", tried_on="2026-11-26"
    )
