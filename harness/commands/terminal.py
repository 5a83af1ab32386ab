"""What people see in a terminal: steps as they finish, verdicts, and their colours."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from rich.console import Console
from rich.status import Status
from rich.text import Text

from harness.results import catches
from harness.results.result import Result, Step
from harness.verdict import Verdict, sign

#: The colour of an answer; the sign says the same.
_STYLES = {True: "green", False: "red", None: "dim"}


def console() -> Console:
    """Return a console that prints texts as they are, whatever they look like, and breaks no line."""
    return Console(highlight=False, soft_wrap=True)


def signed(good: bool | None) -> Text:
    """Return the sign of an answer, in its colour."""
    return Text(sign(good), style=_STYLES[good])


class Progress:
    """Watches the steps of one cell."""

    def __init__(self, cell: str) -> None:
        self._cell = cell
        self._console = console()
        self._status: Status | None = None
        self._began = time.monotonic()
        #: Several servers may be started at once.
        self._lock = threading.RLock()

    def __enter__(self) -> Progress:
        self._console.print(Text(self._cell, style="bold"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def begin(self, name: str) -> None:
        """Show that a step has begun, on a terminal."""
        with self._lock:
            self._stop()
            if self._console.is_terminal:
                self._status = self._console.status(f"{name} …")
                self._status.start()

    def end(self, step: Step, seconds: float) -> None:
        """Show a step that has ended, with its time."""
        with self._lock:
            self._stop()
            self._console.print(step_line(step, seconds))

    def _stop(self) -> None:
        with self._lock:
            if self._status is not None:
                self._status.stop()
                self._status = None


class Trial:
    """Watches a cell that is one of many trials: on a terminal it shows the step that is under way."""

    def __init__(self, cell: str) -> None:
        self._status = console().status(f"{cell} …")

    def __enter__(self) -> Trial:
        self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def begin(self, name: str) -> None:
        """Show that a step has begun."""
        self._status.update(f"{name} …")

    def end(self, step: Step, seconds: float) -> None:
        """Show nothing: the next step says more."""


def step_line(step: Step, seconds: float | None) -> Text:
    """Return one line for *step*: sign, name, time, and what there is to say."""
    line = Text("  ")
    line.append(signed(step.good)).append(f" {step.name:<16}")
    line.append(f"{seconds:7.2f} s" if seconds is not None else " " * 9, style="dim")
    said = step.said
    return line.append(f"  {said}") if said else line


def verdict_line(result: Result) -> str:
    """Return a result as one plain line."""
    overall = result.verdicts.overall
    said = f": {overall.text}" if overall.text else ""
    return f"{result.cell}  {catches.label(result)}{said}"


def catch_lines(result: Result) -> list[str]:
    """Return a line for each trouble that a user of the cell meets although it works, the worst first."""
    return [f"  {each.severity}: {each.says}" for each in catches.troubles(catches.of(result))]


def verdict_style(verdict: Verdict) -> str:
    """Return the colour of *verdict*; the sign says the same."""
    return {Verdict.WORKS: "green", Verdict.DOES_NOT_WORK: "red", Verdict.NOT_TESTED: "yellow"}[verdict]
