"""Where faults happen, and the faults: servers and a broker of their own, and what stands between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace

import redis

from harness.cell.outcome import Observations
from harness.cell.server import CellServer, Ends
from harness.cell.ways import Way, through, ways_apart
from harness.chat.conversation import Chat
from harness.errors import CellFailure
from harness.libraries.base import Variant
from harness.system.broker import OwnBroker
from harness.system.processes import Child
from harness.system.proxy import Proxy
from harness.system.sentinel import WatchedBroker
from harness.system.waiting import pause

#: Seconds that a broker may take to say what is subscribed.
_ANSWERS = 2.0


@dataclass
class Scene:
    """The servers of all ways, their broker, and what stands between them and the members."""

    ways: list[Way]
    broker: OwnBroker
    #: Between the servers and the broker.
    before_broker: Proxy
    observed: Observations
    #: Servers and proxies that are started in it are gone when it is.
    stack: ExitStack
    #: The broker, where a Sentinel watches it.
    watched: WatchedBroker | None = None

    def __post_init__(self) -> None:
        #: Why a server could not be started again; empty where that was not so.
        self.broken = ""
        #: Between the members and each server, by the server's port.
        self.before_servers: dict[int, Proxy] = {}

    def reached_through(self, chat: Chat) -> Chat:
        """Return *chat* with its server reached through a proxy."""
        port = chat.server.port
        if port not in self.before_servers:
            self.before_servers[port] = self.stack.enter_context(Proxy(port))
        return through(chat, self.before_servers[port].port)

    def processes(self) -> list[Child]:
        """Return the process of each server."""
        return [way.process for way in self.ways if way.process is not None]

    def servers_again(self) -> None:
        """Start each server on its port once more."""
        for number, way in enumerate(self.ways, 1):
            if way.server is None or way.chat is None:
                continue
            name = f"{way.server.name} once more {number}"
            port = way.chat.server.port
            again = way.server.serving(name, self.observed, way.settings, at=port, ends=Ends.AT_ONCE)
            try:
                self.stack.enter_context(again)
            except CellFailure as failure:
                self.broken = str(failure)


@dataclass(frozen=True)
class Fault:
    """One fault, and what may be expected of whoever meets it."""

    name: str
    happen: Callable[[Scene], None]
    #: Whether it is of the broker, or of the way to it: nothing of it concerns a library without one.
    of_broker: bool = True
    #: What is behind something that fails or helps: the broker behind a ``proxy`` or a ``sentinel``, or the
    #: ``servers``, behind a proxy each; empty where nothing is.
    behind: str = ""
    #: Whether open connections can go on afterwards, and whether new ones can.
    survives: bool = True
    ends: bool = True


@contextmanager
def scene(
    server: CellServer,
    observed: Observations,
    name: str,
    wanted: Callable[[Variant], bool],
    behind: str = "",
    broker: bool = True,
) -> Iterator[Scene]:
    """Start everything that a fault needs, for the ways that are *wanted*; without *broker* that is not started yet.

    Raises:
        HarnessError: the broker does not start.
    """
    work, settings = server.recorder.work, {}
    with ExitStack() as stack:
        watched = stack.enter_context(WatchedBroker(server.env, work)) if behind == "sentinel" else None
        if watched:
            own, settings = watched.master, {server.library.sentinel: f"127.0.0.1:{watched.port}"}
        else:
            own = stack.enter_context(OwnBroker(server.env, work, name.replace(" ", "-")))
            if broker:
                own.start()
        proxy = stack.enter_context(Proxy(own.port))
        url = f"redis://127.0.0.1:{proxy.port}/0" if behind == "proxy" else own.url
        # What is subscribed there is asked of that broker itself, whatever stands before it.
        asked = stack.enter_context(closing(redis.Redis(port=own.port, socket_timeout=_ANSWERS)))
        there = replace(server, broker=replace(server.broker, url=url, client=asked))
        ways = stack.enter_context(ways_apart(there, observed, name, settings, wanted))
        yield Scene(ways, own, proxy, observed, stack, watched)


def _restarted(scene: Scene) -> None:
    scene.broker.kill()
    pause(2.0)
    scene.broker.start()


def _frozen(scene: Scene) -> None:
    scene.broker.freeze()
    pause(10.0)
    scene.broker.thaw()


def _killed(scene: Scene) -> None:
    scene.broker.kill()


def _late(scene: Scene) -> None:
    scene.before_broker.delay(0.2)
    pause(5.0)
    scene.before_broker.mend()


def _half_open(scene: Scene) -> None:
    scene.before_broker.half_open("server")


def _failed_over(scene: Scene) -> None:
    assert scene.watched is not None
    scene.watched.fail_over()


def _server_killed(scene: Scene) -> None:
    for process in scene.processes():
        process.kill()
        process.wait(5.0)
    scene.servers_again()


def _network_cut(scene: Scene) -> None:
    for proxy in scene.before_servers.values():
        proxy.cut()
    pause(3.0)
    for proxy in scene.before_servers.values():
        proxy.mend()


def _network_half_open(scene: Scene) -> None:
    for proxy in scene.before_servers.values():
        proxy.half_open("client")


#: Every fault, in the order in which they happen.
FAULTS: Sequence[Fault] = (
    Fault("The broker is away for 2 s", _restarted),
    Fault("The broker is frozen for 10 s", _frozen),
    Fault("The broker is killed for good", _killed, survives=False, ends=False),
    Fault("The broker answers 200 ms late", _late, behind="proxy"),
    Fault("The broker's connections are half-open", _half_open, behind="proxy"),
    Fault("The broker's replica takes over, by Sentinel", _failed_over, behind="sentinel"),
    Fault("The server is killed, and started again", _server_killed, of_broker=False, survives=False),
    Fault("The members' network is cut for 3 s", _network_cut, of_broker=False, behind="servers", survives=False),
    Fault(
        "The members' connections are half-open",
        _network_half_open,
        of_broker=False,
        behind="servers",
        survives=False,
    ),
)
