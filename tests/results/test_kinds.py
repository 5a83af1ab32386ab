"""Kinds of answers: every question of a deep set is of one, and the prose of libraries knows them by name."""

from __future__ import annotations

import re
import tomllib

import pytest

from harness import ROOT
from harness.results.deep import TITLES
from harness.results.kinds import KINDS, kind_of


def test_every_set_has_a_last_resort():
    """Whatever a set asks is of a kind; sets have nothing else in common."""
    for name in TITLES:
        assert kind_of(name, "something that nobody has asked yet") is not None, name
    assert kind_of("payloads", "something else") is None


@pytest.mark.parametrize(
    ("name", "question", "kind"),
    [
        ("sessions", "After a logout in another tab: can the open connection send?", "ended-sessions"),
        ("sessions", "A handshake of a foreign Origin, with a member's cookie", "foreign-origin"),
        ("amounts", "300 messages by one handler: the others (sync consumer, Redis layer)", "bursts"),
        ("faults", "The broker is frozen for 10 s: messages lost silently", "lost-in-faults"),
        ("endings", "A handler raises: the other members", "raised"),
    ],
)
def test_kinds(name, question, kind):
    """A question is of the first kind that has it."""
    assert kind_of(name, question).name == kind


def test_names():
    """No two kinds have one name, and each has a set."""
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert {kind.set for kind in KINDS} == set(TITLES)


@pytest.mark.parametrize("path", sorted((ROOT / "harness/libraries/prose").glob("*.toml")), ids=lambda path: path.stem)
def test_known_issues(path):
    """Issues that a prose knows are of kinds that there are, and named by their repository and number."""
    known = tomllib.loads(path.read_text("utf-8")).get("known", {})
    assert set(known) <= {kind.name for kind in KINDS}
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+#\d+", issue) for issue in known.values())
