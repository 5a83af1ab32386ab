"""Which exchanges are repeated as fences, so that what came before them on each connection is known to have arrived."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from harness.chat.members import ChannelRow
from harness.clients.connection import Endpoint

#: Returns the connections that must receive a row's message.
Expected = Callable[[ChannelRow], frozenset[Endpoint]]


def behind(
    row: ChannelRow, rows: Sequence[ChannelRow], expected: Expected, same_way: Iterable[int]
) -> list[ChannelRow]:
    """Return the rows whose texts are fences behind that of *row*, one after the other.

    The first is by the same sender in the same way (*same_way* are the numbers of those): what follows a message on its
    own road cannot overtake it. The others reach whom that does not.
    """
    same = [each for each in rows if each.number in set(same_way) and expected(each)]
    if not same:
        return covering(rows, expected)
    # Of two that reach as many, the row itself.
    first = max(same, key=lambda each: (len(expected(each)), each.number == row.number))
    return [first, *covering(rows, expected, expected(first))]


def covering(
    rows: Sequence[ChannelRow], expected: Expected, reached: frozenset[Endpoint] = frozenset()
) -> list[ChannelRow]:
    """Return the fewest rows, as far as that is seen at once, that reach all who are *reached* by any, and not yet."""
    chosen: list[ChannelRow] = []
    while best := max(rows, key=lambda each: len(expected(each) - reached), default=None):
        if not expected(best) - reached:
            return chosen
        chosen.append(best)
        reached |= expected(best)
    return chosen
