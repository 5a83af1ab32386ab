"""Connections that speak frame by frame: the addresses that they ask for."""

from __future__ import annotations

import pytest

from harness.chat.raw import with_query


@pytest.mark.parametrize(
    ("path", "query", "whole"),
    [
        ("/ws/members/", "trial=1", "/ws/members/?trial=1"),
        ("/ws/chat?subscribe-broadcast&echo", "trial=1", "/ws/chat?subscribe-broadcast&echo&trial=1"),
        ("/ws/members/", "", "/ws/members/"),
    ],
)
def test_a_query_more(path, query, whole):
    """What a path asks for already stays as it is."""
    assert with_query(path, query) == whole
