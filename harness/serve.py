"""Start a cell's server, and talk to it: pages, logins, handshakes, exchanges, isolation, probes."""

from __future__ import annotations

import dataclasses
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from harness import exchanges, output, pages, probes, variants
from harness.broker import Broker, can_bind, free_port
from harness.cells import Cell
from harness.chat import Chat
from harness.errors import CellFailure, HarnessError
from harness.exchanges import Exchanged
from harness.libraries import Subject
from harness.libraries.base import Library
from harness.members import MEMBERS
from harness.processes import Child, started
from harness.result import Cost, Finding, Judgement, Probe, Reason, Step, VariantResult
from harness.servers import SERVERS
from harness.steps import Recorder, check_not_killed

#: How often another port is tried when the chosen one turns out to be taken.
_PORTS = 3
#: Seconds that a server may take to print why it dropped a connection.
_PRINTING = 1.0


@dataclass
class Served:
    """What came of a cell's server."""

    #: Why there is no database, where the servers were started all the same.
    migration: CellFailure | None = None
    web_server: CellFailure | None = None
    django_server: Judgement | None = None
    channels: CellFailure | None = None
    exchanged: Exchanged | None = None
    isolation: list[Finding] = field(default_factory=list)
    sets: list[Probe] = field(default_factory=list)
    variants: list[VariantResult] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    startup_output: str = ""
    #: The last traceback that the server had printed when something failed.
    said: output.Failure | None = None
    stopped: dict[str, str] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)
    fences: int = 0
    fences_again: int = 0
    #: What a probe counted, by its question: it differs from run to run.
    counted: dict[str, str] = field(default_factory=dict)
    #: What a probe was made with beside the cell and the harness, with its version.
    tools: dict[str, str] = field(default_factory=dict)
    costs: dict[str, Cost] = field(default_factory=dict)


@dataclass
class Site:
    """Everything that is needed to start the cell's server, once or again."""

    cell: Cell
    subject: Subject
    python: Path
    project: Path
    env: dict[str, str]
    broker: Broker
    prefix: str
    recorder: Recorder
    reports: Path
    #: What is installed, by its name; Python as well.
    packages: dict[str, str]
    #: The most sockets of a load run.
    sockets: int

    @property
    def library(self) -> Library:
        """The library under test."""
        return self.subject.library

    @contextmanager
    def serving(
        self, name: str, served: Served, settings: Mapping[str, str] | None = None, at: int | None = None
    ) -> Iterator[Chat]:
        """Start the server on a free port, or on that which is given *at*, and yield a chat with it once it answers.

        Starting it is recorded as the step *name*, and how it stopped as the step after it.

        Raises:
            CellFailure: it does not start.
        """
        log = self.recorder.work / f"{name}.log"
        self.recorder.watcher.begin(name)
        attempts = 1 if at else _PORTS
        for attempt in range(1, attempts + 1):
            port = at or free_port()
            command = self.library.serve(self.python, port, self.subject.server)
            shown = self.recorder.scrub(" ".join(command)).replace(str(port), "<port>")
            told = {variable: str(port)} if (variable := self.subject.server.port_variable) else {}
            with started(command, {**self.env, **(settings or {}), **told}, self.project, log) as server:
                try:
                    seconds = pages.wait_until_ready(server, port, self.library.ready_deadline)
                except (pages.PortTaken, CellFailure) as failure:
                    if attempt < attempts and _port_taken(failure, log):
                        served.repeated.append(f"{name}: the port was taken, another one was tried")
                        continue
                    check_not_killed("the server", server.exit_status)
                    server.stop()
                    if _port_taken(failure, log) and not can_bind(port):
                        raise HarnessError(
                            "other processes take every port that is tried", "run the cell again"
                        ) from failure
                    raise self._did_not_start(name, failure, log, shown) from failure
                self.recorder.add(
                    Step(name=name, outcome="ok", command=shown, text=self._answers(server, port)), seconds
                )
                served.startup_output = served.startup_output or self._shown(log)
                chat = Chat(self.library, self.cell, port, self.broker, self.prefix, server)
                try:
                    yield chat
                finally:
                    self._stop(name, chat, served, log)
                return

    def _did_not_start(self, name: str, failure: Exception, log: Path, shown: str) -> CellFailure:
        self.recorder.keep(name, log)
        found = output.failure(self.recorder.scrub(output.read(log)))
        self.recorder.check_room(found.excerpt)
        text = self.recorder.scrub(f"{failure}: {found.cause}")
        step = Step(name=name, outcome="failed", command=shown, cause=text, excerpt=found.excerpt)
        self.recorder.add(step, 0.0)
        return CellFailure(Reason.SERVER_DID_NOT_START, text)

    def _answers(self, server: Child, port: int) -> str:
        """Say that the server answers, and where else it listens than it was told."""
        elsewhere = sorted(
            f"{host}:{other}" for host, other in server.listening() if (host, other) != ("127.0.0.1", port)
        )
        return self.recorder.scrub("answers" + (f"; it also listens on {', '.join(elsewhere)}" if elsewhere else ""))

    def printed(self, name: str) -> output.Failure | None:
        """Return the last traceback that the server has printed; it may come just after the connection has gone."""
        log, until = self.recorder.work / f"{name}.log", time.monotonic() + _PRINTING
        while True:
            found = output.traceback(self.recorder.scrub(output.read(log)))
            if (found is not None and found.cause != output.UNFINISHED) or time.monotonic() > until:
                return found
            time.sleep(0.02)

    def _stop(self, name: str, chat: Chat, served: Served, log: Path) -> None:
        """Stop the server under the connections that are open, for that is when some servers hang.

        How it stops is asked once; where the same server is started again, it is just ended.
        """
        server, died, first = chat.server, chat.server.exit_status, name == self.subject.server.name
        try:
            check_not_killed("the server", died)
            standing = [line for line in chat.lines if not chat.transcript.closed(line)]
            stopped = server.stop(gently=first)
        finally:
            chat.close()
            if chat.transcript.frames or first:
                chat.transcript.write(self._frames(name), self.recorder.scrub)
        closed = Counter(chat.transcript.closed(line) or "closed by the harness" for line in standing)
        how = [f"{count} {why}" for why, count in closed.most_common()]
        self.recorder.keep(name, log)
        if died is None and not first:
            return
        served.stopped[name] = "; ".join([str(stopped), *([f"open sockets: {', '.join(how)}"] if how else [])])
        if died is not None:
            step = Step(name=f"stop {name}", outcome="failed", cause=f"it had ended by itself, exit status {died}")
        elif stopped.by == "SIGKILL":
            step = Step(name=f"stop {name}", outcome="failed", cause="neither SIGINT nor SIGTERM ended it")
        else:
            step = Step(name=f"stop {name}", outcome="ok", text=f"by {stopped.by}, {len(standing)} sockets open")
        self.recorder.add(step, stopped.seconds)

    def _frames(self, name: str) -> Path:
        more = "" if name == self.subject.server.name else "-" + re.sub(r"\W+", "-", name)
        return self.recorder.evidence / f"frames{more}.jsonl"

    def _shown(self, log: Path) -> str:
        """Return what the server printed before it was first asked for something."""
        text = self.recorder.scrub(output.read(log))
        return output.shorten(re.split(r"^.*\"GET /", text, maxsplit=1, flags=re.MULTILINE)[0].rstrip())


