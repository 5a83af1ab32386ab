"""Reading requirements as installers are asked for them."""

from __future__ import annotations

import re

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

#: An exact version on a line of its own.
_PIN = re.compile(r"^\s*([\w.-]+)==([^\s;#]+)", re.MULTILINE)


def pins_in(text: str) -> dict[str, str]:
    """Return what the lines of *text* pin as ``name==version``: normalised names → versions."""
    return {str(canonicalize_name(name)): version for name, version in _PIN.findall(text)}


def project_of(requirement: str) -> str:
    """Return the normalised name of the project that *requirement* asks for; empty for a path, which names none.

    Source: https://packaging.python.org/en/latest/specifications/name-normalization/.
    """
    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:
        return ""
