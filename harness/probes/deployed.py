"""A cell's server as it is deployed, with those who visit it: what a load run and a stress test begin with."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from harness.cell.outcome import Observations
from harness.cell.server import CellServer
from harness.chat.conversation import Chat
from harness.libraries import registry
from harness.load.plan import Visitor
from harness.servers.catalogue import Deployment

#: Bytes of memory that have to be left.
_MEMORY = 500_000_000
#: Bytes of memory that a socket takes on all sides together, roughly.
_EACH = 100_000


def scaled(server: CellServer, deployment: Deployment) -> CellServer:
    """Return *server* with as many processes as *deployment* says."""
    kind = server.setup.server.deployed(deployment)
    return dataclasses.replace(server, setup=dataclasses.replace(server.setup, server=kind))


@contextmanager
def serving(
    server: CellServer,
    observed: Observations,
    deployment: Deployment,
    name: str,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Chat]:
    """Start the server as it is deployed, in which the members are logged in; *environment* is added to its own.

    Raises:
        CellFailure: it does not start, or somebody is not let in.
    """
    settings = {**deployment.environment, **(environment or {})}
    with scaled(server, deployment).serving(name, observed, settings) as chat:
        chat.log_in()
        yield chat


def visitors(chat: Chat) -> list[Visitor]:
    """Return the members, with the cookies of their logins."""
    return [Visitor(name=member, cookie=chat.cookie(member)) for member in chat.members]


def addresses(server: CellServer, chat: Chat) -> dict[str, Any]:
    """Return what a client in a process of its own has to know: the cell, its library, and where the server is."""
    library = server.library
    elsewhere = library.suffix not in registry.discover()
    return {
        "cell": server.cell.name,
        "library": library.suffix,
        "folders": [str(each) for each in registry.module_folders({"": library})] if elsewhere else [],
        "url": f"{chat.server.sockets}{chat.client.frame_format().path}",
        "origin": chat.server.base,
    }


def no_room(connections: int, room: int) -> str:
    """Return what of this machine does not allow so many connections; nothing where all does."""
    if connections > room:
        return f"system: {connections} file descriptors, and {room} are allowed"
    ports = _ports()
    if connections > ports:
        return f"system: {connections} ports, and there are {ports}"
    free = psutil.virtual_memory().available
    return f"system: {free / 1e6:.0f} MB of memory are free" if free < _MEMORY + connections * _EACH else ""


def _ports() -> int:
    """Return how many ports a client can connect from; ip(7), ip_local_port_range."""
    try:
        first, last = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()
    except OSError:
        return 16_000  # what IANA leaves for it; RFC 6335, section 6
    return int(last) - int(first)
