"""A run of many cells: which are done, with what verdict, and how long the rest will take."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from harness.environments import interpreters
from harness.errors import DamagedResult
from harness.results import catches
from harness.results.document import read_result
from harness.results.folder import Reports
from harness.results.result import Result
from harness.verdict import Verdict

#: Seconds for a cell of which nothing is recorded, when nothing at all is.
_GUESS = 20.0
#: The exit codes of a cell whose result was recorded.
_RECORDED = {verdict.exit_code for verdict in Verdict}


class Session:
    """Knows the cells of a run, and how long each took when it was recorded."""

    def __init__(
        self, cells: Sequence[str], workers: int, reports: Reports, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """*workers* is how many of *cells* run side by side; their results are in *reports*."""
        self._reports, self._clock = reports, clock
        self._workers = max(min(workers, len(cells)), 1)
        self._began = clock()
        self._started = datetime.now(UTC).isoformat(timespec="seconds")
        recorded = {name: _seconds(self._recorded(name)) for name in cells}
        known = [seconds for seconds in recorded.values() if seconds]
        usual = statistics.median(known) if known else _GUESS
        self._expected = {name: seconds or usual for name, seconds in recorded.items()}
        for name in cells:
            if interpreters.find(interpreters.python_of(name) or "") is None:
                self._expected[name] = 0.0  # there is nothing to wait for
        self._todo = dict(self._expected)
        self.total = len(cells)

    @property
    def done(self) -> int:
        """How many cells have ended."""
        return self.total - len(self._todo)

    def ended(self, name: str, exit_code: int) -> tuple[str, str]:
        """Note that a cell has ended; return its line, and its verdict for whoever shows it in colour."""
        self._todo.pop(name, None)
        result = self._recorded(name)
        if result is None or result.varying.started < self._started:
            python = interpreters.python_of(name) or ""
            # What is recorded stays where there is nothing to try it with, and is no verdict of this run.
            missing = interpreters.find(python) is None
            verdict = str(Verdict.NOT_TESTED) if missing else ""
            said = (
                f"{Verdict.NOT_TESTED.label} here: no Python {python}"
                if missing
                else f"no new result, exit code {exit_code}"
            )
        else:
            verdict = str(result.verdicts.overall.verdict)
            said = catches.label(result)
            # A verdict that is not the expected one is no record yet.
            said += "" if exit_code in _RECORDED else f", exit code {exit_code}"
        width = len(str(self.total))
        return f"[{self.done:>{width}}/{self.total}] {name}  {said}", verdict

    def left(self) -> str:
        """Say how long the rest will take, by what it took when it was recorded and by how this run does so far."""
        rest = sum(self._todo.values())
        if not self._todo:
            return "all done"
        expected = sum(self._expected.values()) - rest
        passed = (self._clock() - self._began) * self._workers
        # Until a tenth is done the recorded times say more than those of this run.
        pace = passed / expected if expected > 0.1 * (expected + rest) else 1.0
        # No cell can be cut in two: the longest of them is the least that is left.
        seconds = max(rest / self._workers, max(self._todo.values())) * pace
        return f"about {round(seconds / 60)} min left" if seconds >= 90 else "about a minute left"

    def _recorded(self, name: str) -> Result | None:
        try:
            return read_result(self._reports.result(name))
        except DamagedResult:
            return None


def _seconds(result: Result | None) -> float:
    return sum(result.varying.seconds.values()) if result is not None else 0.0
