"""How much the figures measure: every number of rounds, cells, sockets and results."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured, and nothing but that; the more there is of it, the less a single one decides."""

    #: How often the fifteen exchanges are gone through on one server.
    exchange_rounds: int
    #: Seconds that are waited for each member who must stay silent, where no fences are used.
    silence: float
    #: How many of the cells with other libraries are served.
    libraries: int
    #: How often something of seconds is done: a warm cell, a comparison, a page that is loaded.
    quick_rounds: int
    #: How often something of a minute is done: all results rendered, all cells one after the other and side by side.
    slow_rounds: int
    #: How often a library that behaves well is tried, in each wire format.
    control_rounds: int
    #: How many cells are run side by side and one after the other.
    cells: int
    #: How many results are rendered and compared, and how many to see how the time for that grows.
    results: int
    fewer_results: int
    #: How often each load client is given its task: how many messages there are for how many subscribers.
    peer_rounds: int
    subscribers: int
    messages: int
    #: How many guilty releases are searched for.
    searches: int
    #: How many sockets are open and silent while memory is looked at.
    idle: int


#: What the goals are for.
FULL = Size(
    exchange_rounds=20,
    silence=1.0,
    libraries=6,
    quick_rounds=5,
    slow_rounds=3,
    control_rounds=200,
    cells=6,
    results=500,
    fewer_results=100,
    peer_rounds=7,
    subscribers=1000,
    messages=20,
    searches=50,
    idle=10_000,
)
#: As little as there can be for every line of a figure to be reached; what comes of it means nothing.
SMALLEST = Size(
    exchange_rounds=1,
    silence=0.001,
    libraries=1,
    quick_rounds=1,
    slow_rounds=1,
    control_rounds=1,
    cells=2,
    results=8,
    fewer_results=1,
    peer_rounds=1,
    subscribers=20,
    messages=5,
    searches=2,
    idle=20,
)
