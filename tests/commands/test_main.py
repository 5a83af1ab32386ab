"""The command line as a whole: its sub-commands, and with which code it ends."""

from __future__ import annotations

import errno
import os
import runpy
import signal
import sys

import click
import pytest

import harness.commands as module
from harness import ROOT
from harness.errors import HarnessError, Interrupted, UsageError

EXECV = os.execv


def ended(monkeypatch, *arguments: str) -> int:
    """Return the code with which the command line ends."""
    monkeypatch.setattr(sys, "argv", ["harness", *arguments])
    with pytest.raises(SystemExit) as raised:
        module.main()
    return raised.value.code


@pytest.fixture
def schema(monkeypatch):
    """Have ``schema`` do what a test wants."""
    from harness.commands import schema as command

    def does(do) -> None:
        monkeypatch.setattr(command, "schema", click.Command("schema", callback=do))

    return does


def raises(error: BaseException):
    def do():
        raise error

    return do


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1), (4, 4)])
def test_what_a_command_returns(monkeypatch, schema, returned, code):
    """The code is what the sub-command returns; what returns nothing is a success."""
    schema(lambda: returned)
    assert ended(monkeypatch, "schema") == code


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (HarnessError("it broke", "mend it"), 3, "error: it broke\n       mend it\n"),
        (HarnessError("it broke"), 3, "error: it broke\n"),
        (OSError(errno.ENAMETOOLONG, "File name too long"), 2, "error: a name is longer than a file may have\n"),
        (UsageError("no such cell"), 2, "error: no such cell\n"),
        (Interrupted(signal.SIGTERM), 143, "error: interrupted; nothing was recorded, earlier results are as they"),
        (click.UsageError("no such option"), 2, "Usage: "),
        (click.Abort(), 130, ""),
        (click.exceptions.Exit(5), 5, ""),
    ],
)
def test_errors(monkeypatch, schema, capsys, error, code, said):
    """Each error ends with its own code, and says what it is and what to do on the error output."""
    schema(raises(error))
    assert ended(monkeypatch, "schema") == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(said)


def test_interrupted_within_a_library(monkeypatch, schema, capsys):
    """A library that takes whatever happens for a fault of its input does not take an interruption for one."""

    def render():
        try:
            raise Interrupted(signal.SIGINT)
        except Exception as error:
            raise ValueError("the template is wrong") from error

    schema(render)
    assert ended(monkeypatch, "schema") == 130
    said = capsys.readouterr().err
    assert said.startswith("error: interrupted; nothing was recorded")
    assert "Traceback" not in said


def test_what_nobody_foresaw(monkeypatch, schema, capsys):
    """What nobody foresaw is the harness's own fault, is shown as it happened, and is no verdict."""
    schema(raises(ZeroDivisionError("what")))
    assert ended(monkeypatch, "schema") == 3
    said = capsys.readouterr().err
    assert "ZeroDivisionError: what" in said
    assert said.endswith("error: a fault of the harness; nothing was recorded. Please report it.\n")


