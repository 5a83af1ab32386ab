"""The reports folder: where each thing lies in it. Nothing else spells these names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness import ROOT

#: Where the results lie in a reports folder.
RESULTS = "results"
#: Where the answers to the deep sets lie there.
DEEP = "deep"


@dataclass(frozen=True)
class Reports:
    """One folder of results, their history, their evidence, and all that is rendered from them.

    .. code-block:: text

        results/CELL.json      the result of a cell
        history/CELL.jsonl     a line for each time that it was recorded
        load/CELL.jsonl        a line for each load run
        deep/CELL/SET.json     what the cell answered to a deep set of questions
        evidence/CELL/         what its programs printed, and every frame
        profiles/PROFILE/      all of this, for candidates and for days of the past
        *.rst, LIBRARY/*.rst   the rendered reports
        html/                  the site
    """

    folder: Path

    @classmethod
    def of_checkout(cls) -> Reports:
        """Return the recorded reports of this checkout."""
        return cls(ROOT / "reports")

    @property
    def name(self) -> str:
        """The last name of the folder, which tells a reader enough and shows no more of the machine."""
        return self.folder.name

    @property
    def results(self) -> Path:
        """The folder of the results."""
        return self.folder / RESULTS

    @property
    def site(self) -> Path:
        """The folder of the site."""
        return self.folder / "html"

    @property
    def load_lock(self) -> Path:
        """The file by which load runs of several cells wait for each other."""
        return self.folder / "evidence" / ".load.lock"

    def of_profile(self, profile: str) -> Reports:
        """Return the folder of what is not released, or not of today: a reports folder of its own in this one."""
        return Reports(self.profiles / profile)

    @property
    def profiles(self) -> Path:
        """The folder of candidates and of days of the past, each with all of this."""
        return self.folder / "profiles"

    def result(self, cell: str) -> Path:
        """Return where the result of *cell* lies."""
        return self.results / f"{cell}.json"

    def history(self, cell: str) -> Path:
        """Return where the history of *cell* lies."""
        return self.folder / "history" / f"{cell}.jsonl"

    def loads(self, cell: str) -> Path:
        """Return where the load runs of *cell* lie."""
        return self.folder / "load" / f"{cell}.jsonl"

    def deep(self, cell: str) -> Path:
        """Return the folder of what *cell* answered to the deep sets."""
        return self.folder / DEEP / cell

    def evidence(self, cell: str) -> Path:
        """Return the folder of the evidence of *cell*."""
        return self.folder / "evidence" / cell

    def recorded_evidence(self, cell: str) -> Path | None:
        """Return the evidence of what is recorded of *cell*; None without any, or where a later run has left its own.

        It is not always at hand: no checkout has it.
        """
        found = self.evidence(cell)
        return found if found.is_dir() and not self.unexpected(cell).exists() else None

    def unfinished(self, cell: str, what: str) -> Path:
        """Return a hidden folder beside the evidence of *cell* for *what* is not finished yet."""
        return self.folder / "evidence" / f".{cell}.{what}"

    def cell_lock(self, cell: str) -> Path:
        """Return the file that whoever runs *cell* holds."""
        return self.folder / "evidence" / f".{cell}.lock"

    def unexpected(self, cell: str) -> Path:
        """Return where a result of *cell* is kept that is not the expected one, and so is not recorded."""
        return self.evidence(cell) / "result.json"

    def reports(self) -> list[str]:
        """Return the rendered reports that lie in the folder, by their paths below it."""
        found = [*self.folder.glob("*.rst"), *self.folder.glob("*/*.rst")]
        return [str(path.relative_to(self.folder)) for path in found if path.parent.name not in (RESULTS, "evidence")]
