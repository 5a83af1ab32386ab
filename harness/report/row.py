"""One cell as the reports show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Any

from harness.cells import Cell
from harness.results import catches, figures, history
from harness.results.deep import DeepSet
from harness.results.explained import Catch
from harness.results.history import Entry
from harness.results.loads import Run
from harness.results.result import Finding, Result
from harness.verdict import Verdict


@dataclass(frozen=True)
class Row:
    """One cell as the reports show it."""

    cell: Cell
    result: Result
    history: list[Entry] = field(default_factory=list)
    #: Every run under load, the oldest first.
    loads: list[Run] = field(default_factory=list)
    #: What it answered to the deep sets, whole.
    deep: list[DeepSet] = field(default_factory=list)

    @cached_property
    def name(self) -> str:
        """The cell's name."""
        return self.result.cell

    @cached_property
    def verdict(self) -> Verdict:
        """Does it work?"""
        return self.result.verdicts.overall.verdict

    @cached_property
    def catches(self) -> list[Catch]:
        """What a user of the cell runs into although it works, the worst first."""
        return catches.of(self.result, self.deep)

    @property
    def answers(self) -> Iterator[Finding]:
        """Every answer of the cell, those of the deep sets whole."""
        return catches.answers(self.result, self.deep)

    @property
    def day(self) -> date:
        """The day of its run."""
        try:
            return date.fromisoformat(self.result.varying.started[:10])
        except ValueError:  # a 30th of February, which no clock shows
            return date.min

    @property
    def since(self) -> Entry | None:
        """The recorded run since which the verdict and its reason stand."""
        return history.since(self.history, self.result.verdicts.overall)

    @property
    def changes(self) -> list[tuple[Entry, Entry]]:
        """The recorded runs in which the verdict or its reason changed, or catches, each with the one before."""
        lines = history.known(self.history, self.verdict)
        return [
            (old, new)
            for old, new in pairwise(lines)
            if (old.verdict, old.reason) != (new.verdict, new.reason) or new.came or new.went
        ]

    @property
    def under_load(self) -> list[Run]:
        """The newest whole run of each deployment: what summaries show, for each of its runs is worth as much."""
        return list({run.deployment: run for run in self.loads if not run.ended}.values())

    @property
    def right(self) -> int:
        """How many of the exchanges were right."""
        return sum(each.good for each in self.result.exchanges)

    @property
    def served(self) -> str:
        """The server, and the profile where it is not the usual one."""
        return self.result.server + (", best known pins" if self.result.profile == "pins" else "")

    @property
    def latency(self) -> float | None:
        """The median latency of a message to a recipient over all recorded runs, in milliseconds."""
        found = figures.of(self.result, figures.LATENCY)
        return found.median if found else None

    @property
    def commands(self) -> list[str]:
        """The commands by which the chat is served by hand: Django's own, then the server's."""
        steps = [step for step in self.result.steps if step.name in ("migrate", "loaddata", self.result.server)]
        return [step.command.replace("<cell>/bin/python", "python") for step in steps]

    @property
    def failed_step(self) -> Any:
        """The step that decided a verdict of "does not work", or None."""
        names = {
            "installation failed": ("install",),
            "migration failed": ("migrate", "loaddata"),
            "server did not start": (self.result.server,),
            "page failed": ("log in", "pages"),
            "handshake refused": ("handshakes",),
            "exchange wrong": ("exchanges", "second round", "handshakes"),
            "not every time": ("second round", f"{self.result.server} again"),
            "environment failed": ("environment", "install"),
            "no network": ("install", "environment"),
        }.get(self.result.verdicts.overall.reason, ())
        failed = [step for step in self.result.steps if step.name in names and step.outcome != "ok"]
        return failed[0] if failed else None


def dates(rows: Iterable[Row]) -> list[date]:
    """Return the days on which *rows* were measured: that a cell could not be is no measurement, unless none was."""
    every = list(rows)
    measured = [row for row in every if row.verdict is not Verdict.NOT_TESTED] or every
    return [row.day for row in measured]
