"""One view of the results: what every report, table and badge is made of."""

from __future__ import annotations

import ast
import statistics
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.cells import Cell
from harness.errors import DamagedResult, HarnessError
from harness.result import Finding, Result, Verdict, load

ROOT = Path(__file__).resolve().parent.parent.parent
_PROSE = Path(__file__).resolve().parent.parent / "prose"


@dataclass(frozen=True)
class Row:
    """One cell as the reports show it."""

    cell: Cell
    result: Result

    @property
    def name(self) -> str:
        """The cell's name."""
        return self.result.cell

    @property
    def verdict(self) -> Verdict:
        """Does it work?"""
        return self.result.verdicts.overall.verdict

    @property
    def latency(self) -> float | None:
        """The median latency of a message to a recipient, in milliseconds."""
        values = [ms for each in self.result.varying.latency_ms.values() for ms in each.values()]
        return statistics.median(values) if values else None

    @property
    def failed_step(self) -> Any:
        """The step that decided a verdict of "does not work", or None."""
        names = {
            "installation failed": ("install",),
            "migration failed": ("migrate", "loaddata"),
            "server did not start": (self.result.server,),
            "page failed": ("log in", "pages"),
            "handshake refused": ("handshakes",),
            "exchange wrong": ("exchanges",),
            "environment failed": ("environment",),
            "no network": ("install", "environment"),
        }.get(self.result.verdicts.overall.reason, ())
        failed = [step for step in self.result.steps if step.name in names and step.outcome != "ok"]
        return failed[0] if failed else None


@dataclass
class LibraryView:
    """All cells of one library, and what they have in common."""

    name: str
    rows: list[Row] = field(default_factory=list)

    @property
    def prose(self) -> dict[str, Any]:
        """What is said of the library that no measurement can say.

        Raises:
            HarnessError: the file is missing or is no TOML.
        """
        path = _PROSE / f"{self.name}.toml"
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise HarnessError(
                f"{path.name} cannot be read: {error}", "write the prose of the library there"
            ) from error

    def of(self, verdict: Verdict) -> list[Row]:
        """Return the rows of one verdict."""
        return [row for row in self.rows if row.verdict is verdict]

    @property
    def works(self) -> list[Row]:
        """The cells that work."""
        return self.of(Verdict.WORKS)

    @property
    def tested(self) -> list[Row]:
        """The cells of which something is known."""
        return [row for row in self.rows if row.verdict is not Verdict.NOT_TESTED]

    def newest(self, what: str) -> str:
        """Return the newest ``python`` or ``django`` with which a cell works; ``none`` if none does."""
        found = [(getattr(row.cell, f"{what}_version"), getattr(row.cell, what)) for row in self.works]
        return max(found)[1] if found else "none"

    def installed(self) -> list[Row]:
        """Return the cells into which the library could be installed."""
        return [row for row in self.rows if row.result.installation is not None]

    def median(self, what: str) -> float | None:
        """Return the median over the installed cells of ``packages``, ``bytes`` or ``seconds``."""
        values: list[float] = []
        for row in self.installed():
            installation = row.result.installation
            assert installation is not None
            number = {
                "packages": len(installation.added),
                "bytes": installation.added_bytes,
                "seconds": row.result.varying.install_seconds,
            }[what]
            values += [number] if number is not None else []
        return statistics.median(values) if values else None

    def findings(self, name: str) -> dict[str, list[Finding]]:
        """Return what the cells answered to the questions of ``isolation`` or of a probe."""
        answers: dict[str, list[Finding]] = {}
        for row in self.rows:
            sets = {"isolation": row.result.isolation, **{each.name: each.findings for each in row.result.probes}}
            for finding in sets.get(name, []):
                answers.setdefault(finding.question, []).append(finding)
        return answers

    def latency(self) -> float | None:
        """Return the median latency over all cells that work, in milliseconds."""
        values = [row.latency for row in self.works if row.latency is not None]
        return statistics.median(values) if values else None


@dataclass
class View:
    """All results, and the files that were none."""

    libraries: list[LibraryView]
    damaged: list[DamagedResult]

    @property
    def rows(self) -> list[Row]:
        """The rows of every library."""
        return [row for library in self.libraries for row in library.rows]


def read(folder: Path) -> View:
    """Return the view of the results in *folder*; what cannot be read is named, not left out silently."""
    rows, damaged = [], []
    for path in sorted(folder.glob("*.json")):
        try:
            result = load(path)
            rows.append(Row(Cell.parse(result.cell), result))
        except DamagedResult as error:
            damaged.append(error)
        except HarnessError as error:
            damaged.append(DamagedResult(f"{path.name}: {error}", error.hint))
    return View(_by_library(rows), damaged)


def _by_library(rows: Sequence[Row]) -> list[LibraryView]:
    libraries: dict[str, LibraryView] = {}
    for row in sorted(rows, key=lambda row: row.cell.order):
        libraries.setdefault(row.result.library, LibraryView(row.result.library)).rows.append(row)
    return list(libraries.values())


def excerpt_of_code(file: str, name: str) -> str:
    """Return the source of the class or function *name* in *file* of this checkout.

    Raises:
        HarnessError: it is not there; the prose that shows it is out of date.
    """
    text = (ROOT / file).read_text(encoding="utf-8")
    if file.endswith(".py"):
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
                return ast.get_source_segment(text, node) or ""
    else:
        lines = text.splitlines()
        for number, line in enumerate(lines):
            if line.strip().startswith(f"function {name}("):
                pad = line[: len(line) - len(line.lstrip())]
                end = lines.index(pad + "}", number)
                return "\n".join(each.removeprefix(pad) for each in lines[number : end + 1])
    raise HarnessError(f"{file} has no {name}", "the prose of a library names it; bring that up to date")
