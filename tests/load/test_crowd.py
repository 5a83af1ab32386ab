"""One socket of a crowd, on a server that is as strange as servers are."""

from __future__ import annotations

import asyncio

import picows
import pytest

from harness.clients.frame_format import FrameFormat
from harness.load.crowd import Crowd
from harness.load.plan import Plan, Visitor

NOBODY = Visitor(name="", cookie="")


class Closing(picows.WSListener):
    """Closes with what it is given, and keeps what it is answered."""

    def __init__(self, data, answers):
        self.data, self.answers = data, answers

    def on_ws_connected(self, transport):
        transport.send(picows.WSMsgType.CLOSE, self.data)

    def on_ws_frame(self, transport, frame):
        self.answers.append(frame.get_payload_as_bytes())


@pytest.mark.parametrize("data", [b"", b"\x03\xf3"], ids=["no code", "a code"])
def test_a_close_is_answered_as_it_came(data):
    """What closes a socket is answered with the same code, and with none where there was none."""
    answers = []

    async def closed():
        server = await picows.ws_create_server(lambda _: Closing(data, answers), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        plan = Plan(
            cell="py311-django22",
            library="",
            url=f"ws://127.0.0.1:{port}/",
            origin=f"http://127.0.0.1:{port}",
            visitors=[NOBODY],
            publisher=NOBODY,
            sockets=1,
            deadline=10.0,
        )
        crowd = Crowd(plan, FrameFormat("/", lambda text: [text]))
        await crowd.have_publisher()
        async with asyncio.timeout(5):
            while not answers:
                await asyncio.sleep(0.01)
        server.close()

    asyncio.run(closed())
    assert answers == [data]
