"""The pages of a cell: Django's login form, and the pages that every member must be able to read."""

from __future__ import annotations

import re
from collections.abc import Iterable

from harness.clients.http import HttpSession, LoginForm
from harness.errors import CellFailure
from harness.verdict import Reason

#: Django's own login view and its protection of forms; the fixture's passwords are the members' names.
LOGIN = LoginForm(
    path="/accounts/login/",
    fields=lambda member: {"username": member, "password": member, "next": "/"},
    session_cookie="sessionid",
    csrf_cookie="csrftoken",
    csrf_field="csrfmiddlewaretoken",
)


def check_pages(anonymous: HttpSession, member: HttpSession, name: str, paths: Iterable[str]) -> list[str]:
    """Ask for every page, with and without a login; return what each answered.

    Raises:
        CellFailure: a page does not answer a member, or shows itself to somebody unknown.
    """
    answers = []
    for path in paths:
        unknown = anonymous.get(path)
        if unknown.status_code != 302 or LOGIN.path not in unknown.headers.get("Location", ""):
            raise CellFailure(
                Reason.PAGE_FAILED, f"{path} answers somebody unknown with status {unknown.status_code}, not the login"
            )
        known = member.get(path)
        if known.status_code != 200 or not re.search(rf"\b{re.escape(name)}\b", known.text):
            raise CellFailure(Reason.PAGE_FAILED, f"{path} answers {name} with status {known.status_code}")
        answers.append(f"{path} {known.status_code}")
    return answers
