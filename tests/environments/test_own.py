"""Environments of the harness's own: made once of the same, and anew of what may have changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from wheels import wheel

from harness.environments import own
from harness.errors import HarnessError, UsageError


@pytest.fixture
def env(tmp_path) -> dict[str, str]:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel(wheels, "tiny", "1.0")
    return {
        **os.environ,
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "UV_FIND_LINKS": str(wheels),
        "UV_NO_INDEX": "1",
    }


def has(python: Path, name: str) -> bool:
    return subprocess.run([python, "-c", f"import {name}"], capture_output=True, check=False).returncode == 0


def test_made_once(env, tmp_path):
    """An environment of the same requirements is found again; one of others, or one that is to be, is made anew."""
    base, folder = Path(sys.executable), tmp_path / "candidates" / "one"
    python = own.make(base, folder, ["tiny==1.0"], env)
    assert has(python, "tiny")
    (folder / "left").touch()
    assert own.make(base, folder, ["tiny==1.0"], env) == python
    assert (folder / "left").exists()
    own.make(base, folder, ["tiny==1.0"], env, anew=True)
    assert not (folder / "left").exists()
    (folder / "left").touch()
    own.make(base, folder, ["tiny>=1.0"], env)
    assert not (folder / "left").exists()


def test_interrupted(env, tmp_path):
    """One that was not finished is made anew."""
    base, folder = Path(sys.executable), tmp_path / "one"
    own.make(base, folder, ["tiny"], env)
    (folder / ".harness-made-of").unlink()
    (folder / "left").touch()
    own.make(base, folder, ["tiny"], env)
    assert not (folder / "left").exists()


def test_it_cannot_be_made(env, tmp_path):
    """Where a requirement is not to be found it says so, and nothing is left."""
    with pytest.raises(HarnessError, match=r"^no environment with tiny==2\.0 can be made: "):
        own.make(Path(sys.executable), tmp_path / "one", ["tiny==2.0"], env)
    assert not (tmp_path / "one").exists()


def test_a_release_that_there_is_not(env, tmp_path):
    """A release that no index has was asked for by mistake; that is no fault of the machine."""
    with pytest.raises(UsageError, match="there is no version of tiny==99"):
        own.make(Path(sys.executable), tmp_path / "one", ["tiny==99"], env)
