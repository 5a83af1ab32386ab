"""Load: ever more sockets on each deployment of the server, until one does not hold them; then ever more messages."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
from filelock import FileLock

from harness import PACKAGE, ROOT
from harness.captured import output
from harness.captured.output import shorten
from harness.cell.outcome import Observations
from harness.cell.server import CellServer
from harness.chat.conversation import Chat
from harness.clients.connection import Endpoint, HandshakeRefused
from harness.errors import CellFailure, HarnessError, Interrupted
from harness.load import meter
from harness.load.crowd import CLIENT_FULL, room_for_sockets
from harness.load.plan import RATES, SILENT_SECONDS, Outcome, Plan, Visitor, publisher_of
from harness.load.timing import deadline_for
from harness.probes import deployed
from harness.results import loads
from harness.results.loads import BOUND_MS, HOLD_SECONDS, INTERRUPTED, LADDER, NOT_TRIED, RATE_SOCKETS, Run, Step
from harness.results.result import Finding
from harness.servers import nginx
from harness.servers.catalogue import Deployment
from harness.servers.front import NoFront
from harness.system import processes

#: Seconds that a client has to write down what it has once its time is over.
_GRACE = 15.0
#: A step in which less than this share is delivered is the last.
_ENOUGH = 0.9
#: Bytes of what the server printed that are looked through for a cause.
_LOOKED_AT = 200_000
#: Seconds that a stranger's connection has to stay open.
_STAYS = 0.3
#: Seconds for a server to let go of the sockets of a step.
_SETTLE = 30.0
#: The last line of a traceback, and what it is where only the other side has left.
_ERROR = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Closed|Timeout|Interrupt)\b.*$", re.MULTILINE)
_LEAVING = re.compile("ConnectionReset|BrokenPipe|ConnectionAborted|ConnectionClosed|ClientDisconnected|Cancelled")
#: What handshakes meet where it is not the server that stops them.
_LIMITS = {
    CLIENT_FULL: "client: its file descriptors are used up",
    "EADDRNOTAVAIL": "system: no port is left to connect from",
}
#: The packages whose releases the figures depend on.
_CLIENT = ("picows", "uvloop")
_ANONYMOUS = "anonymous"
#: What a step says whose client has written nothing down.
_FAILED = "the client failed"


def ask(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Put each deployment of the cell's server under load, one after the other; other cells' loads wait until then."""
    with FileLock(server.reports.load_lock):
        for deployment in server.deployments:
            yield from _Loading(server, observed, deployment).ask()


