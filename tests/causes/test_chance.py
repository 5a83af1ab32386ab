"""How often a race has to be won until that is no luck."""

from __future__ import annotations

import random

import pytest

from harness.causes.chance import enough


@pytest.mark.parametrize(
    ("lost", "asked", "times"), [(3, 3, 3), (2, 3, 5), (1, 3, 13), (1, 4, 16), (2, 12, 21), (1, 12, 44)]
)
def test_enough(lost, asked, times):
    """The rarer a race is lost, and the less often it was asked, the more often it has to be won."""
    assert enough(lost, asked) == times


def test_an_innocent_one():
    """Of races that nobody is guilty of, whatever their rate, at most one in twenty is won often enough by luck."""
    chance = random.Random(1)
    lucky = begun = 0
    while begun < 4000:
        rate = chance.random()
        lost = sum(chance.random() < rate for _ in range(3))
        if lost:
            begun += 1
            lucky += all(chance.random() >= rate for _ in range(enough(lost, 3)))
    assert lucky / begun < 0.05
