"""How connections end, on a server that ends them well, or badly in the one way that a test says."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from contextlib import contextmanager, suppress

import pytest
from aiohttp import WSMsgType, web
from cellservers import TalkingLibrary, failed, standing_in
from talkers import FORM, Sessions, Switchboard

from harness.cell.outcome import Observations
from harness.chat.conversation import Chat
from harness.chat.parties import RunningServer
from harness.libraries.base import ALL_TRIALS, Variant
from harness.libraries.envelope import JsonClient
from harness.probes import endings
from harness.system.ports import free_port

RAISED = "A handler raises"
CLIENT, SERVER = "A client closes with 4001: its disconnect handler", "The server closes with 4400 and a reason"
REFUSED, RESET = "A connection that is refused", "A client's connection is reset: its disconnect handler"
SILENT = "A client vanishes without a word: its disconnect handler"
GOOD = {
    f"{RAISED}: its client": "is closed with 1011",
    f"{RAISED}: the other members": "receive what comes then",
    f"{RAISED}: the disconnect handler of its connection": "runs",
    CLIENT: "gets 4001",
    f"{SERVER}: its client": "is closed with 4400 and the reason “enough”",
    f"{SERVER}: its disconnect handler": "gets 4400",
    REFUSED: "status 403",
    RESET: "runs within 10 s",
}


class Ending:
    """A chat on a port, in a thread; *wrong* is what it does badly."""

    def __init__(self, wrong: str) -> None:
        self.wrong, self.notes = wrong, ""
        self.there: list[web.WebSocketResponse] = []
        #: The cookies of those whose subscriptions stand.
        self.subscribed: list[str] = []
        self.port = free_port()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    @contextmanager
    def running(self):
        application = web.Application()
        application.router.add_get("/ws/members/", self.socket)
        runner = web.AppRunner(application, shutdown_timeout=0.1)

        async def start():
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", self.port).start()

        self.thread.start()
        asyncio.run_coroutine_threadsafe(start(), self.loop).result(5)
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), self.loop).result(5)
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(5)
            self.loop.close()

    def say(self, text: str) -> None:
        """Broadcast *text*, as a page's view does."""

        async def send() -> None:
            for each in [each for each in self.there if not each.closed]:
                with suppress(ConnectionError):  # of one that is about to be closed
                    await each.send_str(json.dumps({"channel": "broadcast", "sender": "John", "message": text}))

        asyncio.run_coroutine_threadsafe(send(), self.loop).result(5)

    async def socket(self, request):
        if not request.headers.get("Cookie") and self.wrong != "accepts strangers first":
            if self.wrong == "refuses slowly":
                await asyncio.sleep(0.5)
            return web.Response(status=403)
        socket = web.WebSocketResponse(heartbeat=None if self.wrong == "misses the silent" else 0.3)
        await socket.prepare(request)
        if not request.headers.get("Cookie"):
            await socket.close(code=4403)
            return socket
        self.there.append(socket)
        self.subscribed.append(request.headers["Cookie"])
        code = 1006
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                fields = json.loads(message.data)
                if fields.get("trial") == "raise" and self.wrong != "stays open when a handler raises":
                    code = 1011
                    others = self.there if self.wrong == "closes all when a handler raises" else []
                    for each in [*(each for each in others if each is not socket), socket]:
                        await each.close(code=code)
                elif fields.get("trial") == "close":
                    code = 4400
                    await socket.close(code=code, message=b"" if self.wrong == "gives no reason" else b"enough")
                elif "message" in fields:
                    await socket.send_str(json.dumps({**fields, "sender": "John"}))
        code = code if code != 1006 else socket.close_code or 1006
        self.there.remove(socket)
        if self.wrong != "keeps subscriptions":
            self.subscribed.remove(request.headers["Cookie"])
        if self.wrong == "masks codes":
            code = 1006
        if not (self.wrong == "forgets the disconnect handler" and code in (1006, 1011)):
            line = {"event": "disconnect", "who": request.query.get("trial"), "code": code}
            with open(self.notes, "a") as file:
                file.write(json.dumps(line) + "\n")
        return socket


