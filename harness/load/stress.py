"""A documentation's stress test: a thousand subscribers, each a greenlet or a thread of its own, and one publisher.

``python -m harness.load.stress KIND PLAN RESULT``, where *KIND* is ``greenlets`` or ``threads``, reads a
:class:`~harness.load.subscribers.StressPlan` and writes a :class:`~harness.load.subscribers.Stressed`. The load client
measures servers; this is what a user does who follows the documentation, with the client that it names.

Source: https://django-websocket-redis.readthedocs.io/en/latest/testing.html#running-stress-tests
"""

from __future__ import annotations

import sys
from pathlib import Path

GREENLETS, THREADS = "greenlets", "threads"


def main(kind: str, plan_path: Path, result_path: Path) -> int:
    """Do what the plan in *plan_path* says, and write what came of it to *result_path*; return the exit code."""
    if kind == GREENLETS:
        from gevent import monkey

        monkey.patch_all()  # before anything that uses sockets or threads is imported
    from harness.load import subscribers

    subscribers.run(plan_path, result_path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
