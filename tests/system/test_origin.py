"""What a measurement comes from: the machine, and the commit, with whether it was changed."""

from __future__ import annotations

import re
import subprocess

import pytest

from harness.system import origin


@pytest.fixture(autouse=True)
def anew():
    origin.commit.cache_clear()


def git(folder, *arguments: str) -> str:
    settings = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    done = subprocess.run(["git", "-C", str(folder), *settings, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_machine():
    """The machine is told by its system, its processors and its memory, and by no name of its own."""
    assert re.fullmatch(r"\w+ \w+, \d+ processors, \d+ GB", origin.machine())


def test_commit(tmp_path):
    """The commit is told; what is changed besides the reports makes it another one."""
    git(tmp_path, "init", "-q")
    (tmp_path / "reports").mkdir()
    for name in ("code", "reports/index"):
        (tmp_path / name).write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "First")
    head = git(tmp_path, "rev-parse", "--short=12", "HEAD")
    (tmp_path / "reports" / "index").write_text("2")
    assert origin.commit(tmp_path) == head
    origin.commit.cache_clear()
    (tmp_path / "code").write_text("2")
    assert origin.commit(tmp_path) == f"{head}, changed"


def test_no_checkout(tmp_path):
    """Of what is no checkout, and of one without a commit, nothing is told."""
    assert origin.commit(tmp_path) == ""
    origin.commit.cache_clear()
    git(tmp_path, "init", "-q")
    assert origin.commit(tmp_path) == ""


def test_without_git(tmp_path, monkeypatch):
    """Where there is no git nothing is told either."""
    git(tmp_path, "init", "-q")
    monkeypatch.setenv("PATH", "")
    assert origin.commit(tmp_path) == ""
