"""Try sets of versions of a cell, all in one environment beside it: each is asked the one question."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.causes.notes import Notes
from harness.causes.question import Answer, answer
from harness.causes.search import key_of
from harness.cell.only import Only
from harness.cell.steps import Watcher
from harness.cell.variables import environment
from harness.environments import own
from harness.environments.names import is_direct, project_of
from harness.errors import HarnessError
from harness.probes.registry import PROBES
from harness.results import deep
from harness.results.folder import Reports
from harness.results.questions import same_words
from harness.results.result import Result
from harness.run import cell as running
from harness.run import record
from harness.run.candidates import asked_of_tox
from harness.run.request import Request
from harness.verdict import Reason

#: Where trials keep their evidence, and the notes of searches.
PROFILE = "trials"
#: What is no answer to anything: it is the machine's.
_FAULTS = (Reason.NO_NETWORK, Reason.ENVIRONMENT_FAILED, Reason.INTERPRETER_MISSING)
_NUMBER = re.compile(r"\d+")


@dataclass
class Trials:
    """Asks *only* of sets of versions of the cell of *request*, whose interpreter is that of the cell's environment."""

    request: Request
    only: Only
    notes: Notes
    #: Who watches the steps of a trial, which is called by what is tried.
    watching: Callable[[str], AbstractContextManager[Watcher]]
    #: What the answer says that is looked for; empty where any that is bad is.
    failure: str = ""
    #: Whether what is looked for is the answer in the words of :attr:`failure`, be it as expected or not.
    words: bool = False
    #: Sets of versions → how many of their further answers have been used in this search.
    _used: Counter[frozenset[tuple[str, str]]] = field(default_factory=Counter, init=False)

    def bad(self, versions: Mapping[str, str]) -> bool | None:
        """Tell whether *versions* are bad; None where they cannot be tried."""
        return self.judge(self.ask(versions))

    def judge(self, found: Answer) -> bool | None:
        """Tell whether the answer *found* is the bad one that is looked for; None where it says nothing of that.

        One that is bad in other words is another one: what turned it into these words is looked for. A chat that does
        not work for another reason was not come to what is looked for.
        """
        if found.good is None:
            return None
        if self.words:
            return self.failure in ("", found.seen)
        if found.good or not self.failure or found.chance or same_words(found.seen, self.failure):
            return not found.good
        return False if self.only.set else None

    def ask(self, versions: Mapping[str, str]) -> Answer:
        """Return what *versions* answer, from the notes where they have been tried; twice where it can be chance.

        Raises:
            HarnessError: the machine is at fault.
        """
        known = self.notes.answer(versions)
        if known is None:
            known = self._answered(versions)
            if known.good and known.chance:
                known = self._once(versions)
            self.notes.keep(versions, known)
        return known

    def lost(self, versions: Mapping[str, str], times: int) -> list[Answer]:
        """Ask *versions* so many *times* more, whatever is known of them; return the answers that are bad.

        Those of a search that was broken off are in the notes, and are taken from there first.

        Raises:
            HarnessError: the machine is at fault.
        """
        answers = [self._again(versions) for _ in range(times)]
        return [each for each in answers if self.judge(each)]

    def _again(self, versions: Mapping[str, str]) -> Answer:
        key = key_of(versions)
        known, used = self.notes.again(versions), self._used[key]
        self._used[key] += 1
        if used < len(known):
            return known[used]
        found = self._answered(versions)
        if found.good is None:
            raise HarnessError(f"there was no answer when it was asked again: {found.seen}", "run it again")
        self.notes.keep_again(versions, found)
        return found

    def _answered(self, versions: Mapping[str, str]) -> Answer:
        """Ask *versions* once, and once more where there is no answer: a server that did not start in time."""
        found = self._once(versions)
        return self._once(versions) if found.good is None else found

    def _once(self, versions: Mapping[str, str]) -> Answer:
        fixed = {*self.held, *self.placed}
        pins = sorted(f"{name}=={version}" for name, version in versions.items() if name not in fixed)
        request = replace(
            self.request,
            python=self._python,
            reports=self._reports,
            frozen=[*pins, *self.placed.values()],
            # Each package is named: what is tried may be a set that no installer would choose.
            exact=True,
        )
        with self.watching(self.request.cell.name) as watcher:
            return alone(request, self.only, watcher)

    @cached_property
    def held(self) -> dict[str, str]:
        """What is in every set, whatever is tried, for it is part of the cell: names → exact requirements."""
        return asked_of_tox(self._prefix)

    @cached_property
    def placed(self) -> dict[str, str]:
        """What is asked for by a path or an address, and so is in every set as well: names → requirements."""
        wanted = self.request.setup.requirements(self.request.cell)
        return {project_of(each) or each: each for each in wanted if is_direct(each)}

    @cached_property
    def _python(self) -> Path:
        """The interpreter of the one environment in which everything is tried."""
        folder = self._prefix / "candidates" / PROFILE
        # Without what these need: that is part of what is tried.
        return own.make(
            self.request.python, folder, list(self.held.values()), environment(installer=True), ["--no-deps"]
        )

    @property
    def _prefix(self) -> Path:
        return self.request.python.parent.parent

    @property
    def _reports(self) -> Reports:
        return self.request.reports.of_profile(PROFILE)


def asking(only: Only) -> dict[str, Any]:
    """Return what the question *only* decides of a request: under load, how many sockets, and which deployment.

    A crowd that hears all at once is held for a while as well, once: that is what the question is about.
    """
    if only.set not in ("load", "stress"):
        return {}
    number = _NUMBER.search(only.question) if only.set == "load" else None
    return {"deployment": only.way or None, **({"sockets": int(number[0]), "runs": 1} if number else {})}


def in_depth(only: Only) -> bool:
    """Tell whether *only* is one of a deep set: these are about time and amounts."""
    return only.set in PROBES and PROBES[only.set].deep


def alone(request: Request, only: Only, watcher: Watcher) -> Answer:
    """Run the cell of *request* for the one question *only*, and return the answer.

    Raises:
        HarnessError: the machine is at fault.
    """
    reports, cell, name = request.reports, request.cell.name, only.set
    request = replace(request, only=only, probes=[name] if name in PROBES else [], **asking(only))
    with record.locked(reports, cell):
        deep.forget_unfinished(reports, cell)
        # What other versions have answered is no answer of these.
        (reports.deep(cell) / f"{name}.json").unlink(missing_ok=True)
        result = running.run(request, watcher)
    check_machine(result)
    return answer(only, result, deep.of_cell(reports, cell) if in_depth(only) else ())


def check_machine(result: Result) -> None:
    """Make sure that *result* says something of what was tried.

    Raises:
        HarnessError: the machine is at fault.
    """
    overall = result.verdicts.overall
    if overall.reason in _FAULTS:
        raise HarnessError(f"nothing can be tried: {overall.text}", "what was tried is kept; run it again")
