"""Reading requirements as installers are asked for them."""

from __future__ import annotations

import re
from functools import cache

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

#: An exact version on a line of its own.
_PIN = re.compile(r"^\s*([\w.-]+)(?:\[[^\]]*\])?==([^\s;#]+)", re.MULTILINE)


def pins_in(text: str) -> dict[str, str]:
    """Return what the lines of *text* pin as ``name==version``: normalised names → versions."""
    return {str(canonicalize_name(name)): version for name, version in _PIN.findall(text)}


def is_direct(requirement: str) -> bool:
    """Tell whether *requirement* names a place where it is to be had, and not what an index has of it."""
    try:
        return Requirement(requirement).url is not None
    except InvalidRequirement:
        return True  # a path alone


def project_of(requirement: str) -> str:
    """Return the normalised name of the project that *requirement* asks for; empty for a path, which names none.

    Source: https://packaging.python.org/en/latest/specifications/name-normalization/.
    """
    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:
        return ""


@cache
def takes(requires: str, python: str) -> bool:
    """Tell whether ``Requires-Python`` of *requires* lets in a *python* such as ``3.13``, in any of its patch releases.

    ``<3.9.5`` is no word against 3.9, and ``>=3.7.3`` none against 3.7; what nobody can read lets everything in.
    """
    try:
        allowed = SpecifierSet(requires)
    except InvalidSpecifier:
        return True
    return any(allowed.contains(f"{python}.{patch}") for patch in range(100))
