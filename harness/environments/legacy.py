"""Make and fill environments for Python 2.7 and 3.3 to 3.5.

Interpreters of that age are often built without a usable ``ssl`` and cannot download, current
virtualenvs cannot make an environment for them, and the virtualenvs that could no longer run on
a current host. So the host fetches everything into a wheelhouse, a virtualenv of the
interpreter's own time is run *by that interpreter*, and pip installs offline from the wheelhouse.

``toxfile.py`` imports this module before the harness's dependencies are known to be there: it
needs the standard library, filelock and packaging, on which tox itself depends.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from harness import PACKAGE, ROOT
from harness.environments.names import project_of

#: Python versions that need this module.
VERSIONS = ("2.7", "3.3", "3.4", "3.5")

#: Seconds that fetching, making an environment or installing may take.
FETCH_DEADLINE = 600
INSTALL_DEADLINE = 900

#: Exact versions: ``py27.txt`` for every environment of Python 2.7, ``py27-<name>.txt`` for a library or a server.
LOCKS = Path(__file__).resolve().parent / "locks"
LOCKS_SHOWN = str(LOCKS.relative_to(ROOT))
_SEED = ("pip", "setuptools", "wheel")
_FACTS = (
    "import json, sys; sys.stdout.write(json.dumps("
    "[sys.version_info[0], sys.version_info[1], sys.maxunicode > 0xffff, sys.prefix]))"
)


class LegacyError(Exception):
    """Fetching, making or filling a legacy environment failed; the message holds the output."""


def lock_files(version: str, more: Sequence[str] = ()) -> list[Path]:
    """Return the lists of exact versions for a Python such as ``2.7``: the common one, and those of *more*."""
    common = f"py{version.replace('.', '')}"
    paths = [LOCKS / f"{each}.txt" for each in (common, *(f"{common}-{name}" for name in more))]
    return [path for path in paths if path.exists()]


def locked(version: str, name: str) -> bool:
    """Tell whether *name* has a list of exact versions for *version*; without one nothing can be resolved."""
    return len(lock_files(version, [name])) > 1


def wheelhouse(version: str) -> Path:
    """Return the folder of the files fetched for *version*; ``HARNESS_WHEELHOUSE`` moves it."""
    root = os.environ.get("HARNESS_WHEELHOUSE") or ROOT / ".tox" / "wheelhouse"
    return Path(root) / f"py{version.replace('.', '')}"


def make_environment(interpreter: Path, virtualenv: str, env_dir: Path) -> None:
    """Make a virtual environment for *interpreter* at *env_dir*.

    *virtualenv* is an exact requirement whose release is a single script that carries its own
    pip, such as ``virtualenv==16.7.12``.

    Raises:
        LegacyError: virtualenv could not be fetched, or did not make a working environment.
    """
    version = _facts(interpreter)[0]
    fetch(interpreter, [virtualenv])
    name, pinned = virtualenv.split("==")
    wheel = next(wheelhouse(version).glob(f"{name}-{pinned}-*.whl"))
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(wheel).extractall(folder)
        # Told where the bundled wheels are; left to itself it would also look in the working directory.
        script, bundled = Path(folder, "virtualenv.py"), Path(folder, "virtualenv_support")
        command = [str(interpreter), str(script), "--no-download", "--extra-search-dir", str(bundled), str(env_dir)]
        _run(command, INSTALL_DEADLINE)
    python = env_dir / "bin" / "python"
    # Old virtualenvs can exit 0 and leave an environment without pip.
    _run([str(python), "-c", "import pip"], 60)
    seed = [line for line in _locked(version) if line.split("==")[0] in _SEED]
    install(python, seed)


def install(python: Path, requirements: list[str]) -> str:
    """Install *requirements* into the environment of *python*, offline; return pip's output.

    Raises:
        LegacyError: a file could not be fetched, or pip failed.
    """
    version, _ = _facts(python)
    fetch(python, requirements)
    return _run(install_command(python, version, requirements), INSTALL_DEADLINE, build_environment(version))


def install_command(python: Path, version: str, requirements: list[str], more: Sequence[str] = ()) -> list[str]:
    """Return the command that installs *requirements* from the wheelhouse and nowhere else."""
    options = ["--no-index", "--find-links", str(wheelhouse(version))]
    options += [option for path in lock_files(version, more) for option in ("--constraint", str(path))]
    return [str(python), "-m", "pip", "--disable-pip-version-check", "install", *options, *requirements]


def build_environment(version: str) -> dict[str, str]:
    """Return the environment variables for a build: what its ``setup.py`` asks pip for is in the wheelhouse, too."""
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheelhouse(version))}


def fetch(python: Path, requirements: list[str], more: Sequence[str] = ()) -> str:
    """Fetch *requirements* and all that the locks name, as far as they are missing.

    Returns:
        What pip printed.

    Raises:
        LegacyError: something is not in the wheelhouse and could not be downloaded.
    """
    version, abi = _facts(python)
    folder = wheelhouse(version)
    folder.mkdir(parents=True, exist_ok=True)
    output = []
    with FileLock(str(folder) + ".lock"):
        wanted = [
            line for line in dict.fromkeys([*_locked(version, more), *requirements]) if not _present(folder, line)
        ]
        wheels = wanted and _download(folder, wanted, [*_tags(version, abi), "--only-binary=:all:"])
        if wheels is not None:
            return wheels or ""
        for requirement in wanted:  # one by one: some have only a source archive
            out = _download(folder, [requirement], [*_tags(version, abi), "--only-binary=:all:"])
            if out is None:
                # In a process of its own, for this module has to do with the standard library.
                out = _run(
                    [sys.executable, "-m", f"{PACKAGE}.environments.archives", str(folder), requirement], FETCH_DEADLINE
                )
            output.append(out or "")
    return "".join(output)


def _download(folder: Path, requirements: list[str], options: list[str]) -> str | None:
    """Run ``pip download``; None when it failed and another way is left."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--no-deps"]
    try:
        return _run([*command, "-d", str(folder), *options, *requirements], FETCH_DEADLINE)
    except LegacyError:
        return None


