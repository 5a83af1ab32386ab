"""What every test can ask for."""

from __future__ import annotations

import os
import uuid

import psutil
import pytest


@pytest.fixture
def no_survivors(monkeypatch):
    """Fail a test that leaves a process behind: all that it starts inherits its mark."""
    mark = uuid.uuid4().hex
    monkeypatch.setenv("STARTED_BY_TEST", mark)
    yield
    left = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get("STARTED_BY_TEST") == mark:
                left.append(process.cmdline())
        except (psutil.Error, OSError):
            continue
    assert not left, f"left behind: {left}"
