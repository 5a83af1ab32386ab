"""What was lost in sight: with an error, or with a connection that was closed, as deep sets count it."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

#: How an account of traffic begins, which is counted for those who stay and then for those who come back.
_ACCOUNT = re.compile(r"\d+ of (?P<sent>\d+) received(?:, \d+ twice)?, (?P<lost>\d+) lost with an error or a close")


@dataclass(frozen=True)
class Losses:
    """How much of what was sent was lost in sight in one cell, each from 0 to 1; None where nothing was sent."""

    #: By those who have one connection, and come back no more once it is closed.
    staying: float | None
    #: By those who come back whenever theirs is closed.
    returning: float | None


def of(counted: str) -> Losses | None:
    """Return the losses that *counted* tells of, what a deep set counted of a question; None if that is none."""
    accounts = [(int(each["sent"]), int(each["lost"])) for each in _ACCOUNT.finditer(counted)]
    shares = [lost / sent if sent else None for sent, lost in accounts]
    return Losses(*shares) if len(shares) == len(Losses.__annotations__) else None


def told(found: Iterable[Losses]) -> str:
    """Say what was lost in the cells of which *found* is: the median, and the range where they differ."""
    every = list(found)
    parts = [
        ("where nobody comes back", [each.staying for each in every if each.staying is not None]),
        ("where everybody does", [each.returning for each in every if each.returning is not None]),
    ]
    if not any(any(shares) for _, shares in parts):
        return "none"
    return ", ".join(f"{_share(shares)} {where}" for where, shares in parts if shares)


def _share(shares: list[float]) -> str:
    low, high, middle = (f"{100 * each:.0f}" for each in (min(shares), max(shares), statistics.median(shares)))
    return f"{middle} %" + (f" ({low} to {high})" if low != high else "")
