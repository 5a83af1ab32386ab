"""The servers of a cell that are none: whoever is served talks to a switchboard, and each start is noted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from talkers import Switchboard, Talker

from harness.captured import output
from harness.captured.output import Failure
from harness.captured.scrub import Scrubber
from harness.cell.outcome import Observations
from harness.cell.server import CellServer, Ends
from harness.cell.steps import Recorder
from harness.cells import Cell
from harness.chat.conversation import Chat
from harness.errors import CellFailure
from harness.libraries.base import Library, Variant
from harness.libraries.setup import Setup
from harness.results.folder import Reports
from harness.results.result import Finding, Step
from harness.servers.catalogue import SERVERS
from harness.system.broker import Broker
from harness.verdict import Reason

CELL = Cell.parse("py311-django52")


class Watching:
    """Whoever watches the steps; keeps what it was shown."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[tuple[Step, float]] = []

    def begin(self, name: str) -> None:
        self.begun.append(name)

    def end(self, step: Step, seconds: float) -> None:
        self.ended.append((step, seconds))


def recorder_in(folder: Path) -> Recorder:
    """Return a recorder that works in *folder*, which it calls ``<place>``."""
    work, evidence = folder / "work", folder / "evidence"
    work.mkdir()
    evidence.mkdir()
    return Recorder(work, evidence, Scrubber({folder: "<place>"}), Watching())


def asking(*findings: Finding) -> Callable[[Chat], Iterator[Finding]]:
    """Return what answers any chat with *findings*."""
    return lambda chat: iter(findings)


def finding(question: str, good: bool | None = True) -> Finding:
    return Finding(question=question, expected="yes", seen="yes" if good else "no", good=good)


class TalkingLibrary(Talker, Library):
    """A library that is served by switchboards; what it asks and how else it carries the chat can be said."""

    name: ClassVar[str] = "talking"
    suffix: ClassVar[str] = "talking"
    settings: ClassVar[str] = "talking.settings"
    pages = ("/", "/chat/user/")
    ways: tuple[Variant, ...] = ()
    asks: Callable[[Chat], Iterator[Finding]] = staticmethod(asking())
    further: Mapping[str, Callable[[Chat], Iterator[Finding]]] = {}

    def requirements(self, cell: Cell) -> list[str]:
        return ["talking"]

    def variants(self, cell: Cell) -> list[Variant]:
        return list(self.ways)

    def isolation(self, chat: Chat) -> Iterator[Finding]:
        return self.asks(chat)

    def sets(self, chat: Chat) -> dict[str, Iterator[Finding]]:
        return {name: ask(chat) for name, ask in self.further.items()}


@dataclass(kw_only=True)
class StandIn(CellServer):
    """A cell's server: each start is noted, and goes to a switchboard of its own or fails."""

    #: The switchboards by the step that starts them; the first one's is for all others, and a second start gets one of
    #: its own that does what that of the first start does.
    boards: dict[str, Switchboard]
    #: Why a start fails, by its step.
    failures: dict[str, Exception] = field(default_factory=dict)
    #: Each start: the step, the settings, and the server that is started.
    starts: list[tuple[str, Mapping[str, str], str]] = field(default_factory=list)
    #: When each is told to end, and what its programs are told, by its step.
    ends: dict[str, Ends | None] = field(default_factory=dict)
    envs: dict[str, dict[str, str]] = field(default_factory=dict)
    chats: dict[str, Chat] = field(default_factory=dict)
    #: What it has printed.
    prints: Failure | None = None

    @contextmanager
    def serving(
        self,
        name: str,
        observed: Observations,
        settings: Mapping[str, str] | None = None,
        at: int | None = None,
        ends: Ends | None = None,
    ) -> Iterator[Chat]:
        self.starts.append((name, dict(settings or {}), self.name))
        self.ends[name], self.envs[name] = ends, {**self.env, **(settings or {})}
        if name in self.failures:
            self.recorder.add(Step(name=name, outcome="failed", cause=str(self.failures[name])), 0.0)
            raise self.failures[name]
        self.recorder.add(Step(name=name, outcome="ok"), 0.0)
        self.chats[name] = self._board(name).chat(self.library)
        try:
            yield self.chats[name]
        finally:
            observed.stopped[name] = f"{len(self.chats[name].endpoints)} sockets open"
            self.chats[name].close()
            self.recorder.add(Step(name=f"stop {name}", outcome="ok"), 0.0)

    def _board(self, name: str) -> Switchboard:
        first = self.boards.get(name.removesuffix(" again")) or next(iter(self.boards.values()))
        if name not in self.boards and name.endswith(" again"):
            self.boards[name] = replace(first, lines=[], said=[])
        return self.boards.get(name, first)

    def printed(self, name: str, since: int = 0) -> Failure | None:
        """Return what it is to have printed, or what stands in its log, without waiting for more."""
        return self.prints or output.traceback(output.read(self.recorder.work / f"{name}.log", since))


def standing_in(folder: Path, board: Switchboard, library: TalkingLibrary | None = None, **more: object) -> StandIn:
    """Return a server that works in *folder*, and whose clients talk to *board*."""
    return StandIn(
        cell=CELL,
        setup=Setup(library or TalkingLibrary(board), SERVERS["runserver"], "today"),
        python=Path("python"),
        project=folder,
        env={},
        broker=Broker("redis://127.0.0.1:6379/0", "Valkey 9.1.2", None, embedded=True),
        database=folder / "work" / "chat.sqlite3",
        prefix="prefix",
        recorder=recorder_in(folder),
        reports=Reports(folder / "reports"),
        packages={"Python": "3.11.9"},
        sockets=100,
        boards={"runserver": board},
        **more,
    )


def failed(text: str, reason: Reason = Reason.SERVER_DID_NOT_START) -> CellFailure:
    return CellFailure(reason, text)
