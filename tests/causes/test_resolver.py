"""What an installer would take on a day, from an index on loopback; what an index cannot say is told apart."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path

import pytest
from indexes import Index

from harness.causes import resolver as resolver_module
from harness.causes.resolver import Resolver
from harness.errors import HarnessError

JANUARY, MARCH = date(2026, 1, 31), date(2026, 3, 31)


@pytest.fixture
def index(tmp_path):
    made = Index(tmp_path / "files")
    made.release("library", "1.0", "2025-12-01", "helper")
    made.release("helper", "1.0", "2025-12-01")
    made.release("helper", "2.0", "2026-02-15")
    made.release("helper", "3.0", "2026-04-01", yanked=True)
    made.release("framework", "5.0", "2026-06-01")
    with made.running():
        yield made


@pytest.fixture
def resolver(index, tmp_path):
    def made(*held: str, url: str = "", wanted: str = "library") -> Resolver:
        env = {**os.environ, "UV_CACHE_DIR": str(tmp_path / "cache"), "UV_DEFAULT_INDEX": url or index.url}
        env |= {"UV_HTTP_RETRIES": "0"}
        return Resolver([wanted], list(held), Path(sys.executable), env)

    return made


def test_days(resolver):
    """Each day has what was uploaded by then, and is asked for once; what was withdrawn is not taken."""
    found = resolver()
    assert found.on(JANUARY) == {"library": "1.0", "helper": "1.0"}
    assert found.on(MARCH) == {"library": "1.0", "helper": "2.0"}
    assert found.on(None) == {"library": "1.0", "helper": "2.0"}
    assert found.on(JANUARY) == {"library": "1.0", "helper": "1.0"}
    assert found.asked == 3


def test_held(resolver):
    """What is held is there on every day, also before it was uploaded."""
    assert resolver("framework==5.0").on(JANUARY) == {"library": "1.0", "helper": "1.0", "framework": "5.0"}


def test_nothing_yet(resolver):
    """Before there was anything nothing can be installed, and that is no fault of anybody."""
    assert resolver().on(date(2020, 1, 1)) is None


def test_an_index_without_times(resolver, index):
    """An index that does not say when releases were uploaded has no past, and what to set is said."""
    index.times = False
    with pytest.raises(HarnessError, match="does not say when releases were uploaded") as told:
        resolver().on(JANUARY)
    assert "UV_DEFAULT_INDEX" in told.value.hint
    assert resolver().on(None) == {"library": "1.0", "helper": "2.0"}


def test_no_network(resolver):
    """An index that does not answer is no fault of the packages."""
    with pytest.raises(HarnessError, match="the package index is out of reach"):
        resolver(url="http://127.0.0.1:1/simple/").on(JANUARY)


def test_what_fits(resolver):
    """What is installed beside given versions is known, with who asks for what; what does not fit is nothing."""
    found = resolver("framework==5.0").fitting({"helper": "1.0", "stranger": "1.0"})
    assert found is not None
    versions, asked_by = found
    assert versions == {"library": "1.0", "helper": "1.0", "framework": "5.0"}
    assert asked_by["helper"] == ["library"]
    assert resolver().fitting({"helper": "9.0"}) is None


def test_two_at_once(resolver, monkeypatch):
    """What is asked for one cell is not what another search asks for at the same moment."""
    started = resolver_module.processes.run

    def beside(*arguments):
        monkeypatch.setattr(resolver_module.processes, "run", started)
        assert resolver(wanted="helper").on(JANUARY) == {"helper": "1.0"}
        return started(*arguments)

    monkeypatch.setattr(resolver_module.processes, "run", beside)
    assert resolver().on(JANUARY) == {"library": "1.0", "helper": "1.0"}
