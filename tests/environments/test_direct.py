"""Requirements of what is not released: by a path, a version or an address, and where each comes from."""

from __future__ import annotations

import hashlib
import subprocess

import pytest
from wheels import wheel

from harness.environments import direct
from harness.errors import UsageError

GIT = ["git", "-c", "user.name=Mary", "-c", "user.email=mary@example.org"]


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "a folder"
    made.mkdir()
    (made / "pyproject.toml").write_text('[project]\nname = "Tiny.Thing"\n')
    return made


def test_a_folder(folder):
    """A folder is what its metadata calls it, with the extras that are asked for; no path is told."""
    found = direct.read(f"{folder}[extra]")
    assert str(found.requirement) == f"Tiny.Thing[extra] @ {folder.as_uri()}"
    assert (found.project, found.shown, found.moving) == ("tiny-thing", "a folder[extra]", True)
    assert found.origin == "a folder without a commit"


def test_a_folder_of_setup_cfg(folder):
    """An older project names itself in setup.cfg."""
    (folder / "pyproject.toml").write_text("[build-system]\nrequires = []\n")
    (folder / "setup.cfg").write_text("[metadata]\nname = tiny\n")
    assert direct.read(str(folder)).project == "tiny"
    (folder / "pyproject.toml").unlink()
    assert direct.read(str(folder)).project == "tiny"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('from setuptools import setup\nraise SystemExit\nsetup(name="channels_redis", version=v)\n', "channels-redis"),
        ("import setuptools as s\ns.setup(name='one')\n", "one"),
        ("setup(name=NAME)\n", ""),
        ("this is no Python\n", ""),
    ],
)
def test_a_folder_of_setup_py(folder, text, name):
    """The name in a setup.py is found where it stands as it is, and nothing of the file is run."""
    (folder / "pyproject.toml").unlink()
    (folder / "setup.py").write_text(text)
    if name:
        assert direct.read(str(folder)).project == name
    else:
        with pytest.raises(UsageError, match="names a project"):
            direct.read(str(folder))


def test_a_folder_that_does_not_say(folder):
    """A folder that does not name its project is refused, with what to type."""
    (folder / "pyproject.toml").write_text("[project\n")
    with pytest.raises(UsageError, match="names a project") as refused:
        direct.read(str(folder))
    assert f"NAME @ {folder.as_uri()}" in refused.value.hint


def test_a_commit(folder):
    """Of a repository the commit is told, and whether it has been changed since."""
    subprocess.run([*GIT, "init", "-q", str(folder)], check=True)
    subprocess.run([*GIT, "-C", str(folder), "add", "."], check=True)
    subprocess.run([*GIT, "-C", str(folder), "commit", "-q", "-m", "begin"], check=True)
    head = subprocess.run([*GIT, "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert direct.read(str(folder)).origin == f"commit {head.stdout[:12]}"
    (folder / "more.py").write_text("")
    assert direct.read(str(folder)).origin == f"commit {head.stdout[:12]}, changed since"


def test_a_file(tmp_path):
    """A wheel or an archive of sources is told by its name and its digest."""
    made = wheel(tmp_path, "tiny", "1.0rc1")
    found = direct.read(str(made))
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    assert (found.project, found.origin) == ("tiny", f"tiny-1.0rc1-py3-none-any.whl, sha256 {digest[:12]}…")
    sources = tmp_path / "tiny-1.0.tar.gz"
    sources.write_bytes(b"")
    assert str(direct.read(str(sources)).requirement) == f"tiny @ {sources.as_uri()}"


@pytest.mark.parametrize(
    ("text", "origin", "moving"),
    [
        ("tiny==1.0rc1", "the index", False),
        ("tiny[extra] @ git+https://example.org/tiny", "git+https://example.org/tiny", True),
    ],
)
def test_elsewhere(text, origin, moving):
    """A version comes from the index, and what has an address from there, where something else may be tomorrow."""
    found = direct.read(text)
    assert (found.shown, found.origin, found.moving, found.path) == (text, origin, moving, None)


def test_the_address_of_a_folder(folder):
    """A folder that is named by its address is that folder."""
    assert direct.read(f"tiny[extra] @ {folder.as_uri()}") == direct.read(f"{folder}[extra]")


def test_a_folder_that_is_named(folder):
    """A folder that does not say what it is called can be named, as it is told when it is not."""
    (folder / "pyproject.toml").unlink()
    assert direct.read(f"mine @ {folder.as_uri()}").project == "mine"
    with pytest.raises(UsageError, match="nowhere is not there"):
        direct.read(f"mine @ {folder.as_uri()}/nowhere")


def test_state(folder):
    """A folder is another one once a file of it has changed, but not for what is built, tried or hidden there."""
    before = direct.state(f"tiny @ {folder.as_uri()}")
    for name in ("build/x.py", "tiny.egg-info/PKG-INFO", ".git/x", "dtws/results/x.json", "venv/pyvenv.cfg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    assert direct.state(f"tiny @ {folder.as_uri()}") == before
    (folder / "tiny.py").write_text("x = 1\n")
    assert direct.state(f"tiny @ {folder.as_uri()}") != before
    assert direct.state("tiny==1.0") == direct.state("tiny==1.0")


@pytest.mark.parametrize("text", ["../nowhere", "git+https://example.org/tiny", "tiny==", "", "~nobody-here/tiny"])
def test_nothing_to_install(text):
    """What is neither there nor a requirement is refused."""
    with pytest.raises(UsageError, match="is nothing that can be installed"):
        direct.read(text)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("pyproject.toml", '[project]\nname = "my chat"\n', "nothing can be installed by: 'my chat'"),
        ("pyproject.toml", 'project = "tiny"\n', "names a project"),
        ("setup.py", 'from setuptools import setup\nsetup(name="my chat")\n', "nothing can be installed by: 'my chat'"),
    ],
)
def test_a_folder_with_an_odd_name(folder, file, text, said):
    """A folder whose project has a name that is none is refused in a sentence."""
    (folder / "pyproject.toml").unlink()
    (folder / file).write_text(text)
    with pytest.raises(UsageError, match=said):
        direct.read(str(folder))


def test_no_archive(tmp_path):
    """A file of another kind is refused."""
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(UsageError, match="neither a wheel nor an archive of sources"):
        direct.read(str(tmp_path / "notes.txt"))
