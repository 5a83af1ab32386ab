"""``run`` and ``not-tested`` with a stand-in for the measuring: what is asked for, said and recorded."""

from __future__ import annotations

import sys

import msgspec
import pytest
import samples
from click.testing import CliRunner
from made import alike
from msgspec.structs import replace

from harness.commands import run as module
from harness.commands.not_tested import not_tested
from harness.commands.run import run
from harness.errors import AlreadyRunning, HarnessError, UsageError
from harness.results.document import read_result, save_result
from harness.results.folder import Reports
from harness.results.result import Judgement, Step
from harness.run import record
from harness.verdict import Reason

CELL = "py39-django22"
LATER = "2026-12-24T08:00:00+00:00"


def with_reason(reason: Reason, text: str = "so it is"):
    result, judgement = samples.of(CELL), Judgement.of(reason, text)
    verdicts = alike(judgement)
    return replace(result, verdicts=verdicts, varying=replace(result.varying, started=LATER))


class Measuring:
    """Stands in for the measuring of a cell, and keeps what it was asked for."""

    def __init__(self, reports: Reports) -> None:
        self.reports = reports
        self.requests = []
        self.result: object = samples.of(CELL)
        self.held = False

    def run(self, request, watcher):
        self.requests.append(request)
        with pytest.raises(AlreadyRunning), record.locked(self.reports, CELL):
            pytest.fail("the cell is not held")
        watcher.begin("migrate")
        watcher.end(Step(name="migrate", outcome="ok"), 1.0)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def asked(self, *options: object, **env: str) -> tuple[int, list[str]]:
        arguments = [CELL, "--python", sys.executable, "--reports", self.reports.folder, *options]
        done = CliRunner().invoke(run, [str(each) for each in arguments], standalone_mode=False, env=env)
        if done.exception:
            raise done.exception
        return done.return_value, done.output.splitlines()


@pytest.fixture
def measuring(tmp_path, monkeypatch) -> Measuring:
    made = Measuring(Reports(tmp_path))
    monkeypatch.setattr(module.running, "run", made.run)
    return made


@pytest.fixture
def recorded(measuring):
    """A result that is recorded."""
    save_result(samples.of(CELL), measuring.reports.result(CELL))
    return measuring.reports.result(CELL)


def test_recorded(measuring):
    """The steps are shown as they end, then the verdict, what a user meets all the same, and where the result lies."""
    assert measuring.asked() == (
        0,
        [
            CELL,
            "  ✓ migrate            1.00 s",
            f"{CELL}  ✓ Yes, but: 15 of 15 exchanges right",
            "  severe: somebody who is not logged in gets in",
            "  severe: a page of a foreign origin is let in with a member's cookie",
            "  moderate: some texts do not get through",
            "  mild: a message can be lost right after a handshake, or while somebody is away",
            f"Result: {measuring.reports.result(CELL)}",
        ],
    )
    assert read_result(measuring.reports.result(CELL)) == samples.of(CELL)


def test_what_is_asked_for(measuring):
    """Without options nothing is frozen, no probe is asked, and the broker is one of our own."""
    measuring.asked()
    (request,) = measuring.requests
    assert (request.cell.name, request.setup.library.name, request.setup.server.name) == (
        *(CELL, "django-websocket-redis", "runserver"),
    )
    assert (request.probes, request.redis_url, request.frozen, request.sockets) == ([], None, None, 10_000)
    assert request.seed is None
    assert str(request.python) == sys.executable  # not where that leads to
    assert request.reports.folder.is_absolute()


def test_options(measuring):
    """Probes come in their order, once each; a Redis and a number of sockets can be named."""
    measuring.asked(
        "--probe", "delivery", "--probe", "payloads", "--redis-url", "redis://x", "--sockets", "500", "--seed", "7"
    )
    (request,) = measuring.requests
    assert (request.probes, request.redis_url, request.sockets) == (["payloads", "delivery"], "redis://x", 500)
    assert request.seed == 7


