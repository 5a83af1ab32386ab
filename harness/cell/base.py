"""What tox put into a cell's environment: noted before anybody adds to it, and gone with it."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from harness.cell import distributions
from harness.system.files import write_atomically

_T = TypeVar("_T")
#: Its name in the environment.
_FILE = ".harness-base.json"


def note(prefix: Path, there: dict[str, str]) -> None:
    """Note that the distributions that are *there*, names → versions, are the base of the environment *prefix*."""
    write_atomically(prefix / _FILE, msgspec.json.encode(there))


def renew(prefix: Path, before: dict[str, str]) -> None:
    """Note as well what tox has put into the environment *prefix* since there was what is in *before*.

    Where nothing is noted yet it is all that is there: no other has been at an environment that was just made.
    """
    noted, now = read(prefix), found(prefix)
    new = {name: version for name, version in now.items() if before.get(name) != version}
    if noted is None:
        note(prefix, now)
    elif new:
        note(prefix, {**noted, **new})


def of(prefix: Path) -> dict[str, str]:
    """Return what is noted of the environment *prefix*, or else what is in it now; nothing where there is none."""
    noted = read(prefix)
    return found(prefix) if noted is None else noted


def found(prefix: Path) -> dict[str, str]:
    """Return what is in the environment *prefix* now: names of distributions → versions."""
    return distributions.versions(prefix.glob("lib/python*/site-packages"))


def read(prefix: Path) -> dict[str, str] | None:
    """Return what is noted of the environment *prefix*; None where nothing is that can be read."""
    return read_note(prefix / _FILE, dict[str, str])


def read_note(path: Path, kind: type[_T]) -> _T | None:
    """Return the note of that *kind* in the file *path*; None where there is none that can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None
