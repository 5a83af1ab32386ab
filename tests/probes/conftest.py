"""What the tests of probes share."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from ladders import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    """What a load run would start, on a server that starts nothing."""
    made = World(tmp_path, monkeypatch)
    made.server.broker = SimpleNamespace(version="Valkey 9.1.2")
    serving = type(made.server).serving

    @contextmanager
    def served(server, name, observed, settings=None, at=None):
        with serving(server, name, observed, settings, at) as chat:
            made.log = server.recorder.work / f"{name}.log"
            made.log.touch()
            server.process = SimpleNamespace(family=list)
            yield chat

    monkeypatch.setattr(type(made.server), "serving", served)
    return made
