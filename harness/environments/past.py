"""The options by which an installer takes what there was on a day of the past.

Source: https://docs.astral.sh/uv/reference/settings/#exclude-newer.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

#: The option that names the day.
EXCLUDES = "--exclude-newer"


def options(day: date, held: Iterable[str]) -> list[str]:
    """Return the options for *day*; projects that are *held* are part of the question, and often newer than that."""
    exempt = [each for name in held for each in ("--exclude-newer-package", f"{name}={date.today()}")]
    return [EXCLUDES, str(day), *exempt]
