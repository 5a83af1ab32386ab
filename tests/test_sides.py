"""The two sides: neither imports the other, and the cells' side is valid on every Python of the matrix."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest
from shared import ROOT

from harness.environments import interpreters, legacy

SERVED = ["DjangoTestWebsockets", "chatserver", "myapp"]
VERSIONS = ["2.7", *(f"3.{minor}" for minor in range(3, 16))]
FILES = [ROOT / "manage.py", *(path for name in SERVED for path in sorted((ROOT / name).rglob("*.py")))]


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
        assert not imports(path) & {*SERVED, "django"}, path.name


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
    for version in VERSIONS:
        found = interpreters.find(version)
        if found is not None:
            assert found.version.startswith(f"{version}.")


def test_broken_shim(tmp_path, monkeypatch):
    """A shim that exits with an error is no interpreter."""
    shim = tmp_path / "python3.14"
    shim.write_text("#!/bin/sh\necho 'pyenv: python3.14: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    interpreters.find.cache_clear()
    try:
        assert interpreters.find("3.14") is None or interpreters.find("3.14").path != shim
    finally:
        interpreters.find.cache_clear()


def test_python_of_a_name():
    """The Python of an environment is read from its name."""
    assert interpreters.python_of("py310-django42") == "3.10"
    assert interpreters.python_of("py27-django18-socketio") == "2.7"
    assert interpreters.python_of("report") is None
