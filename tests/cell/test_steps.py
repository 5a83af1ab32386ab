"""The steps of a cell: what each records, what is evidence of it, and whose fault it is."""

from __future__ import annotations

import os
import shutil
import signal
import sys

import pytest
from cellservers import recorder_in

from harness.captured.output import Failure
from harness.cell import steps
from harness.cell.steps import Recorder, check_not_killed, signal_name
from harness.errors import CellFailure, HarnessError
from harness.results.result import Step
from harness.system import files, processes
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
        ran(status=-signal.SIGKILL)
    assert raised.value.hint == "is there enough memory? run the cell again"


def test_a_command_that_is_ended_from_outside(ran, recorder):
    """What somebody else ends says nothing of the library, and the step tells the signal by its name."""
    with pytest.raises(CellFailure) as raised:
        ran("migrating\n", status=-signal.SIGTERM)
    assert (raised.value.reason, raised.value.text) == (
        Reason.ENVIRONMENT_FAILED,
        "migrate was ended by SIGTERM, sent from outside",
    )
    (step,) = recorder.steps
    assert (step.outcome, step.exit_status, step.cause) == ("failed", -15, "it was ended by SIGTERM")


CRASH = """Fatal Python error: Segmentation fault

Current thread 0x00007f2a6a9a1740 (most recent call first):
  File "{file}", line 7 in loads
  File "manage.py", line 3 in <module>
"""


def test_a_command_that_crashes_in_what_was_installed(ran, recorder):
    """An interpreter that crashes in what was installed failed by that, and the file is named."""
    file = "/env/lib/python3.11/site-packages/fast/__init__.py"
    step, _ = ran(CRASH.format(file=file), status=-signal.SIGSEGV)
    assert recorder.steps == [step]
    assert (step.outcome, step.exit_status, step.cause) == ("failed", -11, f"it was ended by SIGSEGV in {file}")


@pytest.mark.parametrize(
    ("printed", "cause"),
    [
        ("migrating\n", "it was ended by SIGSEGV"),
        (
            CRASH.format(file="/usr/lib/python3.11/ctypes.py"),
            "it was ended by SIGSEGV in /usr/lib/python3.11/ctypes.py",
        ),
    ],
    ids=["nobody knows where", "in its own library"],
)
def test_a_command_that_crashes(ran, recorder, printed, cause):
    """An interpreter that crashes says nothing of the library, unless it shows that it did so in what was installed."""
    with pytest.raises(CellFailure) as raised:
        ran(printed, status=-signal.SIGSEGV)
    assert (raised.value.reason, raised.value.text) == (
        Reason.ENVIRONMENT_FAILED,
        f"the interpreter crashed in migrate: {cause}",
    )
    assert [(step.outcome, step.cause) for step in recorder.steps] == [("failed", cause)]


def test_a_command_that_is_really_ended(recorder):
    """A signal that a real program is ended by is told by its name, and a crash with the file that ran."""
    code = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    with pytest.raises(CellFailure, match=r"^hello was ended by SIGTERM, sent from outside$"):
        recorder.command("hello", [sys.executable, "-c", code], {"PATH": os.defpath}, recorder.work, 20.0)
    code = code.replace("TERM", "SEGV")
    with pytest.raises(CellFailure, match=r"^the interpreter crashed in hello: it was ended by SIGSEGV in <string>$"):
        recorder.command(
            "hello", [sys.executable, "-Xfaulthandler", "-c", code], {"PATH": os.defpath}, recorder.work, 20.0
        )


@pytest.mark.parametrize("exit_status", [None, 0, 1, 9, 15, -signal.SIGSEGV, -signal.SIGABRT, -signal.SIGFPE])
def test_what_is_not_killed(exit_status):
    """What ends by itself, well or not, or crashes, was not ended from outside."""
    check_not_killed("the server", exit_status)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_what_is_ended_from_outside(number):
    """A signal that a program does not get for what it does was sent by somebody."""
    with pytest.raises(CellFailure) as raised:
        check_not_killed("the server", -number)
    assert raised.value.reason is Reason.ENVIRONMENT_FAILED
    assert raised.value.text == f"the server was ended by {number.name}, sent from outside"


