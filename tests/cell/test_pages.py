"""The pages of a cell: each is the members', and leads everybody else to the login."""

from __future__ import annotations

import pytest
from talkers import LOGIN, Switchboard, Visit, answer

from harness.cell import pages
from harness.errors import CellFailure
from harness.verdict import Reason

PATHS = ("/", "/chat/user/")


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


def check(board: Switchboard, john: Visit | None = None) -> list[str]:
    members = {"John": john or Visit(board, "John"), "Mary": Visit(board, "Mary")}
    return pages.check_pages(Visit(board), members, PATHS)


class Saying(Visit):
    """A member whose pages say something else."""

    def __init__(self, text: str) -> None:
        self.text = text

    def get(self, path: str):
        return answer(200, self.text)


def test_the_form():
    """A member logs in with the password of the fixture."""
    assert pages.LOGIN.path == LOGIN
    assert pages.LOGIN.fields("Mary") == {"username": "Mary", "password": "secret", "next": "/"}


def test_all_answer(board):
    """Pages that show themselves to the members and lead others to the login are told with their status."""
    john = Visit(board, "John")
    assert check(board, john) == ["/ 200", "/chat/user/ 200"]
    assert john.asked == ["GET /", "GET /chat/user/"]


@pytest.mark.parametrize("status", [200, 403, 500])
def test_a_page_for_everybody(board, status):
    """A page that answers somebody unknown with anything but the login is none."""
    board.statuses["/chat/user/"] = status
    with pytest.raises(CellFailure) as raised:
        check(board)
    assert (raised.value.reason, raised.value.text) == (
        Reason.PAGE_FAILED,
        f"/chat/user/ answers somebody unknown with status {status}, not the login",
    )


def test_a_page_that_leads_elsewhere(board):
    """To be led elsewhere is not to be led to the login."""

    class Led(Visit):
        def get(self, path):
            return answer(302, location="/elsewhere/")

    with pytest.raises(CellFailure, match=r"^/ answers somebody unknown with status 302, not the login$"):
        pages.check_pages(Led(board), {"John": Visit(board, "John")}, PATHS)


def test_a_page_that_is_not_there_for_the_member(board):
    """A page that does not answer the member fails with its status."""
    with pytest.raises(CellFailure, match=r"^/ answers John with status 302$"):
        check(board, Visit(board))


@pytest.mark.parametrize("text", ["Hello Mary", "Hello Johnny", ""])
def test_a_page_for_somebody_else(board, text):
    """A page that does not greet the member by the whole name is somebody else's."""
    with pytest.raises(CellFailure, match=r"^/ answers John with status 200$"):
        check(board, Saying(text))


def test_a_name_with_signs(board):
    """A name is looked for as it is, whatever signs it has."""
    with pytest.raises(CellFailure):
        pages.check_pages(Visit(board), {"Jo.n": Saying("Hello Joan")}, PATHS)
    assert pages.check_pages(Visit(board), {"Jo.n": Saying("Hello Jo.n")}, ["/"]) == ["/ 200"]


def test_a_member_who_is_taken_for_another(board):
    """A page that greets one member by another's name as well as by the own is not the own page."""
    with pytest.raises(CellFailure) as raised:
        check(board, Saying("Hello Mary; online: John, Mary"))
    assert (raised.value.reason, raised.value.text) == (Reason.PAGE_FAILED, "/ takes John for Mary")


def test_everybody_is_shown_the_same(board):
    """A page on which all names stand, and nobody's more often, is nobody's own."""
    members = {name: Saying("online: John, Mary") for name in ("John", "Mary")}
    with pytest.raises(CellFailure, match=r"^/ takes Mary for John$"):
        pages.check_pages(Visit(board), members, PATHS)


def test_a_page_that_lists_everybody(board):
    """A page may name all members, as long as each one's own stands there once more than on the others' pages."""
    members = {name: Saying(f"Hello {name}; online: John, Mary") for name in ("John", "Mary")}
    assert pages.check_pages(Visit(board), members, ["/"]) == ["/ 200"]
