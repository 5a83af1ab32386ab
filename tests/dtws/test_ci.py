"""``dtws ci``: the workflow of a project."""

from __future__ import annotations

from importlib import metadata

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from harness.dtws.ci import _source, ci
from harness.errors import UsageError
from harness.matrix import releases


def made(folder, monkeypatch, *options: str) -> dict:
    """Return the workflow that is written."""
    monkeypatch.chdir(folder)
    source = () if "--from" in options else ("--from", "dtws[run]")
    ran = CliRunner().invoke(ci, ["github", *source, *options], standalone_mode=False)
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


class Installed:
    """A distribution that was installed from somewhere."""

    def __init__(self, origin: str | None) -> None:
        self._origin = origin

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return self._origin


@pytest.mark.parametrize(
    ("origin", "source"),
    [
        (None, "dtws[run]"),
        (
            '{"url": "https://example.com/x.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}',
            "dtws[run] @ git+https://example.com/x.git@abc",
        ),
    ],
)
def test_where_it_is_from(monkeypatch, origin, source):
    """A runner installs what is installed here, where it can be had from there as well."""
    monkeypatch.setattr(metadata, "distribution", lambda name: Installed(origin))
    assert _source() == source


def test_from_a_folder(monkeypatch):
    """What lies on this machine alone is nothing for a runner, and it is said what to give."""
    monkeypatch.setattr(metadata, "distribution", lambda name: Installed('{"url": "file:///x", "dir_info": {}}'))
    with pytest.raises(UsageError, match="which no runner has"):
        _source()


def test_a_pair_that_is_not_supported(tmp_path, monkeypatch):
    """A Python that a Django does not support makes no job, and where none is left nothing is written."""
    workflow = made(tmp_path, monkeypatch, "--python", "3.9,3.13", "--django", "5.2")
    assert workflow["jobs"]["chat"]["strategy"]["matrix"]["include"] == [{"python": "3.13", "django": "5.2"}]
    with pytest.raises(UsageError, match="no job would be left"):
        made(tmp_path, monkeypatch, "--force", "--python", "3.9", "--django", "6.0")
