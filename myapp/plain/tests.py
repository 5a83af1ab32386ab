"""Polling and rooms, asked without a server."""

import asyncio
import json
import threading

from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.test import SimpleTestCase

from myapp import chat
from myapp.plain import hub, journal, polling
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


class SortedSets:
    """What is asked of Redis here, without one and from several threads; *away* while it does not answer."""

    def __init__(self):
        self.entries, self.away = {}, False
        self.looks = 0
        self.lock = threading.Lock()

    def zadd(self, name, entries):
        if self.away:
            raise ConnectionError("no Redis")
        with self.lock:
            self.entries.update(entries)

    def zremrangebyrank(self, name, first, last):
        with self.lock:
            for entry in sorted(self.entries, key=self.entries.get)[: max(0, len(self.entries) + last + 1)]:
                del self.entries[entry]

    def expire(self, name, seconds):
        pass

    def zrangebyscore(self, name, after, until, withscores):
        self.looks += 1
        with self.lock:
            found = [(entry.encode("utf-8"), float(score)) for entry, score in self.entries.items()]
        return [each for each in found if each[1] > int(after[1:])]


class JournalTest(SimpleTestCase):
    def setUp(self):
        self.redis = SortedSets()
        journal._redis = self.redis
        self.addCleanup(setattr, journal, "_redis", None)
        self.addCleanup(hub._copies.clear)

    async def poll(self, since, keys=("broadcast",)):
        """Ask the page that looks into Redis; return what it answers."""
        answers = []

        async def send(message):
            answers.append(message)

        scope = {"path": "/redis-poll/", "query_string": b"since=%d" % since}
        await polling.answer(scope, list(keys), send)
        return json.loads(answers[1]["body"].decode("utf-8"))

    async def write(self):
        journal._writing = asyncio.ensure_future(journal._write(hub.copies()))

    async def one_waits_for_what_is_said(self):
        await self.write()
        since = hub.last()
        waiting = asyncio.ensure_future(self.poll(since))
        while self.redis.looks < 2:
            await asyncio.sleep(0.01)
        self.assertFalse(waiting.done())
        hub.say("user.Mary", json.dumps("for Mary"))
        hub.say("broadcast", b"\0")
        hub.say("broadcast", json.dumps("for all"))
        self.assertEqual(await waiting, {"last": since + 3, "messages": ["for all"]})
        # A later request finds it too, and each member receives their own messages.
        self.assertEqual(await self.poll(since, ["user.Mary"]), {"last": since + 3, "messages": ["for Mary"]})
        journal._writing.cancel()

    async def the_oldest_are_forgotten(self):
        await self.write()
        since = hub.last()
        for number in range(journal.KEPT + 5):
            hub.say("broadcast", json.dumps(number))
        while (await self.poll(since))["last"] < hub.last():
            await asyncio.sleep(0.01)
        self.assertEqual((await self.poll(since))["messages"], list(range(5, journal.KEPT + 5)))
        journal._writing.cancel()

    async def redis_is_away(self):
        await self.write()
        self.redis.away = True
        hub.say("broadcast", json.dumps("hello"))
        with self.assertRaises(ConnectionError):
            while True:
                await journal.since(hub.last(), ["broadcast"])
                await asyncio.sleep(0.01)

    def test_one_waits_for_what_is_said(self):
        """A request waits, looking into Redis, until there is a message for its member."""
        async_to_sync(self.one_waits_for_what_is_said)()

    def test_the_oldest_are_forgotten(self):
        """The last thousand messages are kept."""
        async_to_sync(self.the_oldest_are_forgotten)()

    def test_redis_is_away(self):
        """A request gets an error when something could not be written: that is not silence."""
        async_to_sync(self.redis_is_away)()


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
        """A message reaches its own room alone; a connection that sends something else is closed."""
        async_to_sync(self.rooms_are_apart)()

    def test_strange_pages_are_refused(self):
        """A page of another site does not get into a room."""
        async_to_sync(self.strange_pages_are_refused)()
