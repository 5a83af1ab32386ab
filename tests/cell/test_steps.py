"""The steps of a cell: what each records, what is evidence of it, and whose fault it is."""

from __future__ import annotations

import os
import shutil
import sys

import pytest
from cellservers import recorder_in

from harness.captured.output import Failure
from harness.cell import steps
from harness.cell.steps import Recorder, check_not_killed
from harness.errors import CellFailure, HarnessError
from harness.results.result import Step
from harness.system import processes
from harness.system.processes import Ended
from harness.verdict import Reason


@pytest.fixture
def recorder(tmp_path) -> Recorder:
    return recorder_in(tmp_path)


@pytest.fixture
def ran(recorder, monkeypatch):
    """Return a way to run a command that ends as it is told to."""

    def run(text="", status=0, timed_out=False, says=None, deadline=60.0):
        def stand_in(command, env, cwd, log, seconds):
            assert seconds == deadline
            log.write_text(text)
            return Ended(status, timed_out, 1.23456)

        monkeypatch.setattr(processes, "run", stand_in)
        return recorder.command("migrate", ["python", "manage.py"], {}, recorder.work, deadline, says)

    return run


# Commands


def test_a_command(recorder, ran):
    """A command that ends well is told with its output, its time and its exit status, and its output is evidence."""
    step, text = ran("all is well\n")
    assert (step, text) == (
        Step(name="migrate", outcome="ok", command="python manage.py", exit_status=0),
        "all is well\n",
    )
    assert (recorder.steps, recorder.seconds) == ([step], {"migrate": 1.235})
    assert (recorder.evidence / "migrate.log").read_text() == "all is well\n"
    assert (recorder.watcher.begun, recorder.watcher.ended) == (["migrate"], [(step, 1.23456)])


def test_a_command_that_is_run(recorder):
    """A command is run with its environment, in its folder, to its end."""
    code = "import os; print(os.environ['GREETING'], os.getcwd())"
    step, text = recorder.command(
        "hello", [sys.executable, "-c", code], {"GREETING": "hi", "PATH": os.defpath}, recorder.work, 20.0
    )
    assert (step.outcome, text) == ("ok", "hi <place>/work\n")


def test_it_says(ran):
    """What a command's output says in a few words stands with its step, also when it failed."""
    assert ran("a\nb\n", says=lambda text: f"{len(text.splitlines())} lines")[0].text == "2 lines"
    assert ran("a\n", status=1, says=lambda text: f"{len(text.splitlines())} lines")[0].text == "1 lines"


def test_a_command_that_fails(ran):
    """What fails is told with its exit status, and with the exception that its output shows."""
    step, _ = ran('Traceback (most recent call last):\n  File "x.py", line 1, in <module>\nKeyError: 1\n', status=1)
    assert (step.outcome, step.exit_status, step.cause) == ("failed", 1, "KeyError: 1")
    assert step.excerpt.startswith("Traceback (most recent call last):")


def test_a_command_that_takes_too_long(ran):
    """What does not end in time says how long that was, and is nobody's exit status."""
    step, _ = ran("waiting\n", status=-9, timed_out=True, deadline=120.0)
    assert (step.outcome, step.exit_status) == ("timed out", None)
    assert step.cause == "migrate did not end within 120 s and was stopped"
    assert step.excerpt == "waiting"


def test_a_command_that_is_killed(ran):
    """What somebody else kills is no step: the machine is at fault."""
    with pytest.raises(HarnessError, match=r"^migrate was killed from outside$") as raised:
        ran(status=-9)
    assert raised.value.hint == "is there enough memory? run the cell again"


@pytest.mark.parametrize("exit_status", [None, 0, 1, -15, 9])
def test_what_is_not_killed(exit_status):
    """Only a SIGKILL is one from outside."""
    check_not_killed("the server", exit_status)


@pytest.mark.parametrize(("status", "timed_out"), [(1, False), (-9, True)])
def test_a_full_disk(ran, status, timed_out):
    """What fails for lack of room is no step either."""
    with pytest.raises(HarnessError, match=r"^the disk is full: "):
        ran("sqlite3.OperationalError: database or disk is full\n", status=status, timed_out=timed_out)


def test_room_is_not_looked_for_in_what_ends_well(ran):
    """What only prints of a full disk, and ends well, is as well as it says."""
    assert ran("No space left on device\n")[0].outcome == "ok"


def test_too_little_room(recorder, monkeypatch):
    """Where there is hardly any room no cell is run, and it is said how much there is."""
    usage = shutil.disk_usage(recorder.work)
    monkeypatch.setattr(steps.shutil, "disk_usage", lambda folder: usage._replace(free=49_999_999))
    with pytest.raises(HarnessError, match=r"^the disk is full: 50 MB are free$"):
        recorder.check_room()
    monkeypatch.setattr(steps.shutil, "disk_usage", lambda folder: usage._replace(free=50_000_000))
    recorder.check_room()


