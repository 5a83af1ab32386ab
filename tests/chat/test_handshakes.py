"""A handshake that a busy server gives up is tried once more; one that is refused is not."""

from __future__ import annotations

import pytest

from harness.clients.connection import Endpoint, HandshakeRefused
from harness.errors import CellFailure
from harness.verdict import Reason

LINE = Endpoint("John", "user")


class Dropping:
    """Drops handshakes: the text of each, after so many seconds; then lets everybody in."""

    def __init__(self, board, clock, *drops):
        self.clock, self.left = clock, list(drops)
        board.refuses = self

    def __call__(self, endpoint, path, member, origin):
        if endpoint != LINE or not self.left:
            return ""
        seconds, text = self.left.pop(0)
        self.clock.now += seconds
        return text


@pytest.mark.parametrize("met", ["ConnectionResetError: gone", "status 403", "status 403: Access denied"])
def test_a_handshake_that_is_given_up(board, clock, met):
    """A handshake that is dropped or rejected after seconds is tried once more, and that it was is noted."""
    Dropping(board, clock, (5.2, met))
    chat = board.talk()
    assert chat.repeated == [f"the handshake of John's user connection was tried again: after 5 s it met {met}"]
    assert len(chat.endpoints) == 9


def test_any_handshake(board, clock):
    """So is one that comes later: a stranger whom a busy server gives up has not been refused."""
    chat = board.talk()
    Dropping(board, clock, (5.2, "status 403"))
    chat.open(LINE, chat.path_for("user"), "John")
    assert len(chat.repeated) == 1
    Dropping(board, clock, (0.2, "status 403"))
    with pytest.raises(HandshakeRefused, match="status 403"):
        chat.open(LINE, chat.path_for("user"), "John")


@pytest.mark.parametrize(
    "drops",
    [
        [(0.1, "ConnectionResetError: gone")],
        [(0.1, "status 403")],
        [(5.2, "status 503")],
        [(5.2, "ConnectionResetError: gone"), (5.2, "ConnectionResetError: gone")],
        [(5.2, "status 403"), (5.2, "status 403")],
    ],
)
def test_a_handshake_that_is_dropped(board, clock, drops):
    """One that is dropped at once, is answered with a refusal, or is dropped again has failed."""
    Dropping(board, clock, *drops)
    with pytest.raises(CellFailure, match=r"^the handshake of John's user connection failed: ") as raised:
        board.talk()
    assert raised.value.reason is Reason.HANDSHAKE_REFUSED