def test_probes_of_the_environment(measuring):
    """Probes can be named in the environment, where tox is in between."""
    measuring.asked(HARNESS_PROBE="payloads delivery")
    assert measuring.requests[0].probes == ["payloads", "delivery"]


def test_as_recorded(measuring, recorded):
    """What is as it was expected is said to be."""
    code, lines = measuring.asked("--expect", "recorded")
    assert (code, lines[-1]) == (0, "As recorded.")


def test_not_as_recorded(measuring, recorded):
    """What is not as it was expected is told by what changed, is kept aside, and recorded nowhere."""
    measuring.result = with_reason(Reason.EXCHANGE_WRONG, "5 is missing")
    before = recorded.read_bytes()
    code, lines = measuring.asked(HARNESS_EXPECT="recorded")
    assert code == 1
    assert lines[-5:] == [
        f"{CELL} does not do what is recorded:",
        "  Web server works? was ✓ Yes, is ✗ No (exchange wrong): 5 is missing",
        "  Channels work? was ✓ Yes, is ✗ No (exchange wrong): 5 is missing",
        "  Does it work? was ✓ Yes, is ✗ No (exchange wrong): 5 is missing",
        f"The new result is in {measuring.reports.unexpected(CELL)}; without --expect it is recorded.",
    ]
    assert recorded.read_bytes() == before


def test_nothing_is_recorded_to_be_expected(measuring):
    """Where nothing is recorded nothing can be expected, and nothing is measured."""
    with pytest.raises(UsageError, match=f"^--expect recorded: there is no recorded result of {CELL}$"):
        measuring.asked("--expect", "recorded")
    assert measuring.requests == []


def test_what_stays(measuring, recorded):
    """A verdict that stays is said to."""
    measuring.result = with_reason(Reason.NO_NETWORK)
    code, lines = measuring.asked()
    assert (code, lines[-1]) == (4, "The result recorded on 2026-11-21 stays: ✓ Yes")
    assert not any(line.startswith("Result:") for line in lines)


def test_frozen(measuring, recorded, tmp_path):
    """With the versions of a result nothing is recorded: it is held against that one."""
    past = tmp_path / "past" / f"{CELL}.json"
    result = samples.of(CELL)
    save_result(msgspec.structs.replace(result, varying=msgspec.structs.replace(result.varying, seed=77)), past)
    before = recorded.read_bytes()
    assert measuring.asked("--freeze", past)[0] == 0
    assert measuring.requests[0].frozen == samples.of(CELL).installation.added
    assert measuring.requests[0].seed == 77
    measuring.result = with_reason(Reason.EXCHANGE_WRONG)
    code, lines = measuring.asked("--freeze", past)
    assert (code, lines[-1]) == (1, "  Does it work? was ✓ Yes, is ✗ No (exchange wrong): so it is")
    assert recorded.read_bytes() == before


def test_frozen_from_a_file_of_any_name(measuring, tmp_path):
    """The file of the result whose versions are wanted may be called as one likes: it was saved somewhere."""
    past = tmp_path / "of last week.json.txt"
    save_result(samples.of(CELL), past)
    code, lines = measuring.asked("--freeze", past)
    assert (code, lines[-1]) == (0, "  The same as then.")


def test_frozen_from_another_cell(measuring, tmp_path):
    """Whatever its file is called, the result of another cell has not the versions of this one."""
    past = tmp_path / f"{CELL}.json"
    save_result(samples.of("py27-django18"), past)
    with pytest.raises(UsageError, match="is the result of py27-django18"):
        measuring.asked("--freeze", past)
    assert measuring.requests == []


def test_the_same_as_then(measuring, tmp_path):
    """What is the same as with the versions of the past is said to be."""
    past = tmp_path / "past" / f"{CELL}.json"
    save_result(samples.of(CELL), past)
    assert measuring.asked("--freeze", past)[1][-1] == "  The same as then."


def test_a_fault(measuring):
    """Where the harness or the machine is at fault nothing is recorded, and the cell is let go of."""
    measuring.result = HarnessError("the broker has gone away")
    with pytest.raises(HarnessError):
        measuring.asked()
    assert not measuring.reports.results.exists()
    with record.locked(measuring.reports, CELL):
        pass


