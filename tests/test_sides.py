"""The two sides: neither imports the other, and the cells' side is valid on every Python of the matrix."""

from __future__ import annotations

import ast
import json
import os
import subprocess
from pathlib import Path

import pytest
from shared import ROOT

from harness.environments import interpreters, legacy

SERVED = ["DjangoTestWebsockets", "chatserver", "myapp"]
VERSIONS = ["2.7", *(f"3.{minor}" for minor in range(3, 16))]
#: Settings that stand before those of somebody's project.
SETTINGS = ROOT / "harness" / "libraries" / "settings" / "dtws_settings.py"
#: It is imported by the tests of somebody's project, and not by the harness.
PLUGIN = ROOT / "harness" / "plugin"
FILES = [ROOT / "manage.py", SETTINGS, *(path for name in SERVED for path in sorted((ROOT / name).rglob("*.py")))]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def coroutines(path: Path) -> bool:
    return any(isinstance(node, ast.AsyncFunctionDef) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def test_neither_side_imports_the_other():
    """The measuring side and the measured one know nothing of each other."""
    for path in FILES:
        assert "harness" not in imports(path), path.name
    for path in (ROOT / "harness").rglob("*.py"):
        assert not imports(path) & {*SERVED, *([] if PLUGIN in path.parents else ["django"])}, path.name


@pytest.mark.parametrize("version", VERSIONS)
def test_cells_side_compiles(version):
    """Every Python of the matrix that is here accepts the code that runs in the cells."""
    found = interpreters.find(version)
    if found is None:
        pytest.skip(f"no Python {version}")
    # Only for libraries that need coroutines there is code with them, and only newer Pythons run it.
    old = version in legacy.VERSIONS
    files = [path for path in FILES if not (old and coroutines(path))]
    code = (
        "import io, sys\nfor name in sys.argv[1:]:\n    compile(io.open(name, encoding='utf-8').read(), name, 'exec')"
    )
    done = subprocess.run([found.path, "-c", code, *files], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_interpreters_are_what_they_say():
    """An interpreter that is found has the version that was asked for."""
    found = {version: here for version in VERSIONS if (here := interpreters.find(version)) is not None}
    assert found
    assert [here.version.rpartition(".")[0] for here in found.values()] == list(found)


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Return what makes programs called python3.14, in folders that are all that is searched."""
    places = [tmp_path / name for name in ("one", "two")]
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, places)))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    def make(*scripts: str) -> list[Path]:
        made = [place / "python3.14" for place in places]
        for path, script in zip(made, scripts, strict=False):
            path.parent.mkdir()
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
        return made

    interpreters.find.cache_clear()
    yield make
    interpreters.find.cache_clear()


BROKEN = "echo 'pyenv: python3.14: command not found' >&2\nexit 127"


@pytest.mark.parametrize("script", [BROKEN, "printf 3.13.9", "exit 0"], ids=["error", "another version", "nothing"])
def test_broken_shim(programs, script):
    """A shim that exits with an error, or says something else, is no interpreter; the next one is looked at."""
    _, whole = programs(script, "printf 3.14.9")
    assert interpreters.find("3.14") == interpreters.Interpreter(whole, "3.14.9")


def test_only_a_broken_shim(programs):
    """Where there is nothing but a broken shim there is no interpreter."""
    programs(BROKEN)
    assert interpreters.find("3.14") is None


def test_python_of_a_name():
    """The Python of an environment is read from its name."""
    assert interpreters.python_of("py310-django42") == "3.10"
    assert interpreters.python_of("py27-django18-socketio") == "2.7"
    assert interpreters.python_of("report") is None


def test_no_password_is_hashed_for_long():
    """Whoever logs in has a password of as many rounds as the settings ask for, and none is hashed with a million."""
    from DjangoTestWebsockets.hashers import DemoPasswordHasher

    kept = json.loads((ROOT / "chatserver" / "fixtures" / "data.json").read_text(encoding="utf-8"))
    passwords = [each["fields"]["password"] for each in kept if "password" in each["fields"]]
    rounds = {int(password.split("$")[1]) for password in passwords}
    assert (len(passwords), rounds) == (3, {DemoPasswordHasher.iterations})
