"""A candidate on the command line: kept apart, and compared at once with what is recorded of its cell."""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import samples
from click.testing import CliRunner
from made import alike

from harness.commands import measuring
from harness.results.document import read_result
from harness.results.installed import Candidate
from harness.results.result import Judgement, Result
from harness.run.candidates import Asked, Prepared
from harness.verdict import Reason

module = importlib.import_module("harness.commands.run")
CELL = "py310-django52-channels4"


class Command:
    """The command, of which nothing is installed or run; the candidate is *judged*."""

    def __init__(self, folder: Path, monkeypatch) -> None:
        self.reports = samples.write(folder, CELL)
        self.judged = Judgement.of(Reason.WORKS, "15 of 15 exchanges right in 2 rounds")
        self.asked: list[Asked] = []
        self.requests: list[module.Request] = []
        monkeypatch.setattr(measuring, "prepare", self.prepare)
        monkeypatch.setattr(module.running, "run", self.run)
        monkeypatch.setattr(module, "Progress", self.progress)

    def prepare(self, cell, setup, python, asked) -> Prepared:
        self.asked.append(asked)
        candidate = Candidate(profile="with-channels", requirements=["channels"])
        return Prepared(replace(setup), Path("own/bin/python"), candidate, ("--refresh-package", "channels"))

    @contextmanager
    def progress(self, cell):
        yield None

    def run(self, request, progress) -> Result:
        self.requests.append(request)
        recorded = samples.of(CELL)
        verdicts = alike(self.judged)
        return msgspec.structs.replace(recorded, verdicts=verdicts, candidate=request.candidate)

    def __call__(self, *options: str):
        arguments = [CELL, "--python", __file__, "--reports", str(self.reports.folder), *options]
        done = CliRunner().invoke(module.run, arguments, standalone_mode=False)
        return (done.return_value, done.output) if done.exception is None else (done.exception, done.output)


@pytest.fixture
def command(tmp_path, monkeypatch) -> Command:
    return Command(tmp_path / "reports", monkeypatch)


def test_kept_apart(command):
    """A candidate that fails says so beside what is recorded, which stays as it is."""
    before = command.reports.result(CELL).read_bytes()
    command.judged = Judgement.of(Reason.EXCHANGE_WRONG, "message 3 is missing")
    code, said = command("--with", "../channels")
    assert code == 1
    assert command.reports.result(CELL).read_bytes() == before
    kept = read_result(command.reports.of_profile("with-channels").result(CELL))
    assert (kept.candidate.requirements, kept.verdicts.overall.reason) == (["channels"], Reason.EXCHANGE_WRONG)
    assert f"Beside what is recorded of {samples.of(CELL).varying.started[:10]}: worse" in said
    assert "✗ No (exchange wrong): message 3 is missing" in said
    assert command.asked == [Asked(("../channels",))]
    (request,) = command.requests
    assert (str(request.python), request.options) == ("own/bin/python", ("--refresh-package", "channels"))


def test_the_same(command):
    """One that does what is recorded is the same."""
    code, said = command("--with", "../channels")
    assert code == 0
    assert ": the same\n" in said


def test_nothing_recorded(command):
    """Where nothing is recorded of the cell there is nothing to compare it with."""
    command.reports.result(CELL).unlink()
    code, said = command("--as-of", "2024-06-01", "--django", "main")
    assert code == 0
    assert f"Nothing is recorded of {CELL} to compare it with." in said
    assert command.asked[0].options == "--django main --as-of 2024-06-01"


@pytest.mark.parametrize("option", ["--freeze", "--expect"])
def test_no_candidate_of_the_past(command, option):
    """What was, and what is recorded, is no candidate."""
    value = str(command.reports.result(CELL)) if option == "--freeze" else "recorded"
    error, _ = command("--with", "../channels", option, value)
    assert "a candidate is neither" in str(error)
    assert command.requests == []


def test_what_is_released(command):
    """Without any of it what is released is recorded."""
    code, said = command()
    assert code == 0
    assert "Beside" not in said
    assert read_result(command.reports.result(CELL)).candidate is None
    assert command.asked == []
