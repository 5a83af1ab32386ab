"""How often a race has to be won until that is no luck."""

from __future__ import annotations

import math

#: How likely it may be that a race is won each time where it is lost as often as where it was counted.
_DOUBT = 0.05
#: How often a race is asked at most until it is lost.
MOST = 12


def enough(lost: int, asked: int) -> int:
    """Return how often a race has to be won in a row, if it was *lost* so many of the times that it was *asked*.

    What the few times it was asked say of how often it is lost is uncertain: any rate was as likely before (Laplace's
    rule of succession), and each counts by how well it goes with what was seen.
    """
    times, won = 0, asked - lost
    while _all_won(times, won, asked) > _DOUBT:
        times += 1
    return times


def _all_won(times: int, won: int, asked: int) -> float:
    """Return how likely it is to win so many more *times*, after *won* of *asked*: a ratio of beta functions."""
    return math.exp(
        math.lgamma(won + 1 + times) - math.lgamma(won + 1) + math.lgamma(asked + 2) - math.lgamma(asked + 2 + times)
    )
