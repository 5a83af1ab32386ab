"""The rounds: the fifteen exchanges in an order, and what is said in them."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.chat import rounds
from harness.chat.members import MEMBERS, ChannelRow, Script, channel_table
from harness.chat.rounds import REPEATS, Planned, Round, first_round, second_round

SEEDS = st.integers(0, 1 << 16)


def repeats(planned: Round) -> list[tuple[Planned, Planned]]:
    """Return each exchange that says again what another one said, behind that one."""
    said = planned.exchanges
    return [(said[a], said[b]) for b in range(15) for a in range(b) if said[a].text == said[b].text]


def test_the_first_round():
    """The first round goes down the table, and each of its texts is its row's own."""
    planned = first_round("abc")
    assert (planned.number, planned.seed, planned.repeats) == (1, None, 0)
    assert planned.order == list(range(1, 16))
    assert [each.row for each in planned.exchanges] == channel_table()
    assert planned.exchanges[4].text == "Hello (abc) John, this is admin with message 5"


@settings(deadline=None)
@given(SEEDS)
def test_all_rows_once(seed):
    """Whatever it is shuffled with, the second round has each row of the table once."""
    planned = second_round("abc", seed)
    assert (planned.number, planned.seed) == (2, seed)
    assert sorted(planned.order) == list(range(1, 16))
    assert sorted((each.row for each in planned.exchanges), key=lambda row: row.number) == channel_table()


@settings(deadline=None)
@given(SEEDS)
def test_each_speaks_right_after_each(seed):
    """In the second round each member speaks right after each other one, and after themselves."""
    senders = [each.row.sender for each in second_round("abc", seed).exchanges]
    assert set(pairwise(senders)) == set(product(MEMBERS, repeat=2))


@settings(deadline=None)
@given(SEEDS)
def test_six_repeats(seed):
    """Six texts of the second round are said twice, none three times, and all others are their rows' own."""
    planned = second_round("abc", seed)
    assert planned.repeats == len(repeats(planned)) == REPEATS == 6
    said_again = {id(again) for _, again in repeats(planned)}
    own = [each for each in planned.exchanges if id(each) not in said_again]
    assert [each.text for each in own] == [each.row.message("abc") for each in own]


@settings(deadline=None)
@given(SEEDS)
def test_no_repeat_of_a_recipients_own(seed):
    """A repeat is never what one of those who are to hear it has said last: one library drops that by design."""
    said = second_round("abc", seed).exchanges
    last: dict[str, str] = {}
    for each in said:
        repeated = each.text != each.row.message("abc")
        assert not (repeated and each.text in {last.get(member) for member in each.row.recipients})
        last[each.row.sender] = each.text


def test_repeats_to_the_same_and_to_others():
    """Over many rounds a third of the repeats at least goes to people who heard the text, and a third to others."""
    to_the_same = [
        not set(first.row.recipients).isdisjoint(again.row.recipients)
        for seed in range(100)
        for first, again in repeats(second_round("abc", seed))
    ]
    assert len(to_the_same) == 600
    assert 200 < sum(to_the_same) < 400


@settings(deadline=None)
@given(SEEDS)
def test_the_same_seed(seed):
    """A seed always brings the same round, so that one that went wrong can be made again."""
    assert second_round("abc", seed) == second_round("abc", seed)


def test_seeds_differ():
    """Different seeds bring different orders."""
    assert len({tuple(second_round("abc", seed).order) for seed in range(50)}) == 50


@pytest.mark.parametrize("seed", [0, 7, 4711])
def test_the_token(seed):
    """The token stands in each text, and changes nothing else of the round."""
    one, other = (second_round(token, seed) for token in ("abc", "xyz"))
    assert [each.text.replace("(abc)", "(xyz)") for each in one.exchanges] == [each.text for each in other.exchanges]
    assert all("(abc)" in each.text for each in one.exchanges)


@pytest.mark.parametrize("number", [2, 3])
def test_few_rows_that_everybody_hears(number):
    """In a chat of few exchanges one text is said twice, also where each member speaks once and all hear it."""
    people = ("ann", "bob", "eve")[:number]
    rows = tuple(ChannelRow(place, "lobby", name, "all", people) for place, name in enumerate(people, 1))
    for seed in range(20):
        assert second_round("abc", seed, Script(people, rows, echoes=True)).repeats == 1


def test_nothing_to_repeat():
    """Where all that was said has been repeated already nothing can be."""
    row = channel_table()[0]
    said = [Planned(row, "one")]
    assert rounds._repeat(row, said, {"one"}, True, None) is None
