"""A cell whose answer is to be explained: what is recorded of it, the question, and how it is tried again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from harness import HERE, ROOT
from harness.causes import question
from harness.causes.bisect import Bisection
from harness.causes.notes import Notes
from harness.causes.releases import Releases
from harness.causes.resolver import Resolver
from harness.causes.trials import PROFILE, Trials
from harness.cell.identify import digest
from harness.cell.install import settings_of
from harness.cell.only import Only
from harness.cell.steps import Watcher
from harness.cell.variables import environment
from harness.cells import Cell, again
from harness.environments import direct, legacy, pair
from harness.errors import HarnessError, UsageError
from harness.libraries import registry
from harness.probes.registry import PROBES
from harness.results import deep, records
from harness.results.document import save_result
from harness.results.explained import Attempt, Cause, Cure
from harness.results.folder import Reports
from harness.results.result import Result
from harness.run import record
from harness.run.candidates import asked_of_tox, check_resolved
from harness.run.request import Request
from harness.verdict import Verdict


@dataclass(frozen=True)
class Case:
    """One question to one cell."""

    #: The cell, with the interpreter of its environment.
    request: Request
    recorded: Result
    only: Only

    @property
    def cell(self) -> str:
        """The name of the cell."""
        return self.request.cell.name

    @property
    def asked(self) -> str:
        """The short name of the question, as causes and cures have it: empty for the verdict."""
        return self.only.id if self.only.set else ""

    @property
    def can_try(self) -> bool:
        """Whether anything can be tried on the cell's Python: an installer still resolves something for it."""
        return self.request.cell.python not in legacy.VERSIONS

    @property
    def answer(self) -> question.Answer:
        """What is recorded as the answer."""
        sets = deep.of_cell(self.request.reports, self.cell) if self.only.set else ()
        return question.answer(self.only, self.recorded, sets)

    def bisection(
        self,
        tell: Callable[[str], None],
        watching: Callable[[str], AbstractContextManager[Watcher]],
        anew: bool = False,
        changed: bool = False,
    ) -> Bisection:
        """Return a search for the cause, which goes on where an earlier one was broken off unless it is *anew*.

        With *changed* it is a search for what changed the words of the answer, though that is as expected.
        """
        request, python = self.request, self.request.python
        held = asked_of_tox(python.parent.parent)
        folder = request.reports.of_profile(PROFILE).folder / "notes"
        folder.mkdir(parents=True, exist_ok=True)
        env = environment(installer=True)
        # What any of these were otherwise, an answer may be another one.
        base = [
            *(request.cell.name, *held.values(), *request.setup.requirements(request.cell)),
            *(digest(HERE), digest(ROOT / "myapp"), settings_of(env, ()), str(python.resolve())),
            *direct.states(request.setup.requirements(request.cell)),
        ]
        notes = Notes(folder / f"{self.cell}.{self.only.id}.json", base, anew)
        trials = Trials(request, self.only, notes, watching, words=changed)
        resolver = Resolver(request.setup.requirements(request.cell), list(held.values()), python, env)
        releases = Releases(request.cell.python, env)
        return Bisection(trials, resolver, releases, tell, frozenset({*held, *trials.placed}), raced=self.answer.chance)

    def keep(
        self, causes: list[Cause], cures: list[Cure], attempts: Sequence[Attempt] = (), besides: bool = False
    ) -> None:
        """Record *causes* and *cures* beside the cell's result, in the place of earlier ones of the question.

        So are *attempts* in the place of earlier ones of the same change; one that is a cure now was none in vain, and
        one that is in vain now is no cure any more. *besides* says that other cures stand: they were not looked for.

        Raises:
            HarnessError: that cannot be written.
        """
        reports, cell = self.request.reports, self.cell
        with record.locked(reports, cell):
            now = record.recorded(reports, cell) or self.recorded
            kept = [each for each in now.causes if each.question != self.asked or not causes]
            tried: list[Cure | Attempt] = [*cures, *attempts]
            anew = {(self.asked, each.kind, each.change) for each in tried}
            others = [each for each in now.cures if (each.question, each.kind, each.change) not in anew]
            others = [each for each in others if each.question != self.asked or not cures or besides]
            before = [each for each in now.attempts if (each.question, each.kind, each.change) not in anew]
            explained = msgspec.structs.replace(
                now, causes=[*kept, *causes], cures=[*others, *cures], attempts=[*before, *attempts]
            )
            save_result(explained, reports.result(cell))


def open_case(
    cell: str,
    name: str | None,
    reports: Reports,
    python: Path | None,
    folders: tuple[Path, ...],
    tell: Callable[[str], None],
    mending: bool = False,
) -> Case | None:
    """Return the case of *cell* and the question *name*, the worst one where that is None; None where nothing is wrong.

    Where it is for *mending* there is always one of a cell with the best known pins: whether these are needed; and one
    of a Python for which nothing is resolved any more, of which what is recorded may show a cure. *python* is the
    interpreter of the cell's environment, which tox makes where it is None and there is none.

    Raises:
        UsageError: there is no such cell, result or question.
        HarnessError: its environment cannot be made.
    """
    parsed = Cell.parse(cell)
    setup = registry.setup_for(parsed, registry.discover(folders))
    recorded = record.recorded(reports, cell)
    if recorded is None:
        raise UsageError(f"nothing is recorded of {cell}", f"run `{again(cell)}` first")
    if not mending:
        check_resolved(parsed)
    if recorded.verdicts.overall.verdict is Verdict.NOT_TESTED:
        raise UsageError(f"{cell} was not tested: {recorded.verdicts.overall.text}", f"run `{again(cell)}` first")
    if name is None:
        only = question.worst(recorded) or (Only() if mending and setup.pinned else None)
    else:
        only = question.find(name, recorded, deep.of_cell(reports, cell), records.of_library(recorded, reports))
    if only is None:
        return None
    request = Request(cell=parsed, setup=setup, python=Path(), reports=Reports(reports.folder.absolute()), probes=[])
    case = Case(request, recorded, only)
    if not case.can_try:
        return case  # it needs no interpreter
    interpreter = python.absolute() if python else _made(cell, tell)
    return replace(case, request=replace(request, python=interpreter))


def _made(cell: str, tell: Callable[[str], None]) -> Path:
    """Return the interpreter of the environment that tox has made, or makes, for *cell*.

    Raises:
        HarnessError: it cannot.
    """
    if folder := os.environ.get("HARNESS_ENVIRONMENTS"):
        wanted = Cell.parse(cell)
        return pair.make(cell, wanted.python, wanted.django, Path(folder).absolute(), environment(installer=True))
    python = ROOT / ".tox" / cell / "bin" / "python"
    if not python.exists():
        tell(f"tox makes the environment of {cell} …")
        command = [sys.executable, "-m", "tox", "-q", "-e", cell, "--notest"]
        ended = subprocess.run(command, cwd=ROOT, check=False)
        if ended.returncode or not python.exists():
            raise HarnessError(f"tox could not make the environment of {cell}", f"see what `tox -e {cell}` says")
    return python


def asked_of(result: Result) -> list[str]:
    """Return the probes of *result* that a further run asks as well: those that take no minutes."""
    return [each.name for each in result.probes if each.name in PROBES and PROBES[each.name].usual]
