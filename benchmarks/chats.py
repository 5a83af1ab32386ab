"""The fifteen exchanges with the real libraries: how long they take, and how long without fences."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.given import Given
from benchmarks.shown import row, spread
from harness import ROOT
from harness.captured.scrub import Scrubber
from harness.cell.outcome import Observations
from harness.cell.server import CellServer
from harness.cell.steps import Recorder
from harness.cell.variables import environment
from harness.cells import Cell
from harness.chat import exchanges
from harness.chat.conversation import Chat
from harness.chat.members import MEMBERS, channel_table
from harness.chat.rounds import first_round, second_round
from harness.libraries.registry import discover, setup_for
from harness.results.folder import Reports
from harness.results.loads import LADDER
from harness.results.result import Step
from harness.system import broker

#: Seconds that a message may take to reach all whom it is for.
_ARRIVING = 5.0


class Silent:
    """Watches steps, and says nothing."""

    def begin(self, name: str) -> None:
        """Say nothing of a step that begins."""

    def end(self, step: Step, seconds: float) -> None:
        """Say nothing of a step that has ended."""


@contextmanager
def chatting(name: str, given: Given) -> Iterator[Chat]:
    """Serve the cell *name* with its real library, and log in its members; nobody is connected yet."""
    cell = Cell.parse(name)
    setup, python, env = setup_for(cell, discover(given.libraries)), given.python_of(name), environment()
    library = setup.library
    project = library.project(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        work, evidence = Path(folder, "work"), Path(folder, "evidence")
        work.mkdir()
        evidence.mkdir()
        recorder = Recorder(work, evidence, Scrubber({Path(folder): "<work>"}), Silent())
        with broker.embedded(env, work) as running:
            database = work / "chat.sqlite3"
            env |= library.environment(running.url, "benchmark", database)
            env["DJANGO_SETTINGS_MODULE"] = library.settings
            for step in library.prepare(python):
                done, _ = recorder.command(step.name, step.arguments, env, project, step.deadline)
                if done.outcome != "ok":
                    sys.exit(f"{name}: {step.name} failed: {done.cause}")
            server = CellServer(
                cell=cell,
                setup=setup,
                python=python,
                project=project,
                env=env,
                broker=running,
                database=database,
                prefix="benchmark",
                recorder=recorder,
                reports=Reports(Path(folder)),
                packages={},
                sockets=LADDER[-1],
            )
            with server.serving(server.name, Observations()) as chat:
                chat.log_in()
                yield chat


def with_waits(chat: Chat, silence: float) -> float:
    """Make the same checks without fences; return the seconds that they take.

    Each member who must stay silent is waited for, *silence* seconds long.
    """
    began = time.monotonic()
    for each in channel_table():
        text = f"Hello, waiting {each.number} ({chat.token})"
        chat.say(each, text)
        chat.transcript.wait(chat.client.expected(each), [text], _ARRIVING)
        for member in MEMBERS:
            if member not in each.recipients:
                time.sleep(silence)
                own = [endpoint for endpoint in chat.endpoints if endpoint.member == member]
                assert not any(text in chat.transcript.texts(endpoint) for endpoint in own)
    return time.monotonic() - began


def fenced(first: Chat, rounds: int) -> dict[str, list[float]]:
    """Go through both rounds of exchanges with their fences, each *rounds* times, on one server; return the seconds.

    Each time is a conversation of its own, with the sessions of *first*.
    """
    seconds: dict[str, list[float]] = {"first round": [], "second round": []}
    for seed in range(rounds):
        for name, taken in seconds.items():
            with closing(Chat(first.client, first.server, sessions=first.sessions)) as chat:
                chat.connect()
                planned = first_round(chat.token) if name == "first round" else second_round(chat.token, seed)
                exchanged = exchanges.run(chat, planned)
                exchanges.check(exchanged)
            taken.append(exchanged.seconds)
    return seconds


def measure_exchanges(given: Given) -> None:
    """The fifteen exchanges with their fences, against the same with a wait for each who must stay silent."""
    size = given.size
    with chatting(given.cell, given) as first:
        seconds = fenced(first, size.exchange_rounds)
        first.connect()
        waited = with_waits(first, size.silence)
    _show(given.cell, seconds)
    ratio = waited / statistics.median(seconds["first round"])
    what = f"the same with waits of {size.silence:g} s instead (s); ratio of the two"
    row(what, f"{waited:.2f}; {ratio:.0f}", "> 30", ratio > 30)


def measure_libraries(given: Given) -> None:
    """The fifteen exchanges with their fences on each other library."""
    for name in given.environments("libraries"):
        with chatting(name, given) as first:
            seconds = fenced(first, given.size.exchange_rounds)
        _show(name, seconds)


def _show(name: str, seconds: dict[str, list[float]]) -> None:
    """Print how long the fifteen exchanges of each round took in the cell *name*."""
    for which, taken in seconds.items():
        what = f"fifteen fenced exchanges, {name}, {which}, {len(taken)} times (s)"
        row(what, spread(taken), "median < 0.5", statistics.median(taken) < 0.5)
