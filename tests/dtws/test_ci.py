"""``dtws ci``: the workflow of a project."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from harness.dtws.ci import ci
from harness.errors import UsageError
from harness.matrix import releases


def made(folder, monkeypatch, *options: str) -> dict:
    """Return the workflow that is written."""
    monkeypatch.chdir(folder)
    ran = CliRunner().invoke(ci, ["github", *options], standalone_mode=False)
    if ran.exception:
        raise ran.exception
    return YAML(typ="safe").load((folder / ".github/workflows/dtws.yml").read_text())


def test_what_is_asked_for(tmp_path, monkeypatch):
    """There is a job for each pair; it runs dtws, and keeps what came of it."""
    workflow = made(
        tmp_path, monkeypatch, "--python", "3.13,3.14", "--django", "5.2", "--from", "dtws[run] @ file:///x"
    )
    job = workflow["jobs"]["chat"]
    assert job["strategy"]["matrix"]["include"] == [
        {"python": "3.13", "django": "5.2"},
        {"python": "3.14", "django": "5.2"},
    ]
    commands = "\n".join(step.get("run", "") for step in job["steps"])
    assert "uv tool install --python 3.13 'dtws[run] @ file:///x'" in commands
    assert "dtws run . --python ${{ matrix.python }} --django ${{ matrix.django }}" in commands


def test_all_that_get_fixes(tmp_path, monkeypatch):
    """Unless that is said it is every Django that gets fixes today, on each Python that it supports."""
    pairs = made(tmp_path, monkeypatch)["jobs"]["chat"]["strategy"]["matrix"]["include"]
    assert pairs
    assert all(each["python"] in releases.pythons(each["django"]) for each in pairs)


def test_what_is_there_stays(tmp_path, monkeypatch):
    """A workflow is written over only where that is asked for; no version is no version."""
    made(tmp_path, monkeypatch)
    with pytest.raises(UsageError, match="is there already"):
        made(tmp_path, monkeypatch)
    with pytest.raises(UsageError, match="'three' is no version of Python"):
        made(tmp_path, monkeypatch, "--force", "--python", "three")