# Steps of the harness itself


def test_own(recorder):
    """A step of the harness's own says what it was told to, one after the other."""
    with recorder.own("log in") as say:
        say("admin")
        say(f"see {recorder.work}")
    assert recorder.steps == [Step(name="log in", outcome="ok", text="admin; see <place>/work")]
    assert 0 <= recorder.seconds["log in"] < 1
    assert recorder.watcher.begun == ["log in"]


def test_own_that_fails(recorder):
    """A failure ends the step with its cause and what was seen until then, and goes on to who asked."""

    def fails():
        with recorder.own("pages") as say:
            say("/ 200")
            raise CellFailure(Reason.PAGE_FAILED, f"no {recorder.work}")

    with pytest.raises(CellFailure):
        fails()
    assert recorder.steps == [Step(name="pages", outcome="failed", text="/ 200", cause="no <place>/work")]


def test_own_that_breaks(recorder):
    """What is no failure of the cell leaves no step."""
    with pytest.raises(ZeroDivisionError), recorder.own("pages"):
        raise ZeroDivisionError
    assert recorder.steps == []


def test_shown_otherwise(recorder):
    """What is shown of a step can be another thing than what is recorded of it."""
    recorded, shown = Step(name="install", outcome="ok"), Step(name="install", outcome="ok", text="already installed")
    recorder.add(recorded, 0.0, shown=shown)
    assert (recorder.steps, recorder.watcher.ended) == ([recorded], [(shown, 0.0)])


# Blame


def test_blame(recorder):
    """What the server printed goes to the first step that talked to it and failed, and to no other."""
    before = [
        Step(name="check", outcome="failed", cause="a warning"),
        Step(name="log in", outcome="ok"),
        Step(name="handshakes", outcome="failed", cause="status 500"),
        Step(name="exchanges", outcome="failed", cause="nothing came"),
    ]
    recorder.steps = list(before)
    recorder.blame(Failure("KeyError: 1", "Traceback"))
    assert recorder.steps == [
        *before[:2],
        Step(
            name="handshakes",
            outcome="failed",
            cause="status 500; the server printed: KeyError: 1",
            excerpt="Traceback",
        ),
        before[3],
    ]


def test_nothing_to_blame(recorder):
    """Where no step that talked to the server failed nothing changes."""
    recorder.steps = [Step(name="check", outcome="failed"), Step(name="pages", outcome="ok")]
    recorder.blame(Failure("KeyError: 1", "Traceback"))
    assert [step.cause for step in recorder.steps] == ["", ""]


# Evidence


def keep(recorder: Recorder, data: bytes, name: str = "a log") -> str:
    log = recorder.work / "log"
    log.write_bytes(data)
    recorder.keep(name, log)
    return (recorder.evidence / f"{name.replace(' ', '-')}.log").read_text(encoding="utf-8")


def test_evidence(recorder):
    """Evidence is the whole output, scrubbed, under a name without spaces."""
    assert keep(recorder, f"at {recorder.work}\nand no newline".encode()) == "at <place>/work\nand no newline"


def test_evidence_of_nothing(recorder):
    """A program that prints nothing leaves an empty file."""
    assert keep(recorder, b"") == ""


def test_broken_letters(recorder):
    """What is no UTF-8 is marked as such, and the rest is as it was."""
    assert keep(recorder, b"a\xffb\n") == "a\N{REPLACEMENT CHARACTER}b\n"


@pytest.mark.parametrize("piece", [4, 7, 16])
def test_in_pieces(recorder, monkeypatch, piece):
    """Read in pieces it is the same: no line, path or letter is cut where a piece ends."""
    monkeypatch.setattr(steps, "_PIECE", piece)
    lines = ["Grüße", "東京", "x", "", "short", "the end"]
    assert keep(recorder, "\n".join(lines).encode()) == "\n".join(lines)


def test_a_path_across_two_pieces(recorder, monkeypatch):
    """A path that lies across the end of a piece is scrubbed, for lines are whole."""
    line = f"{recorder.work}/x"
    monkeypatch.setattr(steps, "_PIECE", len(line) + 10)
    for before in range(10, len(line) + 10, 7):
        assert keep(recorder, f"{'a' * before}\n{line}\nend".encode()) == f"{'a' * before}\n<place>/work/x\nend"


def test_a_line_without_end(recorder, monkeypatch):
    """A line that is longer than a piece is kept all the same, to the last sign."""
    monkeypatch.setattr(steps, "_PIECE", 8)
    assert keep(recorder, b"x" * 1001) == "x" * 1001


def test_no_place_for_evidence(recorder):
    """Evidence that cannot be written is a fault of the machine."""
    shutil.rmtree(recorder.evidence)
    with pytest.raises(HarnessError, match=r"^evidence cannot be written: No such file or directory$"):
        keep(recorder, b"x")
