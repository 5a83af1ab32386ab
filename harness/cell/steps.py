"""The steps of a cell: each with a deadline, and with its whole output kept as evidence."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from harness.captured import output
from harness.captured.scrub import Scrubber
from harness.errors import CellFailure, HarnessError
from harness.results.result import Step
from harness.system import processes
from harness.system.files import no_room, unwritable
from harness.verdict import Reason

#: Evidence is scrubbed in pieces of this many letters, so that no output is ever whole in memory.
_PIECE = 1 << 20
#: How many letters a path or a secret has at most.
_LONGEST = 4096
#: Bytes that have to be free for a cell to be run at all.
_ROOM = 50_000_000
#: Bytes that are free where a program that found none cannot have meant the disk.
_PLENTY = 1_000_000_000

#: The steps that talk to a running server.
SPOKEN = ("log in", "pages", "handshakes", "exchanges")

Outcome = Literal["ok", "failed", "timed out", "skipped"]


#: The signals that a program gets for what it does itself; every other one is sent.
_CRASHES = {signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS}
_KILL_HINT = "is there enough memory? run the cell again"


def check_not_killed(what: str, exit_status: int | None) -> None:
    """Make sure that *what* was not ended by a signal from outside; the harness itself sent none.

    Raises:
        HarnessError: it was ended by SIGKILL; the kernel does that when memory runs out.
        CellFailure: it was ended by another signal that somebody has to send.
    """
    if exit_status is None or exit_status >= 0 or -exit_status in _CRASHES:
        return
    if exit_status == -signal.SIGKILL:
        raise HarnessError(f"{what} was killed from outside", _KILL_HINT)
    raise CellFailure(Reason.ENVIRONMENT_FAILED, f"{what} was ended by {signal_name(exit_status)}, sent from outside")


def signal_name(exit_status: int | None) -> str:
    """Return the name of the signal that an exit status stands for, such as ``SIGSEGV``; empty where it is none."""
    if exit_status is None or exit_status >= 0:
        return ""
    try:
        return signal.Signals(-exit_status).name
    except ValueError:  # a real-time signal
        return f"signal {-exit_status}"


class Watcher(Protocol):
    """Whoever wants to see the steps as they begin and end."""

    def begin(self, name: str) -> None: ...

    def end(self, step: Step, seconds: float) -> None: ...


@dataclass
class Recorder:
    """Runs steps, and keeps what they did."""

    work: Path
    evidence: Path
    scrub: Scrubber
    watcher: Watcher
    steps: list[Step] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def command(
        self,
        name: str,
        command: Sequence[str],
        env: dict[str, str],
        cwd: Path,
        deadline: float,
        says: Callable[[str], str] | None = None,
    ) -> tuple[Step, str]:
        """Run *command* as the step *name*; return the step and its output, scrubbed.

        *says* makes of the output what the step says in a few words.
        """
        self.watcher.begin(name)
        log = self.log(name)
        ended = processes.run(command, env, cwd, log, deadline)
        text = self.scrub(output.read(log))
        self.keep(name, log)
        shown = self.scrub(" ".join(command))
        step = Step(name=name, outcome="ok", command=shown, exit_status=0, text=says(text) if says else "")
        if ended.timed_out or ended.exit_status:
            step = self._failed(step, ended, text, deadline)
        self.add(step, ended.seconds)
        if step.outcome == "failed":
            self._check_crash(step, text)
        return step, text

    def _failed(self, step: Step, ended: processes.Ended, text: str, deadline: float) -> Step:
        """Return *step* as it failed, with the cause that is in its output *text*.

        Raises:
            HarnessError: it was not its own fault.
        """
        self.check_room(text)
        found = output.failure(text)
        if ended.timed_out:
            cause = f"{step.name} did not end within {deadline:.0f} s and was stopped"
            how: dict[str, Any] = {"outcome": "timed out", "exit_status": None, "cause": cause}
        else:
            cause = found.cause
            if crash := signal_name(ended.exit_status):
                where = output.crashed_in(text)
                cause = f"it was ended by {crash}" + (f" in {where}" if where else "")
            how = {"outcome": "failed", "exit_status": ended.exit_status, "cause": cause}
        return msgspec.structs.replace(step, excerpt=found.excerpt, **how)

    def _check_crash(self, step: Step, text: str) -> None:
        """Make sure that *step* was not ended by a signal that is nobody's under test.

        Raises:
            HarnessError, CellFailure: it was killed from outside.
            CellFailure: its interpreter crashed, and nothing shows that it did so in what was installed.
        """
        check_not_killed(step.name, step.exit_status)
        where = output.crashed_in(text)
        if signal_name(step.exit_status) and not (where and output.was_installed(where)):
            raise CellFailure(Reason.ENVIRONMENT_FAILED, f"the interpreter crashed in {step.name}: {step.cause}")

    def check_room(self, text: str = "") -> None:
        """Make sure that there is room to work in; with an output *text* that complains of it, look more closely.

        What a program says is no proof: a limit on something else bears the same name.

        Raises:
            HarnessError: the disk is full, or nearly so; no verdict can be had then.
        """
        if found := no_room(self.work, _PLENTY if output.no_room(text) else _ROOM):
            raise HarnessError(f"the disk is full: {found}", "make room, and run the cell again")

    @contextmanager
    def own(self, name: str) -> Iterator[Callable[[str], None]]:
        """Time a step that the harness itself takes; the block is given a way to say what it saw."""
        self.watcher.begin(name)
        began = time.monotonic()
        said: list[str] = []
        try:
            yield said.append
        except CellFailure as failure:
            step = Step(name=name, outcome="failed", text="; ".join(said), cause=self.scrub(failure.text))
            self.add(step, time.monotonic() - began)
            raise
        self.add(Step(name=name, outcome="ok", text=self.scrub("; ".join(said))), time.monotonic() - began)

    @contextmanager
    def passing(self, name: str) -> Iterator[None]:
        """Have steps in the block that begin with *name* seen, not recorded: they are many, and what they bring is."""
        before = len(self.steps)
        try:
            yield
        finally:
            passed = [step.name for step in self.steps[before:] if step.name.startswith(name)]
            self.steps[before:] = [step for step in self.steps[before:] if step.name not in passed]
            for each in passed:
                self.seconds.pop(each, None)

    def add(self, step: Step, seconds: float, shown: Step | None = None) -> None:
        """Record a step that has ended; *shown* is what to show of it where that is not the same."""
        self.steps.append(step)
        self.seconds[step.name] = round(seconds, 3)
        self.watcher.end(shown or step, seconds)

    def blame(self, found: output.Failure) -> None:
        """Add to the first step that failed what the server printed."""
        for place, step in enumerate(self.steps):
            if step.outcome == "failed" and step.name in SPOKEN:
                cause = found.behind(step.cause)
                self.steps[place] = msgspec.structs.replace(step, cause=cause, excerpt=found.excerpt)
                return

    def log(self, name: str) -> Path:
        """Return the file of what the program of the step *name* prints."""
        return self.work / f"{name}.log"

    def keep(self, name: str, log: Path) -> None:
        """Keep the whole of *log* as evidence, scrubbed.

        Raises:
            HarnessError: the evidence cannot be written.
        """
        target = self.evidence / f"{name.replace(' ', '-')}.log"
        try:
            with (
                log.open(encoding="utf-8", errors="replace", newline="") as source,
                target.open("w", encoding="utf-8") as sink,
            ):
                rest = ""
                while piece := source.read(_PIECE):
                    lines, newline, rest = (rest + piece).rpartition("\n")
                    if len(rest) > _PIECE:  # a line without end; what is to be hidden may stand across the cut
                        scrubbed = self.scrub(lines + newline + rest)
                        lines, newline, rest = scrubbed[:-_LONGEST], "", scrubbed[-_LONGEST:]
                    sink.write(self.scrub(lines + newline))
                sink.write(self.scrub(rest))
        except OSError as error:
            raise unwritable("evidence", error) from error
