"""What members and strangers come with, as far as nothing else shows it."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from chats import OwnChat

from harness.chat.conversation import Chat
from harness.chat.parties import RunningServer
from harness.scenario.client import ScenarioClient
from harness.scenario.read import parse
from harness.scenario.talk import talk

pytestmark = pytest.mark.usefixtures("impatient")
CHAT = """
[members]
ann = { cookie = "who=ann" }
bob = { cookie = "who=bob" }
[connections.room]
path = "/room?$TICKET"
ticket = { path = "/ticket/" }
[frames]
send = '{"message": "$TEXT"}'
read = ".message"
[[exchanges]]
from = "ann"
"""


class Ticketing(OwnChat):
    """A chat that knows by a cookie who has been at the page of its tickets."""

    async def _request(self, connection, request):
        if request.path == "/ticket/":
            answer = connection.respond(HTTPStatus.OK, "t-1")
            answer.headers["Set-Cookie"] = "guest=yes; Path=/"
            return answer
        if "guest=yes" not in request.headers.get("Cookie", ""):
            return connection.respond(HTTPStatus.FORBIDDEN, "without a ticket?")
        return await super()._request(connection, request)


def test_cookies_of_the_page_of_tickets():
    """Whoever has fetched a ticket has the cookies of that page, strangers as well."""
    client = ScenarioClient(parse(CHAT))
    with Ticketing(token="t-1").running() as own:
        talked = talk(Chat(client, RunningServer(port=own.port, form=client.form)), client)
    found = {each.question: each.seen for each in talked.findings}
    assert talked.failure is None
    assert found["What reaches an unknown client?"] == "the private messages to all"
    assert found["What reaches a client with a made-up cookie or token?"].startswith("refused: status 403")
