"""What tox put into a cell's environment: noted before anybody adds to it, and gone with it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from harness.cell import distributions
from harness.system.files import write_atomically

#: Its name in the environment.
_FILE = ".harness-base.json"


def note(prefix: Path, found: dict[str, str] | None = None) -> dict[str, str]:
    """Note what is in the environment *prefix*, unless that is noted already, and return what is noted.

    Args:
        prefix: the folder of the environment.
        found: the names of the distributions there and their versions; None looks for them.
    """
    noted = read(prefix)
    if noted is None:
        noted = of(prefix) if found is None else found
        write_atomically(prefix / _FILE, msgspec.json.encode(noted))
    return noted


def of(prefix: Path) -> dict[str, str]:
    """Return what is noted of the environment *prefix*, or else what is in it now; nothing where there is none."""
    noted = read(prefix)
    return distributions.versions(prefix.glob("lib/python*/site-packages")) if noted is None else noted


def read(prefix: Path) -> dict[str, str] | None:
    """Return what is noted of the environment *prefix*; None where nothing is that can be read."""
    try:
        return msgspec.json.decode((prefix / _FILE).read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError):
        return None