@pytest.mark.parametrize(
    ("exit_status", "name"),
    [(None, ""), (0, ""), (3, ""), (-11, "SIGSEGV"), (-15, "SIGTERM"), (-40, "signal 40")],
)
def test_names_of_signals(exit_status, name):
    """An exit status that stands for a signal has its name, or its number where it has none."""
    assert signal_name(exit_status) == name


# Room


class Disk:
    """A disk with so many bytes free."""

    def __init__(self, monkeypatch) -> None:
        self.free = 2_000_000_000
        usage = shutil.disk_usage("/")
        monkeypatch.setattr(files.shutil, "disk_usage", lambda folder: usage._replace(free=self.free))


@pytest.fixture
def disk(monkeypatch) -> Disk:
    return Disk(monkeypatch)


FULL = "sqlite3.OperationalError: database or disk is full\n"


@pytest.mark.parametrize(("status", "timed_out"), [(1, False), (-9, True)])
def test_a_full_disk(ran, disk, status, timed_out):
    """What fails for lack of room is no step, where there is little room indeed."""
    disk.free = 999_999_999
    with pytest.raises(HarnessError, match=r"^the disk is full: 1000 MB are free$") as raised:
        ran(FULL, status=status, timed_out=timed_out)
    assert raised.value.hint == "make room, and run the cell again"


def test_a_full_disk_that_is_none(ran, disk):
    """What complains of a full disk where there is plenty of room means something else, and has failed."""
    disk.free = 1_000_000_000
    assert ran(FULL, status=1)[0].cause == FULL.rstrip()


def test_a_failure_with_little_room(ran, disk):
    """What fails and complains of no full disk has failed, as long as there is room to work in."""
    disk.free = 50_000_000
    assert ran("KeyError: 1\n", status=1)[0].outcome == "failed"


def test_room_is_not_looked_for_in_what_ends_well(ran, disk):
    """What only prints of a full disk, and ends well, is as well as it says."""
    disk.free = 0
    assert ran("No space left on device\n")[0].outcome == "ok"


def test_too_little_room(recorder, disk):
    """Where there is hardly any room no cell is run, and it is said how much there is."""
    disk.free = 49_999_999
    with pytest.raises(HarnessError, match=r"^the disk is full: 50 MB are free$"):
        recorder.check_room()
    disk.free = 50_000_000
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


def test_passing_steps(recorder):
    """Steps that only lead to something are seen, and not recorded; others in between are."""
    recorder.add(Step(name="uvicorn", outcome="ok"), 0.1)
    with recorder.passing("uvicorn "):
        for name in ("uvicorn fault 1", "install", "uvicorn fault 2"):
            recorder.add(Step(name=name, outcome="ok"), 0.2)
    assert [step.name for step in recorder.steps] == ["uvicorn", "install"]
    assert recorder.seconds == {"uvicorn": 0.1, "install": 0.2}
    assert [step.name for step, _ in recorder.watcher.ended][1:] == ["uvicorn fault 1", "install", "uvicorn fault 2"]


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


def test_a_secret_across_a_cut(recorder, monkeypatch):
    """In a line that is longer than a piece a secret is hidden wherever it stands."""
    recorder.scrub.hide("hunter2")
    monkeypatch.setattr(steps, "_PIECE", 20)
    monkeypatch.setattr(steps, "_LONGEST", 10)
    for before in range(60):
        line = f"{'x' * before}hunter2{'x' * 60}"
        assert keep(recorder, line.encode()) == line.replace("hunter2", "<secret>")


def test_no_place_for_evidence(recorder):
    """Evidence that cannot be written is a fault of the machine."""
    shutil.rmtree(recorder.evidence)
    with pytest.raises(HarnessError, match=r"^evidence cannot be written: No such file or directory$"):
        keep(recorder, b"x")