@dataclass
class _Loading:
    server: CellServer
    observed: Observations
    deployment: Deployment
    steps: list[Step] = field(default_factory=list)
    rate: Step | None = None
    again: list[Step] = field(default_factory=list)
    visitors: list[Visitor] = field(default_factory=list)
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def ask(self) -> Iterator[Finding]:
        """Go up the ladder; what was measured is kept, however that ends."""
        ended = "broken off"
        room = room_for_sockets()  # and whatever is started from here on has the same
        try:
            with ExitStack() as stack:
                self._climb(self._serve(stack, room), room)
            # What a step that failed has left in a server is not to be met by the next.
            if self.server.only is None:
                with ExitStack() as stack:
                    self._step(self._serve(stack, room, " rates"), RATE_SOCKETS, list(RATES))
            self._once_more(room)
            ended = ""
        except NoFront as error:
            ended = f"not tested: {error}"
            yield Finding(question=self._question("Can it be put under load?"), expected="yes", seen=ended, good=None)
        except CellFailure as error:
            ended = str(error)
            yield Finding(question=self._question("Can it be put under load?"), expected="yes", seen=ended, good=False)
        except (HarnessError, Interrupted) as error:
            ended = INTERRUPTED if isinstance(error, Interrupted) else str(error)
            raise
        finally:
            if self.steps:
                self._keep(ended)
        yield from self._findings()

    def _serve(self, stack: ExitStack, room: int, what: str = "") -> Chat:
        """Start the server as it is deployed, and log in those who visit it."""
        server = self.server
        scaled = deployed.scaled(server, self.deployment)
        if self.deployment.proxied:
            nginx.find()
        called = re.sub(r"\W+", " ", self.deployment.name)
        name = f"{server.name} under load {called}{what}"
        chat = stack.enter_context(scaled.serving(name, self.observed, self.deployment.environment))
        assert scaled.process is not None
        self.children = [scaled.process]
        if self.deployment.proxied:
            folder = server.recorder.work / "nginx"
            port, child = stack.enter_context(nginx.before([chat.server.port], server.env, folder, files=room))
            chat.server = dataclasses.replace(chat.server, port=port)
            self.children.append(child)
        self.log = server.recorder.log(name)
        chat.log_in()
        self.visitors = deployed.visitors(chat)
        if _lets_strangers_in(chat):
            self.visitors.append(Visitor(name="", cookie=""))
        return chat

    def _climb(self, chat: Chat, room: int) -> None:
        # For one question its own size does: a smaller one that breaks is another question.
        ladder = LADDER if self.server.only is None else [self.server.sockets]
        for sockets in [each for each in ladder if each <= self.server.sockets]:
            if limit := deployed.no_room(sockets * (2 if self.deployment.proxied else 1), room):
                self.steps.append(Step(sockets=sockets, limit=limit, ended=NOT_TRIED))
                break
            last = self._step(chat, sockets)
            if last.ended or last.connected < sockets * _ENOUGH or last.delivered < _ENOUGH:
                break

    def _once_more(self, room: int) -> None:
        """Hold the largest size that was held, and the first that was not, for a while, each on a server of its own."""
        # Each of these starts, and each end, would be a step.
        with self.server.recorder.passing(""):
            while sockets := self._to_hold():
                number = sum(step.sockets == sockets for step in self.again) + 1
                with ExitStack() as stack:
                    self._step(self._serve(stack, room, f" {sockets} again {number}"), sockets, hold=HOLD_SECONDS)

    def _to_hold(self) -> int:
        """Return the size that is held next; 0 where both that matter were held as often as is asked for.

        What held once may not hold again: then a smaller size is the largest that does, and is asked first.
        """
        so_far = self._run("")
        # One question that is asked alone, and is bad already, gets no worse.
        matter = [so_far.held] if self.server.only else [so_far.held, so_far.beyond]
        for step in matter:
            if step is None or step.ended == NOT_TRIED:
                continue
            if sum(each.sockets == step.sockets for each in self.again) < self.server.runs:
                return step.sockets
        return 0

    def _step(self, chat: Chat, sockets: int, rates: Sequence[int] = (), hold: float = 0.0) -> Step:
        """Have a client of its own go through a step; what it has is kept, also when this is interrupted."""
        work = self.server.recorder.work
        plan_path, result_path, log = (work / f"load-{each}" for each in ("plan.json", "step.json", "client.log"))
        plan = self._plan(chat, sockets, rates, hold)
        plan_path.write_bytes(msgspec.json.encode(plan))
        result_path.unlink(missing_ok=True)
        began = self.log.stat().st_size
        usage = meter.Meter(self.children, self.server.broker)
        command = [sys.executable, "-m", f"{PACKAGE}.load.client", str(plan_path), str(result_path)]
        step, said = Step(sockets=sockets, hold=hold, ended=f"{_FAILED}: it was stopped"), ""
        client = None
        try:
            with usage.running(), processes.started(command, self.server.env, ROOT, log) as client:
                client.wait(plan.deadline + _GRACE)
            if not (rates or hold):  # or else nobody comes to this server after that
                usage.settle(_SETTLE)
        finally:
            if result_path.exists():
                outcome = msgspec.json.decode(result_path.read_bytes(), type=Outcome)
                step, said = outcome.step, self._said(began, outcome.printed)
            elif client is not None and client.exit_status is not None:
                why = output.last_line(self.server.recorder.scrub(output.read(log)))
                why = why or f"exit status {client.exit_status}"
                step = msgspec.structs.replace(step, ended=f"{_FAILED}: {shorten(why)}")
            step = msgspec.structs.replace(step, server=usage.server, broker=usage.broker_usage)
            step = msgspec.structs.replace(step, limit=_limit(chat, step, said))
            if rates:
                self.rate = step
            else:
                (self.again if hold else self.steps).append(step)
        return step

    def _plan(self, chat: Chat, sockets: int, rates: Sequence[int], hold: float) -> Plan:
        return Plan(
            **deployed.addresses(self.server, chat),
            visitors=self.visitors,
            publisher=publisher_of(self.visitors),
            sockets=sockets,
            rates=list(rates),
            hold=hold,
            silent=SILENT_SECONDS if hold else 0.0,
            deadline=deadline_for(sockets) + hold,
            log=str(self.log),
        )

    def _said(self, began: int, ended: int) -> str:
        """Return the error that stands most often between two places of the server's output, if there is one.

        What is printed because a client has left comes last.
        """
        with self.log.open("rb") as file:
            file.seek(max(began, ended - _LOOKED_AT))
            text = self.server.recorder.scrub(file.read(ended - file.tell()).decode("utf-8", "replace"))
        # Of several that come equally often, as those that are chained do, the last is what was made of the others.
        said = Counter(reversed([match[0].strip() for match in _ERROR.finditer(text)]))
        own = Counter({endpoint: number for endpoint, number in said.items() if not _LEAVING.search(endpoint)})
        return (own or said).most_common(1)[0][0] if said else ""

    def _keep(self, ended: str) -> None:
        loads.append(self.server.reports, self._run(ended))

    def _run(self, ended: str) -> Run:
        server = self.server
        return Run(
            cell=server.cell.name,
            library=server.library.name,
            server=server.name,
            deployment=self.deployment.name,
            started=self.started,
            versions={**server.packages, "broker": server.broker.version, **_client()},
            machine=meter.machine(),
            visitors=[each.name or _ANONYMOUS for each in self.visitors],
            steps=self.steps,
            rate=self.rate,
            again=self.again,
            ended=ended,
        )

    def _findings(self) -> Iterator[Finding]:
        expected = "reaches each of them once"
        run = self._run("")
        for step in self.steps:
            question = self._question(f"A broadcast to {step.sockets} sockets")
            if not step.connected and step.limit and not step.refused:
                yield Finding(question=question, expected=expected, seen=f"{NOT_TRIED}: {step.limit}", good=None)
                continue
            self.observed.counted[question] = _told(step)
            times = run.times(step.sockets)
            wrong = [each for each in times if not each.whole]
            seen = _fault(wrong[0]) if wrong else expected
            seen += f" ({len(wrong)} of {len(times)} runs)" if wrong and len(times) > 1 else ""
            yield Finding(question=question, expected=expected, seen=seen, good=not wrong, chance=True)
        if self.rate is not None and self.rate.rates:
            question = self._question(
                f"Messages a second to {RATE_SOCKETS} sockets, as long as p99 is within {BOUND_MS:.0f} ms"
            )
            best = self.rate.best_rate
            self.observed.counted[question] = f"{best.rate} a second" if best else f"less than {RATES[0]} a second"
            yield Finding(question=question, expected="as many as it can", seen="measured", good=None, chance=True)

    def _question(self, text: str) -> str:
        # By what there is, not by what is asked for: a question is the same one each time.
        alone = len(self.server.library.deployments(self.server.cell, self.server.setup.server)) == 1
        return text if alone else f"{text} ({self.deployment.name})"


