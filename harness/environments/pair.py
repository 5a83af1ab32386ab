"""An environment of a Python and a Django, for a project that has no tox: made by uv, and found again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.environments import interpreters, own
from harness.errors import HarnessError

#: The oldest Python that uv makes an environment of.
OLDEST = (3, 6)


class NoInterpreter(HarnessError):
    """There is no such Python on this machine."""


def make(name: str, python: str, django: str, folder: Path, env: Mapping[str, str]) -> Path:
    """Return the interpreter of the environment *name* in *folder*, with *python* and *django* (``3.14``, ``6.0``).

    Raises:
        NoInterpreter: there is no such Python.
        HarnessError: it cannot be made.
    """
    if tuple(map(int, python.split("."))) < OLDEST:
        raise HarnessError(f"environments of Python {python} are not made", "choose 3.6 or newer")
    found = interpreters.find(python)
    if found is None:
        raise NoInterpreter(f"no Python {python} found", interpreters.how_to_get(python))
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", "ascii")
    return own.make(found.path, folder / name, [f"Django=={django}.*"], env)