def ended_with_output(monkeypatch, folder) -> tuple[int, bool]:
    """Return the exit code of a command whose output is a file, and whether that, and nothing else, is let go."""
    moved = []
    monkeypatch.setattr(os, "dup2", lambda one, other: moved.append(other))
    with (folder / "out").open("w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        return ended(monkeypatch, "schema"), moved == [file.fileno()]


def test_nobody_reads(monkeypatch, schema, tmp_path):
    """Who pipes into something that has ended is not bothered with that."""
    schema(raises(BrokenPipeError()))
    assert ended_with_output(monkeypatch, tmp_path) == (141, True)


def test_no_room_for_what_is_printed(monkeypatch, schema, capsys, tmp_path):
    """Where the output goes to a full disk that is said, and is no fault of the harness."""
    schema(raises(OSError(errno.ENOSPC, "No space left on device")))
    assert ended_with_output(monkeypatch, tmp_path) == (3, True)
    said = capsys.readouterr().err
    assert said.startswith("error: what is printed cannot be written: No space left on device\n")
    assert "make room on the disk" in said


def test_nothing_is_asked(monkeypatch, capsys):
    """Without a sub-command the help is shown, which is no success."""
    assert ended(monkeypatch) == 2
    assert "Exit codes:" in capsys.readouterr().out


def test_help(monkeypatch, capsys):
    """Every sub-command is in the help, in order, but for what is only called by others."""
    assert ended(monkeypatch, "--help") == 0
    lines = capsys.readouterr().out.splitlines()
    listed = lines[lines.index("Commands:") + 1 :]
    listed = listed[: listed.index("")]
    assert [line.split()[0] for line in listed if not line.startswith("   ")] == [
        *(
            "advise",
            "bisect",
            "causes",
            "ci-matrix",
            "compare",
            "doctor",
            "export",
            "list",
            "mend",
            "merge",
            "report",
            "reproduce",
        ),
        *("run", "schema", "show", "site"),
    ]


def test_no_such_command(monkeypatch, capsys):
    """A sub-command that there is not is named."""
    assert ended(monkeypatch, "nosuch") == 2
    assert "nosuch" in capsys.readouterr().err


def test_a_package_that_is_missing(monkeypatch):
    """That a package is missing is answered by whoever called, and is no fault of the harness."""
    monkeypatch.setitem(sys.modules, "harness.commands.schema", None)
    monkeypatch.setattr(sys, "argv", ["harness", "schema"])
    with pytest.raises(ImportError):
        module.main()


# ``python -m harness``


def started(monkeypatch, *arguments: str):
    monkeypatch.setattr(sys, "argv", ["harness", *arguments])
    if os.execv is EXECV:  # this is the process of the tests
        monkeypatch.setattr(os, "execv", lambda *_: pytest.fail("it goes on elsewhere"))
    return runpy.run_path(str(ROOT / "harness" / "__main__.py"), run_name="__main__")


def test_as_a_program(monkeypatch, capsys):
    """As a program it is the same command line."""
    with pytest.raises(SystemExit) as raised:
        started(monkeypatch, "--version")
    assert raised.value.code == 0
    assert capsys.readouterr().out.startswith("harness, version ")


def test_a_python_that_lacks_something(monkeypatch):
    """With a Python that lacks a package it goes on with the one that tox made."""
    went_on = []
    monkeypatch.setitem(sys.modules, "harness.commands", None)
    monkeypatch.setattr(os.path, "exists", lambda path: True)
    monkeypatch.setattr(os, "execv", lambda program, arguments: went_on.append((program, arguments)))
    started(monkeypatch, "show", "py27-django18")
    python = str(ROOT / ".tox" / ".tox" / "bin" / "python")
    assert went_on == [(python, [python, "-m", "harness", "show", "py27-django18"])]


def test_nothing_to_go_on_with(monkeypatch):
    """Where tox has made none it is said what to do."""
    monkeypatch.setitem(sys.modules, "harness.commands", None)
    monkeypatch.setattr(os.path, "exists", lambda path: False)
    with pytest.raises(SystemExit) as raised:
        started(monkeypatch, "show")
    assert raised.value.code.startswith("error: harness.commands is not installed; run `tox -l` with a Python of 3.11")


@pytest.mark.parametrize("name", ["harness", None])
def test_nothing_is_missing_but_the_harness(monkeypatch, name):
    """Where the harness itself is not there, or is broken, no other Python would have it either."""

    class Nowhere:
        @staticmethod
        def find_spec(module, path=None, target=None):
            if module == "harness.commands":
                raise ImportError("it is not there", name=name)

    monkeypatch.delitem(sys.modules, "harness.commands")
    monkeypatch.setattr(sys, "meta_path", [Nowhere, *sys.meta_path])
    with pytest.raises(ImportError, match=r"^it is not there$"):
        started(monkeypatch, "show")


def test_interrupted_before_it_began(monkeypatch, capsys):
    """Who interrupts it while it is being loaded is told that nothing had begun."""
    monkeypatch.setattr(module, "main", raises(KeyboardInterrupt()))
    with pytest.raises(SystemExit) as raised:
        started(monkeypatch, "show")
    assert raised.value.code == 130
    assert capsys.readouterr().err == "error: interrupted; nothing had begun\n"
