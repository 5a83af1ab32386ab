"""The environment variables that a cell's programs begin with: what they need, and no secret."""

from __future__ import annotations

import os

import pytest

from harness import ROOT
from harness.cell.variables import environment
from harness.errors import UsageError
from harness.system import processes


@pytest.fixture
def host(monkeypatch):
    """A host with settings of its own."""
    for name in list(os.environ):
        monkeypatch.delenv(name)
    settings = {
        "PATH": "/bin",
        "HOME": "/home/mary",
        "LC_TIME": "de_DE.UTF-8",
        "LC_ALL": "de_DE.UTF-8",
        "STARTED_BY_TEST": "1",
        "MY_API_TOKEN": "secret",
        "PYTHONPATH": "/elsewhere",
        "DJANGO_SETTINGS_MODULE": "other.settings",
        "VIRTUAL_ENV": "/elsewhere",
        "TOX_ENV_NAME": "py311",
        "HARNESS_REPORTS": "/elsewhere",
        "CHAT_PREFIX": "other",
        "UV_INDEX_URL": "https://example.org/simple",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return settings


OURS = {"PYTHONUNBUFFERED", "PYTHONIOENCODING", "LC_ALL", "NO_COLOR", "PYTHONFAULTHANDLER", processes.OWNER}


def test_of_programs(host):
    """A cell's own programs know where to find things, and nothing else of the host."""
    env = environment()
    assert set(env) == {"PATH", "HOME", "LC_TIME", "STARTED_BY_TEST", *OURS}
    assert (env["PATH"], env["LC_ALL"], env["PYTHONUNBUFFERED"]) == ("/bin", "C.UTF-8", "1")


def test_of_an_installer(host):
    """An installer also knows the host's indexes and tokens, but nothing of another Python, Django or run."""
    env = environment(installer=True)
    env.pop("PYTEST_CURRENT_TEST", None)  # which pytest puts there meanwhile
    assert set(env) == {
        *("PATH", "HOME", "LC_TIME", "STARTED_BY_TEST", "MY_API_TOKEN", "UV_INDEX_URL", "COLUMNS"),
        *OURS,
    }
    assert (env["COLUMNS"], env["UV_INDEX_URL"]) == ("10000", "https://example.org/simple")


def test_whose_they_are(host):
    """Both carry the mark of this run and this checkout, by which a later run finds what is left."""
    assert environment()[processes.OWNER] == processes.owner_mark(ROOT) == environment(installer=True)[processes.OWNER]


def test_files_that_settings_name(host, tmp_path, monkeypatch):
    """Installers run elsewhere: what their settings name of this folder has its whole path, and is there."""
    (tmp_path / "limits.txt").touch()
    (tmp_path / "wheels").mkdir()
    (tmp_path / "copy").mkdir()
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "UV_CONSTRAINT": "limits.txt https://example.org/limits.txt",
        "UV_FIND_LINKS": "wheels,https://example.org/wheels",
        "UV_LINK_MODE": "copy",
    }.items():
        monkeypatch.setenv(name, value)
    found = environment(installer=True)
    assert found["UV_CONSTRAINT"] == f"{tmp_path / 'limits.txt'} https://example.org/limits.txt"
    assert found["UV_FIND_LINKS"] == f"{tmp_path / 'wheels'},https://example.org/wheels"
    assert found["UV_LINK_MODE"] == "copy"
    monkeypatch.setenv("UV_OVERRIDE", "nowhere.txt")
    with pytest.raises(UsageError, match=r"^UV_OVERRIDE names nowhere\.txt, which is not there$"):
        environment(installer=True)
