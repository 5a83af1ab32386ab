"""The distributions of an environment are those that importlib finds, of whatever kind they are."""

from __future__ import annotations

import importlib.metadata
import sysconfig
from pathlib import Path

from harness.cell import distributions

HERE = [Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")][:1]


def test_a_real_environment():
    """Names, versions and what brought a module are what importlib says of the environment of these tests."""
    found = list(importlib.metadata.distributions(path=[str(folder) for folder in HERE]))
    assert distributions.versions(HERE) == {each.metadata["Name"]: each.version for each in found}
    tops = {each.metadata["Name"]: {file.parts[0].partition(".")[0] for file in each.files or ()} for each in found}
    modules = {"pytest", "_pytest", "docutils", "yaml", "no_such_module"}
    assert distributions.bringing(HERE, modules) == sorted(name for name in tops if tops[name] & modules)


def test_old_kinds(tmp_path):
    """Those of old setuptools are found as well: a folder with its own list of files, and a file by itself."""
    old = tmp_path / "old-1.0.egg-info"
    old.mkdir()
    (old / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: old\nVersion: 1.0\n\nName: of nothing\n")
    (old / "SOURCES.txt").write_text("setup.py\nancient/__init__.py\n")
    (tmp_path / "ancient").mkdir()
    (tmp_path / "ancient" / "__init__.py").touch()
    (tmp_path / "single-2.0.egg-info").write_text("Metadata-Version: 1.0\nName: single\nVersion: 2.0\n")
    assert distributions.versions([tmp_path]) == {"old": "1.0", "single": "2.0"}
    assert distributions.bringing([tmp_path], {"ancient"}) == ["old"]


def test_what_has_no_name(tmp_path):
    """What an interrupted installation left, without metadata, is none."""
    (tmp_path / "half-1.0.dist-info").mkdir()
    assert distributions.versions([tmp_path]) == {}


def test_nothing_imported(tmp_path):
    """Where nothing is known to be imported, nothing has brought it."""
    info = tmp_path / "thing-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: thing\nVersion: 1.0\n")
    (info / "RECORD").write_text('thing/__init__.py,,\n"thing/a, b.txt",,\n')
    assert distributions.bringing([tmp_path], set()) == []
    assert distributions.bringing([tmp_path], {"thing"}) == ["thing"]