def _limit(chat: Chat, step: Step, said: str) -> str:
    """Name what stopped a step: the client, the server, with what it *said*, or the system; and how."""
    if chat.server.exit_status() is not None:
        return f"server: it ended with exit status {chat.server.exit_status()}"
    if step.whole or step.rates or step.ended == INTERRUPTED:
        return ""
    if step.ended.startswith(_FAILED):
        return f"client: {step.ended.removeprefix(_FAILED).removeprefix(': ')}"
    for met, limit in _LIMITS.items():
        if met in step.refused:
            return limit
    if step.client is not None and step.client.bottleneck:
        return f"client: it was busy {step.client.share:.0%} of the time"
    if said:
        return f"server: {shorten(said)}"
    if step.refused:
        why, number = max(step.refused.items(), key=lambda each: each[1])
        return f"server: {number} handshakes, {why}"
    if step.ended:
        return f"server: {step.ended}"
    if missing := step.wanted - step.deliveries:
        return f"server: {missing} deliveries are missing"
    return f"server: closed connections: {step.fallen}" if step.fallen else "server: more than was sent"


def _client() -> dict[str, str]:
    return {f"client's {name}": importlib.metadata.version(name) for name in _CLIENT}


def _told(step: Step) -> str:
    """Return a step's figures in one line."""
    parts = [f"{step.deliveries} of {step.wanted} deliveries"]
    if step.connected < step.sockets:
        parts.append(f"{step.connected} connected")
    if step.latency is not None:
        parts.append(f"p99 {step.latency.p99:.0f} ms")
    return ", ".join([*parts, *([step.limit] if step.limit else [])])


def _fault(step: Step) -> str:
    if step.connected < step.sockets:
        return "not all are let in"
    if any(each.duplicated for each in step.messages):
        return "some receive it more than once"
    missed = step.stood + step.fallen < step.sockets or any(each.lost or each.unproved for each in step.messages)
    if step.fallen and step.messages and not missed and not step.foreign:
        return "not all of them stay open"
    return "does not reach all of them" if not step.foreign else "what nobody sent arrives"


def _lets_strangers_in(chat: Chat) -> bool:
    endpoint = Endpoint(_ANONYMOUS, "load")
    try:
        chat.open(endpoint, chat.path_for("broadcast"))
    except HandshakeRefused:
        return False
    stays = not chat.transcript.wait_closed(endpoint, _STAYS)
    chat.close([endpoint])
    return stays
