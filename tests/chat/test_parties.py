"""With whom a conversation is held, and who listens to it."""

from __future__ import annotations

import pytest
from talkers import FORM

from harness.chat.parties import Eavesdropper, Listening, RunningServer
from harness.clients.connection import Endpoint


def test_a_running_server():
    """A server of which nothing else is known runs, and has no subscriptions."""
    server = RunningServer(port=8000, form=FORM)
    assert (server.base, server.prefix) == ("http://127.0.0.1:8000", "")
    assert server.exit_status() is None
    assert server.subscriptions(["a", "b"]) == {"a": 0, "b": 0}


def test_an_eavesdropper_of_whom_nothing_is_known():
    """Somebody who listens has nobody's cookies, and comes from a page of the server's own, unless it is said."""
    somebody = Eavesdropper("an unknown client", "/ws/user")
    assert (somebody.member, somebody.origin) == ("", "")


def test_listening_begins():
    """Those who listen have been refused nothing yet, and share that with nobody else who listens."""
    one, two = (Listening({Endpoint("eavesdropper", "1"): Eavesdropper("x", "/")}) for _ in range(2))
    one.refused[Endpoint("eavesdropper", "1")] = "status 403"
    assert (two.refused, two.fences) == ({}, ())


@pytest.mark.parametrize(
    ("port", "secure", "base"),
    [
        (80, False, "http://127.0.0.1"),
        (443, True, "https://127.0.0.1"),
        (443, False, "http://127.0.0.1:443"),
        (8000, True, "https://127.0.0.1:8000"),
    ],
)
def test_the_port_of_a_scheme(port, secure, base):
    """A page on the port that its scheme has anyway comes from an Origin without it, as browsers say."""
    server = RunningServer(port=port, form=FORM, secure=secure)
    assert (server.base, server.sockets) == (base, base.replace("http", "ws"))