def _port_taken(failure: Exception, log: Path) -> bool:
    return isinstance(failure, pages.PortTaken) or "already in use" in output.read(log)


def serve(site: Site, wanted_probes: list[str]) -> Served:
    """Serve the cell, and go through everything that is asked of a running server."""
    served = Served()
    name = site.subject.server.name
    if site.library.django_server:
        served.django_server = _django_server(site, served)
    try:
        with site.serving(name, served) as chat:
            try:
                _ask(chat, site, served, wanted_probes)
            finally:
                served.fences, served.fences_again = len(chat.fences), chat.fences_sent_again
            _leave_open(chat)
    except CellFailure as failure:
        served.web_server = failure
    if served.web_server or served.channels:
        site.recorder.check_room(output.read(site.recorder.work / f"{name}.log"))
        if served.said is not None:
            site.recorder.blame(served.said)
            if served.channels:
                served.channels = CellFailure(served.channels.reason, served.said.behind(served.channels.text))
    else:
        variants.elsewhere(site, served)
    return served


def _ask(chat: Chat, site: Site, served: Served, wanted_probes: list[str]) -> None:
    """Go through the pages, the exchanges, and what is asked beside them as far as those went."""
    try:
        _pages(chat, site)
    except CellFailure:
        served.said = site.printed(site.subject.server.name)
        raise
    _talk(chat, site, served)
    if served.channels is None:
        variants.sets(chat, site, served)
    else:
        served.said = site.printed(site.subject.server.name)
    if served.channels is None or site.library.variants_always:
        variants.here(chat, site, served)
    served.probes = probes.run(wanted_probes, chat, site, served)


def start_alone(site: Site, migration: CellFailure) -> Served:
    """Start the two servers of a cell without a database, and stop them; nothing else can be asked of them."""
    served = Served(migration=migration)
    served.django_server = _django_server(site, served)
    try:
        with site.serving(site.subject.server.name, served):
            pass
    except CellFailure as failure:
        served.web_server = failure
    return served


def _django_server(site: Site, served: Served) -> Judgement:
    """Judge Django's own development server, which is asked for the pages alone."""
    apart = dataclasses.replace(site, subject=dataclasses.replace(site.subject, server=SERVERS["runserver"]))
    own = Served(stopped=served.stopped, repeated=served.repeated)  # what it prints is not the other server's
    try:
        with apart.serving("runserver", own) as chat:
            if served.migration is None:
                chat.log_in()
                pages.check_pages(chat.browser("nobody"), chat.browser("John"), "John", site.library.pages)
    except CellFailure as failure:
        return Judgement.of(failure.reason, failure.text)
    return Judgement.of(Reason.WORKS)


def _leave_open(chat: Chat) -> None:
    """Have the members' connections stand when the server is stopped."""
    if not chat.lines and chat.server.exit_status is None:
        with suppress(CellFailure):
            chat.connect()


def _pages(chat: Chat, site: Site) -> None:
    with site.recorder.own("log in") as say:
        chat.log_in()
        say(", ".join(MEMBERS))
    with site.recorder.own("pages") as say:
        say(", ".join(pages.check_pages(chat.browser("nobody"), chat.browser("John"), "John", site.library.pages)))


def _talk(chat: Chat, site: Site, served: Served) -> None:
    try:
        with site.recorder.own("handshakes") as say:
            chat.connect()
            say(f"{len(chat.lines)} connections stand")
        with site.recorder.own("exchanges") as say:
            served.exchanged = exchanges.run(chat)
            say(f"{served.exchanged} right")
            exchanges.check(chat, served.exchanged)
        probes.ask("isolation", site.library.isolation(chat), served.isolation, chat, site.recorder)
        # Copies and leaks that came late, while the further questions were asked.
        exchanges.judge_again(chat, served.exchanged)
        exchanges.check(chat, served.exchanged)
    except CellFailure as failure:
        served.channels = failure
