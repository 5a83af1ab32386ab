"""The pages of a cell: Django's login form, and the pages that every member must be able to read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from harness.clients.http import HttpSession
from harness.errors import CellFailure
from harness.libraries.base import LOGIN
from harness.verdict import Reason


def check_pages(anonymous: HttpSession, members: Mapping[str, HttpSession], paths: Iterable[str]) -> list[str]:
    """Ask for every page, as each of *members* (names → sessions) and without a login; return what each answered.

    Raises:
        CellFailure: a page does not answer a member by the own name, or shows itself to somebody unknown.
    """
    answers = []
    for path in paths:
        unknown = anonymous.get(path)
        if unknown.status_code != 302 or LOGIN.path not in unknown.headers.get("Location", ""):
            raise CellFailure(
                Reason.PAGE_FAILED, f"{path} answers somebody unknown with status {unknown.status_code}, not the login"
            )
        shown = {}
        for name, session in members.items():
            known = session.get(path)
            if known.status_code != 200 or not _named(name, known.text):
                raise CellFailure(Reason.PAGE_FAILED, f"{path} answers {name} with status {known.status_code}")
            shown[name] = known.text
        _check_own(path, shown)
        answers.append(f"{path} 200")
    return answers


def _named(name: str, text: str) -> int:
    """Return how often *text* has the whole *name*."""
    return len(re.findall(rf"\b{re.escape(name)}\b", text))


def _check_own(path: str, shown: Mapping[str, str]) -> None:
    """Make sure that each member was *shown* the own page of *path* and no other member's.

    A page may list everybody; the own name is on the own page once more than on another's.

    Raises:
        CellFailure: two members are shown the same name.
    """
    for name, own in shown.items():
        for other, page in shown.items():
            if other != name and _named(name, own) <= _named(name, page):
                raise CellFailure(Reason.PAGE_FAILED, f"{path} takes {other} for {name}")