# A cell that could not be tried


def not_tried(reports: Reports, *arguments: object) -> tuple[int, list[str]]:
    command = [CELL, *arguments, "--reports", reports.folder]
    done = CliRunner().invoke(not_tested, [str(each) for each in command], standalone_mode=False)
    if done.exception:
        raise done.exception
    return done.return_value, done.output.splitlines()


@pytest.fixture
def reports(tmp_path) -> Reports:
    return Reports(tmp_path)


def test_not_tested(reports):
    """A cell without an interpreter has a result that says so."""
    code, lines = not_tried(reports, "interpreter missing", "no Python 3.9 found")
    assert (code, lines) == (4, [f"{CELL}  ─ Not tested (interpreter missing): no Python 3.9 found"])
    result = read_result(reports.result(CELL))
    assert (result.library, result.server, result.steps, result.versions) == (
        *("django-websocket-redis", "runserver", [], None),
    )


def test_a_verdict_stays(reports):
    """Where there is a verdict it stays, and that is said."""
    save_result(samples.of(CELL), reports.result(CELL))
    code, lines = not_tried(reports, "interpreter missing", "no Python 3.9 found")
    assert (code, lines[1]) == (4, "The result recorded on 2026-11-21 stays: ✓ Yes")


def test_its_log(reports, tmp_path):
    """Of tox's log only what was printed is shown, with its cause, and nothing of the environment before it."""
    log = tmp_path / "log"
    log.write_text(
        "env SECRET: hunter2\nstandard output:\nResolved 5 packages\nstandard error:\nerror: no such thing\n"
    )
    not_tried(reports, "environment failed", "tox could not make it", "--log", log)
    result = read_result(reports.result(CELL))
    assert result.verdicts.overall.text == "tox could not make it: error: no such thing"
    assert (result.steps[0].name, result.steps[0].outcome) == ("environment", "failed")
    assert "hunter2" not in str(result)


def test_no_network(reports, tmp_path):
    """An environment that lacked the network failed for that, whatever tox calls it."""
    log = tmp_path / "log"
    log.write_text("standard error:\nerror: dns error: failed to lookup address information\n")
    not_tried(reports, "environment failed", "tox could not make it", "--log", log)
    overall = read_result(reports.result(CELL)).verdicts.overall
    assert (overall.reason, overall.text) == (
        Reason.NO_NETWORK,
        "its environment could not be filled: the package index is out of reach",
    )


def test_repeated(measuring):
    """Run several times, each run is told, and installs the library; what is recorded says how often what came."""
    code, lines = measuring.asked("--repeat", "3")
    assert code == samples.of(CELL).verdicts.overall.verdict.exit_code
    assert len(measuring.requests) == 3
    assert [line.partition(":")[0] for line in lines if " of 3: " in line] == ["1 of 3", "2 of 3", "3 of 3"]
    assert read_result(measuring.reports.result(CELL)).repeats.times == 3
    measuring.asked()
    assert [each.anew for each in measuring.requests] == [True, True, True, False]


def test_repeats_broken_off(measuring, monkeypatch):
    """Where the machine fails in between, what was seen until then is recorded; without anything, nothing is."""
    runs = iter([samples.of(CELL), samples.of(CELL), HarnessError("the disk is full")])

    def run_cell(request, watcher):
        found = next(runs, HarnessError("the disk is full"))
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(module.running, "run", run_cell)
    _, lines = measuring.asked("--repeat", "5")
    assert "3 of 5: the disk is full; what was seen until then is recorded" in lines
    assert read_result(measuring.reports.result(CELL)).repeats.times == 2
    with pytest.raises(HarnessError, match="the disk is full"):
        measuring.asked("--repeat", "5")


def test_what_is_not_repeated(measuring):
    """What asks twice by itself, or wants the machine for long, is not repeated."""
    for probe in ("faults", "load"):
        with pytest.raises(UsageError, match=f"{probe} asks twice by itself"):
            measuring.asked("--repeat", "5", "--probe", probe)
    assert measuring.requests == []
