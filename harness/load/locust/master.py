"""The master of Locust's: it conducts a step whenever a test is started, and writes down what comes of it."""

from __future__ import annotations

import atexit
import logging
import secrets
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
import msgspec
from gevent.event import Event
from locust import runners
from locust.env import Environment
from locust.runners import STATE_MISSING, STATE_SPAWNING, MasterRunner

from harness.errors import CellFailure, HarnessError, UsageError
from harness.load.locust import protocol, remote_plan
from harness.load.locust.conductor import Conductor
from harness.load.locust.protocol import ANSWER, ORDER, Order
from harness.load.plan import Plan
from harness.load.timing import deadline_for
from harness.results.loads import INTERRUPTED, Step
from harness.system.files import write_atomically
from harness.system.waiting import Deadline

#: Seconds without a word after which a worker is gone; Locust's own 3 are over soon where a machine is busy.
PATIENCE = 10
#: Seconds in which a master that is interrupted has to be done.
_LEAVE = 15.0
#: Seconds between two looks at whether Locust still starts users.
_LOOK = 0.1

_log = logging.getLogger(__name__)


class Master:
    """Conducts a step whenever Locust starts a test, and writes down what comes of it."""

    conductor: Conductor | None = None
    greenlet: gevent.Greenlet | None = None

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.options = environment.parsed_options
        self.run = ""
        #: Whether the result of the last test is known, and whether Locust ends it.
        self.written = self.stopping = False
        self.changed = Event()
        self.prepared = Event()
        runners.HEARTBEAT_LIVENESS = self.options.patience
        environment.runner.register_message(ANSWER, self.heard)
        environment.events.test_start.add_listener(self.start)
        environment.events.test_stopping.add_listener(self.interrupt)
        environment.events.quitting.add_listener(self.leave)
        if self.options.headless:
            self.check()
            atexit.register(self.last)

    def check(self) -> None:
        """End at once if what was asked for cannot be done."""
        try:
            remote_plan.setup_of(self.options.cell, self.options.libraries)
            if not self.environment.host:
                raise UsageError("the server's address is missing; give it with --host")
        except HarnessError as error:
            _log.error("%s%s", error, f"; {error.hint}" if error.hint else "")
            self.written = True  # nothing was begun
            sys.exit(error.exit_code)

    def plan(self, sockets: int) -> Plan:
        """Return what is to be done.

        Raises:
            UsageError: there is no such cell, or no address.
            CellFailure: somebody cannot log in.
        """
        options = self.options
        rate = getattr(self.environment.runner, "spawn_rate", 0) or options.spawn_rate or 1
        # Locust needs its time to start its users.
        deadline = options.deadline or deadline_for(sockets) + sockets / rate
        base = (self.environment.host or "").rstrip("/")
        return remote_plan.plan_for(base, options.cell, options.libraries, sockets, options.messages, deadline)

    def start(self, **_: Any) -> None:
        """Begin a step; Locust starts its users once the workers know what they are for."""
        self.run, self.conductor = secrets.token_hex(4), None
        self.written = self.stopping = False
        self.changed.clear()
        self.prepared.clear()
        self.greenlet = gevent.spawn(self.conduct)
        self.prepared.wait()

    def conduct(self) -> None:
        """Go through a step, write what comes of it, and end the test."""
        sockets = self.environment.runner.target_user_count
        step = Step(sockets=sockets, ended="the master failed")
        try:
            workers = sorted(self.present())
            self.conductor = Conductor(self.plan(sockets), workers, self.tell, self.wait, self.present)
            self.conductor.prepare()
            self.prepared.set()
            step = self.conductor.conduct()
        except (CellFailure, HarnessError) as error:
            step = Step(sockets=sockets, ended=str(error))
        except Exception:
            _log.exception("the master failed")
        finally:
            self.prepared.set()
            self.write(step)
            if not self.stopping:
                self.stop()

    def stop(self) -> None:
        """End the test, and Locust as well if nobody looks at it."""
        runner = self.environment.runner
        if self.options.headless:
            runner.quit()
            return
        while runner.state == STATE_SPAWNING:  # it would go on starting users
            gevent.sleep(_LOOK)
        runner.stop()

    def present(self) -> set[str]:
        """Return the workers that are here."""
        runner = self.environment.runner
        if not isinstance(runner, MasterRunner):
            return {"local"}
        return {each.id for each in runner.clients.all if each.state != STATE_MISSING}

    def tell(self, worker: str, order: Order) -> None:
        """Give a worker an order."""
        data = {"run": self.run, "order": protocol.plain(order)}
        self.environment.runner.send_message(ORDER, data, worker)

    def heard(self, msg: Any, **_: Any) -> None:
        """Hand on what a worker says; what belongs to an earlier run is of no interest any more."""
        if self.conductor is not None and msg.data["run"] == self.run:
            self.conductor.heard(msg.node_id, protocol.answer_of(msg.data["answer"]))
            self.changed.set()

    def wait(self, seconds: float) -> None:
        """Wait until a worker says something."""
        self.changed.wait(seconds)
        self.changed.clear()

    def interrupt(self, **_: Any) -> None:
        """End a step that is under way with what there is by now, before Locust sends the workers away."""
        if self.greenlet is not None and not self.written:
            self.stopping = True
            if self.conductor is not None:
                self.conductor.ended = INTERRUPTED
            self.changed.set()
            deadline = Deadline(_LEAVE)
            while not self.greenlet.ready() and not deadline.over:
                with suppress(KeyboardInterrupt):  # tox passes on what the terminal has sent to all of them already
                    self.greenlet.join(deadline.left)

    def leave(self, **_: Any) -> None:
        """Leave nothing unwritten, also when nothing was begun."""
        self.interrupt()
        self.last()

    def last(self) -> None:
        """Write that nothing came of it, if nothing was written until the end."""
        if self.written or not (self.options.headless or self.greenlet is not None):
            return
        if self.greenlet is not None:
            self.greenlet.kill(block=False)
        step = self.conductor.step() if self.conductor else Step(sockets=self.options.num_users or 0)
        self.write(msgspec.structs.replace(step, ended=step.ended or "it ended before it began"))

    def write(self, step: Step) -> None:
        """Write or print the result; Locust ends with 0 only if every socket had each message once."""
        if self.written:
            return
        self.written = True
        self.environment.process_exit_code = 0 if step.whole else 1
        data = msgspec.json.encode(step)
        _log.info("%d of %d deliveries%s", step.deliveries, step.wanted, f"; {step.ended}" if step.ended else "")
        if self.options.result:
            try:
                write_atomically(Path(self.options.result), data)
                return
            except HarnessError as error:
                _log.error("%s", error)
                self.environment.process_exit_code = error.exit_code
        print(data.decode(), flush=True)
