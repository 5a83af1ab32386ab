"""What only came along: the package that asks for it, by which it can be kept away."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from harness.causes.search import Versions


def bringer(along: Collection[str], asked_by: Mapping[str, Collection[str]], good: Versions, bad: Versions) -> str:
    """Return the one package that brings all of *along*, which are in *bad* and not in *good*; empty unless it is one.

    *asked_by* are those that ask for a package in *bad*. Who is new there as well came along itself.
    """
    found: set[str] = set()
    left, seen = list(along), set(along)
    while left:
        for asker in asked_by.get(left.pop(), ()):
            if asker not in good and asker not in seen:
                seen.add(asker)
                left.append(asker)
            elif asker in good and asker in bad and good[asker] != bad[asker]:
                found.add(asker)
    return found.pop() if len(found) == 1 else ""
