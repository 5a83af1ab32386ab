"""Write what the results of many machines were merged to: a folder of reports like any other."""

from __future__ import annotations

from collections.abc import Mapping

from harness.cells import Cell
from harness.errors import UsageError
from harness.libraries import registry
from harness.libraries.base import Library
from harness.results.document import save_result
from harness.results.folder import Reports
from harness.results.merge import (
    Merged,
    Problem,
    bring_deep,
    bring_evidence,
    bring_history,
    bring_loads,
    bring_profiles,
)
from harness.results.result import Result
from harness.run import record
from harness.run.not_tested import not_tested


def write(
    merged: Merged,
    sources: Mapping[str, Reports],
    into: Reports,
    libraries: Mapping[str, Library],
    recorded: Mapping[str, Result],
) -> None:
    """Write *merged* with the evidence, histories, load runs and deep sets of *sources* to the folder *into*.

    What is *recorded* of a cell and still stands beside its new result is kept, as where it is recorded anew: ways,
    probes, causes and cures. A cell that is unresolved becomes "not tested" for what is wrong with it; *libraries*
    say what it measures. What is wrong with a history or with load runs is added to the problems of *merged*.

    Raises:
        HarnessError: something cannot be written.
    """
    for source in sources.values():
        bring_profiles(source, into)
    for cell, (name, result) in merged.results.items():
        before = recorded.get(cell) if name else None
        merged.problems += bring_history(cell, result, sources, into, before) + _further(cell, sources, into)
        # Whether something is still to be explained, the deep sets that were just brought may say.
        save_result(record.with_what_stands(result, before, into), into.result(cell))
        bring_evidence(cell, sources[name], into)
    for cell, problem in merged.unresolved.items():
        try:
            parsed = Cell.parse(cell)
            setup = registry.setup_for(parsed, dict(libraries))
        except UsageError:
            continue  # a file whose name is no cell's: it is named, and there is no cell to show
        save_result(not_tested(parsed, setup, problem.kind.reason, problem.text), into.result(cell))
        merged.problems += bring_history(cell, None, sources, into) + _further(cell, sources, into)


def _further(cell: str, sources: Mapping[str, Reports], into: Reports) -> list[Problem]:
    """Bring what has files of its own: load runs, and deep sets."""
    return bring_loads(cell, sources, into) + bring_deep(cell, sources, into)
