"""The package that brings others along is found by who asks for whom."""

from __future__ import annotations

import pytest

from harness.causes.company import bringer

GOOD = {"library": "1.0", "other": "1.0", "same": "1.0"}
BAD = {"library": "2.0", "other": "2.0", "same": "1.0", "seed": "1.0", "stem": "1.0"}


@pytest.mark.parametrize(
    ("asked_by", "found"),
    [
        ({"seed": ["library"]}, "library"),
        ({"seed": ["stem"], "stem": ["library"]}, "library"),
        ({"seed": ["stem", "same"], "stem": ["seed", "library"]}, "library"),
        ({"seed": ["library", "other"]}, ""),
        ({"seed": ["same"]}, ""),
        ({"seed": ["-r requirements.in"]}, ""),
        ({}, ""),
    ],
    ids=[
        "it asks",
        "what is new asks",
        "who has not changed",
        "two ask",
        "nobody changed",
        "asked for itself",
        "unknown",
    ],
)
def test_bringer(asked_by, found):
    """It is whose release has changed, by way of what is new; two that bring the same are no answer."""
    assert bringer({"seed"}, asked_by, GOOD, BAD) == found
