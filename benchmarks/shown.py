"""How a figure is printed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

#: What is said of a goal, by whether it is reached.
SIGN = {True: "reached", False: "MISSED"}


def row(what: str, measured: str, goal: str, reached: bool) -> None:
    """Print one figure beside its goal."""
    print(f"{what:<58} {measured:>22}   goal {goal:<14} {SIGN[reached]}", flush=True)


def noted(what: str, measured: str) -> None:
    """Print a figure that has no goal."""
    print(f"{what:<58} {measured:>22}", flush=True)


def spread(values: Sequence[float]) -> str:
    """Return the minimum, the median and the maximum, in the unit of the values."""
    return f"{min(values):.3f} / {statistics.median(values):.3f} / {max(values):.3f}"
