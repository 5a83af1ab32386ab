"""The figures that this project holds itself to, each printed beside its goal.

``tox -e benchmarks`` measures all, ``tox -e benchmarks -- exchanges overhead`` some; ``--rows FILE`` is where
``peers`` writes the rows that its figures are of. What is compared is measured in the same run, in turn, so that a
machine whose speed drifts does not decide; quote the ratios. Cells have to be warm: those of
:class:`benchmarks.given.Given` that are not are made first.

``--smallest`` goes through the same with the smallest numbers, to see that it runs: what it prints means nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.cells import measure_memory, measure_overhead, measure_parallel
from benchmarks.chats import measure_exchanges, measure_libraries
from benchmarks.control import measure_control
from benchmarks.given import ROWS, Given
from benchmarks.peers.compare import measure_peers
from benchmarks.rendering import measure_browser, measure_rendering
from benchmarks.searching import measure_search
from benchmarks.size import FULL, SMALLEST

#: Each figure by its name, in the order in which they are measured; a figure prints its rows.
FIGURES: dict[str, Callable[[Given], None]] = {
    "exchanges": measure_exchanges,
    "libraries": measure_libraries,
    "overhead": measure_overhead,
    "control": measure_control,
    "memory": measure_memory,
    "parallel": measure_parallel,
    "rendering": measure_rendering,
    "browser": measure_browser,
    "search": measure_search,
    "peers": measure_peers,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the figures that *arguments* name, or all; None takes the arguments of the command line."""
    parser = argparse.ArgumentParser(description="Measure the figures that this project holds itself to.")
    parser.add_argument("names", nargs="*", metavar="FIGURE", help=f"of {', '.join(FIGURES)}; all unless given")
    parser.add_argument(
        "--rows",
        type=Path,
        help=f"where peers writes its rows: {ROWS.name} beside it unless given, and nowhere with --smallest",
    )
    parser.add_argument("--smallest", action="store_true", help="with the smallest numbers, to see that it runs")
    asked = parser.parse_args(arguments)
    names = asked.names or list(FIGURES)
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        sys.exit(f"no such figure: {unknown[0]}; known: {', '.join(FIGURES)}")
    rows = asked.rows or (None if asked.smallest else ROWS)
    given = Given(size=SMALLEST if asked.smallest else FULL, rows=rows)
    given.make_warm(names)
    for name in names:
        FIGURES[name](given)


if __name__ == "__main__":
    main()
