"""The server of a cell: started on a free port, asked until it answers, and stopped under open connections."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.captured import output
from harness.cell import readiness
from harness.cell.outcome import Observations
from harness.cell.pages import LOGIN
from harness.cell.steps import Recorder, check_not_killed
from harness.cells import Cell
from harness.chat.conversation import Chat, RunningServer
from harness.errors import CellFailure, HarnessError
from harness.libraries.base import Library
from harness.libraries.setup import Setup
from harness.results.folder import Reports
from harness.results.result import Step
from harness.system.broker import Broker
from harness.system.ports import can_bind, free_port
from harness.system.processes import Child, started
from harness.system.waiting import wait_until
from harness.verdict import Reason

#: How often another port is tried when the chosen one turns out to be taken.
_PORTS = 3
#: Seconds that a server may take to print why it dropped a connection.
_PRINTING = 1.0


@dataclass(kw_only=True)
class CellServer:
    """Everything that is needed to start a cell's server, once or again."""

    cell: Cell
    setup: Setup
    #: The interpreter of the cell's environment.
    python: Path
    #: The folder of the server side's ``manage.py``.
    project: Path
    #: The environment variables that the server is started with.
    env: dict[str, str]
    broker: Broker
    #: What the names of this run's channels and keys begin with at the broker.
    prefix: str
    recorder: Recorder
    reports: Reports
    #: What is installed: names of distributions → versions; ``Python`` as well.
    packages: dict[str, str]
    #: The most sockets of a load run.
    sockets: int
    #: The process that was started last; None before the first.
    process: Child | None = None

    @property
    def library(self) -> Library:
        """The library under test."""
        return self.setup.library

    @property
    def name(self) -> str:
        """The name of the server, which is that of the step that starts it."""
        return self.setup.server.name

    @contextmanager
    def serving(
        self, name: str, observed: Observations, settings: Mapping[str, str] | None = None, at: int | None = None
    ) -> Iterator[Chat]:
        """Start the server, and yield a chat with it once it answers; stop it when the block is left.

        Starting it is recorded as the step *name*, and how it stopped as the step after it. *settings* are further
        environment variables. It listens on the port *at*, or on a free one where that is None.

        Raises:
            CellFailure: it does not start.
        """
        log = self.recorder.work / f"{name}.log"
        self.recorder.watcher.begin(name)
        attempts = 1 if at else _PORTS
        for attempt in range(1, attempts + 1):
            port = at or free_port()
            command = self.library.serve(self.python, port, self.setup.server)
            shown = self.recorder.scrub(" ".join(command)).replace(str(port), "<port>")
            told = {variable: str(port)} if (variable := self.setup.server.port_variable) else {}
            with started(command, {**self.env, **(settings or {}), **told}, self.project, log) as process:
                self.process = process
                try:
                    seconds = readiness.wait_until_ready(process, port, self.library.ready_deadline)
                except (readiness.PortTaken, CellFailure) as failure:
                    if attempt < attempts and _port_taken(failure, log):
                        observed.repeated.append(f"{name}: the port was taken, another one was tried")
                        continue
                    raise self._did_not_start(name, failure, process, port, shown) from failure
                self.recorder.add(
                    Step(name=name, outcome="ok", command=shown, text=self._answers(process, port)), seconds
                )
                observed.startup_output = observed.startup_output or self._shown(log)
                chat = self._chat(process, port)
                try:
                    yield chat
                finally:
                    self._stop(name, process, chat, observed, log)
                return

    def _chat(self, process: Child, port: int) -> Chat:
        """Return a chat with the server, in which nobody is connected yet."""
        server = RunningServer(
            port=port,
            form=LOGIN,
            exit_status=lambda: process.exit_status,
            subscriptions=self.broker.subscribers,
            prefix=self.prefix,
        )
        return Chat(self.library.client(self.cell), server)

    def _did_not_start(self, name: str, failure: Exception, process: Child, port: int, shown: str) -> CellFailure:
        """Return why the server did not start.

        Raises:
            HarnessError: it was not the server's fault.
        """
        check_not_killed("the server", process.exit_status)
        process.stop()
        if _port_taken(failure, process.log) and not can_bind(port):
            raise HarnessError("other processes take every port that is tried", "run the cell again") from failure
        self.recorder.keep(name, process.log)
        found = output.failure(self.recorder.scrub(output.read(process.log)))
        self.recorder.check_room(found.excerpt)
        text = self.recorder.scrub(f"{failure}: {found.cause}")
        step = Step(name=name, outcome="failed", command=shown, cause=text, excerpt=found.excerpt)
        self.recorder.add(step, 0.0)
        return CellFailure(Reason.SERVER_DID_NOT_START, text)

    def _answers(self, process: Child, port: int) -> str:
        """Say that the server answers, and where else it listens than it was told."""
        elsewhere = sorted(
            f"{host}:{other}" for host, other in process.listening() if (host, other) != ("127.0.0.1", port)
        )
        return self.recorder.scrub("answers" + (f"; it also listens on {', '.join(elsewhere)}" if elsewhere else ""))

    def printed(self, name: str) -> output.Failure | None:
        """Return the last traceback that the server has printed; it may come just after the connection has gone."""
        log = self.recorder.work / f"{name}.log"

        def last() -> output.Failure | None:
            return output.traceback(self.recorder.scrub(output.read(log)))

        def whole() -> bool:
            found = last()
            return found is not None and found.cause != output.UNFINISHED

        wait_until(whole, _PRINTING, every=0.02)
        return last()

    def _stop(self, name: str, process: Child, chat: Chat, observed: Observations, log: Path) -> None:
        """Stop the server under the connections that are open, for that is when some servers hang.

        How it stops is asked once; where the same server is started again, it is just ended.
        """
        died, first = process.exit_status, name == self.name
        try:
            check_not_killed("the server", died)
            standing = [endpoint for endpoint in chat.endpoints if not chat.transcript.closed(endpoint)]
            stopped = process.stop(gently=first)
        finally:
            chat.close()
            if chat.transcript.frames or first:
                chat.transcript.write(self._frames(name), self.recorder.scrub)
        closed = Counter(chat.transcript.closed(endpoint) or "closed by the harness" for endpoint in standing)
        how = [f"{count} {why}" for why, count in closed.most_common()]
        self.recorder.keep(name, log)
        if died is None and not first:
            return
        observed.stopped[name] = "; ".join([str(stopped), *([f"open sockets: {', '.join(how)}"] if how else [])])
        if died is not None:
            step = Step(name=f"stop {name}", outcome="failed", cause=f"it had ended by itself, exit status {died}")
        elif stopped.by == "SIGKILL":
            step = Step(name=f"stop {name}", outcome="failed", cause="neither SIGINT nor SIGTERM ended it")
        else:
            step = Step(name=f"stop {name}", outcome="ok", text=f"by {stopped.by}, {len(standing)} sockets open")
        self.recorder.add(step, stopped.seconds)

    def _frames(self, name: str) -> Path:
        more = "" if name == self.name else "-" + re.sub(r"\W+", "-", name)
        return self.recorder.evidence / f"frames{more}.jsonl"

    def _shown(self, log: Path) -> str:
        """Return what the server printed before it was first asked for something."""
        text = self.recorder.scrub(output.read(log))
        return output.shorten(re.split(r"^.*\"GET /", text, maxsplit=1, flags=re.MULTILINE)[0].rstrip())


def _port_taken(failure: Exception, log: Path) -> bool:
    return isinstance(failure, readiness.PortTaken) or "already in use" in output.read(log)
