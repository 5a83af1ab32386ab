"""How a figure is printed."""

from __future__ import annotations

import statistics

SIGN = {True: "reached", False: "MISSED"}


def row(what: str, measured: str, goal: str, reached: bool) -> None:
    """Print one figure."""
    print(f"{what:<58} {measured:>22}   goal {goal:<14} {SIGN[reached]}", flush=True)


def noted(what: str, measured: str) -> None:
    """Print a figure that has no goal."""
    print(f"{what:<58} {measured:>22}", flush=True)


def spread(values: list[float]) -> str:
    """Return minimum, median and maximum."""
    return f"{min(values):.3f} / {statistics.median(values):.3f} / {max(values):.3f}"
