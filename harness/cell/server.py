"""The server of a cell: started on a free port, asked until it answers, and stopped under open connections."""

from __future__ import annotations

import enum
import re
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from harness.captured import output
from harness.cell import readiness
from harness.cell.beside import BesideLibrary
from harness.cell.only import Only
from harness.cell.outcome import Observations
from harness.cell.steps import Recorder, check_not_killed
from harness.cells import Cell
from harness.chat.conversation import Chat
from harness.chat.parties import RunningServer
from harness.clients.connection import Endpoint, SendFailed
from harness.errors import CellFailure, HarnessError
from harness.libraries.base import TRIALS, Library, Variant
from harness.libraries.setup import Setup
from harness.results.folder import Reports
from harness.results.result import Finding, Step
from harness.servers.catalogue import Deployment
from harness.system import processes
from harness.system.broker import Broker
from harness.system.ports import can_bind, free_port
from harness.system.processes import Child, Stopped, started
from harness.system.waiting import wait_until
from harness.verdict import Reason

#: What is said of a server that its signals did not end.
_NOT_ENDED = "neither SIGINT within {:.0f} s nor SIGTERM within {:.0f} s more ended it".format(
    *(processes.PATIENCE[each] for each in (signal.SIGINT, signal.SIGTERM))
)
#: How often another port is tried when the chosen one turns out to be taken.
_PORTS = 3
#: Seconds for what the server's side does to a member.
_ACTING = 30.0
#: Seconds that a server may take to print why it dropped a connection.
_PRINTING = 1.0
#: Seconds that a server may take to handle that clients have gone, before it is told to end.
_DISCONNECTING = 2.0


