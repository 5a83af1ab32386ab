"""A broker is watched: that it was away, frozen or restarted for a while is known afterwards."""

from __future__ import annotations

import os

import pytest

from harness.errors import HarnessError
from harness.system import vigil
from harness.system.broker import OwnBroker
from harness.system.vigil import Vigil
from harness.system.waiting import wait_until


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setattr(vigil, "_EACH", 0.01)
    monkeypatch.setattr(vigil, "_SILENCE", 0.5)
    with OwnBroker(dict(os.environ), tmp_path) as made:
        made.start()
        yield made


def test_nothing_happens(own):
    """A broker that answers all the time is no fault of anybody."""
    with Vigil(own.url) as watching:
        assert wait_until(lambda: watching._name, 5.0)
    watching.check()


def wrong(watching: Vigil) -> str:
    assert wait_until(lambda: watching.wrong, 10.0)
    with pytest.raises(HarnessError) as raised:
        watching.check()
    assert raised.value.hint == "run the cell again"
    return str(raised.value)


@pytest.mark.parametrize(("goes", "comes"), [("freeze", "thaw"), ("kill", "start")])
def test_away(own, goes, comes):
    """One that was frozen or killed has been away, also once it goes on, or there is another."""
    with Vigil(own.url) as watching:
        assert wait_until(lambda: watching._name, 5.0)
        getattr(own, goes)()
        assert wait_until(lambda: watching.wrong, 10.0)
        getattr(own, comes)()
        assert wrong(watching) == "the broker was away for a while during the run"


def test_another_one(own):
    """One that answers under another name is another one, however quickly it came."""
    with Vigil(own.url) as watching:
        assert wait_until(lambda: watching._name, 5.0)
        watching._name = "somebody else"
        assert wrong(watching) == "the broker was restarted during the run"


def test_a_slow_answer(own, monkeypatch):
    """One that takes too long for an answer has not been there for that time."""
    monkeypatch.setattr(vigil, "_SILENCE", -1.0)
    watching = Vigil.__new__(Vigil)
    watching._client, watching._name, watching.wrong = own.start().client, "", ""
    watching._ask()
    assert watching.wrong == "the broker took 0 s for an answer during the run"
