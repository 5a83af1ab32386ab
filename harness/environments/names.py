"""Reading requirements as installers are asked for them."""

from __future__ import annotations

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name


def project_of(requirement: str) -> str:
    """Return the normalised name of the project that *requirement* asks for; empty for a path, which names none.

    Source: https://packaging.python.org/en/latest/specifications/name-normalization/.
    """
    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:
        return ""
