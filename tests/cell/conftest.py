"""What the tests of a cell can ask for."""

from __future__ import annotations

import pytest
from startedservers import World


@pytest.fixture
def world(tmp_path, monkeypatch) -> World:
    return World(tmp_path, monkeypatch)
