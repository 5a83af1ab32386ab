"""What is asked for when a cell is run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.cell.only import Only
from harness.cells import Cell
from harness.libraries.base import Library
from harness.libraries.setup import Setup
from harness.results.folder import Reports
from harness.results.installed import Candidate
from harness.results.loads import LADDER


@dataclass(frozen=True)
class Request:
    """What is asked for: a cell, its interpreter, and how to go about it."""

    cell: Cell
    setup: Setup
    #: The interpreter of the cell's environment.
    python: Path
    reports: Reports
    #: The names of the probes, in the order in which they are asked.
    probes: list[str]
    #: The Redis to use; None starts one for the cell.
    redis_url: str | None = None
    #: The exact versions to install; None installs what is resolved today.
    frozen: list[str] | None = None
    #: The most sockets of a load run.
    sockets: int = LADDER[-1]
    #: How often a load run holds the two sizes that matter.
    runs: int = 0
    #: The name of the one deployment that load and stress are tried with; None tries all, or the usual one.
    deployment: str | None = None
    #: What the second round is shuffled with; None has it be another order each time.
    seed: int | None = None
    #: What is measured in the place of what is released, and further options of the installer for that.
    candidate: Candidate | None = None
    options: tuple[str, ...] = ()
    #: Whether what is frozen is installed as it is, whatever it says that it needs.
    exact: bool = False
    #: Whether the library is installed again though it is there: one of several runs, each of which times it.
    anew: bool = False
    #: The question that is asked alone; None asks everything.
    only: Only | None = None

    @property
    def library(self) -> Library:
        """The library under test."""
        return self.setup.library