def _present(folder: Path, requirement: str) -> bool:
    _, _, version = requirement.partition("==")
    stem = re.escape(project_of(requirement)).replace(r"\-", "[-_.]")
    pattern = re.compile(rf"{stem}-{re.escape(version)}(-|\.tar\.(gz|bz2)$|\.zip$)", re.IGNORECASE)
    return any(pattern.match(path.name) for path in folder.iterdir())


def _locked(version: str, more: Sequence[str] = ()) -> list[str]:
    lines = [line for path in lock_files(version, more) for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _tags(version: str, abi: str) -> list[str]:
    machine = platform.machine()
    platforms = [f"{name}_{machine}" for name in ("manylinux1", "manylinux2010", "manylinux2014")]
    options = ["--python-version", version.replace(".", ""), "--implementation", "cp"]
    options += [f"--abi={tag}" for tag in (abi, "none")]
    return options + [f"--platform={tag}" for tag in (*platforms, "any")]


def _facts(python: Path) -> tuple[str, str]:
    major, minor, wide, _ = json.loads(_run([str(python), "-c", _FACTS], 60))
    # PEP 513: before 3.3 the ABI depends on the width of a character.
    abi = f"cp{major}{minor}m" + ("u" if (major, minor) < (3, 3) and wide else "")
    return f"{major}.{minor}", abi


def _run(command: list[str], deadline: float, more: dict[str, str] | None = None) -> str:
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    env |= more or {}
    if command[0] == sys.executable:  # the harness's own modules, from wherever it is called
        env["PYTHONPATH"] = str(ROOT)
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=deadline, check=False, env=env
        )
    except subprocess.TimeoutExpired as error:
        raise LegacyError(f"{command[0]} did not finish within {deadline} s") from error
    except OSError as error:
        raise LegacyError(f"{command[0]} could not be started: {error}") from error
    output = done.stdout.decode("utf-8", "replace")
    if done.returncode:
        raise LegacyError(f"{' '.join(command[:4])} … exited with {done.returncode}:\n{output}")
    return output


def main() -> int:
    """Install packages into a legacy environment: what tox calls to fill one."""
    parser = argparse.ArgumentParser(prog="python -m harness.environments.legacy", description=main.__doc__)
    parser.add_argument("python", type=Path, help="the environment's interpreter")
    parser.add_argument("--packages", nargs="+", required=True, help="exact requirements")
    options = parser.parse_args()
    try:
        print(install(options.python, options.packages))
    except LegacyError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
