"""What only came along: the package that asks for it, by which it can be kept away, and what that leaves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from harness.causes import search
from harness.causes.search import Versions
from harness.results.explained import Turned


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


def taken_back(versions: Versions, turned: Sequence[Turned]) -> Versions:
    """Return *versions* with the packages that have *turned* an answer as they were when it was good."""
    good = {each.package: each.good for each in turned if each.good}
    return search.mixed(versions, good, [name for each in turned for name in (each.package, *each.brings)])
