"""The plan of a step on a server that somebody else has started."""

from __future__ import annotations

import pytest
from crowds import serving

from harness.errors import CellFailure, UsageError
from harness.load.locust.remote_plan import plan_for
from harness.system.ports import free_port

CELL = "py311-django22"
pytestmark = [pytest.mark.cell, pytest.mark.usefixtures("no_survivors")]


def plan_of(way):
    with serving(way) as port:
        return port, plan_for(f"http://127.0.0.1:{port}", CELL, [], 60, 5, 30.0)


def test_members_and_strangers():
    """The members come with the cookies of a login, and nobody known beside them where the chat has no objection."""
    port, plan = plan_of("well")
    assert [(each.name, "sessionid=session" in each.cookie) for each in plan.visitors] == [
        ("admin", True),
        ("John", True),
        ("Mary", True),
        ("", False),
    ]
    assert plan.publisher.name == "John"
    assert plan.url.startswith(f"ws://127.0.0.1:{port}/ws/chat?")
    assert (plan.origin, plan.sockets, plan.messages) == (f"http://127.0.0.1:{port}", 60, 5)


@pytest.mark.parametrize("way", ["refuses everybody", "sends rubbish", "closes the first"])
def test_strangers_who_are_not_let_in(way):
    """Whoever is turned away, told something or sent away again is no visitor."""
    _, plan = plan_of(way)
    assert [each.name for each in plan.visitors] == ["admin", "John", "Mary"]


@pytest.mark.parametrize("address", ["", "127.0.0.1:8000", "ws://127.0.0.1:8000"])
def test_no_address(address):
    """An address that no browser could open is refused."""
    with pytest.raises(UsageError, match="is no address of a server"):
        plan_for(address, CELL, [], 60, 5, 30.0)


def test_nobody_answers():
    """Without a server nobody can log in."""
    with pytest.raises(CellFailure, match="brought no answer"):
        plan_for(f"http://127.0.0.1:{free_port()}", CELL, [], 60, 5, 30.0)
