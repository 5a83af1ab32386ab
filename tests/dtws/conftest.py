"""What the tests of ``dtws`` have in common."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def own_environments(monkeypatch):
    """Forget after each test in which folder a command of ``dtws`` has found its environments."""
    monkeypatch.setenv("HARNESS_ENVIRONMENTS", ".dtws")
