"""The load client's step on Locust: one master, and workers on as many machines as there have to be.

``locust -f harness/load/locust/locustfile.py --headless --master --cell CELL --host URL -u SOCKETS`` conducts it, and
``locust -f harness/load/locust/locustfile.py --worker --master-host MACHINE`` takes a shard of the sockets. Each
socket is a user of Locust's; the one that publishes is none, and belongs to the first worker. Every count of every
worker is added up by the master into the same :class:`~harness.results.loads.Step` that the client on one machine
writes. How deliveries are timed when machines have clocks of their own: see :mod:`harness.load.locust.protocol`.

Sources: https://docs.locust.io/en/stable/running-distributed.html ("Communicating across nodes"),
https://docs.locust.io/en/stable/testing-other-systems.html, and "Custom arguments" in
https://docs.locust.io/en/stable/extending-locust.html.
"""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from typing import Any

import gevent
from gevent.event import Event
from locust import events, task
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from harness.load.locust.master import PATIENCE, Master
from harness.load.locust.worker import WebSocketUser, Worker
from harness.load.plan import MESSAGES


@events.init_command_line_parser.add_listener
def _arguments(parser: ArgumentParser, **_: Any) -> None:
    parser.add_argument("--cell", default="", help="What the server is, as tox names it: py311-django52-channels4")
    parser.add_argument("--messages", type=int, default=MESSAGES, help="How many are broadcast, one after the other")
    hidden: dict[str, Any] = {"include_in_web_ui": False}  # of Locust's own parser
    parser.add_argument(
        "--result", default="", help="The file to write the result to; it is printed otherwise", **hidden
    )
    parser.add_argument("--deadline", type=float, default=0.0, help="Seconds after which it ends by itself", **hidden)
    parser.add_argument(
        "--patience", type=int, default=PATIENCE, help="Seconds without a word after which a worker is gone", **hidden
    )
    parser.add_argument("--libraries", action="append", default=[], help="A folder of further libraries", **hidden)


def _interrupt() -> None:
    raise KeyboardInterrupt


@events.init.add_listener
def _begin(environment: Environment, **_: Any) -> None:
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Else Ctrl-C is met by whichever greenlet runs, and what that one was to do is not done any more.
        gevent.signal_handler(signal.SIGINT, _interrupt)
    if not isinstance(environment.runner, MasterRunner):
        Worker(environment)
    if not isinstance(environment.runner, WorkerRunner):
        Master(environment)


class Subscriber(WebSocketUser):
    """One socket of the crowd: it hears what is broadcast, for as long as the test lasts."""

    @task
    def listen(self) -> None:
        """Connect, and count whatever arrives."""
        self.environment.crowd.have_socket(self)
        Event().wait()  # a user who is done would be started again
