"""How many processors there are for a run, which can be fewer than the machine has."""

from __future__ import annotations

from functools import cache


@cache
def processors() -> int:
    """Return how many processors this process may use, at least 1; a part of one counts as a whole.

    A job or a container can have fewer than the machine, by affinity or by the quota of a control group. What is done
    side by side on more of them than there are delays servers until they look as if they lost messages.
    """
    from loky import cpu_count  # takes a twentieth of a second, which most commands need not wait for

    return int(cpu_count())
