"""Which exchanges are repeated as fences."""

from __future__ import annotations

from harness.chat.members import ChannelRow
from harness.clients.connection import Endpoint
from harness.scenario.fences import behind, covering


def rows(*said: tuple[str, str]) -> list[ChannelRow]:
    """Return rows, each said by somebody and heard by those who stand behind."""
    return [ChannelRow(number, "x", sender, "", tuple(hearers)) for number, (sender, hearers) in enumerate(said, 1)]


def expected(row: ChannelRow) -> frozenset[Endpoint]:
    return frozenset(Endpoint(member, "x") for member in row.recipients)


def numbers(found: list[ChannelRow]) -> list[int]:
    return [each.number for each in found]


def test_one_that_all_hear():
    """Where the sender says something that everybody hears, that is the fence, and the only one."""
    table = rows(("a", "ab"), ("a", "abc"), ("b", "abc"))
    assert numbers(behind(table[0], table, expected, [1, 2])) == [2]


def test_the_row_itself_at_first():
    """Of those that reach as many it is the row itself, which takes the same road."""
    table = rows(("a", "abc"), ("a", "abc"))
    assert numbers(behind(table[1], table, expected, [1, 2])) == [2]


def test_rooms():
    """Behind the sender's own room come the others, each once."""
    table = rows(("a", "ab"), ("b", "ab"), ("c", "cd"), ("d", "cd"))
    assert numbers(behind(table[1], table, expected, [2])) == [2, 3]


def test_another_road():
    """Where nothing that takes the same road is heard by anybody the others have to do."""
    table = rows(("a", ""), ("b", "ab"))
    assert numbers(behind(table[0], table, expected, [1])) == [2]


def test_nobody_is_reached():
    """Where nobody hears anything there is no fence."""
    assert covering(rows(("a", "")), expected) == []
    assert covering([], expected) == []