class Client(JsonClient):
    """A client of it; what a view says comes from the chat itself."""

    def __init__(self, ending: Ending) -> None:
        self.ending = ending

    def announce(self, chat, sender, text):
        self.ending.say(text)


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Return a way to have the questions answered by a chat with something *wrong*."""
    board = Switchboard()

    def ask(
        wrong: str = "",
        *variants: Variant,
        promptly: float = 10.0,
        refusal: float = 5.0,
        missed: float = 10.0,
        trials: frozenset[str] = ALL_TRIALS,
        login: bool = True,
    ) -> dict[str, tuple[str, bool | None]]:
        for name, seconds in (("_PROMPTLY", promptly), ("_REFUSAL", refusal), ("_MISSED", missed)):
            monkeypatch.setattr(endings, name, seconds)
        library = TalkingLibrary(board)
        monkeypatch.setattr(TalkingLibrary, "has_login", login)
        library.ways, library.trials = variants, trials
        server = standing_in(tmp_path, board, library)
        server.failures["runserver endings other layer"] = failed("it is not there")
        library.refuses_by_status = "close" in trials
        with Ending(wrong).running() as ending:
            monkeypatch.setattr(
                library, "standing", lambda chat, member: ending.subscribed.count(chat.cookie(member)), raising=False
            )

            @contextmanager
            def serving(name, observed, settings=None, at=None, ends=None):
                if name in server.failures:
                    raise server.failures[name]
                ending.notes = (settings or {}).get("CHAT_TRIALS", os.devnull)
                chat = Chat(Client(ending), RunningServer(ending.port, FORM), sessions=Sessions(board))
                yield chat
                chat.close()

            monkeypatch.setattr(type(server), "serving", lambda self, *args, **options: serving(*args, **options))
            found = list(endings.ask(None, server, Observations()))
        return {each.question: (each.seen, each.good) for each in found}

    return ask


def test_all_is_well(asked):
    """A server that ends connections by the book is as expected in all."""
    found = asked()
    assert {question: seen for question, (seen, _) in found.items() if question != SILENT} == GOOD
    assert found[SILENT][0] == "runs within 10 s"
    assert all(good for _, good in found.values())


@pytest.mark.parametrize(
    ("wrong", "question", "seen"),
    [
        ("masks codes", CLIENT, "gets 1006 (2 of 2)"),
        ("masks codes", f"{SERVER}: its disconnect handler", "gets 1006 (2 of 2)"),
        ("gives no reason", f"{SERVER}: its client", "is closed with 4400 (2 of 2)"),
        ("accepts strangers first", REFUSED, "is accepted first, and is closed with 4403 (2 of 2)"),
    ],
)
def test_what_is_wrong(asked, wrong, question, seen):
    """Each way to end connections badly is found for what it is."""
    assert asked(wrong)[question] == (seen, False)


@pytest.mark.parametrize(
    ("wrong", "question", "seen"),
    [
        ("stays open when a handler raises", f"{RAISED}: its client", "stays open (2 of 2)"),
        ("closes all when a handler raises", f"{RAISED}: the other members", "receive nothing any more (2 of 2)"),
        ("forgets the disconnect handler", RESET, "does not run within 0 s (2 of 2)"),
        (
            "forgets the disconnect handler",
            f"{RAISED}: the disconnect handler of its connection",
            "does not run within 0 s (2 of 2)",
        ),
        ("misses the silent", SILENT, "does not run within 2 s (2 of 2)"),
    ],
)
def test_what_does_not_happen(asked, wrong, question, seen):
    """What does not happen is waited for as long as it may take, and then told."""
    assert asked(wrong, promptly=0.5, missed=2.0)[question] == (seen, False)


def test_a_slow_refusal(asked):
    """A refusal that takes too long is told."""
    assert asked("refuses slowly", refusal=0.3)[REFUSED] == ("status 403, later than that (2 of 2)", False)


def test_strangers_where_there_is_no_login(asked):
    """Where members are not told from strangers, nobody is asked whether strangers are refused."""
    assert set(asked(login=False)) == {*GOOD, SILENT} - {REFUSED}


def test_each_way(asked):
    """Each way is asked, and one whose server does not start is not."""
    found = asked(
        "", Variant("sync consumer", paths={"chat": "/ws/members/"}), Variant("other layer", {"LAYER": "other"})
    )
    assert found[f"{CLIENT} (sync consumer)"] == ("gets 4001", True)
    assert found[f"{SILENT} (sync consumer)"][1] is True
    assert found["Can endings be asked about? (other layer)"] == ("not asked: it is not there", None)


def test_handlers_of_events(asked):
    """Where handlers are those of events, one that raises may leave the connection open, and codes are nobody's."""
    found = asked("stays open when a handler raises", promptly=2.0, trials=frozenset({"note", "raise"}))
    assert found[f"{RAISED}: its client"] == ("stays open", True)
    assert found[f"{RAISED}: the disconnect handler of its connection"] == (
        "does not apply: the connection stays open",
        None,
    )
    assert found[CLIENT] == ("runs", True)
    assert not any(question.startswith(SERVER) for question in found)
    assert found[REFUSED] == ("status 403", True)


SUBSCRIPTIONS = {"A client's connection is reset": 2, "A client vanishes without a word": 3}


def test_subscriptions(asked):
    """Where no handler is told of an end, the server's subscription shows that it knows."""
    found = asked(promptly=2.0, missed=3.0, trials=frozenset())
    for question, seconds in SUBSCRIPTIONS.items():
        assert found[f"{question}: its subscription"] == (f"ends within {seconds} s", True)
    assert set(found) == {REFUSED, *(f"{question}: its subscription" for question in SUBSCRIPTIONS)}


def test_subscriptions_that_stay(asked):
    """A subscription that is still there after that time is found."""
    found = asked("keeps subscriptions", promptly=0.5, missed=1.0, trials=frozenset())
    for question in SUBSCRIPTIONS:
        seen, good = found[f"{question}: its subscription"]
        assert (seen.startswith("does not end within"), good) == (True, False)


def test_the_silent_are_apart(asked, monkeypatch):
    """Those who vanish without a word are in a chat of their own: nobody waits for them to be subscribed."""
    chats: dict[bool, set[int]] = {True: set(), False: set()}
    connect = endings.raw.connect

    def noted(chat, endpoint, **options):
        chats["silent" in options["query"]].add(id(chat))
        return connect(chat, endpoint, **options)

    monkeypatch.setattr(endings.raw, "connect", noted)
    asked()
    assert chats[True]
    assert chats[False]
    assert not chats[True] & chats[False]
