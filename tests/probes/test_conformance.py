"""The rules of WebSockets: how cases that fail, once or twice, become answers; and a server that keeps the rules."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest
from aiohttp import WSMsgType, web
from cellservers import TalkingLibrary, standing_in

from harness.cell.outcome import Observations
from harness.errors import CellFailure
from harness.probes import conformance
from harness.probes.conformance import Case
from harness.system.ports import free_port

RULES = "The rules of WebSockets: {}"


class Library(TalkingLibrary):
    echo = "/echo/"
    echo_settings = {"ORIGIN": "any"}


class World:
    """A server, and how the cases go there: each section has two."""

    def __init__(self, board, folder) -> None:
        self.server = standing_in(folder, board, Library(board))
        self.observed = Observations()
        #: What becomes of a case, one word for each time that it is run; OK where nothing stands here.
        self.goes: dict[str, list[str]] = {}
        self.urls: set[str] = set()
        self.compresses = True

    def run(self, url, cases) -> list[Case]:
        self.urls.add(url)
        numbers = [number for case in cases for number in self.numbers(case)]
        return [Case(number, self.behaviour(number), "it ends well", "it went so") for number in numbers]

    def numbers(self, case: str) -> list[str]:
        return [case.replace("*", "1"), case.replace("*", "2")] if case.endswith("*") else [case]

    def behaviour(self, number: str) -> str:
        if number == "12.1.1" and not self.compresses:
            return "UNIMPLEMENTED"
        going = self.goes.get(number, [])
        return going.pop(0) if going else "OK"

    def ask(self) -> dict[str, tuple[str, bool | None]]:
        found = conformance.ask(None, self.server, self.observed)
        return {each.question.partition(": ")[2]: (each.seen, each.good) for each in found}


@pytest.fixture
def world(board, tmp_path, monkeypatch) -> World:
    made = World(board, tmp_path)
    monkeypatch.setattr(conformance, "_run", made.run)
    return made


def test_all_rules_are_kept(world):
    """A server that keeps all rules is as expected in each section; it was started for it with what that wants."""
    found = world.ask()
    assert list(found) == [
        *("framing", "pings and pongs", "reserved bits", "opcodes", "fragmentation", "UTF-8", "closing"),
        *("automatic fragmentation", "compression", "compression with parameters"),
    ]
    assert set(found.values()) == {("no case fails", True)}
    assert world.urls == {"ws://127.0.0.1:1/echo/"}
    ((name, settings, _),) = world.server.starts
    assert (name, settings["ORIGIN"], "CHAT_TRIALS" in settings) == ("runserver conformance", "any", True)


def test_failed(world):
    """What fails twice is named, what fails once says so, and is chance where nothing fails twice."""
    world.goes = {"1.1": ["FAILED", "FAILED"], "1.2": ["FAILED"], "6.2": ["ERROR"], "7.1": ["NON-STRICT"]}
    found = world.ask()
    assert found["framing"] == ("2 of 2 fail: 1.1, 1.2 (1 of 2)", False)
    assert found["UTF-8"] == ("1 of 2 fail: 6.2 (1 of 2)", False)
    assert found["closing"] == ("no case fails", True)
    assert world.observed.counted == {RULES.format("closing"): "1 of 2 not strict: 7.1"}


def test_evidence(world):
    """What each case wants that did not go well is kept."""
    world.goes = {"1.1": ["FAILED", "OK"]}
    world.ask()
    (line,) = (world.server.recorder.evidence / "conformance.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "number": "1.1",
        "behaviour": "FAILED",
        "expectation": "it ends well",
        "result": "it went so",
    }


def test_no_compression(world):
    """Nothing of compression concerns a server that does not compress."""
    world.compresses = False
    found = world.ask()
    assert found["compression"] == ("does not apply: it does not compress", None)


def test_nothing_could_be_run(world):
    """Where not one case came to its end it was not asked."""
    world.goes = {number: ["ERROR", "ERROR"] for number in ("2.1", "2.2")}
    assert world.ask()["pings and pongs"] == ("not asked: it went so", None)


def test_no_echo(world):
    """A library whose sockets say something by themselves says why it is not asked."""
    world.server.library.echo = ""
    world.server.library.no_echo = "it greets"
    assert world.ask() == {"framing": ("does not apply: it greets", None)}


@pytest.fixture
def echoing():
    """A server in a thread that sends back what it is sent; its address."""
    loop = asyncio.new_event_loop()
    port = free_port()

    async def echo(request):
        line = web.WebSocketResponse()
        await line.prepare(request)
        async for message in line:
            await (line.send_str if message.type is WSMsgType.TEXT else line.send_bytes)(message.data)
        return line

    async def start():
        application = web.Application()
        application.router.add_get("/echo/", echo)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return runner

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(start(), loop).result(5)
    yield f"ws://127.0.0.1:{port}/echo/"
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


def test_for_real(echoing):
    """The cases are run against a real server, and one that keeps the rules fails none of these."""
    cases = conformance._run(echoing, ["1.1.*", "2.*"])
    assert [case.number for case in cases[:2]] == ["1.1.1", "1.1.2"]
    assert {case.number.partition(".")[0] for case in cases} == {"1", "2"}
    assert not any(case.failed for case in cases)


def test_no_server():
    """Where nobody answers each case says so."""
    (case,) = conformance._run("ws://127.0.0.1:1/", ["1.1.1"])
    assert (case.behaviour, case.failed) == ("ERROR", True)


def test_it_takes_too_long(echoing, monkeypatch):
    """Cases that do not come to an end are given up, with a word."""
    monkeypatch.setattr(conformance, "_DEADLINE", 0.0)
    with pytest.raises(CellFailure, match="did not end within 0 s"):
        conformance._run(echoing, ["1.1.1"])