class Ends(enum.Enum):
    """When a server is told to end, which is asked where it is started anew; else it is just ended."""

    UNDER_CONNECTIONS = "Does the server end while connections are open?"
    WHILE_CLOSING = "Does the server end while connections are closing?"
    AT_ONCE = ""


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
    #: The file that the server has its members in.
    database: Path
    #: What the names of this run's channels and keys begin with at the broker.
    prefix: str
    recorder: Recorder
    reports: Reports
    #: What is installed: names of distributions → versions; ``Python`` as well.
    packages: dict[str, str]
    #: The most sockets of a load run.
    sockets: int
    #: How often a load run holds the two sizes that matter: one run is one sample.
    runs: int = 0
    #: The name of the deployment that load and stress are tried with; None tries them with each, or with the usual.
    deployment: str | None = None
    #: What the second round is shuffled with; None has it be another order each time.
    seed: int | None = None
    #: Makes what variants need beside the library; None where none of them is to be tried.
    beside: BesideLibrary | None = None
    #: The question that is asked alone; None where everything is.
    only: Only | None = None
    #: The process that was started last; None before the first.
    process: Child | None = None

    @property
    def library(self) -> Library:
        """The library under test."""
        return self.setup.library

    def wants(self, *questions: str) -> bool:
        """Tell whether one of *questions*, or one that begins so, is asked: what is not need not be gone through."""
        return self.only is None or self.only.begins(*questions)

    def wants_way(self, name: str) -> bool:
        """Tell whether the way *name* of the library, the usual one where that is empty, is asked."""
        if self.only is None:
            return True
        # Some questions name the usual way as well.
        usual = self.only.way not in {each.name for each in self.library.variants(self.cell)}
        return self.only.way == name or (not name and usual)

    def apart(self, suffix: str, database: Path | None = None) -> CellServer:
        """Return the server with a prefix of its own at the broker, and a *database* of its own if one is given."""
        prefix = f"{self.prefix}-{suffix}"
        there = database or self.database
        env = {**self.env, **self.library.environment(self.broker.url, prefix, there)}
        return replace(self, prefix=prefix, env=env, database=there, process=None)

    def settings_for(self, variant: Variant) -> dict[str, str]:
        """Return the further environment variables of a server that carries *variant*; what it needs is there then.

        Raises:
            CellFailure: it cannot be had.
        """
        if variant.beside is None or self.beside is None:
            return variant.environment
        return {**variant.environment, **self.beside.variables(variant.beside, {**self.env, **variant.environment})}

    def with_own_members(self, suffix: str) -> CellServer:
        """Return the server with a prefix and a copy of the members of its own: they can be changed there."""
        database = self.recorder.work / f"{suffix}.sqlite3"
        if self.database.exists():  # there is none where migrate has failed
            shutil.copyfile(self.database, database)
        return self.apart(suffix, database)

    def act(self, what: str, member: str) -> None:
        """Have the server's side do something to *member*; see ``myapp/trials/act.py``.

        Raises:
            CellFailure: it could not.
        """
        log = self.recorder.work / "act.log"
        command = [str(self.python), "-m", "myapp.trials.act", what, member]
        ended = processes.run(command, self.env, self.project, log, _ACTING)
        if ended.exit_status != 0:
            text = self.recorder.scrub(output.read(log))[-200:]
            raise CellFailure(Reason.EXCHANGE_WRONG, f"{what} could not be done to {member}: {text}")

    @property
    def deployments(self) -> list[Deployment]:
        """The ways to deploy the server that are to be tried."""
        there = self.library.deployments(self.cell, self.setup.server)
        return [each for each in there if self.deployment in (None, each.name)]

    @property
    def name(self) -> str:
        """The name of the server, which is that of the step that starts it."""
        return self.setup.server.name

    @contextmanager
    def serving(
        self,
        name: str,
        observed: Observations,
        settings: Mapping[str, str] | None = None,
        at: int | None = None,
        ends: Ends | None = None,
    ) -> Iterator[Chat]:
        """Start the server, and yield a chat with it once it answers; stop it when the block is left.

        Starting it is recorded as the step *name*, and how it stopped as the step after it. *settings* are further
        environment variables. It listens on the port *at*, or on a free one where that is None. *ends* is when it is
        told to end; None stands for under open connections, where it is the server of the cell's name.

        Raises:
            CellFailure: it does not start.
        """
        log = self.recorder.log(name)
        ends = ends or (Ends.UNDER_CONNECTIONS if name == self.name else Ends.AT_ONCE)
        self.recorder.watcher.begin(name)
        attempts = 1 if at else _PORTS
        for attempt in range(1, attempts + 1):
            port = at or free_port()
            command = self._command(port, TRIALS in (settings or {}))
            shown = self.recorder.scrub(" ".join(command)).replace(str(port), "<port>")
            told = {variable: str(port)} if (variable := self.setup.server.port_variable) else {}
            with started(command, {**self.env, **(settings or {}), **told}, self.project, log) as process:
                self.process = process
                try:
                    seconds = readiness.wait_until_ready(process, port, self.library.ready_deadline, self.library.ready)
                except (readiness.PortTaken, CellFailure) as failure:
                    if attempt < attempts and _port_taken(failure, process):
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
                    self._stop(name, process, chat, observed, ends)
                return

    def _command(self, port: int, trials: bool) -> list[str]:
        """Return the command that starts the server on *port*; with *trials* to do what connections ask for."""
        if trials and self.library.trial_application:
            return self.setup.server.command(self.python, port, self.library.trial_application)
        return self.library.serve(self.python, port, self.setup.server)

    def _chat(self, process: Child, port: int) -> Chat:
        """Return a chat with the server, in which nobody is connected yet."""
        server = RunningServer(
            port=port,
            form=self.library.form,
            exit_status=lambda: process.exit_status,
            subscriptions=self.broker.subscribers,
            prefix=self.prefix,
        )
        return Chat(self.library.client(self.cell, self.inside), server)

    def inside(self, code: str, *arguments: str) -> str:
        """Run *code*, which is Python, with *arguments* in the cell's own environment; return what it prints.

        Raises:
            CellFailure: it fails.
        """
        log = self.recorder.work / f"inside-{threading.get_ident()}.log"
        ended = processes.run([str(self.python), "-c", code, *arguments], self.env, self.project, log, _ACTING)
        text = output.read(log)
        if ended.exit_status != 0:
            found = output.failure(self.recorder.scrub(text))
            raise CellFailure(Reason.PAGE_FAILED, f"the lines of Python by which members log in fail: {found.cause}")
        return text

    def _did_not_start(self, name: str, failure: Exception, process: Child, port: int, shown: str) -> CellFailure:
        """Return why the server did not start.

        Raises:
            HarnessError: it was not the server's fault.
        """
        check_not_killed("the server", process.exit_status)
        # Read before it is stopped: what it prints then is of the harness's own signals.
        found = output.failure(self.recorder.scrub(output.read(process.log)))
        taken = _port_taken(failure, process)
        process.stop()
        if taken and not can_bind(port):
            raise HarnessError("other processes take every port that is tried", "run the cell again") from failure
        self.recorder.keep(name, process.log)
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

    def written(self, name: str) -> int:
        """Return how many bytes the server *name* has printed so far."""
        log = self.recorder.log(name)
        return log.stat().st_size if log.exists() else 0

    def printed(self, name: str, since: int = 0) -> output.Failure | None:
        """Return the last traceback that the server *name* has printed behind its first *since* bytes.

        It may come just after the connection has gone. None where there is none.
        """
        log = self.recorder.log(name)

        def last() -> output.Failure | None:
            return output.traceback(self.recorder.scrub(output.read(log, since)))

        def whole() -> bool:
            found = last()
            return found is not None and found.cause != output.UNFINISHED

        wait_until(whole, _PRINTING, every=0.02)
        return last()

    def _stop(self, name: str, process: Child, chat: Chat, observed: Observations, ends: Ends) -> None:
        """Stop the server as *ends* says; under open connections, for that is when some servers hang."""
        died, first = process.exit_status, name == self.name
        try:
            if not process.told:
                check_not_killed("the server", died)
            if ends is Ends.UNDER_CONNECTIONS:
                _wait_for_disconnects(process, chat)
            standing = [endpoint for endpoint in chat.endpoints if not chat.transcript.closed(endpoint)]
            if ends is Ends.WHILE_CLOSING:
                chat.close()
            stopped = process.stop(gently=ends is not Ends.AT_ONCE)
        finally:
            chat.close()
            for each in _all_of(chat):
                if each.transcript.frames or (first and each is chat):
                    each.transcript.write(self._frames(name), self.recorder.scrub)
        self.recorder.keep(name, process.log)
        if ends is Ends.AT_ONCE and (died is None or process.told):
            return
        sockets = "none" if ends is Ends.WHILE_CLOSING else _how_closed(chat, standing)
        observed.stopped[name] = "; ".join([str(stopped), *([f"open sockets: {sockets}"] if sockets else [])])
        if ends is not Ends.AT_ONCE and died is None:
            good = stopped.by != "SIGKILL"
            seen = f"by {stopped.by}" if good else f"no: {_NOT_ENDED}"
            observed.stopping.append(Finding(question=ends.value, expected="yes", seen=seen, good=good, chance=True))
        self._record_stop(name, died, stopped, len(standing))

    def _record_stop(self, name: str, died: int | None, stopped: Stopped, standing: int) -> None:
        if died is not None:
            step = Step(name=f"stop {name}", outcome="failed", cause=f"it had ended by itself, exit status {died}")
        elif stopped.by == "SIGKILL":
            step = Step(name=f"stop {name}", outcome="failed", cause=_NOT_ENDED)
        else:
            step = Step(name=f"stop {name}", outcome="ok", text=f"by {stopped.by}, {standing} sockets open")
        self.recorder.add(step, stopped.seconds)

    def _frames(self, name: str) -> Path:
        more = "" if name == self.name else "-" + re.sub(r"\W+", "-", name)
        return self.recorder.evidence / f"frames{more}.jsonl"

    def _shown(self, log: Path) -> str:
        """Return what the server printed before it was first asked for something."""
        text = self.recorder.scrub(output.read(log))
        return output.shorten(re.split(r"^.*\"GET /", text, maxsplit=1, flags=re.MULTILINE)[0].rstrip())


def _all_of(chat: Chat) -> list[Chat]:
    """Return a chat and all others with its server."""
    return [chat, *(each for other in chat.others for each in _all_of(other))]


def _wait_for_disconnects(process: Child, chat: Chat) -> None:
    """Wait until the server has closed what its clients have closed, and speaks again: only then is it told to end."""
    wait_until(lambda: not process.half_closed(chat.server.port), _DISCONNECTING, every=0.02)
    if chat.endpoints and process.exit_status is None:
        with suppress(SendFailed):
            chat.announce_fence(seconds=_DISCONNECTING)


def _how_closed(chat: Chat, standing: Sequence[Endpoint]) -> str:
    """Return how those of the connections that were *standing* ended, such as ``9 closed by the server with 1001``."""
    closed = Counter(chat.transcript.closed(endpoint) or "closed by the harness" for endpoint in standing)
    return ", ".join(f"{count} {why}" for why, count in closed.most_common())


def _port_taken(failure: Exception, process: Child) -> bool:
    """Tell whether somebody else has the port; what a server that still runs says of any port proves nothing."""
    if isinstance(failure, readiness.PortTaken):
        return True
    return process.exit_status is not None and "already in use" in output.read(process.log)
