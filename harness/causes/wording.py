"""How packages, and releases of them, are named in what a search tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.causes import search
from harness.causes.search import Versions
from harness.results.explained import Turned

#: How many versions are named where sets differ.
_SHOWN = 4


def older(found: Sequence[Turned]) -> str:
    """Return the releases of what was *found* with which the answer was good."""
    return " and ".join(f"{each.package} {each.good}" if each.good else f"no {each.package}" for each in found)


def newer(found: Sequence[Turned]) -> str:
    """Return those with which it was not."""
    return " and ".join(f"{each.package} {each.bad}" if each.bad else f"no {each.package}" for each in found)


def times(number: int) -> str:
    """Say how often something is done again."""
    return "once more" if number == 1 else f"{number} times more"


def named(turned: Turned) -> str:
    """Return the release that turned an answer, with its day, and those beside it that may be guilty instead."""
    day = f" ({turned.uploaded})" if turned.uploaded else ""
    if turned.brings:
        day += f", which brings {few(turned.brings)}"
    if turned.untried:
        day += f", or one of {few(turned.untried)}, which could not be tried"
    return f"{turned.package} {turned.bad}{day}" if turned.bad else f"{turned.package} is no longer installed"


def differing(good: Versions, bad: Versions) -> str:
    """Return what is otherwise in *bad* than in *good*; empty where nothing is."""
    names = search.changed(good, bad)
    return few([f"{name} {good.get(name, 'not there')} → {bad.get(name, 'not there')}" for name in names])


def few(texts: Sequence[str]) -> str:
    """Return the first of *texts* in one, and how many more there are."""
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more


def frozen(versions: Mapping[str, str]) -> list[str]:
    """Return *versions* as ``name==version``, by their names."""
    return sorted(f"{name}=={version}" for name, version in versions.items())
