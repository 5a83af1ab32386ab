"""Polling and rooms, asked without a server."""

import json

from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.test import SimpleTestCase

from myapp import chat
from myapp.plain import polling
from myapp.plain.asgi import application

HELLO = json.dumps({"message": "hello"})


class PollingTest(SimpleTestCase):
    def status(self, question):
        answers = []

        async def send(message):
            answers.append(message)

        scope = {"path": "/poll/", "query_string": question}
        async_to_sync(polling.answer)(scope, ["broadcast"], send)
        return answers[0]["status"]

    def test_what_is_no_number(self):
        """A question for what came since something that is no message is refused; without one all is new."""
        self.assertEqual(self.status(b"since=abc"), 400)
        self.assertEqual(self.status(b"since=-1"), 400)
        self.assertEqual(self.status(b"since=3"), 200)
        self.assertEqual(self.status(b""), 200)


class RoomTest(SimpleTestCase):
    async def enter(self, room, origin="http://127.0.0.1"):
        """Connect to *room* without a login; return the connection, and what the first answer to it is."""
        scope = {"type": "websocket", "path": "/ws/chat/%s/" % room, "headers": [(b"origin", origin.encode("ascii"))]}
        connection = ApplicationCommunicator(application, scope)
        await connection.send_input({"type": "websocket.connect"})
        return connection, (await connection.receive_output())["type"]

    async def rooms_are_apart(self):
        entered = [await self.enter(room) for room in ("J\xfcrgen / 1", "J\xfcrgen / 1", "J\xfcrgen / 2")]
        self.assertEqual([answer for _, answer in entered], ["websocket.accept"] * 3)
        here, there, elsewhere = [connection for connection, _ in entered]
        await here.send_input({"type": "websocket.receive", "text": HELLO})
        for connection in (here, there):
            self.assertEqual((await connection.receive_output())["text"], HELLO)
        self.assertTrue(await elsewhere.receive_nothing())
        for text, data in [("hello", None), (None, b"hello")]:
            await here.send_input({"type": "websocket.receive", "text": text, "bytes": data})
            self.assertEqual((await here.receive_output())["code"], chat.NO_MESSAGE)
            here = there
        await elsewhere.send_input({"type": "websocket.disconnect"})

    async def strange_pages_are_refused(self):
        _, answer = await self.enter("lobby", "http://elsewhere.invalid")
        self.assertEqual(answer, "websocket.close")

    def test_rooms_are_apart(self):
        """What is said in a room is heard in it alone; who sends what is no message is put out of it."""
        async_to_sync(self.rooms_are_apart)()

    def test_strange_pages_are_refused(self):
        """A page of another site does not get into a room."""
        async_to_sync(self.strange_pages_are_refused)()
