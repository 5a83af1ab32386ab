"""Environments for Python 2.7 and 3.3 to 3.5: what is fetched for them, and that they do without a network."""

from __future__ import annotations

import re

import pytest
from shared import ROOT

from harness.environments import interpreters, legacy


@pytest.mark.parametrize("version", legacy.VERSIONS)
def test_locks(version):
    """Each lock has exact versions only; the common one, the packages that make an environment work."""
    texts = [path.read_text() for path in legacy.LOCKS.glob(f"py{version.replace('.', '')}*.txt")]
    lines = [line for text in texts for line in text.splitlines() if line and not line.startswith("#")]
    assert lines
    assert not [line for line in lines if not re.fullmatch(r"[A-Za-z0-9_.-]+==[\w.]+", line)]
    assert {"pip", "setuptools", "wheel", "coverage"} <= {line.split("==")[0] for line in legacy._locked(version)}
    library = legacy._locked(version, ["django-websocket-redis"])
    assert {"pip", "redis", "six", "gevent", "greenlet"} <= {line.split("==")[0] for line in library}


def test_locked_coverage_is_the_one_of_the_matrix():
    """tox.ini and the locks name the same coverage for each of these Pythons."""
    matrix = (ROOT / "tox.ini").read_text(encoding="utf-8")
    for version in legacy.VERSIONS:
        factor = f"py{version.replace('.', '')}"
        pinned = re.search(rf"^    (?:\w+,)*{factor}(?:,\w+)*: (coverage==\S+)$", matrix, re.MULTILINE)
        assert pinned is not None
        assert pinned[1] in legacy._locked(version)


@pytest.mark.parametrize(
    ("name", "requirement", "present"),
    [
        ("zope.interface-5.4.0-cp27-cp27mu-manylinux1_x86_64.whl", "zope.interface==5.4.0", True),
        ("zope_interface-5.4.0-py2-none-any.whl", "zope.interface==5.4.0", True),
        ("django-websocket-redis-0.6.0.tar.gz", "django-websocket-redis==0.6.0", True),
        ("Twisted-19.2.1.tar.bz2", "Twisted==19.2.1", True),
        ("Django-1.8.19-py2.py3-none-any.whl", "Django==1.8.1", False),
        ("six-1.17.0-py2.py3-none-any.whl", "sixer==1.17.0", False),
    ],
)
def test_present(tmp_path, name, requirement, present):
    """A file in the wheelhouse is recognised by name and exact version, however it is spelled."""
    (tmp_path / name).touch()
    assert legacy._present(tmp_path, requirement) is present


def test_missing_interpreter_is_named(tmp_path):
    """An interpreter that cannot be started is a clear error."""
    with pytest.raises(legacy.LegacyError, match="could not be started"):
        legacy.install(tmp_path / "python", ["six==1.17.0"])


@pytest.mark.parametrize("version", legacy.VERSIONS)
def test_facts(version):
    """The ABI of an interpreter is asked of itself (PEP 513 for the width of its characters)."""
    found = interpreters.find(version)
    if found is None:
        pytest.skip(f"no Python {version}")
    assert re.fullmatch(r"cp(27mu?|3[345]m)", legacy._facts(found.path)[1])
