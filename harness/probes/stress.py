"""Stress: what comes of a documentation's stress test, with a thousand subscribers on websocket-client and a publisher.

They are greenlets and then threads. The message is published to those who have subscribed, and then in the way of
django-websocket-redis' repository: before anybody has, and kept for whoever comes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec

import msgspec
from filelock import FileLock

from harness import PACKAGE, ROOT
from harness.captured import output
from harness.cell.outcome import Observations
from harness.cell.server import CellServer
from harness.chat.conversation import Chat
from harness.errors import CellFailure
from harness.load.crowd import room_for_sockets
from harness.load.plan import publisher_of
from harness.load.stress import GREENLETS, THREADS
from harness.load.subscribers import ARRIVING, CONNECTING, STANDING, Stressed, StressPlan
from harness.probes import deployed
from harness.results.result import Finding
from harness.servers.catalogue import Deployment
from harness.system import processes

#: How many subscribers there are, as in the documentation, where no fewer are asked for.
SUBSCRIBERS = 1000
_ALL = "all of them receive it"


def ask(chat: Chat, server: CellServer, observed: Observations) -> Iterator[Finding]:
    """Go through the stress test on one deployment of the cell's server; other cells' loads wait until then."""
    deployment = _chosen(server)
    sockets = min(SUBSCRIBERS, server.sockets)
    limit = deployed.no_room(sockets, room_for_sockets())  # and whatever is started from here on has the same
    if limit or deployment.proxied:
        seen = f"not tested: {limit or 'NGINX is for load runs'}"
        question = f"{sockets} subscribers ({deployment.name})"
        yield Finding(question=question, expected=_ALL, seen=seen, good=None)
        return
    ways: list[tuple[bool, str, dict[str, str]]] = [(False, "a message to those who have subscribed", {})]
    if server.library.keeping:
        ways.append((True, "a message that was kept for them", server.library.keeping))
    with FileLock(server.reports.load_lock):
        for kept, what, environment in ways:
            for kind in (GREENLETS, THREADS):
                question = f"{sockets} subscribers as {kind}, {what} ({deployment.name})"
                yield _tried(server, observed, deployment, kind, kept, environment, question)


def _chosen(server: CellServer) -> Deployment:
    """Return the deployment that is named; else the one of two processes, as the documentation has it, or the first."""
    there = server.deployments
    return next((each for each in there if each.processes == 2 and not each.proxied), there[0])


def _tried(
    server: CellServer,
    observed: Observations,
    deployment: Deployment,
    kind: str,
    kept: bool,
    environment: dict[str, str],
    question: str,
) -> Finding:
    """Have a client of its own go through one way on a start of its own."""
    if kind == GREENLETS and find_spec("gevent") is None:
        return Finding(question=question, expected=_ALL, seen="not tested: there is no gevent here", good=None)
    name = f"{server.name} under stress, {kind}{', kept' if kept else ''}"
    try:
        with deployed.serving(server, observed, deployment, name, environment) as chat:
            stressed = _stressed(server, chat, kind, kept)
    except CellFailure as failure:
        return Finding(question=question, expected=_ALL, seen=str(failure), good=False)
    if isinstance(stressed, str):
        seen = f"not tested: the client failed: {stressed}"
        return Finding(question=question, expected=_ALL, seen=seen, good=None, chance=True)
    observed.counted[question] = _told(stressed)
    whole = stressed.received == min(SUBSCRIBERS, server.sockets)
    return Finding(question=question, expected=_ALL, seen=_ALL if whole else "not all do", good=whole, chance=True)


def _stressed(server: CellServer, chat: Chat, kind: str, kept: bool) -> Stressed | str:
    """Return what the client has written down, or why it has not."""
    work = server.recorder.work
    log = work / f"stress as {kind}{' kept' if kept else ''}.log"
    plan_path, result_path = work / "stress-plan.json", work / "stressed.json"
    visitors = deployed.visitors(chat)
    plan = StressPlan(
        **deployed.addresses(server, chat),
        cookies=[each.cookie for each in visitors],
        publisher=publisher_of(visitors).cookie,
        sockets=min(SUBSCRIBERS, server.sockets),
        kept=kept,
        token=chat.token,
    )
    plan_path.write_bytes(msgspec.json.encode(plan))
    result_path.unlink(missing_ok=True)
    command = [sys.executable, "-m", f"{PACKAGE}.load.stress", kind, str(plan_path), str(result_path)]
    deadline = 2 * (CONNECTING + STANDING + ARRIVING)
    ended = processes.run(command, server.env, ROOT, log, deadline)
    server.recorder.keep(log.stem, log)
    if result_path.exists():
        return msgspec.json.decode(result_path.read_bytes(), type=Stressed)
    why = f"it did not end within {deadline:.0f} s" if ended.timed_out else f"exit status {ended.exit_status}"
    return output.last_line(server.recorder.scrub(output.read(log))) or why


def _told(stressed: Stressed) -> str:
    """Return the figures in one line."""
    parts = [f"{stressed.connected} let in", f"{stressed.subscribed} subscribed", f"{stressed.received} received it"]
    refused = [f"{count} {why}" for why, count in stressed.refused.items()]
    return ", ".join([*parts, *refused, f"in {stressed.seconds:.1f} s"])
