"""What stands before a server and is no part of a cell: found on this machine, started, and stopped again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.captured import output
from harness.system import processes
from harness.system.waiting import wait_until

_START_DEADLINE = 10.0
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")


class NoFront(Exception):
    """There is no such program, or it does not start; the message says what to do."""


def find(name: str, variable: str, package: str) -> str:
    """Return the program *name*, or the one that the environment *variable* names.

    *package* is the one of Debian's that has it.

    Raises:
        NoFront: it is not here.
    """
    wanted = os.environ.get(variable) or name
    found = shutil.which(wanted) or shutil.which(wanted, path=os.pathsep.join(_PLACES))
    if found is None:
        raise NoFront(f"there is no {name}; install Debian's package {package}, or name the program in {variable}")
    return found


@contextmanager
def running(command: Sequence[str], env: Mapping[str, str], folder: Path, port: int) -> Iterator[processes.Child]:
    """Run *command* in *folder* until the block is left; yield it once it listens on *port*.

    Raises:
        NoFront: it does not start.
    """
    name = Path(command[0]).name
    log = folder / f"{name}.log"
    with processes.started(command, dict(env), folder, log) as child:
        wait_until(lambda: child.listens_on(port) or child.exit_status is not None, _START_DEADLINE)
        if not child.listens_on(port):
            raise NoFront(f"{name} does not start: {output.last_words(log)}")
        yield child
