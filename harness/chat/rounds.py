"""Rounds: the exchanges of a script, once, in one order, with the texts that are said in them.

The first round goes down the table, and no text is said twice. The second one is shuffled, so that what depends
on who spoke last shows, and about half of its texts are said twice: some to the same people again, some to others. What
a library drops, or mixes up, because it has been said before shows there.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise

from harness.chat.members import FIFTEEN, ChannelRow, Script

#: How many of the fifteen exchanges of the second round repeat the text of an earlier one; of others as many in
#: proportion.
REPEATS = 6
#: How many seeds there are for the order of the second round.
SEEDS = 1 << 16
#: How often another order is tried until each member speaks once right after each.
_TRIES = 2000


@dataclass(frozen=True)
class Planned:
    """One exchange of a round, and what is said in it."""

    row: ChannelRow
    text: str


@dataclass(frozen=True)
class Round:
    """The exchanges of a script in the order in which they are made."""

    number: int
    exchanges: tuple[Planned, ...]
    #: What the order was shuffled with; None for the order of the table.
    seed: int | None = None
    #: What stands in every text of it, so that no other round says the same.
    token: str = ""

    @property
    def repeats(self) -> int:
        """How many texts had been said before."""
        return len(self.exchanges) - len({each.text for each in self.exchanges})

    @property
    def order(self) -> list[int]:
        """The numbers of the exchanges, in the order in which they are made."""
        return [each.row.number for each in self.exchanges]


def first_round(token: str, script: Script = FIFTEEN) -> Round:
    """Return the round in the order of the table, every text of which is another one."""
    return Round(1, tuple(Planned(row, row.message(token)) for row in script.rows), token=token)


def second_round(token: str, seed: int, script: Script = FIFTEEN) -> Round:
    """Return the round that is shuffled by *seed*, in which some texts are said twice; see :data:`REPEATS`.

    Where the script does not say otherwise a repeat is never the last text that one of its recipients has said.
    """
    chance = random.Random(seed)
    rows = _shuffled(chance, script)
    # The repeats stand among the others, and what they repeat before them.
    later = range(len(rows) // 2, len(rows))
    places = sorted(chance.sample(later, min(max(REPEATS * len(rows) // len(FIFTEEN.rows), 1), len(later))))
    said: list[Planned] = []
    repeated: set[str] = set()
    for place, row in enumerate(rows):
        text = row.message(token)
        if place in places:
            last = {} if script.echoes else {each.row.sender: each.text for each in said}
            kept = repeated | {last[member] for member in row.recipients if member in last}
            text = _repeat(row, said, kept, same=places.index(place) % 2 == 0, chance=chance) or text
            repeated.add(text)
        said.append(Planned(row, text))
    return Round(2, tuple(said), seed, token)


def _shuffled(chance: random.Random, script: Script) -> list[ChannelRow]:
    """Return the rows in an order in which each member speaks once right after each: who spoke last may matter.

    Where there are too few rows for that it is an order in which as many do as were found.
    """
    pairs = min(len(script.members) ** 2, len(script.rows) - 1)
    best, found = list(script.rows), -1
    for _ in range(_TRIES):
        rows = chance.sample(script.rows, len(script.rows))
        number = len({(before.sender, after.sender) for before, after in pairwise(rows)})
        if number > found:
            best, found = rows, number
        if number >= pairs:
            break
    return best


def _repeat(row: ChannelRow, said: list[Planned], kept: set[str], same: bool, chance: random.Random) -> str | None:
    """Return a text that was *said*, to the *same* people as those of *row* if that can be; None if all are *kept*."""
    free = [each for each in said if each.text not in kept]
    wanted = [each for each in free if bool(set(each.row.recipients) & set(row.recipients)) is same]
    chosen = chance.choice(wanted or free) if free else None
    return chosen.text if chosen else None
